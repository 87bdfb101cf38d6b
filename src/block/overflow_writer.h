// Writes attributes.parquet: attributes that have no column of their own.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "block/block.h"
#include "block/column_filler.h"
#include "block/row_source.h"
#include "block/table_writer.h"
#include "model/string_table.h"

namespace weft::block {

// Rows of attributes.parquet, to be.
struct OverflowRows {
  struct Row {
    Scope scope = Scope::kSpan;
    uint64_t row = 0;     // of the scope's file
    model::Code key = 0;  // of the string table that goes with the rows
    model::ValueType type = model::ValueType::kEmpty;
    uint64_t value = 0;  // a code of that table (arrays and kvlists: of their text) or bits
  };
  std::vector<Row> rows;
};

class OverflowWriter {
 public:
  explicit OverflowWriter(const BlockWriterOptions& options);

  // Writes a row group for row group `span_row_group` of spans.parquet (or
  // TableWriter::kWholeBlock); nothing when there are no rows. Adds words to `strings`.
  Error Write(const OverflowRows& overflow, int32_t span_row_group, model::StringTable* strings);
  TableWriter* file() { return &file_; }

 private:
  Error WriteValues(const OverflowRows& overflow, std::initializer_list<model::ValueType> types,
                    bool numbers, const model::StringTable& strings);

  TableWriter file_;
  ColumnFiller filler_;
  std::vector<uint64_t> numbers_;
  std::vector<uint32_t> codes_;
  std::vector<uint64_t> validity_;
};

}  // namespace weft::block
