// The columns that one query has read of one row group, each once.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "block/row_source.h"

namespace weft::query::exec {

// The index column that leads from a span's row to a row of this scope's table; only for kResource
// and kInstrumentation. Columns that lead from events and links to spans are kEventSpan and
// kLinkSpan.
block::Intrinsic IndexColumn(block::Scope scope);

// One thread. Pointers live as long as this object, which must not outlive the group.
class GroupColumns {
 public:
  explicit GroupColumns(const block::RowGroup& group) : group_(group) {}

  const block::RowGroup& group() const { return group_; }
  Result<const block::Column*> Read(block::Intrinsic column);
  // All types of it but kEmpty.
  Result<const std::vector<block::ColumnPtr>*> ReadAttribute(block::Scope scope,
                                                             const std::string& key);
  // The same, values alone.
  Result<const std::vector<block::PackedColumnPtr>*> ReadAttributeValues(block::Scope scope,
                                                                         const std::string& key);
  Result<uint32_t> TableRows(block::Scope scope) const { return group_.TableRows(scope); }

 private:
  const block::RowGroup& group_;
  std::map<block::Intrinsic, block::ColumnPtr> intrinsics_;
  std::map<std::pair<block::Scope, std::string>, std::vector<block::ColumnPtr>> attributes_;
  std::map<std::pair<block::Scope, std::string>, std::vector<block::PackedColumnPtr>> values_;
};

}  // namespace weft::query::exec
