// Functions of range vectors: one number from the samples of a window. Inside this folder only.
#pragma once

#include <optional>
#include <span>

#include "query/lang/promql/tree.h"
#include "query/prometheus/sample_source.h"

namespace weft::query::prometheus {

struct Window {
  int64_t from_ms = 0;
  int64_t to_ms = 0;
};

// rate, increase and delta: the difference between a window's ends, continued to the window's
// bounds where the samples come near enough. Nothing for fewer than two samples.
std::optional<double> ExtrapolatedDifference(lang::promql::Function function,
                                             const WindowEnds& ends, Window window,
                                             bool counts_from_zero);

// The others; `parameter` is that of quantile_over_time. Nothing where the function has no value.
std::optional<double> OverTime(lang::promql::Function function, std::span<const Point> points,
                               double parameter);

// The value that a share q of the values does not exceed, between two values in proportion;
// reorders them.
double QuantileOf(double q, std::vector<double>* values);

// Of cumulative counts by upper bound; reorders them.
struct Bucket {
  double bound = 0;
  double count = 0;
};
double QuantileOfBuckets(double q, std::vector<Bucket>* buckets);

// Mean and squared distance from it.
struct Spread {
  double count = 0;
  double mean = 0;
  double distance = 0;

  void Add(double value) {
    ++count;
    const double delta = value - mean;
    mean += delta / count;
    distance += delta * (value - mean);
  }
  double variance() const { return distance / count; }
};

}  // namespace weft::query::prometheus
