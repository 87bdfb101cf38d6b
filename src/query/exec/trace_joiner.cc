#include "query/exec/trace_joiner.h"

#include "model/preorder.h"

namespace weft::query::exec {

TreeValues MakeTreeValues(const std::vector<uint32_t>& parent_row,
                          const std::vector<uint32_t>& subtree_size,
                          const std::vector<uint8_t>& marks, const std::vector<uint32_t>& trace) {
  const auto size = static_cast<uint32_t>(parent_row.size());
  TreeValues out;
  for (auto* column : {&out.child_count, &out.left, &out.right, &out.parent})
    column->assign(size, 0);
  std::vector<uint32_t> depth(size, 0);
  uint32_t first = 0;
  for (uint32_t i = 0; i < size; ++i) {
    if (i == 0 || trace[i] != trace[i - 1]) first = i;
    const bool is_root = parent_row[i] == 0;
    const uint32_t above = i - parent_row[i];
    if (!is_root) {
      depth[i] = depth[above] + 1;
      ++out.child_count[above];
    }
    const bool connected =
        is_root ? (marks[i] & (model::kMarkOrphan | model::kMarkCycle)) == 0 : out.left[above] != 0;
    if (!connected) continue;
    // Rows before this one have been entered once each, and left unless they are its ancestors.
    out.left[i] = 2 * static_cast<int64_t>(i - first) - depth[i] + 1;
    out.right[i] = out.left[i] + 2 * static_cast<int64_t>(subtree_size[i]) + 1;
    out.parent[i] = is_root ? -1 : out.left[above];
  }
  return out;
}

Result<std::shared_ptr<const TraceJoiner::Summary>> TraceJoiner::Summarize(model::TraceId id) {
  {
    MutexLock lock(mutex_);
    if (const auto found = known_.find(id); found != known_.end()) return found->second;
  }
  WEFT_ASSIGN_OR_RETURN(Summary summary, source_.SummarizeTrace(tenant_, id));
  auto shared = std::make_shared<const Summary>(std::move(summary));
  MutexLock lock(mutex_);
  if (known_.size() >= kCachedMax) known_.clear();
  known_.emplace(id, shared);
  return shared;
}

Result<std::shared_ptr<const std::vector<bool>>> TraceJoiner::Elsewhere(
    const block::RowGroup& group) {
  {
    MutexLock lock(mutex_);
    if (const auto found = elsewhere_.find(&group); found != elsewhere_.end()) return found->second;
  }
  WEFT_RETURN_IF_ERROR(group.LoadTraces());
  std::vector<bool> answer(group.trace_count(), true);
  // Of live rows, and of traces that have lost rows, only a summary knows the whole.
  if (group.has_tree() && group.excluded_rows().empty()) {
    std::vector<model::TraceId> ids(group.trace_count());
    for (uint32_t i = 0; i < ids.size(); ++i) ids[i] = group.trace_id(i);
    WEFT_ASSIGN_OR_RETURN(answer, source_.MayBeElsewhere(tenant_, ids, group.block_id()));
  }
  auto shared = std::make_shared<const std::vector<bool>>(std::move(answer));
  MutexLock lock(mutex_);
  elsewhere_.emplace(&group, shared);
  return shared;
}

Result<TraceJoiner::Tree> TraceJoiner::BuildTree(model::TraceId id) const {
  Tree out;
  WEFT_ASSIGN_OR_RETURN(out.spans, source_.FindTrace(tenant_, id));
  std::vector<model::TreeSpan> spans;
  spans.reserve(out.spans.size());
  for (uint32_t i = 0; i < out.spans.size(); ++i) {
    spans.push_back({out.spans.span_id[i], out.spans.parent_span_id[i], out.spans.start_ns[i],
                     out.spans.end_ns[i], out.spans.kind[i]});
  }
  model::PreorderBuilder builder;
  const model::Preorder& order =
      builder.Build(spans, [&out](uint32_t input) { return model::ContentHash(out.spans, input); });
  out.rows = order.input;
  out.values = MakeTreeValues(order.parent, order.subtree_size, order.marks,
                              std::vector<uint32_t>(order.size(), 0));
  return out;
}

}  // namespace weft::query::exec
