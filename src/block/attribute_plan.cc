#include "block/attribute_plan.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include <absl/container/flat_hash_map.h>

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

ChosenColumns ChooseColumns(std::span<const AttributeCount> counts, uint64_t rows) {
  const auto by_name = [&](uint32_t a, uint32_t b) {
    return counts[a].key != counts[b].key ? counts[a].key < counts[b].key
                                          : counts[a].type < counts[b].type;
  };
  // The most frequent type of each key: the first among equals.
  absl::flat_hash_map<std::string_view, uint32_t> main;
  std::vector<uint32_t> all(counts.size());
  std::iota(all.begin(), all.end(), 0);
  std::sort(all.begin(), all.end(), by_name);
  for (const uint32_t i : all) {
    const auto [at, is_new] = main.try_emplace(counts[i].key, i);
    if (!is_new && counts[i].rows > counts[at->second].rows) at->second = i;
  }
  ChosenColumns chosen;
  const uint32_t rare_below = RareRowsBelow(rows);
  for (const uint32_t i : all) {
    const AttributeCount& count = counts[i];
    const bool wanted = count.rows > 0 && count.rows >= rare_below &&
                        count.type != ValueType::kEmpty &&
                        count.key.size() <= kAttributeKeyBytesMax;
    if (wanted) chosen.counts.push_back(i);
  }
  if (chosen.counts.size() > kAttributeColumnsMax) {
    std::stable_sort(chosen.counts.begin(), chosen.counts.end(),
                     [&](uint32_t a, uint32_t b) { return counts[a].rows > counts[b].rows; });
    chosen.counts.resize(kAttributeColumnsMax);
    std::sort(chosen.counts.begin(), chosen.counts.end(), by_name);
  }
  for (const uint32_t i : chosen.counts) {
    const AttributeCount& count = counts[i];
    chosen.specs.push_back(
        {.name = AttributeColumnName(count.key, count.type, main[count.key] == i),
         .kind = AttributeColumnKind(count.type, count.type == ValueType::kString && count.uuid),
         .optional = true});
  }
  return chosen;
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

void AttributePlan::Choose() {
  std::vector<AttributeCount> pairs;
  std::vector<uint32_t> place;  // of each pair: key * 8 + type
  for (uint32_t at = 0; at < counts_.size(); ++at) {
    if (counts_[at] == 0) continue;
    const uint32_t key = at / 8;
    pairs.push_back(
        {keys_->key(key), static_cast<ValueType>(at % 8), counts_[at], not_uuid_[key] == 0});
    place.push_back(at);
  }
  ChosenColumns chosen = ChooseColumns(pairs, owner_count_);
  column_of_.assign(std::max<size_t>(counts_.size(), keys_->size() * size_t{8}), kNoColumn);
  for (uint32_t c = 0; c < chosen.counts.size(); ++c) column_of_[place[chosen.counts[c]]] = c;
  columns_ = std::move(chosen.specs);
}

}  // namespace weft::block
