#include "query/exec/span_relations.h"

#include <algorithm>
#include <iterator>

namespace weft::query::exec {
namespace {

// `a op b` seen from b.
SpanRelations::Op Mirrored(SpanRelations::Op op) {
  using Op = SpanRelations::Op;
  switch (op) {
    case Op::kChild: return Op::kParent;
    case Op::kParent: return Op::kChild;
    case Op::kDescendant: return Op::kAncestor;
    case Op::kAncestor: return Op::kDescendant;
    default: return op;
  }
}

}  // namespace

// Children look at their parent, parents are marked by their children, siblings by way of both.
template <typename F>
void SpanRelations::ForEachByParent(Op op, const Rows& left, const Rows& right, F keep) {
  if (once_.size() == 0) {
    for (Bitmap* scratch : {&once_, &twice_, &own_}) *scratch = Bitmap(parent_row_.row_count);
  }
  for (uint32_t row : left) {
    own_.Set(row);
    if (!has_parent(row)) continue;
    const uint32_t above = parent(row);
    (once_.Test(above) ? twice_ : once_).Set(above);
  }
  for (uint32_t row : right) {
    bool related = false;
    if (op == Op::kParent) {
      related = once_.Test(row);
    } else if (has_parent(row)) {
      const uint32_t above = parent(row);
      related = op == Op::kChild ? own_.Test(above)
                                 : twice_.Test(above) || (once_.Test(above) && !own_.Test(row));
    }
    keep(row, related);
  }
  for (uint32_t row : left) {
    own_.Reset(row);
    if (!has_parent(row)) continue;
    once_.Reset(parent(row));
    twice_.Reset(parent(row));
  }
}

template <typename F>
void SpanRelations::ForEach(Op op, const Rows& left, const Rows& right, F keep) {
  if (op != Op::kDescendant && op != Op::kAncestor) return ForEachByParent(op, left, right, keep);
  size_t next = 0;
  uint32_t reach = 0;  // the end of the subtrees entered so far
  for (uint32_t row : right) {
    if (op == Op::kDescendant) {
      for (; next < left.size() && left[next] < row; ++next) {
        reach = std::max(reach, subtree_end(left[next]));
      }
      keep(row, row < reach);
    } else {
      while (next < left.size() && left[next] <= row) ++next;
      keep(row, next < left.size() && left[next] < subtree_end(row));
    }
  }
}

Rows SpanRelations::Relate(Op op, Keep keep, const Rows& left, const Rows& right) {
  Rows out;
  const bool wanted = keep != Keep::kUnrelated;
  const auto take = [&](uint32_t row, bool related) {
    if (related == wanted) out.push_back(row);
  };
  ForEach(op, left, right, take);
  if (keep != Keep::kBoth) return out;
  Rows of_right = std::move(out);
  out.clear();
  ForEach(Mirrored(op), right, left, take);
  Rows both;
  both.reserve(of_right.size() + out.size());
  std::set_union(of_right.begin(), of_right.end(), out.begin(), out.end(),
                 std::back_inserter(both));
  return both;
}

}  // namespace weft::query::exec
