// AttributePivot: long-form attributes of the rows of one row group -> one column per planned
// attribute, in one pass over the rows. What has no column, and a second value for a key that a
// row already has, is handed to OverflowRows. One thread at a time.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "block/attribute_plan.h"
#include "block/chunk_encoder.h"
#include "block/overflow_writer.h"
#include "block/string_translator.h"

namespace weft::block {

class AttributePivot {
 public:
  // All must outlive it.
  AttributePivot(const AttributePlan* plan, std::span<const model::SpanBatch* const> batches,
                 StringTranslator* strings);

  // Pivots the attributes of `owners`. `first_row` is the row of the file that owners[0] becomes.
  void Run(std::span<const RowRef> owners, uint64_t first_row, OverflowRows* overflow);
  // A column of the last Run; valid until the next.
  ColumnValues values(uint32_t column) const;

 private:
  struct Target {
    bool numbers_used = false;
    std::vector<uint64_t> validity;
    std::vector<uint32_t> codes;
    std::vector<uint64_t> numbers;
  };

  // What a stretch of owners of one batch has in common.
  struct Source {
    uint32_t batch = UINT32_MAX;
    ScopeAttributes attributes;
    KeyIndex::BatchKeys keys;
    StringTranslator::BatchStrings strings;
  };

  void Reset(uint32_t rows);
  void BeginSource(uint32_t batch, Source* source);
  void PivotOwner(Source* source, uint32_t owner, uint32_t row, uint64_t first_row,
                  OverflowRows* overflow);
  uint64_t StoredValue(Source* source, const model::Attribute& attribute);

  const AttributePlan* plan_;
  std::vector<const model::SpanBatch*> batches_;
  StringTranslator* strings_;
  uint32_t rows_ = 0;
  std::vector<Target> targets_;
  std::string text_;
};

}  // namespace weft::block
