// AttributePlan: which attributes of a table get a column of their own.
//
// 1. Count the rows of the block that have each (key, type).
// 2. A pair that is in few rows, has a key too long for a column name, or comes after the
//    `kAttributeColumnsMax` most frequent ones goes to attributes.parquet instead.
// 3. The most frequent type of a key gets `attr.<key>`, others `attr.<key>#<type>`. A string column
//    whose values are all UUIDs becomes a UUID column.
//
// One thread at a time. The batches must outlive it and not change.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "block/block.h"
#include "block/schema.h"
#include "model/span_batch.h"
#include "model/string_table.h"

namespace weft::block {

inline constexpr uint32_t kAttributeColumnsMax = 1000;
inline constexpr uint32_t kAttributeKeyBytesMax = 256;

// The attributes of a scope and where those of one owner stand.
const model::AttributeArray& AttributesOf(const model::SpanBatch& batch, Scope scope);
model::IndexRange AttributeRange(const model::SpanBatch& batch, Scope scope, uint32_t owner);

// A pair must be in at least this many of `rows` rows to get a column: what a column costs in
// headers is worth about 16 entries of attributes.parquet.
uint32_t RareRowsBelow(uint64_t rows);

// Attribute keys of all batches as small numbers.
class KeyIndex {
 public:
  explicit KeyIndex(std::span<const model::SpanBatch* const> batches);

  uint32_t KeyOf(uint32_t batch, model::Code code) {
    uint32_t& known = keys_of_[batch][code];
    if (known == 0) known = Add(batch, code);
    return known - 1;
  }
  std::string_view key(uint32_t index) const { return keys_[index]; }
  uint32_t size() const { return keys_.size(); }

 private:
  uint32_t Add(uint32_t batch, model::Code code);

  std::vector<const model::SpanBatch*> batches_;
  std::vector<std::vector<uint32_t>> keys_of_;  // per batch and code: key + 1, or 0
  model::StringTable keys_;
};

class AttributePlan {
 public:
  static constexpr uint32_t kNoColumn = 0xffffffff;

  AttributePlan(Scope scope, std::span<const model::SpanBatch* const> batches, KeyIndex* keys);

  // Counts the attributes of these rows of the scope's tables.
  void Count(std::span<const RowRef> owners);
  // Once, after all rows have been counted.
  void Choose();

  Scope scope() const { return scope_; }
  KeyIndex& keys() const { return *keys_; }
  const std::vector<ColumnSpec>& columns() const { return columns_; }
  // Index into columns(), or kNoColumn.
  uint32_t ColumnOf(uint32_t key, model::ValueType type) const {
    return column_of_[key * 8 + static_cast<uint32_t>(type)];
  }

 private:
  bool IsUuid(uint32_t batch, model::Code code);
  model::ValueType MainType(uint32_t key) const;

  Scope scope_;
  std::vector<const model::SpanBatch*> batches_;
  KeyIndex* keys_;
  uint64_t owner_count_ = 0;
  std::vector<uint32_t> counts_;     // by key * 8 + type
  std::vector<uint8_t> not_uuid_;    // by key
  std::vector<uint32_t> column_of_;  // by key * 8 + type
  std::vector<ColumnSpec> columns_;
};

}  // namespace weft::block
