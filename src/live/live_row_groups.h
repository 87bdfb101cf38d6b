// Live rows as row groups.
#pragma once

#include <memory>
#include <vector>

#include "live/batch_row_group.h"
#include "live/chunk.h"

namespace weft::live {

struct LiveRows {
  std::shared_ptr<const BatchColumns> columns;
  RowBits excluded;
};

bool AllExcluded(const LiveRows& rows);

// All rows that are not excluded as one group of whole traces in preorder; null when there is none.
// Copies the spans.
std::shared_ptr<const block::RowGroup> InPreorder(const std::vector<LiveRows>& live);

}  // namespace weft::live
