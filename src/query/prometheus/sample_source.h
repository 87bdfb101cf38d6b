// SampleSource: the waist between PromQL and whatever has series.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/error.h"
#include "query/lang/promql/tree.h"
#include "query/prometheus/labels.h"

namespace weft::query::prometheus {

struct Point {
  int64_t time_ms = 0;
  double value = 0;
};

// What rates are computed from.
struct WindowEnds {
  Point first;
  Point last;
  uint64_t count = 0;        // of points; 0: the others mean nothing
  double before_resets = 0;  // sum of the values before each fall
};

// A series of samples. Several threads may read one.
class SampleSeries {
 public:
  virtual ~SampleSeries() = default;

  virtual const Labels& labels() const = 0;
  // Appends the samples with from_ms <= time <= to_ms, ascending.
  virtual void Read(int64_t from_ms, int64_t to_ms, std::vector<Point>* out) const = 0;
  // The last of these. False when there is none.
  virtual bool ReadLast(int64_t from_ms, int64_t to_ms, Point* out) const;
  virtual WindowEnds ReadEnds(int64_t from_ms, int64_t to_ms) const;
  // Whether a counter is known to have been 0 at its beginning, so that a rate is not continued
  // beyond that.
  virtual bool counts_from_zero() const { return true; }
};

// What is asked of a source: samples at `start_ms`, start + step, ... end_ms, each looking back
// `window_ms` (its bounds included), all of that `offset_ms` earlier.
struct SelectRequest {
  std::span<const lang::promql::Matcher> matchers;
  int64_t start_ms = 0;
  int64_t end_ms = 0;
  int64_t step_ms = 0;  // 0: start and end are one instant
  int64_t window_ms = 0;
  int64_t offset_ms = 0;
  bool is_range = false;  // a range vector; else the last sample in the window is taken

  int64_t first_ms() const { return start_ms - offset_ms - window_ms; }
  int64_t last_ms() const { return end_ms - offset_ms; }
};

class SampleSource {
 public:
  virtual ~SampleSource() = default;

  // The series that all matchers match, each set of labels once.
  virtual Result<std::vector<std::unique_ptr<SampleSeries>>> Select(
      const SelectRequest& request) = 0;
};

// Whether series of that name may be asked for.
bool MayHaveName(const SelectRequest& request, std::string_view name);
// Whether labels satisfy all matchers.
bool MatchesAll(std::span<const lang::promql::Matcher> matchers, const Labels& labels);

}  // namespace weft::query::prometheus
