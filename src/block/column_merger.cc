#include "block/column_merger.h"

#include <algorithm>
#include <bit>

namespace weft::block {

uint64_t NumberAt(const Column& column, uint32_t row) {
  if (column.dictionary) {
    const uint32_t code = column.codes[row];
    return column.dictionary->doubles.empty()
               ? static_cast<uint64_t>(column.dictionary->ints[code])
               : std::bit_cast<uint64_t>(column.dictionary->doubles[code]);
  }
  return column.doubles.empty() ? static_cast<uint64_t>(column.ints[row])
                                : std::bit_cast<uint64_t>(column.doubles[row]);
}

ColumnValues ColumnMerger::Merge(const ColumnSpec& spec, std::span<const ColumnPtr> columns,
                                 std::span<const PartRow> rows) {
  optional_ = spec.optional;
  validity_.clear();
  if (optional_) validity_.assign((rows.size() + 63) / 64, 0);
  ColumnValues values{.rows = static_cast<uint32_t>(rows.size())};
  if (IsByteKind(spec.kind)) {
    MergeStrings(columns, rows);
    values.codes = codes_;
    values.strings = &strings_;
  } else {
    MergeNumbers(columns, rows);
    values.numbers = numbers_;
  }
  if (optional_) values.validity = validity_.data();
  return values;
}

void ColumnMerger::MergeNumbers(std::span<const ColumnPtr> columns, std::span<const PartRow> rows) {
  numbers_.clear();
  numbers_.reserve(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    const Column* column = columns[rows[i].part].get();
    if (column != nullptr && column->has(rows[i].row)) {
      numbers_.push_back(NumberAt(*column, rows[i].row));
      if (optional_) validity_[i / 64] |= uint64_t{1} << (i % 64);
    } else if (!optional_) {
      numbers_.push_back(0);
    }
  }
}

void ColumnMerger::MergeStrings(std::span<const ColumnPtr> columns, std::span<const PartRow> rows) {
  strings_.Clear();
  codes_.clear();
  codes_.reserve(rows.size());
  code_of_.resize(std::max(code_of_.size(), columns.size()));
  for (size_t p = 0; p < columns.size(); ++p) {
    code_of_[p].assign(columns[p] ? columns[p]->dictionary->size() : 0, kUnknown);
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    const uint32_t part = rows[i].part;
    const Column* column = columns[part].get();
    const uint32_t code = column == nullptr ? kNoValue : column->codes[rows[i].row];
    if (code == kNoValue) {
      if (!optional_) codes_.push_back(0);
      continue;
    }
    if (optional_) validity_[i / 64] |= uint64_t{1} << (i % 64);
    uint32_t& known = code_of_[part][code];
    if (known == kUnknown) known = strings_.Intern(column->dictionary->strings[code]);
    codes_.push_back(known);
  }
}

}  // namespace weft::block
