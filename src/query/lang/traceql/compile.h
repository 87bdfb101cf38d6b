// From TraceQL's text to a plan: parse, check types, lower.
#pragma once

#include <cstdint>
#include <string_view>

#include "query/lang/traceql/tree.h"
#include "query/plan/metrics.h"
#include "query/plan/plan.h"
#include "query/plan/trace_paths.h"
#include "query/query_error.h"

namespace weft::query::lang::traceql {

// Whose answers are meant where Tempo's are not what the text says: docs/traceql.md lists the
// differences. Tempo's way has no extensions either.
enum class Dialect : uint8_t { kWeft, kTempo };

// The plan of a query. What is written wrong is kInvalidArgument, with its place. An empty text is
// `{}`. Any thread.
QueryResult<plan::Plan> Compile(std::string_view text, Dialect dialect = Dialect::kWeft);

// The metrics of a query that ends in some, such as `{ ... } | rate() by (name)`; errors as above.
QueryResult<plan::SeriesExpression> CompileMetrics(std::string_view text,
                                                   Dialect dialect = Dialect::kWeft);

// The question about paths of a query that ends in one, such as `{ ... } | critical_path() |
// by(name)`; errors as above.
QueryResult<plan::PathQuery> CompilePath(std::string_view text);

// The field that `text` names, as it is written inside braces: `span.http.route`, `name`.
QueryResult<plan::Field> CompileField(std::string_view text);

// The plan of a parsed query; `text` is what it was parsed from.
QueryResult<plan::Plan> Lower(const Node& query, std::string_view text,
                              Dialect dialect = Dialect::kWeft);

}  // namespace weft::query::lang::traceql
