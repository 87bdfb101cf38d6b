#include "query/prometheus/sample_source.h"

#include <algorithm>

namespace weft::query::prometheus {

bool SampleSeries::ReadLast(int64_t from_ms, int64_t to_ms, Point* out) const {
  std::vector<Point> points;
  Read(from_ms, to_ms, &points);
  if (points.empty()) return false;
  *out = points.back();
  return true;
}

WindowEnds SampleSeries::ReadEnds(int64_t from_ms, int64_t to_ms) const {
  std::vector<Point> points;
  Read(from_ms, to_ms, &points);
  WindowEnds out;
  out.count = points.size();
  if (points.empty()) return out;
  out.first = points.front();
  out.last = points.back();
  for (size_t i = 1; i < points.size(); ++i) {
    if (points[i].value < points[i - 1].value) out.before_resets += points[i - 1].value;
  }
  return out;
}

bool MayHaveName(const SelectRequest& request, std::string_view name) {
  return std::ranges::all_of(request.matchers, [&](const lang::promql::Matcher& matcher) {
    return matcher.label != lang::promql::kNameLabel || matcher.Matches(name);
  });
}

bool MatchesAll(std::span<const lang::promql::Matcher> matchers, const Labels& labels) {
  return std::ranges::all_of(matchers, [&](const lang::promql::Matcher& matcher) {
    return matcher.Matches(ValueOf(labels, matcher.label));
  });
}

}  // namespace weft::query::prometheus
