#include "block/column_merger.h"

#include <algorithm>
#include <bit>

namespace weft::block {

ColumnValues ColumnMerger::Merge(const ColumnSpec& spec, std::span<const PackedColumnPtr> columns,
                                 const RunList& rows) {
  optional_ = spec.optional;
  validity_.clear();
  if (optional_) validity_.assign((rows.row_count() + 63) / 64, 0);
  ColumnValues values{.rows = rows.row_count()};
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

void ColumnMerger::SetBits(uint32_t begin, uint32_t count) {
  for (const uint32_t end = begin + count; begin < end;) {
    const uint32_t take = std::min(64 - begin % 64, end - begin);
    const uint64_t ones = take == 64 ? ~uint64_t{0} : (uint64_t{1} << take) - 1;
    validity_[begin / 64] |= ones << (begin % 64);
    begin += take;
  }
}

template <typename Emit, typename Missing>
void ColumnMerger::ForEachValue(std::span<const PackedColumnPtr> columns, const RunList& rows,
                                Emit emit, Missing missing) {
  uint32_t place = 0;
  for (const RowRun& run : rows.runs()) {
    const PackedColumn* column = columns[run.part].get();
    if (column == nullptr) {
      if (!optional_) missing(run.row_count);
    } else if (column->present.empty()) {
      if (optional_) SetBits(place, run.row_count);
      for (uint32_t i = 0; i < run.row_count; ++i) emit(run.part, run.first_row + i);
    } else {
      const uint32_t end = run.first_row + run.row_count;
      for (uint32_t row = run.first_row; row < end;) {
        const uint32_t word = row / 64;
        const uint32_t take = std::min(64 - row % 64, end - row);
        uint64_t bits = column->present[word];
        if (bits != 0) {
          const uint64_t below = (uint64_t{1} << (row % 64)) - 1;
          uint32_t index = column->values_before[word] + std::popcount(bits & below);
          bits >>= row % 64;
          if (take < 64) bits &= (uint64_t{1} << take) - 1;
          uint32_t next = 0;  // row of the word that was not looked at yet
          for (; bits != 0; bits &= bits - 1) {
            const uint32_t at = std::countr_zero(bits);
            if (optional_) {
              const uint32_t to = place + (row - run.first_row) + at;
              validity_[to / 64] |= uint64_t{1} << (to % 64);
            } else {
              missing(at - next);
              next = at + 1;
            }
            emit(run.part, index++);
          }
          if (!optional_) missing(take - next);
        } else if (!optional_) {
          missing(take);
        }
        row += take;
      }
    }
    place += run.row_count;
  }
}

void ColumnMerger::MergeNumbers(std::span<const PackedColumnPtr> columns, const RunList& rows) {
  numbers_.clear();
  const auto emit = [&](uint32_t part, uint32_t index) {
    const PackedColumn& column = *columns[part];
    const bool coded = column.dictionary != nullptr;
    const uint32_t at = coded ? column.codes[index] : index;
    const auto& ints = coded ? column.dictionary->ints : column.ints;
    const auto& doubles = coded ? column.dictionary->doubles : column.doubles;
    numbers_.push_back(doubles.empty() ? static_cast<uint64_t>(ints[at])
                                       : std::bit_cast<uint64_t>(doubles[at]));
  };
  const auto missing = [&](uint32_t count) { numbers_.resize(numbers_.size() + count, 0); };
  ForEachValue(columns, rows, emit, missing);
}

void ColumnMerger::MergeStrings(std::span<const PackedColumnPtr> columns, const RunList& rows) {
  strings_.Clear();
  codes_.clear();
  code_of_.resize(std::max(code_of_.size(), columns.size()));
  for (size_t p = 0; p < columns.size(); ++p) {
    code_of_[p].assign(columns[p] ? columns[p]->dictionary->size() : 0, kUnknown);
  }
  const auto emit = [&](uint32_t part, uint32_t index) {
    const PackedColumn& column = *columns[part];
    const uint32_t code = column.codes[index];
    uint32_t& known = code_of_[part][code];
    if (known == kUnknown) known = strings_.Intern(column.dictionary->strings[code]);
    codes_.push_back(known);
  };
  const auto missing = [&](uint32_t count) { codes_.resize(codes_.size() + count, 0); };
  ForEachValue(columns, rows, emit, missing);
}

}  // namespace weft::block
