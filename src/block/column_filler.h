// ColumnFiller: writes a column of a table from a function of the row. Keeps its working memory
// between calls. One thread at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "block/table_writer.h"
#include "model/string_table.h"

namespace weft::block {

class ColumnFiller {
 public:
  // A column of numbers: value(i) for each of `rows` rows.
  template <typename F>
  Error WriteNumbers(TableWriter* file, uint32_t rows, F value) {
    numbers_.resize(rows);
    for (uint32_t i = 0; i < rows; ++i) numbers_[i] = static_cast<uint64_t>(value(i));
    return file->WriteColumn({.rows = rows, .numbers = numbers_});
  }

  // A column of byte strings: code(i) in `strings` for each row.
  template <typename F>
  Error WriteCodes(TableWriter* file, uint32_t rows, const model::StringTable& strings, F code) {
    codes_.resize(rows);
    for (uint32_t i = 0; i < rows; ++i) codes_[i] = code(i);
    return file->WriteColumn({.rows = rows, .codes = codes_, .strings = &strings});
  }

  // The same with NULL for the empty string (code 0).
  template <typename F>
  Error WriteOptionalCodes(TableWriter* file, uint32_t rows, const model::StringTable& strings,
                           F code) {
    codes_.clear();
    validity_.assign((rows + 63) / 64, 0);
    for (uint32_t i = 0; i < rows; ++i) {
      const uint32_t c = code(i);
      if (c == 0) continue;
      validity_[i / 64] |= uint64_t{1} << (i % 64);
      codes_.push_back(c);
    }
    return file->WriteColumn(
        {.rows = rows, .validity = validity_.data(), .codes = codes_, .strings = &strings});
  }

 private:
  std::vector<uint64_t> numbers_;
  std::vector<uint32_t> codes_;
  std::vector<uint64_t> validity_;
};

}  // namespace weft::block
