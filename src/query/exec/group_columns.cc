#include "query/exec/group_columns.h"

namespace weft::query::exec {

block::Intrinsic IndexColumn(block::Scope scope) {
  return scope == block::Scope::kResource ? block::Intrinsic::kResource : block::Intrinsic::kScope;
}

Result<const block::Column*> GroupColumns::Read(block::Intrinsic column) {
  auto found = intrinsics_.find(column);
  if (found == intrinsics_.end()) {
    WEFT_ASSIGN_OR_RETURN(block::ColumnPtr read, group_.Read(column));
    found = intrinsics_.emplace(column, std::move(read)).first;
  }
  return found->second.get();
}

Result<const std::vector<block::ColumnPtr>*> GroupColumns::ReadAttribute(block::Scope scope,
                                                                         const std::string& key) {
  auto found = attributes_.find({scope, key});
  if (found == attributes_.end()) {
    WEFT_ASSIGN_OR_RETURN(std::vector<block::ColumnPtr> read, group_.ReadAttribute(scope, key));
    // An attribute that was sent without a value is as good as none.
    std::erase_if(read, [](const auto& c) { return c->type == model::ValueType::kEmpty; });
    found = attributes_.emplace(std::make_pair(scope, key), std::move(read)).first;
  }
  return const_cast<const std::vector<block::ColumnPtr>*>(&found->second);
}

Result<const std::vector<block::PackedColumnPtr>*> GroupColumns::ReadAttributeValues(
    block::Scope scope, const std::string& key) {
  auto found = values_.find({scope, key});
  if (found == values_.end()) {
    WEFT_ASSIGN_OR_RETURN(auto read, group_.ReadAttributeValues(scope, key));
    std::erase_if(read, [](const auto& c) { return c->type == model::ValueType::kEmpty; });
    found = values_.emplace(std::make_pair(scope, key), std::move(read)).first;
  }
  return const_cast<const std::vector<block::PackedColumnPtr>*>(&found->second);
}

}  // namespace weft::query::exec
