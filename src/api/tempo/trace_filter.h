// A part of one trace: the spans that a filter finds, and what stands above and below them.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "api/trace_columns.h"
#include "base/error.h"
#include "net/http_message.h"
#include "query/lang/traceql/compile.h"
#include "query/plan/predicate.h"

namespace weft::api::tempo {

// Levels of the tree; kAllLevels for as many as there are.
inline constexpr uint32_t kAllLevels = UINT32_MAX;

struct TraceFilter {
  query::plan::Predicate predicate;
  uint32_t levels_below = 0;  // descendants of a match that are kept with it
  uint32_t levels_above = 0;  // ancestors
};

// The parameters q, match_depth, keep_hierarchy and ancestor_depth; nothing without q. `q` must be
// one filter `{ ... }` that does not ask for what is the same for the whole trace. A refusal is
// kInvalidArgument, in Tempo's words where these are known.
Result<std::optional<TraceFilter>> ReadTraceFilter(const net::HttpRequest& request,
                                                   query::lang::traceql::Dialect dialect);

// The rows of the trace that the filter keeps, ascending. Takes a copy of the trace, and O(n).
Result<std::vector<uint32_t>> FilterTrace(const OrderedTrace& trace, const TraceFilter& filter);

}  // namespace weft::api::tempo
