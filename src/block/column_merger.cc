#include "block/column_merger.h"

#include <algorithm>
#include <bit>
#include <cstring>

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
void ColumnMerger::ForEachStretch(std::span<const PackedColumnPtr> columns, const RunList& rows,
                                  Emit emit, Missing missing) {
  uint32_t place = 0;
  for (const RowRun& run : rows.runs()) {
    const PackedColumn* column = columns[run.part].get();
    if (column == nullptr) {
      if (!optional_) missing(run.row_count);
    } else if (column->present.empty()) {
      if (optional_) SetBits(place, run.row_count);
      emit(run.part, run.first_row, run.row_count);
    } else {
      EmitPresent(*column, run, place, emit, missing);
    }
    place += run.row_count;
  }
}

// The values of a run stand side by side even where rows between them have none: only the bits are
// walked over, unless a missing value must be filled in.
template <typename Emit, typename Missing>
void ColumnMerger::EmitPresent(const PackedColumn& column, const RowRun& run, uint32_t place,
                               Emit emit, Missing missing) {
  const uint32_t end = run.first_row + run.row_count;
  uint32_t values = 0;
  uint32_t first_value = 0;
  for (uint32_t row = run.first_row; row < end;) {
    const uint32_t take = std::min(64 - row % 64, end - row);
    uint64_t bits = column.present[row / 64];
    const uint64_t below = bits & ((uint64_t{1} << (row % 64)) - 1);
    if (row == run.first_row) {
      first_value = column.values_before[row / 64] + static_cast<uint32_t>(std::popcount(below));
    }
    bits >>= row % 64;
    if (take < 64) bits &= (uint64_t{1} << take) - 1;
    if (optional_) {
      OrBits(place + (row - run.first_row), bits);
      values += static_cast<uint32_t>(std::popcount(bits));
    } else {
      uint32_t next = 0;  // row of the word that was not looked at yet
      for (; bits != 0; bits &= bits - 1) {
        const uint32_t at = static_cast<uint32_t>(std::countr_zero(bits));
        missing(at - next);
        emit(run.part, first_value + values++, 1);
        next = at + 1;
      }
      missing(take - next);
    }
    row += take;
  }
  if (optional_ && values > 0) emit(run.part, first_value, values);
}

// Bits of rows [begin, begin + 64); those beyond the last row are 0.
void ColumnMerger::OrBits(uint32_t begin, uint64_t bits) {
  if (bits == 0) return;
  validity_[begin / 64] |= bits << (begin % 64);
  if (begin % 64 != 0 && bits >> (64 - begin % 64) != 0) {
    validity_[begin / 64 + 1] |= bits >> (64 - begin % 64);
  }
}

void ColumnMerger::MergeNumbers(std::span<const PackedColumnPtr> columns, const RunList& rows) {
  numbers_.clear();
  numbers_.reserve(rows.row_count());
  const auto append = [this](const auto& values, uint32_t first, uint32_t count) {
    const size_t begin = numbers_.size();
    numbers_.resize(begin + count);
    std::memcpy(numbers_.data() + begin, values.data() + first, size_t{count} * sizeof(uint64_t));
  };
  const auto look_up = [this](const auto& entries, const uint32_t* codes, uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) {
      numbers_.push_back(std::bit_cast<uint64_t>(entries[codes[i]]));
    }
  };
  const auto emit = [&](uint32_t part, uint32_t first, uint32_t count) {
    const PackedColumn& column = *columns[part];
    if (!column.dictionary) {
      if (column.doubles.empty()) {
        append(column.ints, first, count);
      } else {
        append(column.doubles, first, count);
      }
    } else if (column.dictionary->doubles.empty()) {
      look_up(column.dictionary->ints, column.codes.data() + first, count);
    } else {
      look_up(column.dictionary->doubles, column.codes.data() + first, count);
    }
  };
  const auto missing = [&](uint32_t count) { numbers_.resize(numbers_.size() + count, 0); };
  ForEachStretch(columns, rows, emit, missing);
}

void ColumnMerger::MergeStrings(std::span<const PackedColumnPtr> columns, const RunList& rows) {
  strings_.Clear();
  codes_.clear();
  codes_.reserve(rows.row_count());
  code_of_.resize(std::max(code_of_.size(), columns.size()));
  for (size_t p = 0; p < columns.size(); ++p) {
    code_of_[p].assign(columns[p] ? columns[p]->dictionary->size() : 0, kUnknown);
  }
  const auto emit = [&](uint32_t part, uint32_t first, uint32_t count) {
    const PackedColumn& column = *columns[part];
    const uint32_t* codes = column.codes.data() + first;
    uint32_t* code_of = code_of_[part].data();
    for (uint32_t i = 0; i < count; ++i) {
      uint32_t& known = code_of[codes[i]];
      if (known == kUnknown) known = strings_.Intern(column.dictionary->strings[codes[i]]);
      codes_.push_back(known);
    }
  };
  const auto missing = [&](uint32_t count) { codes_.resize(codes_.size() + count, 0); };
  ForEachStretch(columns, rows, emit, missing);
}

}  // namespace weft::block
