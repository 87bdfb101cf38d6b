// What a request to Tempo's metrics asks.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "net/http_message.h"
#include "query/exec/series.h"
#include "query/lang/traceql/compile.h"

namespace tempopb {
class QueryInstantRequest;
class QueryRangeRequest;
}  // namespace tempopb

namespace weft::api::tempo {

struct MetricsQuestion {
  std::string query;  // TraceQL
  query::lang::traceql::Dialect dialect = query::lang::traceql::Dialect::kWeft;
  query::exec::TimeAxis axis;
  uint32_t exemplars = 0;
  uint32_t lines_max = 0;  // 0: no limit
};

// Exemplars of a range answer at most, and where nothing is asked for.
inline constexpr uint32_t kExemplarsMax = 100;

// Refusals are Tempo's. `range_max_ns` limits the range; 0 does not.
//
// Parameters: `q` or `query`; `start` and `end` in Unix seconds (also with a fraction), ns or RFC
// 3339, or `since`, a duration back from the end, 1h by default. Of a range besides `step`, a
// duration or seconds, by default about a 240th of the range; `exemplars`, `maxSeries`. Samples
// stand at multiples of the step, from the one at or before the start to the one at or after the
// end.
Result<MetricsQuestion> ReadRangeQuestion(const net::HttpRequest& request, int64_t now_ns,
                                          int64_t range_max_ns);
// One sample, at the end, of everything after the start.
Result<MetricsQuestion> ReadInstantQuestion(const net::HttpRequest& request, int64_t now_ns,
                                            int64_t range_max_ns);

// The same from the messages of the streaming API; their times are ns, 0 where nothing is said.
Result<MetricsQuestion> ToQuestion(const tempopb::QueryRangeRequest& request, int64_t now_ns,
                                   int64_t range_max_ns);
Result<MetricsQuestion> ToQuestion(const tempopb::QueryInstantRequest& request, int64_t now_ns,
                                   int64_t range_max_ns);

// The step for a range of that length.
uint64_t DefaultStepNs(uint64_t length_ns);
// The samples of a range; start is before end, the step is not 0.
Result<query::exec::TimeAxis> AlignedAxis(uint64_t start_ns, uint64_t end_ns, uint64_t step_ns);

}  // namespace weft::api::tempo
