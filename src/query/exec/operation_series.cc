#include "query/exec/operation_series.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "base/fair_share.h"
#include "block/operation_counts.h"
#include "block/renewal.h"
#include "query/exec/latency_histogram.h"

namespace weft::query::exec {
namespace {

using block::kMinuteNs;
using block::OperationCount;
using block::OperationCounter;
using block::OperationCounts;

// Minutes that a range touches.
struct Minutes {
  uint64_t first = 0;
  uint64_t last = 0;
};

Minutes MinutesOf(TimeRange range) {
  return {range.start_ns / kMinuteNs, (std::max<uint64_t>(range.end_ns, 1) - 1) / kMinuteNs};
}

TimeRange RangeOf(Minutes minutes) {
  const uint64_t end =
      minutes.last >= UINT64_MAX / kMinuteNs ? UINT64_MAX : (minutes.last + 1) * kMinuteNs;
  return {minutes.first * kMinuteNs, end};
}

class SeriesRun {
 public:
  SeriesRun(const block::RowSource& source, const Env& env, const Budget& budget)
      : source_(source), budget_(budget), clock_(budget, env) {}

  Result<OperationCounts> Count(const model::TenantId& tenant, Minutes minutes) {
    WEFT_ASSIGN_OR_RETURN(const auto groups,
                          source_.Snapshot(tenant, RangeOf(minutes), {.lazy = true}));
    for (const auto& group : groups) {
      FairShare::Offer();
      WEFT_RETURN_IF_ERROR(CheckLimits());
      if (counted_.contains(group->block_id())) continue;
      WEFT_RETURN_IF_ERROR(group->Load());
      if (group->row_count() == 0) continue;
      WEFT_ASSIGN_OR_RETURN(const auto counts, group->BlockCounts());
      if (counts != nullptr) {
        counter_.AddAll(*counts, minutes.first, minutes.last);
        counted_.insert(group->block_id());
      } else {
        WEFT_RETURN_IF_ERROR(counter_.AddGroup(*group, minutes.first, minutes.last));
      }
    }
    WEFT_RETURN_IF_ERROR(CheckLimits());
    return counter_.Take();
  }

 private:
  Error CheckLimits() const {
    if (clock_.cancelled()) return {ErrorCode::kCancelled, "the query was cancelled"};
    std::string limit = clock_.Exhausted();
    if (budget_.memory_bytes > 0 && counter_.bytes() > budget_.memory_bytes) {
      limit = "the memory limit of " + std::to_string(budget_.memory_bytes) + " bytes ran out";
    }
    if (limit.empty()) return Error::Ok();
    return {ErrorCode::kResourceExhausted, limit + "; ask for a shorter time range"};
  }

  const block::RowSource& source_;
  const Budget budget_;
  const BudgetClock clock_;
  OperationCounter counter_;
  std::set<std::string> counted_;  // blocks
};

using SeriesKey = std::tuple<std::string_view, std::string_view, uint8_t>;

bool IsWanted(const SeriesRequest& request, std::string_view service, std::string_view name) {
  return (!request.service || *request.service == service) &&
         (!request.name || *request.name == name);
}

void AddTo(const OperationCount& count, SeriesPoint* point) {
  point->span_count += count.count;
  if (count.error) point->error_count += count.count;
  point->buckets.emplace_back(count.bucket, count.count);
}

// One entry for each bucket.
void Tidy(SeriesPoint* point) {
  std::sort(point->buckets.begin(), point->buckets.end());
  size_t kept = 0;
  for (const auto& bucket : point->buckets) {
    if (kept > 0 && point->buckets[kept - 1].first == bucket.first) {
      point->buckets[kept - 1].second += bucket.second;
    } else {
      point->buckets[kept++] = bucket;
    }
  }
  point->buckets.resize(kept);
}

Result<SeriesAnswer> MakeAnswer(const OperationCounts& counts, const SeriesRequest& request) {
  std::map<SeriesKey, std::map<uint64_t, SeriesPoint>> lines;
  size_t points_count = 0;
  for (const OperationCount& count : counts.counts) {
    const std::string_view service = counts.strings[count.service];
    const std::string_view name = counts.strings[count.name];
    if (!IsWanted(request, service, name)) continue;
    const SeriesKey key = request.by_operation ? SeriesKey(service, name, count.kind)
                                               : SeriesKey(service, std::string_view(), 0);
    const uint64_t minute = count.minute - count.minute % request.step_minutes;
    const auto [point, is_new] = lines[key].try_emplace(minute * kMinuteNs);
    AddTo(count, &point->second);
    if (is_new && ++points_count > kSeriesPointsMax) {
      return Error(ErrorCode::kResourceExhausted,
                   "the answer would have more than " + std::to_string(kSeriesPointsMax) +
                       " points; ask for longer steps or for one service");
    }
  }
  SeriesAnswer answer;
  for (auto& [key, points] : lines) {
    Series& series = answer.series.emplace_back(
        Series{std::string(std::get<0>(key)), std::string(std::get<1>(key)), std::get<2>(key)});
    for (auto& [start_ns, point] : points) {
      point.start_ns = start_ns;
      Tidy(&point);
      series.span_count += point.span_count;
      series.error_count += point.error_count;
      series.points.push_back(std::move(point));
    }
  }
  std::sort(answer.series.begin(), answer.series.end(), [](const Series& a, const Series& b) {
    return std::tie(b.span_count, a.service, a.name, a.kind) <
           std::tie(a.span_count, b.service, b.name, b.kind);
  });
  answer.complete = answer.series.size() <= request.limit;
  if (!answer.complete) answer.series.resize(request.limit);
  return answer;
}

}  // namespace

uint64_t SeriesPoint::DurationNs(double quantile) const {
  return LatencyQuantile(buckets, span_count, quantile);
}

Result<SeriesAnswer> CountSeries(const block::RowSource& source, const Env& env,
                                 const model::TenantId& tenant, TimeRange range,
                                 const SeriesRequest& request, const Budget& budget) {
  return block::WithRenewal<SeriesAnswer>(source, [&]() -> Result<SeriesAnswer> {
    WEFT_ASSIGN_OR_RETURN(const OperationCounts counts,
                          SeriesRun(source, env, budget).Count(tenant, MinutesOf(range)));
    return MakeAnswer(counts, request);
  });
}

}  // namespace weft::query::exec
