#include "block/merge_part.h"

namespace weft::block {

Result<MergePart> MergePart::Load(const Block& block, uint32_t input, uint32_t row_group) {
  MergePart part{.block = &block, .input = input, .row_group = row_group};
  WEFT_ASSIGN_OR_RETURN(part.traces, block.TracesOf(row_group, nullptr));
  WEFT_ASSIGN_OR_RETURN(part.overflow, block.Overflow(static_cast<int32_t>(row_group), nullptr));
  return part;
}

uint32_t MergePart::RowsOf(Scope scope) const {
  const auto group = GroupOf(scope);
  return group ? block->table(scope).row_groups()[*group].row_count : 0;
}

uint64_t MergePart::FirstRowOf(Scope scope) const {
  const auto group = GroupOf(scope);
  return group ? block->table(scope).row_groups()[*group].first_row : 0;
}

Result<ColumnPtr> MergePart::Read(Scope scope, uint32_t column) const {
  const auto group = GroupOf(scope);
  const TableReader& table = block->table(scope);
  if (!group || table.AllNull(*group, column)) return ColumnPtr();
  return table.Read(*group, column, nullptr);
}

Result<PackedColumnPtr> MergePart::ReadPacked(Scope scope, uint32_t column, bool raw_uuids) const {
  const auto group = GroupOf(scope);
  const TableReader& table = block->table(scope);
  if (!group || table.AllNull(*group, column)) return PackedColumnPtr();
  return table.ReadPacked(*group, column, raw_uuids);
}

}  // namespace weft::block
