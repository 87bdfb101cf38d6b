#include "block/merge_part.h"

#include <bit>

#include "block/column_merger.h"
#include "block/schema.h"

namespace weft::block {

Result<MergePart> MergePart::Load(const Block& block, uint32_t input, uint32_t row_group,
                                  const RowSet* left_out) {
  MergePart part{.block = &block, .input = input, .row_group = row_group};
  WEFT_ASSIGN_OR_RETURN(part.traces, block.TracesOf(row_group, nullptr));
  WEFT_ASSIGN_OR_RETURN(part.overflow, block.Overflow(static_cast<int32_t>(row_group), nullptr));
  if (left_out == nullptr) return part;
  auto& spans = part.left_out[static_cast<size_t>(Scope::kSpan)];
  spans = left_out->Bits(part.FirstRowOf(Scope::kSpan), part.RowsOf(Scope::kSpan));
  if (spans.empty()) return part;
  WEFT_RETURN_IF_ERROR(part.LeaveOutOwned(Scope::kEvent, kEventSpanRow));
  WEFT_RETURN_IF_ERROR(part.LeaveOutOwned(Scope::kLink, kLinkSpanRow));
  return part;
}

// What a span owns goes where the span goes.
Error MergePart::LeaveOutOwned(Scope scope, uint32_t span_row_column) {
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr owners, Read(scope, span_row_column));
  if (owners == nullptr) return Error::Ok();
  const uint64_t first = FirstRowOf(Scope::kSpan);
  std::vector<uint64_t>& bits = left_out[static_cast<size_t>(scope)];
  for (uint32_t row = 0; row < owners->row_count; ++row) {
    const uint64_t owner = NumberAt(*owners, row) - first;
    if (owner >= RowsOf(Scope::kSpan)) {
      return {ErrorCode::kCorrupt,
              std::string(FileOf(scope)) + " names a span of another row group"};
    }
    if (!IsLeftOut(Scope::kSpan, static_cast<uint32_t>(owner))) continue;
    bits.resize((owners->row_count + 63) / 64, 0);
    bits[row / 64] |= uint64_t{1} << (row % 64);
  }
  return Error::Ok();
}

uint32_t MergePart::KeptSpans(uint32_t first_row, uint32_t row_count) const {
  if (left_out[static_cast<size_t>(Scope::kSpan)].empty()) return row_count;
  uint32_t kept = 0;
  for (uint32_t i = 0; i < row_count; ++i) kept += IsLeftOut(Scope::kSpan, first_row + i) ? 0 : 1;
  return kept;
}

uint32_t MergePart::KeptRowsOf(Scope scope) const {
  uint32_t kept = RowsOf(scope);
  for (const uint64_t word : left_out[static_cast<size_t>(scope)]) {
    kept -= static_cast<uint32_t>(std::popcount(word));
  }
  return kept;
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

Result<ColumnPtr> MergePart::ReadRows(Scope scope, uint32_t column,
                                      std::span<const uint32_t> rows) const {
  const auto group = GroupOf(scope);
  const TableReader& table = block->table(scope);
  if (!group || table.AllNull(*group, column)) return ColumnPtr();
  return table.ReadRows(*group, column, rows, nullptr);
}

Result<PackedColumnPtr> MergePart::ReadPacked(Scope scope, uint32_t column, bool raw_uuids) const {
  const auto group = GroupOf(scope);
  const TableReader& table = block->table(scope);
  if (!group || table.AllNull(*group, column)) return PackedColumnPtr();
  return table.ReadPacked(*group, column, raw_uuids);
}

}  // namespace weft::block
