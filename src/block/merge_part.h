// One row group of a block that is merged, and the columns that belong to it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/error.h"
#include "block/column.h"
#include "block/overflow_reader.h"
#include "block/reader.h"

namespace weft::block {

struct MergePart {
  const Block* block = nullptr;
  uint32_t input = 0;  // index of the block
  uint32_t row_group = 0;
  std::shared_ptr<const Block::GroupTraces> traces;
  std::shared_ptr<const OverflowReader> overflow;

  static Result<MergePart> Load(const Block& block, uint32_t input, uint32_t row_group);

  // What its spans own in the table of a scope (kSpan, kEvent, kLink).
  std::optional<uint32_t> GroupOf(Scope scope) const { return block->GroupOf(scope, row_group); }
  uint32_t RowsOf(Scope scope) const;
  uint64_t FirstRowOf(Scope scope) const;  // of the scope's file
  // Null when no row has a value.
  Result<ColumnPtr> Read(Scope scope, uint32_t column) const;
};

// Row `row` of part `part`'s share of a table.
struct PartRow {
  uint32_t part = 0;
  uint32_t row = 0;
};

}  // namespace weft::block
