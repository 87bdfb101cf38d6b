// What a TraceQL metrics query gives, as series: traceql{query="{ status = error } | rate() by
// (name)"}.
#pragma once

#include <memory>
#include <vector>

#include "query/prometheus/sample_source.h"
#include "query/prometheus/span_series.h"

namespace weft::query::prometheus {

// The name under which the matchers `query` and `step` are read.
inline constexpr std::string_view kTraceqlName = "traceql";

// Whether the selector names it.
bool AsksTraceql(const SelectRequest& request);

// A sample stands at each step of the question (at each multiple of `step` where that is given, and
// of 15 s in a range vector; of an instant alone the step is the five minutes before), and is of
// the spans that start in the step before it. Labels are those of the metric, their names as
// Prometheus writes them; the other matchers are asked of them. kInvalidArgument says what is wrong
// with the query.
Result<std::vector<std::unique_ptr<SampleSeries>>> SelectTraceql(const SpanSeriesParts& parts,
                                                                 const model::TenantId& tenant,
                                                                 const SelectRequest& request,
                                                                 const exec::Budget& budget);

}  // namespace weft::query::prometheus
