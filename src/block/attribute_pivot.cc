#include "block/attribute_pivot.h"

#include "block/json_text.h"

namespace weft::block {

using model::Attribute;
using model::SpanBatch;
using model::ValueType;

AttributePivot::AttributePivot(const AttributePlan* plan, std::span<const SpanBatch* const> batches,
                               StringTranslator* strings)
    : plan_(plan),
      batches_(batches.begin(), batches.end()),
      strings_(strings),
      targets_(plan->columns().size()) {
  for (size_t i = 0; i < targets_.size(); ++i) {
    targets_[i].numbers_used = !IsByteKind(plan->columns()[i].kind);
  }
}

void AttributePivot::Reset(uint32_t rows) {
  rows_ = rows;
  for (Target& target : targets_) {
    target.validity.assign((rows + 63) / 64, 0);
    target.numbers.clear();
    target.codes.clear();
  }
}

// A number's bits as they are; anything else as a code of the translator.
uint64_t AttributePivot::StoredValue(uint32_t batch, const Attribute& attribute) {
  switch (attribute.type) {
    case ValueType::kString:
    case ValueType::kBytes: return strings_->Translate(batch, attribute.as_code());
    case ValueType::kArray:
    case ValueType::kKvList:
      text_.clear();
      AppendJsonText(*batches_[batch], attribute, &text_);
      return strings_->Intern(text_);
    case ValueType::kBool: return attribute.as_bool();
    default: return attribute.value;
  }
}

void AttributePivot::AddTo(Target* target, uint32_t batch, const Attribute& attribute,
                           uint32_t row) {
  target->validity[row / 64] |= uint64_t{1} << (row % 64);
  const uint64_t value = StoredValue(batch, attribute);
  if (target->numbers_used) {
    target->numbers.push_back(value);
  } else {
    target->codes.push_back(static_cast<uint32_t>(value));
  }
}

void AttributePivot::Run(std::span<const RowRef> owners, uint64_t first_row,
                         OverflowRows* overflow) {
  Reset(static_cast<uint32_t>(owners.size()));
  KeyIndex& keys = plan_->keys();
  const Scope scope = plan_->scope();
  for (uint32_t row = 0; row < owners.size(); ++row) {
    const RowRef owner = owners[row];
    const SpanBatch& batch = *batches_[owner.batch];
    const model::AttributeArray& attributes = AttributesOf(batch, scope);
    const model::IndexRange range = AttributeRange(batch, scope, owner.row);
    for (uint32_t i = range.begin; i < range.end; ++i) {
      const Attribute attribute = attributes[i];
      const uint32_t key = keys.KeyOf(owner.batch, attribute.key);
      const uint32_t column = plan_->ColumnOf(key, attribute.type);
      if (column != AttributePlan::kNoColumn &&
          (targets_[column].validity[row / 64] >> (row % 64) & 1) == 0) {
        AddTo(&targets_[column], owner.batch, attribute, row);
        continue;
      }
      overflow->rows.push_back({scope, first_row + row,
                                strings_->Translate(owner.batch, attribute.key), attribute.type,
                                StoredValue(owner.batch, attribute)});
    }
  }
}

ColumnValues AttributePivot::values(uint32_t column) const {
  const Target& target = targets_[column];
  ColumnValues values{.rows = rows_, .validity = target.validity.data()};
  if (target.numbers_used) {
    values.numbers = target.numbers;
  } else {
    values.codes = target.codes;
    values.strings = &strings_->strings();
  }
  return values;
}

}  // namespace weft::block
