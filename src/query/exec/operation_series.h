// Lines over time of each operation or service: how many spans, how many errors, how long they
// took.
//
// 1. A block whose spans all count says how many there are by minute, operation and latency
//    (block/operation_counts.h): one small file is read, and no span.
// 2. Live spans, and blocks of which something is deleted, are counted row by row.
// So the answer is the same wherever the spans are.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/time_range.h"
#include "block/row_source.h"
#include "query/exec/budget.h"

namespace weft::query::exec {

struct SeriesRequest {
  std::optional<std::string> service;  // only of this one; "" for spans without service.name
  std::optional<std::string> name;     // only spans of this name
  bool by_operation = true;            // a line for each service, name and kind; else each service
  uint32_t step_minutes = 1;           // between two points, from 1
  uint32_t limit = 1000;               // lines
};

// The spans that start in one step.
struct SeriesPoint {
  uint64_t start_ns = 0;  // a multiple of the step
  uint64_t span_count = 0;
  uint64_t error_count = 0;
  // How many spans by bucket of their duration (block/latency_bucket.h), ascending.
  std::vector<std::pair<uint32_t, uint64_t>> buckets;

  // The duration that a share `quantile` of the spans does not exceed, within 3.2 %; 0 for no
  // spans.
  uint64_t DurationNs(double quantile) const;
};

struct Series {
  std::string service;
  std::string name;  // by_operation
  uint8_t kind = 0;  // by_operation: model::SpanKind
  uint64_t span_count = 0;
  uint64_t error_count = 0;
  std::vector<SeriesPoint> points;  // ascending; steps without spans are left out
};

struct SeriesAnswer {
  std::vector<Series> series;  // most spans first, then by service, name, kind
  bool complete = true;        // false when the limit left some out
};

// Of spans that start in the minutes that the range touches. Errors as those of Catalog, and
// kResourceExhausted for more than kSeriesPointsMax points. Any thread.
inline constexpr size_t kSeriesPointsMax = 100'000;
Result<SeriesAnswer> CountSeries(const block::RowSource& source, const Env& env,
                                 const model::TenantId& tenant, TimeRange range,
                                 const SeriesRequest& request, const Budget& budget);

}  // namespace weft::query::exec
