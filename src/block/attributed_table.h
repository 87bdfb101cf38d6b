// A table with attribute columns, being written from batches: its plan, its pivot and its file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "block/attribute_pivot.h"
#include "block/attribute_plan.h"
#include "block/block.h"
#include "block/schema.h"
#include "block/string_translator.h"
#include "block/table_writer.h"

namespace weft::block {

// The columns of a file: fixed ones, then `attributes`.
std::vector<ColumnSpec> ColumnsOf(std::string_view file, std::span<const ColumnSpec> attributes);

struct AttributedTable {
  AttributedTable(Scope table_scope, std::span<const model::SpanBatch* const> batches,
                  KeyIndex* keys)
      : scope(table_scope), plan(table_scope, batches, keys) {}

  // Fixed columns are known and attributes counted: opens the file.
  void Open(std::span<const model::SpanBatch* const> batches, StringTranslator* strings,
            const BlockWriterOptions& options);
  // Writes the attribute columns of these owners, the last columns of a row group.
  Error WriteAttributes(std::span<const RowRef> owners, uint64_t first_row, OverflowRows* overflow);

  Scope scope;
  AttributePlan plan;
  std::optional<AttributePivot> pivot;
  std::unique_ptr<TableWriter> file;
  uint64_t rows_written = 0;
};

}  // namespace weft::block
