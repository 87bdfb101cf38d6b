// ColumnMerger: a column of several parts -> the same column of the merged rows.
//
// Byte strings: the distinct ones of each part are looked up once, values are translated by a table
// of codes. Rows without a value cost a bit. Keeps its working memory between calls. One thread at
// a time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "block/chunk_encoder.h"
#include "block/column.h"
#include "block/merge_part.h"
#include "block/schema.h"
#include "model/string_table.h"

namespace weft::block {

class ColumnMerger {
 public:
  // `columns` has one column per part, null where no row of it has a value. The result is valid
  // until the next call. A column that may not be NULL gets 0 or "" where an input has no value.
  ColumnValues Merge(const ColumnSpec& spec, std::span<const PackedColumnPtr> columns,
                     const RunList& rows);

 private:
  // Calls emit(part, index of the first value, count) for the values of the rows in order, as many
  // at a time as stand side by side; and missing(count) for rows that have none, if the column must
  // have one for each row.
  template <typename Emit, typename Missing>
  void ForEachStretch(std::span<const PackedColumnPtr> columns, const RunList& rows, Emit emit,
                      Missing missing);
  template <typename Emit, typename Missing>
  void EmitPresent(const PackedColumn& column, const RowRun& run, uint32_t place, Emit emit,
                   Missing missing);
  void MergeNumbers(std::span<const PackedColumnPtr> columns, const RunList& rows);
  void MergeStrings(std::span<const PackedColumnPtr> columns, const RunList& rows);
  void SetBits(uint32_t begin, uint32_t count);
  void OrBits(uint32_t begin, uint64_t bits);

  static constexpr uint32_t kUnknown = 0xffffffff;

  bool optional_ = false;
  std::vector<uint64_t> validity_;
  std::vector<uint64_t> numbers_;
  std::vector<uint32_t> codes_;
  model::StringTable strings_;
  std::vector<std::vector<uint32_t>> code_of_;  // per part and its code
};

}  // namespace weft::block
