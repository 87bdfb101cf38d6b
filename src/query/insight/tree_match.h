// Which span of one trace is which of another: two forests with keys, matched node by node.
//
// 1. Roots meet roots. The children of two nodes that are matched meet each other: those of one
//    key, and where there are several of a key first those whose subtrees and contents are alike,
//    then those whose subtrees are, then those that have most keys below them in common, then the
//    rest, each time in their order.
// 2. What is left over of the children of a pair is looked for one to kLevelsBetween levels deeper
//    below the same pair: calls that were put in between, or taken out, don't tear what is below.
// 3. So matched nodes always have their nearest matched ancestors matched to each other.
//
// O(n log n), without recursion; the depth of the trees does not matter.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace weft::query::insight {

// A forest in preorder (model/preorder.h).
struct KeyedTree {
  std::vector<uint32_t> key;           // nodes that may be matched have equal keys
  std::vector<uint32_t> parent;        // rows back to the parent; 0 for a root
  std::vector<uint32_t> subtree_size;  // descendants

  uint32_t size() const { return static_cast<uint32_t>(key.size()); }
};

struct TreeMatch {
  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr uint32_t kLevelsBetween = 4;

  // By row the row in the other tree, or kNone.
  std::vector<uint32_t> of_base;
  std::vector<uint32_t> of_compare;

  uint32_t matched() const;
};

// What a node holds besides its key, as a number: equal for equal contents. Asked only of nodes
// that have siblings of their own key.
using NodeContent = std::function<uint64_t(uint32_t row)>;

// Any thread.
TreeMatch MatchTrees(const KeyedTree& base, const KeyedTree& compare,
                     const NodeContent& base_content, const NodeContent& compare_content);

}  // namespace weft::query::insight
