// SpanCounts: how many spans there are and how long they took, by labels, interval of time and
// latency bucket. What counters and histograms that nobody has kept are made of afterwards.
//
// 1. Each row group is filtered, and its rows are counted as codes; values become text once for
// each
//    combination that occurs.
// 2. Only cells in which there is a span take memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "block/row_source.h"
#include "model/span_metrics.h"
#include "query/exec/budget.h"
#include "query/exec/task_runner.h"
#include "query/plan/metrics.h"

namespace weft::query::exec {

struct SpanCountsQuery {
  model::TenantId tenant;
  plan::Predicate filter;  // of spans alone: it may not need their trace
  std::vector<plan::LabelField> by;
  // Interval i is (i * interval_ns - interval_ns, i * interval_ns]; counted are the spans that
  // start in the intervals first to last. first is from 1.
  uint64_t interval_ns = 0;
  uint64_t first = 0;
  uint64_t last = 0;
  std::optional<model::LatencyBounds> bounds;  // without: one bucket
};

// The spans of one interval and bucket.
struct SpanCell {
  uint64_t interval = 0;
  uint32_t bucket = 0;
  uint64_t count = 0;
  unsigned __int128 total_ns = 0;  // of their durations; negative ones count as 0
};

struct SpanLine {
  std::vector<plan::Value> labels;  // as `by`
  std::vector<SpanCell> cells;      // by interval, then bucket
};

// In no particular order. kCancelled when the budget's flag was raised, kUnavailable when time runs
// out, kResourceExhausted when memory does, else what the source fails with. Any thread; everything
// handed in must outlive the call.
Result<std::vector<SpanLine>> CountSpans(const block::RowSource& source, const Env& env,
                                         TaskRunner& runner, const SpanCountsQuery& query,
                                         const Budget& budget);

}  // namespace weft::query::exec
