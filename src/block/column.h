// A column in memory: a dictionary and codes, or plain numbers. What predicates are evaluated on.
#pragma once

#include <bit>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "model/attributes.h"

namespace weft::block {

// The code of a row that has no value.
inline constexpr uint32_t kNoValue = 0xffffffff;

// Distinct values of one type. Immutable once shared.
struct Dictionary {
  model::ValueType type = model::ValueType::kString;
  std::vector<std::string_view>
      strings;  // kString, kBytes; kArray and kKvList as the JSON text of docs/block-format.md
  std::vector<int64_t> ints;          // kInt, kBool (0 or 1)
  std::vector<double> doubles;        // kDouble
  std::shared_ptr<const void> owner;  // keeps the bytes behind `strings`

  uint32_t size() const {
    return static_cast<uint32_t>(strings.size() + ints.size() + doubles.size());
  }
};

// One value, or none, per row of its table. Immutable once shared.
struct Column {
  model::ValueType type = model::ValueType::kString;
  uint32_t row_count = 0;

  // With a dictionary: codes[row] is an index into it or kNoValue.
  std::shared_ptr<const Dictionary> dictionary;
  std::vector<uint32_t> codes;

  // Without: plain numbers (kInt in ints, kDouble in doubles). `present` has bit row%64 of word
  // row/64 set where there is a value; empty when every row has one.
  std::vector<int64_t> ints;
  std::vector<double> doubles;
  std::vector<uint64_t> present;

  bool has(uint32_t row) const {
    if (dictionary) return codes[row] != kNoValue;
    return present.empty() || (present[row / 64] >> (row % 64) & 1) != 0;
  }
};

using ColumnPtr = std::shared_ptr<const Column>;

// The bits of a number: of an int, of a double, 0 or 1. The row must have one.
inline uint64_t NumberAt(const Column& column, uint32_t row) {
  const bool coded = column.dictionary != nullptr;
  const uint32_t at = coded ? column.codes[row] : row;
  const auto& ints = coded ? column.dictionary->ints : column.ints;
  const auto& doubles = coded ? column.dictionary->doubles : column.doubles;
  return doubles.empty() ? static_cast<uint64_t>(ints[at]) : std::bit_cast<uint64_t>(doubles[at]);
}

struct PackedColumn;

// How often each code of a column occurs, counted when that is first asked for. Any thread.
class CodeCounts {
 public:
  // Always of the same column.
  const std::vector<uint32_t>& Of(const PackedColumn& column);

 private:
  std::once_flag once_;
  std::vector<uint32_t> counts_;
};

// The same with an entry for each value instead of each row: what is cheap to copy where most rows
// have none. Immutable once shared.
struct PackedColumn {
  model::ValueType type = model::ValueType::kString;
  uint32_t row_count = 0;
  // Values in row order: codes of the dictionary, or plain ints, or plain doubles.
  std::shared_ptr<const Dictionary> dictionary;
  std::vector<uint32_t> codes;
  std::vector<int64_t> ints;
  std::vector<double> doubles;
  // Instead of `codes` after NarrowCodes, as wide as the dictionary needs.
  std::vector<uint16_t> codes16;
  std::vector<uint8_t> codes8;
  // As Column::present; empty when every row has a value.
  std::vector<uint64_t> present;
  std::vector<uint32_t> values_before;      // per word of `present`: values of the rows before it
  std::shared_ptr<CodeCounts> code_counts;  // with a dictionary

  // Calls f(array of codes, how many), whatever their width.
  template <typename F>
  void WithCodes(F f) const {
    if (!codes8.empty()) return f(codes8.data(), codes8.size());
    if (!codes16.empty()) return f(codes16.data(), codes16.size());
    f(codes.data(), codes.size());
  }
};

using PackedColumnPtr = std::shared_ptr<const PackedColumn>;

}  // namespace weft::block
