#include "query/prometheus/counted_series.h"

#include <algorithm>

#include "query/prometheus/span_series.h"

namespace weft::query::prometheus {
namespace {

// Rounds down, also below 0.
int64_t FloorDivide(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

}  // namespace

CountedSeries::Samples CountedSeries::In(int64_t from_ms, int64_t to_ms) const {
  const Samples samples{std::max(grid_.first, -FloorDivide(-from_ms, grid_.interval_ms)),
                        std::min(grid_.last, FloorDivide(to_ms, grid_.interval_ms))};
  const int64_t alive =
      std::max({int64_t{1}, kSeriesAliveMs / grid_.interval_ms, samples.last - samples.first});
  const auto after = std::ranges::upper_bound(*intervals_, samples.last);
  const bool is_there = after != intervals_->begin() && *(after - 1) > samples.last - alive;
  return is_there ? samples : Samples();
}

double CountedSeries::SumAt(int64_t interval) const {
  const auto after = std::ranges::upper_bound(*intervals_, interval);
  return after == intervals_->begin() ? 0
                                      : sums_[static_cast<size_t>(after - intervals_->begin()) - 1];
}

void CountedSeries::Read(int64_t from_ms, int64_t to_ms, std::vector<Point>* out) const {
  const Samples samples = In(from_ms, to_ms);
  auto next = std::ranges::upper_bound(*intervals_, samples.first);
  for (int64_t interval = samples.first; interval <= samples.last; ++interval) {
    while (next != intervals_->end() && *next <= interval) ++next;
    const auto known = static_cast<size_t>(next - intervals_->begin());
    out->push_back(At(interval, known == 0 ? 0 : sums_[known - 1]));
  }
}

bool CountedSeries::ReadLast(int64_t from_ms, int64_t to_ms, Point* out) const {
  const Samples samples = In(from_ms, to_ms);
  if (samples.empty()) return false;
  *out = At(samples.last, SumAt(samples.last));
  return true;
}

WindowEnds CountedSeries::ReadEnds(int64_t from_ms, int64_t to_ms) const {
  const Samples samples = In(from_ms, to_ms);
  if (samples.empty()) return {};
  return {At(samples.first, SumAt(samples.first)), At(samples.last, SumAt(samples.last)),
          static_cast<uint64_t>(samples.last - samples.first) + 1, 0};
}

}  // namespace weft::query::prometheus
