// SideTable: the distinct resources (or scopes) of a block, from any number of batches. Two with
// equal content, whatever the order of attributes, are one row. One thread at a time.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "block/block.h"
#include "block/row_source.h"
#include "model/string_table.h"

namespace weft::block {

class SideTable {
 public:
  // `scope` is kResource or kInstrumentation. The batches must outlive it.
  SideTable(Scope scope, std::span<const model::SpanBatch* const> batches);

  // The row of resource (or scope) `index` of a batch.
  uint32_t RowOf(uint32_t batch, uint32_t index) {
    std::vector<uint32_t>& rows = rows_of_[batch];
    if (index >= rows.size() || rows[index] == 0) return Add(batch, index);
    return rows[index] - 1;
  }

  // For each row one place where its content stands.
  const std::vector<RowRef>& rows() const { return rows_; }

 private:
  uint32_t Add(uint32_t batch, uint32_t index);
  void AppendContent(const model::SpanBatch& batch, uint32_t index);
  void AppendField(std::string_view text);

  Scope scope_;
  std::vector<const model::SpanBatch*> batches_;
  std::vector<std::vector<uint32_t>> rows_of_;  // per batch and index: row + 1, or 0
  std::vector<RowRef> rows_;
  model::StringTable contents_;  // code c is the content of row row_of_content_[c]
  std::vector<uint32_t> row_of_content_;
  std::string content_;
};

}  // namespace weft::block
