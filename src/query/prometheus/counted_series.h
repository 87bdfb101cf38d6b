// A counter that grew at some intervals of time. Inside this folder only.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "query/prometheus/sample_source.h"

namespace weft::query::prometheus {

// Intervals, ascending, in which something was counted; shared by the series of one histogram.
using Intervals = std::shared_ptr<const std::vector<int64_t>>;

class CountedSeries : public SampleSeries {
 public:
  // Interval i ends at i * interval_ms; samples stand from interval `first` to `last`.
  struct Grid {
    int64_t interval_ms = 0;
    int64_t first = 0;
    int64_t last = 0;
  };
  // `sums[k]` is the sum after intervals[k].
  CountedSeries(Labels labels, Intervals intervals, std::vector<double> sums, Grid grid)
      : labels_(std::move(labels)),
        intervals_(std::move(intervals)),
        sums_(std::move(sums)),
        grid_(grid) {}

  const Labels& labels() const override { return labels_; }
  void Read(int64_t from_ms, int64_t to_ms, std::vector<Point>* out) const override;
  bool ReadLast(int64_t from_ms, int64_t to_ms, Point* out) const override;
  WindowEnds ReadEnds(int64_t from_ms, int64_t to_ms) const override;
  bool counts_from_zero() const override { return false; }

 private:
  struct Samples {
    int64_t first = 0;
    int64_t last = -1;
    bool empty() const { return last < first; }
  };
  // Those that stand in the window; none when the series is not there any more.
  Samples In(int64_t from_ms, int64_t to_ms) const;
  double SumAt(int64_t interval) const;
  Point At(int64_t interval, double value) const { return {interval * grid_.interval_ms, value}; }

  const Labels labels_;
  const Intervals intervals_;
  const std::vector<double> sums_;
  const Grid grid_;
};

}  // namespace weft::query::prometheus
