// attributes.parquet, read: attributes that have no column of their own.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "block/column.h"
#include "block/row_source.h"
#include "block/table_reader.h"

namespace weft::block {

// The attributes of one row group of spans and of what these own (or of the resources and scopes of
// the whole block). Rows are numbers of the scope's file.
class OverflowReader {
 public:
  // Reads them; without any rows when the file has none for this row group (-1: the whole block).
  static Result<OverflowReader> Load(const TableReader& table, int32_t span_row_group,
                                     ByteCounter* bytes);

  struct Entry {
    Scope scope = Scope::kSpan;
    uint64_t row = 0;
    std::string_view key;
    model::ValueType type = model::ValueType::kEmpty;
    uint64_t number = 0;    // int, bool, bits of a double
    std::string_view text;  // string, bytes, or the text of an array or kvlist
  };
  uint32_t size() const { return size_; }
  Entry entry(uint32_t i) const;
  // Memory held beside the columns, which are in the cache on their own.
  size_t bytes() const { return 1024 + 4 * size_t{size_}; }

  // The entries of a scope, by row.
  std::span<const uint32_t> EntriesOf(Scope scope) const {
    return by_scope_[static_cast<size_t>(scope)];
  }
  // Calls visit(entry) for those of a scope whose row is in [begin, end).
  void ForRows(Scope scope, uint64_t begin, uint64_t end,
               const std::function<void(const Entry&)>& visit) const;
  // Columns of `row_count` rows, the first being `first_row` of the file: one per type that the key
  // occurs with. Of several values for one row and type the first counts.
  std::vector<ColumnPtr> Columns(Scope scope, std::string_view key, uint64_t first_row,
                                 uint32_t row_count) const;
  // Whether the key occurs in the scope at all.
  bool HasKey(std::string_view key) const;

 private:
  enum Part {
    kScopePart,
    kRowPart,
    kKeyPart,
    kTypePart,
    kStringPart,
    kIntPart,
    kDoublePart,
    kBoolPart,
    kBytesPart,
    kPartCount
  };

  Error Check() const;
  uint64_t RowOf(uint32_t i) const { return static_cast<uint64_t>(parts_[kRowPart]->ints[i]); }
  // The entries of a scope whose row is in [begin, end).
  std::span<const uint32_t> EntriesOf(Scope scope, uint64_t begin, uint64_t end) const;
  ColumnPtr MakeColumn(const std::vector<uint32_t>& entries, model::ValueType type,
                       uint64_t first_row, uint32_t row_count) const;
  ColumnPtr MakeTexts(const std::vector<uint32_t>& entries, model::ValueType type,
                      uint64_t first_row, uint32_t row_count) const;
  void FillNumbers(const std::vector<uint32_t>& entries, uint64_t first_row, Column* column) const;

  uint32_t size_ = 0;
  std::array<ColumnPtr, kPartCount> parts_;
  std::array<std::vector<uint32_t>, 5> by_scope_;  // entries of each scope, by row
  std::vector<Scope> scopes_;                      // per entry of the scope dictionary
  std::vector<model::ValueType> types_;            // per entry of the type dictionary
};

}  // namespace weft::block
