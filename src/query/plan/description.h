// Text of a plan, for `explain` and for tests: a line for each step, in the order in which spans
// pass through them, steps of steps indented by two spaces. For people: its words may change.
#pragma once

#include <string>
#include <vector>

#include "query/plan/metrics.h"
#include "query/plan/plan.h"

namespace weft::query::plan {

std::vector<std::string> Describe(const Plan& plan);
std::vector<std::string> Describe(const SeriesExpression& expression);

}  // namespace weft::query::plan
