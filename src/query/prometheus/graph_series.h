// The service graph as series: traces_service_graph_*, counted from calls when somebody asks.
//
// Calls are found in whole traces (query/insight/call_survey.h). Samples stand at each 15 s, or
// where that would be more than kGraphIntervals at longer, even intervals: at least four of them
// are in a window, if it has as many seconds.
#pragma once

#include <memory>
#include <vector>

#include "query/prometheus/sample_source.h"
#include "query/prometheus/span_series.h"

namespace weft::query::prometheus {

inline constexpr int64_t kGraphIntervals = 1000;

// The series that the matchers match; none, and nothing is read, where these are of other names.
Result<std::vector<std::unique_ptr<SampleSeries>>> SelectGraph(const SpanSeriesParts& parts,
                                                               const model::TenantId& tenant,
                                                               const SelectRequest& request,
                                                               int64_t now_ms,
                                                               const exec::Budget& budget);

}  // namespace weft::query::prometheus
