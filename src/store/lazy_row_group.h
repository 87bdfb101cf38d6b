// LazyRowGroup: a row group of a block that is opened when it is first needed.
//
// Before Load() it knows what the catalog says: its number of rows and traces, and their times.
// Thread rule: any thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "block/row_source.h"
#include "store/block_list.h"

namespace weft::store {

class LazyRowGroup final : public block::RowGroup {
 public:
  using GroupPtr = std::shared_ptr<const block::RowGroup>;
  // Null when the block has turned out to be damaged: then the group is empty.
  using Opener = std::function<Result<GroupPtr>(const BlockPtr& block, uint32_t row_group)>;

  LazyRowGroup(BlockPtr block, uint32_t row_group, Opener opener)
      : block_(std::move(block)), row_group_(row_group), opener_(std::move(opener)) {}

  Error Load() const override WEFT_EXCLUDES(mutex_);

  uint32_t row_count() const override {
    return is_empty_.load(std::memory_order_acquire) ? 0 : static_cast<uint32_t>(meta().span_count);
  }
  uint64_t first_start_ns() const override { return meta().first_start_ns; }
  uint64_t last_start_ns() const override { return meta().last_start_ns; }
  uint64_t last_trace_start_ns() const override { return meta().last_trace_start_ns; }
  bool has_tree() const override { return true; }
  const std::string& block_id() const override { return block_->name.id; }

  // These want Load() to have succeeded.
  Result<bool> MayHave(block::Scope scope, std::string_view key,
                       const block::WantedValue& value) const override {
    return group()->MayHave(scope, key, value);
  }
  Result<bool> MayHave(block::Intrinsic column, const block::WantedValue& value) const override {
    return group()->MayHave(column, value);
  }
  Result<std::shared_ptr<const block::OperationCounts>> BlockCounts() const override {
    return group()->BlockCounts();
  }
  Error LoadTraces() const override;
  uint32_t trace_count() const override { return group()->trace_count(); }
  model::TraceId trace_id(uint32_t trace) const override { return group()->trace_id(trace); }
  uint64_t trace_start_ns(uint32_t trace) const override { return group()->trace_start_ns(trace); }
  uint64_t trace_end_ns(uint32_t trace) const override { return group()->trace_end_ns(trace); }
  const std::vector<uint32_t>& trace_of_row() const override { return group()->trace_of_row(); }
  const std::vector<uint64_t>& excluded_rows() const override { return group()->excluded_rows(); }
  Result<block::ColumnPtr> ReadTraces(TraceText text) const override {
    return group()->ReadTraces(text);
  }
  Result<block::TraceSummary> Summary(uint32_t trace) const override {
    return group()->Summary(trace);
  }
  Result<uint32_t> TableRows(block::Scope scope) const override {
    return group()->TableRows(scope);
  }
  Result<block::ColumnPtr> Read(block::Intrinsic column) const override {
    return group()->Read(column);
  }
  Result<std::vector<block::ColumnPtr>> ReadAttribute(block::Scope scope,
                                                      std::string_view key) const override {
    return group()->ReadAttribute(scope, key);
  }
  Result<std::vector<block::PackedColumnPtr>> ReadAttributeValues(
      block::Scope scope, std::string_view key) const override {
    return group()->ReadAttributeValues(scope, key);
  }
  Result<block::ColumnPtr> ReadAt(block::Intrinsic column,
                                  std::span<const uint32_t> rows) const override {
    return group()->ReadAt(column, rows);
  }
  Result<std::vector<KeyInfo>> AttributeKeys() const override { return group()->AttributeKeys(); }
  uint64_t bytes_read() const override { return group() ? group()->bytes_read() : 0; }

 private:
  const block::RowGroupMeta& meta() const { return block_->meta.row_groups[row_group_]; }
  // Asked for every row by some: without the lock.
  const block::RowGroup* group() const { return ready_.load(std::memory_order_acquire); }

  const BlockPtr block_;
  const uint32_t row_group_;
  const Opener opener_;
  mutable Mutex mutex_;  // held while it is opened: others wait for that
  mutable bool loaded_ WEFT_GUARDED_BY(mutex_) = false;
  mutable GroupPtr group_ WEFT_GUARDED_BY(mutex_);              // never changes once set
  mutable std::atomic<const block::RowGroup*> ready_{nullptr};  // group_
  mutable std::atomic<bool> is_empty_{false};                   // loaded, and there is nothing
};

}  // namespace weft::store
