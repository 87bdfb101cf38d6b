// Services that put what should be a value into attribute keys (`user.4711.name`): they can't make
// a block wide, because keys that few rows have get no column, but they cost, and somebody should
// know.
#pragma once

#include <vector>

#include "block/attribute_plan.h"
#include "block/block.h"

namespace weft::block {

// So many keys without a column of one service in one block are too many.
inline constexpr uint32_t kManyKeys = 1000;

// The columns of each scope. All have been counted and have chosen, and share their keys.
struct KeyPlans {
  const AttributePlan& spans;
  const AttributePlan& events;
  const AttributePlan& links;
  const AttributePlan& resources;
  const AttributePlan& scopes;
};

// The services of the input with more than kManyKeys keys without a column - of their spans and
// these spans' events and links, of their resources, and of the scopes that their spans have -,
// most keys first, at most five. Costs nothing where the whole input has few keys.
std::vector<ManyKeys> FindManyKeys(const BlockInput& input, const KeyPlans& plans);

// Those of a merged block: of each service the most that any input has.
void MergeManyKeys(const std::vector<ManyKeys>& input, std::vector<ManyKeys>* merged);

}  // namespace weft::block
