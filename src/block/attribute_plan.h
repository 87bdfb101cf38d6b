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

// The attributes of one scope of a batch.
struct ScopeAttributes {
  const model::AttributeArray* attributes = nullptr;
  const std::vector<uint32_t>* ends = nullptr;  // where those of each owner end

  model::IndexRange RangeOf(uint32_t owner) const { return model::RangeByEnds(*ends, owner); }
};
ScopeAttributes AttributesOf(const model::SpanBatch& batch, Scope scope);

// A pair must be in at least this many of `rows` rows to get a column: what a column costs in
// headers is worth about 16 entries of attributes.parquet.
uint32_t RareRowsBelow(uint64_t rows);

// A key with one type of value, and in how many rows it is.
struct AttributeCount {
  std::string_view key;
  model::ValueType type = model::ValueType::kEmpty;
  uint64_t rows = 0;
  bool uuid = false;  // all values are UUIDs
};

// The columns of a table of `rows` rows: what stands above, for `counts` of which no two have the
// same key and type.
struct ChosenColumns {
  std::vector<ColumnSpec> specs;  // in alphabetical order, so that equal input gives equal files
  std::vector<uint32_t> counts;   // of each: index into the counts
};
ChosenColumns ChooseColumns(std::span<const AttributeCount> counts, uint64_t rows);

// Attribute keys of all batches as small numbers.
class KeyIndex {
 public:
  explicit KeyIndex(std::span<const model::SpanBatch* const> batches);

  // The keys of one batch, for loops over its attributes.
  class BatchKeys {
   public:
    uint32_t KeyOf(model::Code code) {
      if (keys_[code] == 0) keys_[code] = index_->Add(batch_, code);
      return keys_[code] - 1;
    }

   private:
    friend class KeyIndex;
    KeyIndex* index_ = nullptr;
    uint32_t batch_ = 0;
    uint32_t* keys_ = nullptr;  // by code: key + 1, or 0
  };
  BatchKeys KeysOf(uint32_t batch) {
    BatchKeys keys;
    keys.index_ = this;
    keys.batch_ = batch;
    keys.keys_ = keys_of_[batch].data();
    return keys;
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
  void CountOwner(uint32_t batch, const model::AttributeArray& attributes, model::IndexRange range,
                  KeyIndex::BatchKeys* keys);
  void Grow();
  bool IsUuid(uint32_t batch, model::Code code);

  Scope scope_;
  std::vector<const model::SpanBatch*> batches_;
  KeyIndex* keys_;
  uint64_t owner_count_ = 0;
  std::vector<uint32_t> counts_;   // rows by key * 8 + type
  std::vector<uint8_t> not_uuid_;  // by key
  // By batch and code: whether the string is a UUID, once that has been looked at.
  enum Look : uint8_t { kNotLooked, kUuid, kOther };
  std::vector<std::vector<uint8_t>> looks_;
  std::vector<uint32_t> column_of_;  // by key * 8 + type
  std::vector<ColumnSpec> columns_;
};

}  // namespace weft::block
