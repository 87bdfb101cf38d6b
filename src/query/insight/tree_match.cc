#include "query/insight/tree_match.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include <absl/container/flat_hash_map.h>

namespace weft::query::insight {
namespace {

// Siblings of one key that are compared with each other; of more those that are alike count, and
// their order.
constexpr size_t kRivalsMax = 32;

constexpr uint32_t kNone = TreeMatch::kNone;

// Spreads a number over 64 bits (splitmix64).
uint64_t Mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

// By row a number that is equal for subtrees of equal keys, whatever the order of siblings.
std::vector<uint64_t> ShapesOf(const KeyedTree& tree) {
  std::vector<uint64_t> shapes(tree.size());  // first what the children add up to
  for (uint32_t row = tree.size(); row-- > 0;) {
    shapes[row] = Mix(Mix(tree.key[row]) + shapes[row]);
    if (tree.parent[row] != 0) shapes[row - tree.parent[row]] += shapes[row];
  }
  return shapes;
}

struct Side {
  const KeyedTree& tree;
  const NodeContent& content;
  std::vector<uint64_t> shapes = ShapesOf(tree);
  std::vector<uint32_t> partner = std::vector<uint32_t>(tree.size(), kNone);
  // Rows that were not matched when a descendant was.
  std::vector<bool> above_match = std::vector<bool>(tree.size(), false);

  bool free(uint32_t row) const { return partner[row] == kNone; }
  // kNone of a root.
  uint32_t parent(uint32_t row) const {
    return tree.parent[row] == 0 ? kNone : row - tree.parent[row];
  }
  // Roots are the children of kNone.
  std::vector<uint32_t> ChildrenOf(uint32_t row) const {
    std::vector<uint32_t> out;
    uint32_t at = row == kNone ? 0 : row + 1;
    const uint32_t end = row == kNone ? tree.size() : row + 1 + tree.subtree_size[row];
    for (; at < end; at += 1 + tree.subtree_size[at]) out.push_back(at);
    return out;
  }
};

// A node that others compete with.
struct Rival {
  uint64_t shape = 0;
  uint64_t content = 0;
  uint32_t row = 0;
  bool taken = false;
};

class Matcher {
 public:
  Matcher(const KeyedTree& base, const KeyedTree& compare, const NodeContent& base_content,
          const NodeContent& compare_content)
      : base_{base, base_content}, compare_{compare, compare_content} {}

  TreeMatch Run() {
    pairs_.emplace_back(kNone, kNone);
    while (!pairs_.empty()) {
      const auto [base, compare] = pairs_.back();
      pairs_.pop_back();
      MatchBelow(base, compare);
    }
    return {std::move(base_.partner), std::move(compare_.partner)};
  }

 private:
  void Pair(uint32_t base, uint32_t compare) {
    base_.partner[base] = compare;
    compare_.partner[compare] = base;
    pairs_.emplace_back(base, compare);
  }

  void MatchBelow(uint32_t base, uint32_t compare) {
    std::vector<uint32_t> a = base_.ChildrenOf(base);
    std::vector<uint32_t> b = compare_.ChildrenOf(compare);
    MatchChildren(a, b);
    std::erase_if(a, [&](uint32_t row) { return !base_.free(row); });
    std::erase_if(b, [&](uint32_t row) { return !compare_.free(row); });
    if (!a.empty() && !b.empty()) MatchDeeper(a, b);
  }

  // Step 1. Sorted by key both are walked side by side.
  void MatchChildren(const std::vector<uint32_t>& a, const std::vector<uint32_t>& b) {
    const auto by_key = [](const KeyedTree& tree, std::vector<uint32_t> rows) {
      std::sort(rows.begin(), rows.end(), [&](uint32_t x, uint32_t y) {
        return std::tie(tree.key[x], x) < std::tie(tree.key[y], y);
      });
      return rows;
    };
    const std::vector<uint32_t> left = by_key(base_.tree, a), right = by_key(compare_.tree, b);
    const auto end_of = [](const KeyedTree& tree, const std::vector<uint32_t>& rows, size_t i) {
      const uint32_t key = tree.key[rows[i]];
      while (i < rows.size() && tree.key[rows[i]] == key) ++i;
      return i;
    };
    for (size_t i = 0, j = 0; i < left.size() && j < right.size();) {
      const uint32_t x = base_.tree.key[left[i]], y = compare_.tree.key[right[j]];
      const size_t i_end = x <= y ? end_of(base_.tree, left, i) : i;
      const size_t j_end = y <= x ? end_of(compare_.tree, right, j) : j;
      if (x == y) MatchAlike({&left[i], i_end - i}, {&right[j], j_end - j});
      i = i_end;
      j = j_end;
    }
  }

  using Rows = std::pair<const uint32_t*, size_t>;

  // Siblings of one key.
  void MatchAlike(Rows a, Rows b) {
    if (a.second == 1 && b.second == 1) return Pair(*a.first, *b.first);
    std::vector<Rival> left = RivalsOf(base_, a), right = RivalsOf(compare_, b);
    TakeEqual(&left, &right, [](const Rival& r) { return std::pair(r.shape, r.content); });
    TakeEqual(&left, &right, [](const Rival& r) { return std::pair(r.shape, uint64_t{0}); });
    TakeClosest(&left, &right);
    TakeEqual(&left, &right, [](const Rival&) { return std::pair(uint64_t{0}, uint64_t{0}); });
  }

  // The keys in the upper part of the subtree below a row, each once.
  static std::vector<uint32_t> KeysBelow(const Side& side, uint32_t row) {
    std::vector<uint32_t> keys;
    for (const uint32_t at : UpperPart(side, {row})) {
      if (at != row) keys.push_back(side.tree.key[at]);
    }
    std::ranges::sort(keys);
    const auto rest = std::ranges::unique(keys);
    keys.erase(rest.begin(), rest.end());
    return keys;
  }

  // Pairs those that have most in common below them, the closest first: of a call that failed and
  // was tried again it is the second attempt that is like one that went well.
  void TakeClosest(std::vector<Rival>* left, std::vector<Rival>* right) {
    if (left->size() > kRivalsMax || right->size() > kRivalsMax) return;
    std::vector<std::vector<uint32_t>> below_left, below_right;
    for (const Rival& r : *left) below_left.push_back(KeysBelow(base_, r.row));
    for (const Rival& r : *right) below_right.push_back(KeysBelow(compare_, r.row));
    std::vector<std::tuple<double, size_t, size_t>> candidates;  // what they don't share, of all
    for (size_t i = 0; i < left->size(); ++i) {
      for (size_t j = 0; j < right->size(); ++j) {
        std::vector<uint32_t> common;
        std::ranges::set_intersection(below_left[i], below_right[j], std::back_inserter(common));
        const size_t all = below_left[i].size() + below_right[j].size();
        if (common.empty()) continue;
        candidates.emplace_back(
            1 - 2 * static_cast<double>(common.size()) / static_cast<double>(all), i, j);
      }
    }
    std::ranges::sort(candidates);
    for (const auto& [apart, i, j] : candidates) {
      if ((*left)[i].taken || (*right)[j].taken) continue;
      Pair((*left)[i].row, (*right)[j].row);
      (*left)[i].taken = (*right)[j].taken = true;
    }
    const auto taken = [](const Rival& r) { return r.taken; };
    std::erase_if(*left, taken);
    std::erase_if(*right, taken);
  }

  static std::vector<Rival> RivalsOf(const Side& side, Rows rows) {
    std::vector<Rival> out;
    for (size_t i = 0; i < rows.second; ++i) {
      const uint32_t row = rows.first[i];
      out.push_back({side.shapes[row], side.content(row), row, false});
    }
    return out;
  }

  // Pairs those that `likeness` says are alike, in their order.
  template <typename Likeness>
  void TakeEqual(std::vector<Rival>* left, std::vector<Rival>* right, Likeness likeness) {
    const auto before = [&](const Rival& x, const Rival& y) {
      const auto p = likeness(x), q = likeness(y);
      return p != q ? p < q : x.row < y.row;
    };
    std::sort(left->begin(), left->end(), before);
    std::sort(right->begin(), right->end(), before);
    for (size_t i = 0, j = 0; i < left->size() && j < right->size();) {
      const auto p = likeness((*left)[i]), q = likeness((*right)[j]);
      if (p < q) {
        ++i;
      } else if (q < p) {
        ++j;
      } else {
        Pair((*left)[i].row, (*right)[j].row);
        (*left)[i++].taken = (*right)[j++].taken = true;
      }
    }
    const auto taken = [](const Rival& r) { return r.taken; };
    std::erase_if(*left, taken);
    std::erase_if(*right, taken);
  }

  // The rows of the subtrees of `tops` down to kLevelsBetween below them, in preorder.
  static std::vector<uint32_t> UpperPart(const Side& side, const std::vector<uint32_t>& tops) {
    std::vector<uint32_t> out;
    std::vector<uint32_t> ends;  // of the subtrees that are open
    for (const uint32_t top : tops) {
      const uint32_t end = top + 1 + side.tree.subtree_size[top];
      for (uint32_t row = top; row < end;) {
        while (!ends.empty() && ends.back() <= row) ends.pop_back();
        out.push_back(row);
        const uint32_t behind = row + 1 + side.tree.subtree_size[row];
        if (ends.size() == TreeMatch::kLevelsBetween) {
          row = behind;
        } else {
          ends.push_back(behind);
          ++row;
        }
      }
      ends.clear();
    }
    return out;
  }

  // Whether an ancestor within the upper part, whose tops are children of `above`, is matched.
  static bool BelowMatch(const Side& side, uint32_t row, uint32_t above) {
    for (uint32_t at = side.parent(row); at != above && at != kNone; at = side.parent(at)) {
      if (!side.free(at)) return true;
    }
    return false;
  }

  // Step 2. A parent comes before its descendants: the highest that fits is taken.
  void MatchDeeper(const std::vector<uint32_t>& a, const std::vector<uint32_t>& b) {
    const uint32_t above_a = base_.parent(a.front()), above_b = compare_.parent(b.front());
    struct Waiting {
      std::vector<uint32_t> rows;
      size_t next = 0;
    };
    absl::flat_hash_map<uint32_t, Waiting> by_key;
    for (const uint32_t row : UpperPart(compare_, b))
      by_key[compare_.tree.key[row]].rows.push_back(row);
    for (const uint32_t row : UpperPart(base_, a)) {
      const auto found = by_key.find(base_.tree.key[row]);
      if (found == by_key.end() || BelowMatch(base_, row, above_a)) continue;
      Waiting& waiting = found->second;
      while (waiting.next < waiting.rows.size()) {
        const uint32_t candidate = waiting.rows[waiting.next++];
        if (!compare_.free(candidate) || compare_.above_match[candidate] ||
            BelowMatch(compare_, candidate, above_b))
          continue;
        Pair(row, candidate);
        for (uint32_t at = compare_.parent(candidate); at != above_b && at != kNone;
             at = compare_.parent(at))
          compare_.above_match[at] = true;
        break;
      }
    }
  }

  Side base_, compare_;
  std::vector<std::pair<uint32_t, uint32_t>> pairs_;  // whose children are not matched yet
};

}  // namespace

uint32_t TreeMatch::matched() const {
  return static_cast<uint32_t>(
      std::count_if(of_base.begin(), of_base.end(), [](uint32_t row) { return row != kNone; }));
}

TreeMatch MatchTrees(const KeyedTree& base, const KeyedTree& compare,
                     const NodeContent& base_content, const NodeContent& compare_content) {
  return Matcher(base, compare, base_content, compare_content).Run();
}

}  // namespace weft::query::insight
