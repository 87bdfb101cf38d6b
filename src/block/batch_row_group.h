// A SpanBatch seen as a row group: spans in memory answer queries through the same columns as
// stored ones.
//
// Columns are made when asked for and kept with the batch (RowGroupColumns), which every snapshot
// of a batch that has stopped growing shares. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "block/row_source.h"
#include "model/preorder.h"
#include "model/span_batch.h"

namespace weft::block {

// Preorder columns of a batch whose rows are whole traces in preorder.
struct TreeColumns {
  std::vector<uint32_t> parent;
  std::vector<uint32_t> subtree_size;
  std::vector<uint8_t> marks;
};

// An immutable batch, its per-trace bounds, and the columns made from it so far.
class BatchColumns {
 public:
  explicit BatchColumns(std::shared_ptr<const model::SpanBatch> batch,
                        std::unique_ptr<TreeColumns> tree = nullptr);

  const model::SpanBatch& batch() const { return *batch_; }
  const TreeColumns* tree() const { return tree_.get(); }
  uint64_t first_start_ns() const { return first_start_ns_; }
  uint64_t last_start_ns() const { return last_start_ns_; }

  struct TraceBounds {
    uint64_t start_ns = UINT64_MAX;
    uint64_t end_ns = 0;
  };
  const std::vector<TraceBounds>& traces() const { return traces_; }

  Result<ColumnPtr> Read(Intrinsic column) const;
  Result<std::vector<ColumnPtr>> ReadAttribute(Scope scope, std::string_view key) const;
  std::vector<RowGroup::KeyInfo> AttributeKeys() const;

 private:
  ColumnPtr Make(Intrinsic column) const;
  ColumnPtr MakeText(const std::vector<model::Code>& codes, bool empty_is_none) const;
  std::vector<ColumnPtr> MakeAttribute(Scope scope, model::Code key) const;

  std::shared_ptr<const model::SpanBatch> batch_;
  std::unique_ptr<TreeColumns> tree_;
  uint64_t first_start_ns_ = 0;
  uint64_t last_start_ns_ = 0;
  std::vector<TraceBounds> traces_;

  mutable std::mutex mutex_;
  // Guarded by mutex_; emptied when it holds kCachedMax columns.
  mutable std::map<Intrinsic, ColumnPtr> intrinsics_;
  mutable std::map<std::pair<Scope, model::Code>, std::vector<ColumnPtr>> attributes_;
};

class BatchRowGroup : public RowGroup {
 public:
  // `excluded` as RowGroup::excluded_rows.
  BatchRowGroup(std::shared_ptr<const BatchColumns> columns, std::vector<uint64_t> excluded);

  uint32_t row_count() const override { return batch().size(); }
  uint64_t first_start_ns() const override { return columns_->first_start_ns(); }
  uint64_t last_start_ns() const override { return columns_->last_start_ns(); }
  uint64_t last_trace_start_ns() const override { return columns_->last_start_ns(); }
  bool has_tree() const override { return columns_->tree() != nullptr; }
  const std::string& block_id() const override { return block_id_; }
  uint32_t trace_count() const override { return static_cast<uint32_t>(batch().traces.size()); }
  model::TraceId trace_id(uint32_t trace) const override { return batch().traces[trace]; }
  uint64_t trace_start_ns(uint32_t trace) const override {
    return columns_->traces()[trace].start_ns;
  }
  uint64_t trace_end_ns(uint32_t trace) const override { return columns_->traces()[trace].end_ns; }
  const std::vector<uint32_t>& trace_of_row() const override { return batch().trace; }
  Result<TraceSummary> Summary(uint32_t trace) const override;
  Result<uint32_t> TableRows(Scope scope) const override;
  Result<ColumnPtr> Read(Intrinsic column) const override { return columns_->Read(column); }
  Result<std::vector<ColumnPtr>> ReadAttribute(Scope scope, std::string_view key) const override {
    return columns_->ReadAttribute(scope, key);
  }
  Result<ColumnPtr> ReadAt(Intrinsic column, std::span<const uint32_t> rows) const override;
  Result<std::vector<KeyInfo>> AttributeKeys() const override;
  const std::vector<uint64_t>& excluded_rows() const override { return excluded_; }

 private:
  const model::SpanBatch& batch() const { return columns_->batch(); }

  std::shared_ptr<const BatchColumns> columns_;
  std::vector<uint64_t> excluded_;
  std::string block_id_;
};

// A copy of the spans as a group of whole traces in preorder, so with has_tree(). Of at least one
// span.
std::shared_ptr<const RowGroup> InPreorder(const model::SpanBatch& batch);

}  // namespace weft::block
