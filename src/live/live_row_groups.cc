#include "live/live_row_groups.h"

#include <algorithm>
#include <numeric>

#include "model/preorder.h"

namespace weft::live {
namespace {

bool IsExcluded(const RowBits& bits, uint32_t row) {
  return row / 64 < bits.size() && (bits[row / 64] >> (row % 64) & 1) != 0;
}

// The rows of a batch by trace: `rows` ordered by trace, those of trace t at [ends[t-1], ends[t]).
struct RowsByTrace {
  std::vector<uint32_t> rows;
  std::vector<uint32_t> ends;
};

RowsByTrace GroupByTrace(const model::SpanBatch& batch) {
  RowsByTrace out;
  out.rows.resize(batch.size());
  std::iota(out.rows.begin(), out.rows.end(), 0);
  std::stable_sort(out.rows.begin(), out.rows.end(),
                   [&](uint32_t a, uint32_t b) { return batch.trace[a] < batch.trace[b]; });
  out.ends.assign(batch.traces.size(), 0);
  for (uint32_t trace : batch.trace) ++out.ends[trace];
  std::partial_sum(out.ends.begin(), out.ends.end(), out.ends.begin());
  return out;
}

}  // namespace

bool AllExcluded(const LiveRows& rows) {
  uint32_t excluded = 0;
  for (uint64_t word : rows.excluded) excluded += static_cast<uint32_t>(__builtin_popcountll(word));
  return excluded >= rows.columns->batch().size();
}

std::shared_ptr<const block::RowGroup> InPreorder(const std::vector<LiveRows>& live) {
  model::SpanBatch all;
  model::BatchAppender appender(&all);
  for (const LiveRows& part : live) {
    std::vector<uint32_t> rows;
    for (uint32_t row = 0; row < part.columns->batch().size(); ++row) {
      if (!IsExcluded(part.excluded, row)) rows.push_back(row);
    }
    appender.Append(part.columns->batch(), rows);
  }
  if (all.empty()) return nullptr;

  const RowsByTrace grouped = GroupByTrace(all);
  auto tree = std::make_unique<TreeColumns>();
  std::vector<uint32_t> order;
  model::PreorderBuilder builder;
  for (uint32_t t = 0, begin = 0; t < grouped.ends.size(); begin = grouped.ends[t++]) {
    const std::vector<uint32_t> rows(grouped.rows.begin() + begin,
                                     grouped.rows.begin() + grouped.ends[t]);
    const model::Preorder& preorder = builder.Build(
        TreeSpansOf(all, rows), [&](uint32_t i) { return model::ContentHash(all, rows[i]); });
    for (uint32_t i : preorder.input) order.push_back(rows[i]);
    tree->parent.insert(tree->parent.end(), preorder.parent.begin(), preorder.parent.end());
    tree->subtree_size.insert(tree->subtree_size.end(), preorder.subtree_size.begin(),
                              preorder.subtree_size.end());
    tree->marks.insert(tree->marks.end(), preorder.marks.begin(), preorder.marks.end());
  }
  auto sorted = std::make_shared<model::SpanBatch>();
  model::BatchAppender(sorted.get()).Append(all, order);
  return std::make_shared<BatchRowGroup>(
      std::make_shared<BatchColumns>(std::move(sorted), std::move(tree)), RowBits{});
}

}  // namespace weft::live
