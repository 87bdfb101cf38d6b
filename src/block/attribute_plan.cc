#include "block/attribute_plan.h"

#include <algorithm>

#include "block/uuid_text.h"

namespace weft::block {

using model::AttributeArray;
using model::IndexRange;
using model::SpanBatch;
using model::ValueType;

ScopeAttributes AttributesOf(const SpanBatch& batch, Scope scope) {
  switch (scope) {
    case Scope::kSpan: break;
    case Scope::kResource: return {&batch.resources.attributes, &batch.resources.attribute_end};
    case Scope::kInstrumentation: return {&batch.scopes.attributes, &batch.scopes.attribute_end};
    case Scope::kEvent: return {&batch.events.attributes, &batch.events.attribute_end};
    case Scope::kLink: return {&batch.links.attributes, &batch.links.attribute_end};
  }
  return {&batch.attributes, &batch.attribute_end};
}

uint32_t RareRowsBelow(uint64_t rows) {
  return static_cast<uint32_t>(std::min<uint64_t>(16, 1 + rows / 1024));
}

KeyIndex::KeyIndex(std::span<const SpanBatch* const> batches)
    : batches_(batches.begin(), batches.end()) {
  keys_of_.reserve(batches.size());
  for (const SpanBatch* batch : batches) keys_of_.emplace_back(batch->strings.size(), 0);
}

uint32_t KeyIndex::Add(uint32_t batch, model::Code code) {
  const model::StringTable& source = batches_[batch]->strings;
  return keys_.InternHashed(source[code], source.hash(code)) + 1;
}

AttributePlan::AttributePlan(Scope scope, std::span<const SpanBatch* const> batches, KeyIndex* keys)
    : scope_(scope),
      batches_(batches.begin(), batches.end()),
      keys_(keys),
      looks_(batches.size()) {}

bool AttributePlan::IsUuid(uint32_t batch, model::Code code) {
  std::vector<uint8_t>& looks = looks_[batch];
  if (looks.empty()) looks.assign(batches_[batch]->strings.size(), kNotLooked);
  if (looks[code] == kNotLooked) {
    looks[code] = IsUuidText(batches_[batch]->strings[code]) ? kUuid : kOther;
  }
  return looks[code] == kUuid;
}

void AttributePlan::Grow() {
  counts_.resize(keys_->size() * 8 + 64, 0);
  not_uuid_.resize(keys_->size() + 8, 0);
}

void AttributePlan::Count(std::span<const RowRef> owners) {
  owner_count_ += owners.size();
  // Owners of one batch come in long stretches.
  uint32_t batch = UINT32_MAX;
  ScopeAttributes source;
  KeyIndex::BatchKeys keys;
  for (const RowRef owner : owners) {
    if (owner.batch != batch) {
      batch = owner.batch;
      source = AttributesOf(*batches_[batch], scope_);
      keys = keys_->KeysOf(batch);
    }
    CountOwner(batch, *source.attributes, source.RangeOf(owner.row), &keys);
  }
}

void AttributePlan::CountOwner(uint32_t batch, const AttributeArray& attributes, IndexRange range,
                               KeyIndex::BatchKeys* keys) {
  for (uint32_t i = range.begin; i < range.end; ++i) {
    const uint32_t key = keys->KeyOf(attributes.key(i));
    if (key * 8 >= counts_.size()) Grow();
    const ValueType type = attributes.type(i);
    ++counts_[key * 8 + static_cast<uint32_t>(type)];
    if (type == ValueType::kString && not_uuid_[key] == 0 &&
        !IsUuid(batch, static_cast<model::Code>(attributes.value(i)))) {
      not_uuid_[key] = 1;
    }
  }
}

ValueType AttributePlan::MainType(uint32_t key) const {
  const auto begin = counts_.begin() + key * 8;
  return static_cast<ValueType>(std::max_element(begin, begin + 8) - begin);
}

void AttributePlan::Choose() {
  const uint32_t rare_below = RareRowsBelow(owner_count_);
  std::vector<uint32_t> pairs;
  for (uint32_t pair = 0; pair < counts_.size(); ++pair) {
    const bool empty = pair % 8 == static_cast<uint32_t>(ValueType::kEmpty);
    if (counts_[pair] == 0 || counts_[pair] < rare_below || empty) continue;
    if (keys_->key(pair / 8).size() <= kAttributeKeyBytesMax) pairs.push_back(pair);
  }
  // The most frequent pairs are kept, and stand in alphabetical order so that equal input gives
  // equal files.
  std::sort(pairs.begin(), pairs.end(), [&](uint32_t a, uint32_t b) {
    if (counts_[a] != counts_[b]) return counts_[a] > counts_[b];
    return keys_->key(a / 8) < keys_->key(b / 8) || (a / 8 == b / 8 && a < b);
  });
  if (pairs.size() > kAttributeColumnsMax) pairs.resize(kAttributeColumnsMax);
  std::sort(pairs.begin(), pairs.end(), [&](uint32_t a, uint32_t b) {
    return a / 8 == b / 8 ? a < b : keys_->key(a / 8) < keys_->key(b / 8);
  });
  column_of_.assign(std::max<size_t>(counts_.size(), keys_->size() * size_t{8}), kNoColumn);
  for (const uint32_t pair : pairs) {
    const uint32_t key = pair / 8;
    const ValueType type = static_cast<ValueType>(pair % 8);
    column_of_[pair] = static_cast<uint32_t>(columns_.size());
    columns_.push_back(
        {.name = AttributeColumnName(keys_->key(key), type, type == MainType(key)),
         .kind = AttributeColumnKind(type, type == ValueType::kString && not_uuid_[key] == 0),
         .optional = true});
  }
}

}  // namespace weft::block
