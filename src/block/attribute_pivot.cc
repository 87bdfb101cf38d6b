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

void AttributePivot::BeginSource(uint32_t batch, Source* source) {
  source->batch = batch;
  source->attributes = AttributesOf(*batches_[batch], plan_->scope());
  source->keys = plan_->keys().KeysOf(batch);
  source->strings = strings_->StringsOf(batch);
}

// A number's bits as they are; anything else as a code of the translator.
uint64_t AttributePivot::StoredValue(Source* source, const Attribute& attribute) {
  switch (attribute.type) {
    case ValueType::kString:
    case ValueType::kBytes: return source->strings.Translate(attribute.as_code());
    case ValueType::kArray:
    case ValueType::kKvList:
      text_.clear();
      AppendJsonText(*batches_[source->batch], attribute, &text_);
      return strings_->Intern(text_);
    case ValueType::kBool: return attribute.as_bool();
    default: return attribute.value;
  }
}

void AttributePivot::PivotOwner(Source* source, uint32_t owner, uint32_t row, uint64_t first_row,
                                OverflowRows* overflow) {
  const uint64_t bit = uint64_t{1} << (row % 64);
  const model::AttributeArray& attributes = *source->attributes.attributes;
  const model::IndexRange range = source->attributes.RangeOf(owner);
  for (uint32_t i = range.begin; i < range.end; ++i) {
    const Attribute attribute = attributes[i];
    const uint32_t column = plan_->ColumnOf(source->keys.KeyOf(attribute.key), attribute.type);
    const uint64_t value = StoredValue(source, attribute);
    Target* target = column == AttributePlan::kNoColumn ? nullptr : &targets_[column];
    if (target == nullptr || (target->validity[row / 64] & bit) != 0) {
      overflow->rows.push_back({plan_->scope(), first_row + row,
                                source->strings.Translate(attribute.key), attribute.type, value});
      continue;
    }
    target->validity[row / 64] |= bit;
    if (target->numbers_used) {
      target->numbers.push_back(value);
    } else {
      target->codes.push_back(static_cast<uint32_t>(value));
    }
  }
}

void AttributePivot::Run(std::span<const RowRef> owners, uint64_t first_row,
                         OverflowRows* overflow) {
  Reset(static_cast<uint32_t>(owners.size()));
  // Owners of one batch come in long stretches.
  Source source;
  for (uint32_t row = 0; row < owners.size(); ++row) {
    const RowRef owner = owners[row];
    if (owner.batch != source.batch) BeginSource(owner.batch, &source);
    PivotOwner(&source, owner.row, row, first_row, overflow);
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
