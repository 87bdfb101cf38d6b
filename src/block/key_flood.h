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

// The services of the input with more than kManyKeys keys of spans or events without a column, most
// keys first, at most five. `spans` and `events` have been counted and have
// chosen. Costs nothing where the whole input has few keys.
std::vector<ManyKeys> FindManyKeys(const BlockInput& input, const AttributePlan& spans,
                                   const AttributePlan& events);

// Those of a merged block: of each service the most that any input has.
void MergeManyKeys(const std::vector<ManyKeys>& input, std::vector<ManyKeys>* merged);

}  // namespace weft::block
