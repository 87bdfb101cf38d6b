// One row group of a block that is merged, and the columns that belong to it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/error.h"
#include "block/column.h"
#include "block/overflow_reader.h"
#include "block/reader.h"
#include "block/row_set.h"

namespace weft::block {

struct MergePart {
  const Block* block = nullptr;
  uint32_t input = 0;  // index of the block
  uint32_t row_group = 0;
  std::shared_ptr<const Block::GroupTraces> traces;
  std::shared_ptr<const OverflowReader> overflow;

  // Rows that do not come along, of the part's share of the tables kSpan, kEvent and kLink: bit
  // row%64 of word row/64; empty where all come along.
  std::array<std::vector<uint64_t>, 5> left_out;

  // `left_out`: rows of spans.parquet; null for none.
  static Result<MergePart> Load(const Block& block, uint32_t input, uint32_t row_group,
                                const RowSet* left_out = nullptr);

  bool IsLeftOut(Scope scope, uint32_t row) const {
    const std::vector<uint64_t>& bits = left_out[static_cast<size_t>(scope)];
    return row / 64 < bits.size() && (bits[row / 64] >> (row % 64) & 1) != 0;
  }
  // How many of these rows of spans come along.
  uint32_t KeptSpans(uint32_t first_row, uint32_t row_count) const;

  // What its spans own in the table of a scope (kSpan, kEvent, kLink).
  std::optional<uint32_t> GroupOf(Scope scope) const { return block->GroupOf(scope, row_group); }
  uint32_t RowsOf(Scope scope) const;
  uint32_t KeptRowsOf(Scope scope) const;
  uint64_t FirstRowOf(Scope scope) const;  // of the scope's file
  // Null when no row has a value.
  Result<ColumnPtr> Read(Scope scope, uint32_t column) const;
  // Rows of it, ascending.
  Result<ColumnPtr> ReadRows(Scope scope, uint32_t column, std::span<const uint32_t> rows) const;
  Result<PackedColumnPtr> ReadPacked(Scope scope, uint32_t column, bool raw_uuids = false) const;

 private:
  Error LeaveOutOwned(Scope scope, uint32_t span_row_column);
};

// Row `row` of part `part`'s share of a table.
struct PartRow {
  uint32_t part = 0;
  uint32_t row = 0;
};

// Rows that stand side by side in a part, and in the merged table.
struct RowRun {
  uint32_t part = 0;
  uint32_t first_row = 0;
  uint32_t row_count = 0;
};

// Rows of a merged table, in order, as runs.
class RunList {
 public:
  void Clear() {
    runs_.clear();
    row_count_ = 0;
  }
  void Add(uint32_t part, uint32_t first_row, uint32_t row_count) {
    row_count_ += row_count;
    if (!runs_.empty() && runs_.back().part == part &&
        runs_.back().first_row + runs_.back().row_count == first_row) {
      runs_.back().row_count += row_count;
    } else if (row_count > 0) {
      runs_.push_back({part, first_row, row_count});
    }
  }
  // Calls visit(part, row, place) for each row, place being where it stands in the list.
  template <typename F>
  void ForEachRow(F visit) const {
    uint32_t place = 0;
    for (const RowRun& run : runs_) {
      for (uint32_t i = 0; i < run.row_count; ++i) visit(run.part, run.first_row + i, place++);
    }
  }
  const std::vector<RowRun>& runs() const { return runs_; }
  uint32_t row_count() const { return row_count_; }
  bool empty() const { return row_count_ == 0; }

 private:
  std::vector<RowRun> runs_;
  uint32_t row_count_ = 0;
};

}  // namespace weft::block
