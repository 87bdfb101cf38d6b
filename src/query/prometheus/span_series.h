// Series of counters and histograms that are counted from spans when somebody asks, as if a
// Prometheus had scraped them since the first span.
//
// 1. The matchers that say something of columns become a filter; the others are asked of the
// series.
// 2. The spans are counted by labels and interval of 15 s (query/exec/span_counts.h), each in the
//    interval in which it starts.
// 3. A sample stands at each multiple of 15 s, up to now: the sum of the intervals up to there.
// Sums
//    begin at some time before the window that is asked for: what they are is worth nothing, how
//    much they grow is exact.
// 4. A series is there while its last span is at most 15 minutes, or a longer window, ago.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "block/row_source.h"
#include "model/ids.h"
#include "model/span_metrics.h"
#include "query/exec/budget.h"
#include "query/exec/task_runner.h"
#include "query/prometheus/sample_source.h"

namespace weft::query::prometheus {

inline constexpr int64_t kSampleIntervalMs = 15'000;
inline constexpr int64_t kSeriesAliveMs = 15 * 60'000;
// Series that a selector may match.
inline constexpr size_t kSelectedSeriesMax = 100'000;

struct SpanSeriesParts {
  const block::RowSource* source = nullptr;
  const Env* env = nullptr;
  exec::TaskRunner* runner = nullptr;
  std::vector<model::SpanDimension> dimensions;
};

// Spans that stand for samples of a series.
struct SeriesExemplars {
  struct Exemplar {
    model::TraceId trace_id;
    int64_t time_ms = 0;  // its start
    double value = 0;     // its duration in seconds
  };
  Labels labels;
  std::vector<Exemplar> exemplars;  // by time
};
// Of the answer to one selector.
inline constexpr uint32_t kExemplarsMax = 100;

// Of one query of one tenant: the budget is for all that is asked. One thread.
class SpanSeriesSource : public SampleSource {
 public:
  // The parts outlive this.
  SpanSeriesSource(const SpanSeriesParts& parts, model::TenantId tenant,
                   const exec::Budget& budget);

  // The series of traces_spanmetrics_*, of traces_service_graph_* (graph_series.h), and of
  // traceql{query="..."} (traceql_series.h).
  Result<std::vector<std::unique_ptr<SampleSeries>>> Select(const SelectRequest& request) override;

  // The exemplars, with start_ms <= time <= end_ms, of the series that the matchers match: of
  // traces_spanmetrics_latency_bucket, whose exemplars stand with the bucket that they are in. Of
  // each labels and hundredth of the range one at most, chosen at random but always the same. By
  // labels.
  Result<std::vector<SeriesExemplars>> Exemplars(std::span<const lang::promql::Matcher> matchers,
                                                 int64_t start_ms, int64_t end_ms);

 private:
  // What is left of the budget.
  exec::Budget Left() const;

  const SpanSeriesParts& parts_;
  const model::TenantId tenant_;
  const exec::Budget budget_;
  const exec::BudgetClock clock_;
};

// The names of series that there may be, with what Prometheus says of them.
struct SeriesName {
  std::string_view family;  // traces_spanmetrics_latency
  std::string_view type;    // "counter", "histogram"
  std::string_view help;
};
std::span<const SeriesName> KnownFamilies();

}  // namespace weft::query::prometheus
