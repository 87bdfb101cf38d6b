// What a request to Tempo's search asks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "api/tempo/legacy_tags.h"
#include "base/error.h"
#include "base/time_range.h"
#include "net/http_message.h"
#include "query/lang/traceql/compile.h"

namespace weft::api::tempo {

// What is looked at when no time is given.
inline constexpr int64_t kRecentSearchNs = int64_t{15} * 60 * 1'000'000'000;

struct SearchQuestion {
  std::string query;  // TraceQL
  query::lang::traceql::Dialect dialect = query::lang::traceql::Dialect::kWeft;
  // By tags, not by TraceQL: the answer has no spansets.
  bool by_tags = false;
  TimeRange range;
  uint32_t limit = 0;  // traces
  uint32_t spans_per_spanset = 0;
};

// Refusals are Tempo's. `range_max_ns` limits the range; 0 does not.
Result<SearchQuestion> ReadSearchQuestion(const net::HttpRequest& request, int64_t now_ns,
                                          int64_t range_max_ns);

// The checks and defaults that all ways to ask have in common. 0 stands for what is not given.
Result<uint32_t> CheckSearchLimit(uint32_t limit);
Result<uint32_t> CheckSpansPerSpanset(uint32_t spans);
Error CheckSearchRange(TimeRange range, int64_t range_max_ns);
Error CheckQuerySize(std::string_view query);

// The TraceQL query of a search by tags, with bounds on the duration of the trace; -1 for none.
std::string QueryOfTagSearch(const Tags& tags, int64_t duration_min_ns, int64_t duration_max_ns);

}  // namespace weft::api::tempo
