// StoredRowGroup: one row group of a stored block, as queries see it. Cheap to make; what it reads
// is kept in the block's cache. Thread rule: any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "block/reader.h"
#include "block/row_source.h"

namespace weft::block {

class StoredRowGroup final : public RowGroup {
 public:
  // Reads nothing. `deleted`: see Block::RowGroups.
  static std::shared_ptr<const RowGroup> Make(std::shared_ptr<const Block> block,
                                              uint32_t row_group, const RowSet* deleted = nullptr);

  uint32_t row_count() const override;
  uint64_t first_start_ns() const override { return meta().first_start_ns; }
  uint64_t last_start_ns() const override { return meta().last_start_ns; }
  uint64_t last_trace_start_ns() const override { return meta().last_trace_start_ns; }
  bool has_tree() const override { return true; }
  const std::string& block_id() const override { return block_->meta().id; }

  Result<bool> MayHave(Scope scope, std::string_view key, const WantedValue& value) const override;
  Result<bool> MayHave(Intrinsic column, const WantedValue& value) const override;

  Result<std::shared_ptr<const OperationCounts>> BlockCounts() const override;
  Error LoadTraces() const override;
  uint32_t trace_count() const override { return traces_->size(); }
  model::TraceId trace_id(uint32_t trace) const override { return traces_->id[trace]; }
  uint64_t trace_start_ns(uint32_t trace) const override { return traces_->start_ns[trace]; }
  uint64_t trace_end_ns(uint32_t trace) const override { return traces_->end_ns[trace]; }
  const std::vector<uint32_t>& trace_of_row() const override;
  Result<TraceSummary> Summary(uint32_t trace) const override;
  Result<ColumnPtr> ReadTraces(TraceText text) const override;

  Result<uint32_t> TableRows(Scope scope) const override;
  Result<ColumnPtr> Read(Intrinsic column) const override;
  Result<std::vector<ColumnPtr>> ReadAttribute(Scope scope, std::string_view key) const override;
  Result<std::vector<PackedColumnPtr>> ReadAttributeValues(Scope scope,
                                                           std::string_view key) const override;
  Result<ColumnPtr> ReadAt(Intrinsic column, std::span<const uint32_t> rows) const override;
  Result<std::vector<KeyInfo>> AttributeKeys() const override;
  const std::vector<uint64_t>& excluded_rows() const override { return deleted_; }
  uint64_t bytes_read() const override { return bytes_.load(std::memory_order_relaxed); }

 private:
  StoredRowGroup(std::shared_ptr<const Block> block, uint32_t row_group)
      : block_(std::move(block)), row_group_(row_group) {}

  const RowGroupMeta& meta() const { return block_->meta().row_groups[row_group_]; }
  // Of one column, of the group's share of attributes.parquet.
  Result<bool> MayHaveIn(const TableReader& table, uint32_t row_group, uint32_t column,
                         const WantedValue& value) const;
  Result<bool> MayOverflowWith(Scope scope, std::string_view key, const WantedValue& value) const;
  Result<std::vector<ColumnPtr>> OverflowColumns(Scope scope, uint32_t group,
                                                 std::string_view key) const;
  Result<ColumnPtr> ReadDerived(Intrinsic column) const;
  Result<ColumnPtr> MakeParentIds() const;
  // A stored column turned into what the interface promises.
  Result<ColumnPtr> Convert(Intrinsic column, const ColumnPtr& stored) const;
  bool IsDeleted(int64_t row) const;
  // Which rows of a scope's table belong to a span that counts; of a group with deleted rows.
  Result<std::vector<bool>> RowsThatCount(Scope scope) const;
  Result<bool> HasValueThatCounts(Scope scope, uint32_t column,
                                  const std::vector<bool>& counts) const;

  std::shared_ptr<const Block> block_;
  uint32_t row_group_;
  mutable std::once_flag traces_once_;
  mutable Error traces_error_;
  mutable std::shared_ptr<const Block::GroupTraces> traces_;
  mutable std::once_flag trace_of_row_once_;
  mutable std::shared_ptr<const std::vector<uint32_t>> trace_of_row_;
  std::vector<uint64_t> deleted_;  // as RowGroup::excluded_rows
  bool block_is_whole_ = true;     // no row of it, of whatever group, is deleted
  mutable ByteCounter bytes_{0};
};

}  // namespace weft::block
