#include "query/prometheus/over_time.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace weft::query::prometheus {
namespace {

using lang::promql::Function;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
// How much farther than the samples from each other a window's bound may be, to be reached.
constexpr double kReach = 1.1;

double Seconds(int64_t ms) { return static_cast<double>(ms) / 1000; }

// Of the last two samples.
std::optional<double> InstantDifference(std::span<const Point> points, bool is_rate) {
  if (points.size() < 2) return {};
  const Point& last = points.back();
  const Point& before = points[points.size() - 2];
  const int64_t between_ms = last.time_ms - before.time_ms;
  if (between_ms == 0) return {};
  const bool reset = is_rate && last.value < before.value;
  const double difference = reset ? last.value : last.value - before.value;
  return is_rate ? difference / Seconds(between_ms) : difference;
}

double SumOf(std::span<const Point> points) {
  double sum = 0, lost = 0;  // Kahan and Neumaier's: what an addition loses is added in the end
  for (const Point& point : points) {
    const double next = sum + point.value;
    lost += std::abs(sum) >= std::abs(point.value) ? (sum - next) + point.value
                                                   : (point.value - next) + sum;
    sum = next;
  }
  return std::isfinite(sum) ? sum + lost : sum;
}

double CountChanges(std::span<const Point> points, bool falls_only) {
  double count = 0;
  for (size_t i = 1; i < points.size(); ++i) {
    const double before = points[i - 1].value, now = points[i].value;
    const bool both_nan = std::isnan(before) && std::isnan(now);
    count += falls_only ? now < before : now != before && !both_nan;
  }
  return count;
}

double Extreme(std::span<const Point> points, bool max) {
  double found = points[0].value;
  for (const Point& point : points) {
    if (std::isnan(found) || (max ? point.value > found : point.value < found)) found = point.value;
  }
  return found;
}

double VarianceOf(std::span<const Point> points) {
  Spread spread;
  for (const Point& point : points) spread.Add(point.value);
  return spread.variance();
}

}  // namespace

std::optional<double> ExtrapolatedDifference(Function function, const WindowEnds& ends,
                                             Window window, bool counts_from_zero) {
  if (ends.count < 2) return {};
  const bool is_counter = function != Function::kDelta;
  const double difference =
      ends.last.value - ends.first.value + (is_counter ? ends.before_resets : 0);
  double to_start = Seconds(ends.first.time_ms - window.from_ms);
  const double to_end = Seconds(window.to_ms - ends.last.time_ms);
  const double sampled = Seconds(ends.last.time_ms - ends.first.time_ms);
  const double between = sampled / static_cast<double>(ends.count - 1);
  if (is_counter && counts_from_zero && difference > 0 && ends.first.value >= 0) {
    // A counter is not continued to before it was 0.
    to_start = std::min(to_start, sampled * (ends.first.value / difference));
  }
  const auto reached = [&](double distance) {
    return distance < between * kReach ? distance : between / 2;
  };
  double factor = (sampled + reached(to_start) + reached(to_end)) / sampled;
  if (function == Function::kRate) factor /= Seconds(window.to_ms - window.from_ms);
  return difference * factor;
}

std::optional<double> OverTime(Function function, std::span<const Point> points, double parameter) {
  if (points.empty()) return {};
  const auto count = static_cast<double>(points.size());
  switch (function) {
    case Function::kIrate: return InstantDifference(points, true);
    case Function::kIdelta: return InstantDifference(points, false);
    case Function::kAvgOverTime: return SumOf(points) / count;
    case Function::kSumOverTime: return SumOf(points);
    case Function::kCountOverTime: return count;
    case Function::kMinOverTime: return Extreme(points, false);
    case Function::kMaxOverTime: return Extreme(points, true);
    case Function::kLastOverTime: return points.back().value;
    case Function::kPresentOverTime:
    case Function::kAbsentOverTime: return 1;
    case Function::kChanges: return CountChanges(points, false);
    case Function::kResets: return CountChanges(points, true);
    case Function::kStdvarOverTime: return VarianceOf(points);
    case Function::kStddevOverTime: return std::sqrt(VarianceOf(points));
    case Function::kQuantileOverTime: {
      std::vector<double> values;
      for (const Point& point : points) values.push_back(point.value);
      return QuantileOf(parameter, &values);
    }
    default: return {};
  }
}

double QuantileOf(double q, std::vector<double>* values) {
  if (values->empty() || std::isnan(q)) return kNaN;
  if (q < 0) return -kInfinity;
  if (q > 1) return kInfinity;
  // NaN is smaller than all others.
  std::ranges::sort(*values,
                    [](double a, double b) { return std::isnan(a) ? !std::isnan(b) : a < b; });
  const double rank = q * static_cast<double>(values->size() - 1);
  const auto lower = static_cast<size_t>(std::floor(rank));
  const size_t upper = std::min(lower + 1, values->size() - 1);
  const double weight = rank - std::floor(rank);
  return (*values)[lower] * (1 - weight) + (*values)[upper] * weight;
}

double QuantileOfBuckets(double q, std::vector<Bucket>* buckets) {
  if (std::isnan(q)) return kNaN;
  if (q < 0) return -kInfinity;
  if (q > 1) return kInfinity;
  std::ranges::sort(*buckets, {}, &Bucket::bound);
  if (buckets->empty() || buckets->back().bound != kInfinity) return kNaN;
  // Equal bounds are one bucket; counts never fall.
  std::vector<Bucket> merged;
  for (const Bucket& bucket : *buckets) {
    if (!merged.empty() && merged.back().bound == bucket.bound) {
      merged.back().count += bucket.count;
    } else {
      merged.push_back(bucket);
    }
  }
  if (merged.size() < 2) return kNaN;
  for (size_t i = 1; i < merged.size(); ++i) {
    merged[i].count = std::max(merged[i].count, merged[i - 1].count);
  }
  const double total = merged.back().count;
  if (total == 0 || std::isnan(total)) return kNaN;
  double rank = q * total;
  size_t at = 0;
  while (at + 1 < merged.size() && merged[at].count < rank) ++at;
  if (at == merged.size() - 1) return merged[merged.size() - 2].bound;
  if (at == 0 && merged[0].bound <= 0) return merged[0].bound;
  const double begin = at == 0 ? 0 : merged[at - 1].bound;
  const double below = at == 0 ? 0 : merged[at - 1].count;
  rank -= below;
  return begin + (merged[at].bound - begin) * (rank / (merged[at].count - below));
}

}  // namespace weft::query::prometheus
