// Which spans stand in a relation to others in the tree of their trace.
#pragma once

#include <cstdint>
#include <vector>

#include "block/column.h"
#include "query/exec/bitmap.h"
#include "query/plan/plan.h"

namespace weft::query::exec {

using Rows = std::vector<uint32_t>;  // ascending

// Relations between rows of one group that has a tree. In preorder a span's descendants are the
// rows right behind it, so that nothing is walked: each relation is one pass over both sets. One
// thread.
class SpanRelations {
 public:
  using Op = plan::SpansetExpression::Op;
  using Keep = plan::SpansetExpression::Keep;

  // kParentRow and kSubtreeSize of the group; they must outlive this.
  SpanRelations(const block::Column& parent_row, const block::Column& subtree_size)
      : parent_row_(parent_row), subtree_size_(subtree_size) {}

  // What `op`, a relation, keeps of `left` and `right`.
  Rows Relate(Op op, Keep keep, const Rows& left, const Rows& right);

 private:
  // Calls keep(row, related) for each row of `right`.
  template <typename F>
  void ForEach(Op op, const Rows& left, const Rows& right, F keep);
  template <typename F>
  void ForEachByParent(Op op, const Rows& left, const Rows& right, F keep);

  bool has_parent(uint32_t row) const { return parent_row_.ints[row] != 0; }
  uint32_t parent(uint32_t row) const { return row - static_cast<uint32_t>(parent_row_.ints[row]); }
  uint32_t subtree_end(uint32_t row) const {
    return row + 1 + static_cast<uint32_t>(subtree_size_.ints[row]);
  }

  const block::Column& parent_row_;
  const block::Column& subtree_size_;
  // Scratch, all 0 between calls.
  Bitmap once_, twice_, own_;
};

}  // namespace weft::query::exec
