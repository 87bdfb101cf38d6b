// What is true of a whole trace, however many places its spans are in.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "base/error.h"
#include "base/mutex.h"
#include "block/row_source.h"

namespace weft::query::exec {

// The places of the spans of one trace in its tree. Everything by row; see model/preorder.h.
struct TreeValues {
  std::vector<int64_t> child_count;
  std::vector<int64_t>
      left;  // nested set numbers, from 1 in each trace; 0 where no true root leads
  std::vector<int64_t> right;
  std::vector<int64_t>
      parent;  // `left` of the parent, -1 for a true root, 0 where no true root leads

  size_t bytes() const { return 32 * child_count.capacity(); }
};

// From rows in preorder: `parent_row` is rows back to the parent (0 for a root), `trace` says where
// one trace ends and the next begins.
TreeValues MakeTreeValues(const std::vector<uint32_t>& parent_row,
                          const std::vector<uint32_t>& subtree_size,
                          const std::vector<uint8_t>& marks, const std::vector<uint32_t>& trace);

// Joins the fragments of traces for one query. Thread-safe. The source must outlive it.
class TraceJoiner {
 public:
  using Summary = block::RowSource::JoinedSummary;

  TraceJoiner(const block::RowSource& source, model::TenantId tenant)
      : source_(source), tenant_(std::move(tenant)) {}

  // Of the whole trace; span_count is 0 when it is gone.
  Result<std::shared_ptr<const Summary>> Summarize(model::TraceId id);

  // Of each trace of the group whether it has spans elsewhere, or may have: false is certain. The
  // group must outlive this.
  Result<std::shared_ptr<const std::vector<bool>>> Elsewhere(const block::RowGroup& group);

  // A whole trace as a tree. `spans` and `rows` tell which value is whose: row i of `values` is
  // span rows[i].
  struct Tree {
    model::SpanBatch spans;
    std::vector<uint32_t> rows;
    TreeValues values;
  };
  Result<Tree> BuildTree(model::TraceId id) const;

 private:
  static constexpr size_t kCachedMax = 20000;

  const block::RowSource& source_;
  const model::TenantId tenant_;
  Mutex mutex_;
  // Emptied when it is full.
  absl::flat_hash_map<model::TraceId, std::shared_ptr<const Summary>, model::TraceIdHash> known_
      WEFT_GUARDED_BY(mutex_);
  absl::flat_hash_map<const block::RowGroup*, std::shared_ptr<const std::vector<bool>>> elsewhere_
      WEFT_GUARDED_BY(mutex_);
};

}  // namespace weft::query::exec
