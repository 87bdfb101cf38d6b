#include "query/exec/row_labels.h"

#include <algorithm>
#include <utility>

#include <absl/container/flat_hash_map.h>

#include "query/exec/row_values.h"
#include "query/exec/value_key.h"

namespace weft::query::exec {
namespace {

using block::Column;
using block::Intrinsic;
using block::Scope;
using model::ValueType;
using plan::Field;
using plan::Property;
using plan::Value;

// Gives numbers to values as they are met.
class ValueNumbers {
 public:
  uint32_t Of(Value value) {
    const auto [found, is_new] =
        numbers_.try_emplace(ValueKey{std::move(value)}, static_cast<uint32_t>(numbers_.size()));
    return found->second;
  }
  std::vector<Value> Values() const {
    std::vector<Value> out(numbers_.size());
    for (const auto& [key, number] : numbers_) out[number] = key.value;
    return out;
  }

 private:
  absl::flat_hash_map<ValueKey, uint32_t> numbers_;
};

bool IsScalar(ValueType type) {
  return type == ValueType::kString || type == ValueType::kInt || type == ValueType::kDouble ||
         type == ValueType::kBool;
}

// The entries of a column's dictionary, and at the end what rows without a value have.
std::vector<Value> EntriesOf(const Column& column, Value missing) {
  std::vector<Value> out;
  out.reserve(column.dictionary->size() + 1);
  for (uint32_t i = 0; i < column.dictionary->size(); ++i) {
    out.push_back(EntryOf(*column.dictionary, i).ToValue());
  }
  out.push_back(std::move(missing));
  return out;
}

// A property that is a column of spans with a dictionary.
const Intrinsic* CodedColumn(Property property) {
  static constexpr Intrinsic kName = Intrinsic::kName;
  static constexpr Intrinsic kStatus = Intrinsic::kStatus;
  static constexpr Intrinsic kKind = Intrinsic::kKind;
  static constexpr Intrinsic kMessage = Intrinsic::kStatusMessage;
  switch (property) {
    case Property::kName: return &kName;
    case Property::kStatus: return &kStatus;
    case Property::kKind: return &kKind;
    case Property::kStatusMessage: return &kMessage;
    default: return nullptr;
  }
}

}  // namespace

Result<RowLabels::FieldCodes> RowLabels::OpenField(const Field& field, const Bitmap& rows,
                                                   GroupColumns* columns, TraceJoiner* joiner) {
  if (field.of_parent) return ByRow(field, rows, columns, joiner);
  if (field.source == Field::Source::kProperty) {
    const Intrinsic* const coded = CodedColumn(field.property);
    if (coded == nullptr) return ByRow(field, rows, columns, joiner);
    WEFT_ASSIGN_OR_RETURN(const Column* column, columns->Read(*coded));
    if (!column->dictionary) return ByRow(field, rows, columns, joiner);
    const bool is_text = column->type == ValueType::kString;
    return FieldCodes{
        column->codes.data(), {}, EntriesOf(*column, is_text ? Value::String("") : Value::Nil())};
  }
  if (field.source == Field::Source::kAttribute && field.scope == Scope::kSpan) {
    WEFT_ASSIGN_OR_RETURN(const auto* found, columns->ReadAttribute(Scope::kSpan, field.key));
    const bool coded = found->size() == 1 && (*found)[0]->dictionary && IsScalar((*found)[0]->type);
    if (!coded) return ByRow(field, rows, columns, joiner);
    return FieldCodes{(*found)[0]->codes.data(), {}, EntriesOf(*(*found)[0], Value::Nil())};
  }
  const bool of_table = field.source == Field::Source::kAttribute &&
                        (field.scope == Scope::kResource || field.scope == Scope::kInstrumentation);
  return of_table ? OfTable(field, rows, columns) : ByRow(field, rows, columns, joiner);
}

// A resource or scope has one value for all of its spans.
Result<RowLabels::FieldCodes> RowLabels::OfTable(const Field& field, const Bitmap& rows,
                                                 GroupColumns* columns) {
  WEFT_ASSIGN_OR_RETURN(const auto* found, columns->ReadAttribute(field.scope, field.key));
  WEFT_ASSIGN_OR_RETURN(const uint32_t table_rows, columns->TableRows(field.scope));
  WEFT_ASSIGN_OR_RETURN(const Column* index, columns->Read(IndexColumn(field.scope)));
  ValueNumbers numbers;
  std::vector<uint32_t> of_table_row(table_rows);
  for (uint32_t row = 0; row < table_rows; ++row) {
    Value value;
    for (const block::ColumnPtr& column : *found) {
      if (value.is_nil()) value = ScalarAt(*column, row).ToValue();
    }
    of_table_row[row] = numbers.Of(std::move(value));
  }
  FieldCodes out;
  out.owned.resize(rows.size());
  rows.ForEach(
      [&](uint32_t row) { out.owned[row] = of_table_row[static_cast<size_t>(index->ints[row])]; });
  out.codes = out.owned.data();
  out.values = numbers.Values();
  if (out.values.empty()) out.values.emplace_back();
  return out;
}

Result<RowLabels::FieldCodes> RowLabels::ByRow(const Field& field, const Bitmap& rows,
                                               GroupColumns* columns, TraceJoiner* joiner) {
  WEFT_ASSIGN_OR_RETURN(const auto reader, FieldReader::Open(field, columns, joiner));
  ValueNumbers numbers;
  FieldCodes out;
  out.owned.resize(rows.size());
  Error error;
  rows.ForEach([&](uint32_t row) {
    if (!error.ok()) return;
    const Result<plan::Scalar> value = reader->Get(row, 0);
    if (!value.ok()) {
      error = value.error();
    } else {
      out.owned[row] = numbers.Of(value->ToValue());
    }
  });
  if (!error.ok()) return error;
  out.codes = out.owned.data();
  out.values = numbers.Values();
  if (out.values.empty()) out.values.emplace_back();
  return out;
}

namespace {

// Gives numbers to keys below `limit` as they are met: by way of a table where few are possible,
// else of a hash table.
class KeyNumbers {
 public:
  explicit KeyNumbers(uint64_t limit) {
    constexpr uint64_t kTableMax = 1 << 18;
    if (limit <= kTableMax) table_.assign(limit, kUnknown);
  }

  // `is_new` is set when the key has not been met before.
  uint32_t Of(uint64_t key, bool* is_new) {
    if (table_.empty()) {
      const auto [found, inserted] = numbers_.try_emplace(key, size_);
      *is_new = inserted;
      if (inserted) ++size_;
      return found->second;
    }
    uint32_t& number = table_[key];
    *is_new = number == kUnknown;
    if (*is_new) number = size_++;
    return number;
  }

 private:
  static constexpr uint32_t kUnknown = UINT32_MAX;

  uint32_t size_ = 0;
  std::vector<uint32_t> table_;
  absl::flat_hash_map<uint64_t, uint32_t> numbers_;
};

}  // namespace

// Joins fields to what is there: as many at a time as there are numbers for all combinations that
// are possible.
void RowLabels::Combine(const Bitmap& rows) {
  constexpr uint64_t kMost = uint64_t{1} << 62;
  combined_.assign(rows.size(), 0);
  combos_.assign(1, {});
  for (size_t begin = 0, end = 0; begin < fields_.size(); begin = end) {
    // There are fewer combinations than rows, and at most one value more than rows.
    uint64_t limit = combos_.size() * fields_[end].values.size();
    for (++end; end < fields_.size() && limit <= kMost / fields_[end].values.size(); ++end)
      limit *= fields_[end].values.size();
    struct Digit {
      const uint32_t* codes;
      uint32_t last;
    };
    std::vector<Digit> digits;
    for (size_t i = begin; i < end; ++i) {
      const auto values = static_cast<uint32_t>(fields_[i].values.size());
      digits.push_back({fields_[i].codes, values - 1});
    }
    KeyNumbers numbers(limit);
    std::vector<std::vector<uint32_t>> combos;
    rows.ForEach([&](uint32_t row) {
      uint64_t key = combined_[row];
      for (const Digit& digit : digits)
        key = key * (uint64_t{digit.last} + 1) + std::min(digit.codes[row], digit.last);
      const uint32_t before = combined_[row];
      bool is_new = false;
      combined_[row] = numbers.Of(key, &is_new);
      if (!is_new) return;
      combos.push_back(combos_[before]);
      for (size_t i = begin; i < end; ++i) combos.back().push_back(fields_[i].of(row));
    });
    combos_ = std::move(combos);
  }
  codes_ = combined_.data();
  size_ = static_cast<uint32_t>(combos_.size());
}

Result<RowLabels> RowLabels::Open(const std::vector<plan::LabelField>& by, const Bitmap& rows,
                                  GroupColumns* columns, TraceJoiner* joiner) {
  RowLabels out;
  for (const plan::LabelField& label : by) {
    WEFT_ASSIGN_OR_RETURN(FieldCodes field, OpenField(label.field, rows, columns, joiner));
    out.fields_.push_back(std::move(field));
  }
  if (by.empty()) return out;
  if (by.size() == 1) {
    out.codes_ = out.fields_[0].codes;
    out.size_ = static_cast<uint32_t>(out.fields_[0].values.size());
  } else {
    out.Combine(rows);
  }
  out.last_ = std::max(out.size_, 1u) - 1;
  return out;
}

std::vector<Value> RowLabels::Values(uint32_t combination) const {
  if (fields_.size() == 1) return {fields_[0].values[combination]};
  std::vector<Value> out;
  for (size_t i = 0; i < fields_.size(); ++i) {
    out.push_back(fields_[i].values[combos_[combination][i]]);
  }
  return out;
}

}  // namespace weft::query::exec
