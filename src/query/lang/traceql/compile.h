// From TraceQL's text to a plan: parse, check types, lower.
#pragma once

#include <string_view>

#include "query/lang/traceql/tree.h"
#include "query/plan/plan.h"
#include "query/query_error.h"

namespace weft::query::lang::traceql {

// The plan of a query. What is written wrong is kInvalidArgument, what TraceQL has and weft has not
// yet is kUnsupported ("not supported yet: X"), both with their place. An empty text is `{}`. Any
// thread.
QueryResult<plan::Plan> Compile(std::string_view text);

// The field that `text` names, as it is written inside braces: `span.http.route`, `name`.
QueryResult<plan::Field> CompileField(std::string_view text);

// The plan of a parsed query; `text` is what it was parsed from.
QueryResult<plan::Plan> Lower(const Node& query, std::string_view text);

}  // namespace weft::query::lang::traceql
