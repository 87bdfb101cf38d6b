// The words that mean something in TraceQL.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "query/lang/traceql/tree.h"

namespace weft::query::lang::traceql {

// The intrinsic spelt `word`, in either of its spellings.
std::optional<plan::Property> IntrinsicNamed(std::string_view word);
// Its canonical spelling: the one without a scope where there is one.
std::string_view IntrinsicName(plan::Property property);

// true, false, nil, statuses, kinds, minInt, maxInt.
std::optional<Literal> LiteralNamed(std::string_view word);
std::string_view StatusName(int64_t status);
std::string_view KindName(int64_t kind);

// Everything that may stand for a value inside braces; what a misspelt name is compared with.
std::span<const std::string_view> FieldWords();
// Everything that may begin a stage of a pipeline.
std::span<const std::string_view> StageWords();
// Hints that `with(...)` takes.
std::span<const std::string_view> HintNames();

bool IsAggregate(std::string_view word);
bool IsMetric(std::string_view word);
// critical_path, what_if: extensions of weft, which TraceQL has not.
bool IsPath(std::string_view word);

}  // namespace weft::query::lang::traceql
