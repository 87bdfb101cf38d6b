// Trees are written as text: "a(b c(d))" is a root with two children. Keys are the letters; a digit
// behind a letter is what the node holds ("b1").
#include "query/insight/tree_match.h"

#include <algorithm>
#include <cctype>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace weft::query::insight {
namespace {

constexpr uint32_t kNone = TreeMatch::kNone;

struct Tree {
  KeyedTree keyed;
  std::vector<std::string> names;
  std::vector<uint64_t> contents;

  NodeContent Content() const {
    return [this](uint32_t row) { return contents[row]; };
  }
  uint32_t Add(uint32_t parent, std::string_view name) {
    const uint32_t row = keyed.size();
    names.emplace_back(name);
    keyed.key.push_back(static_cast<uint8_t>(name[0]));
    contents.push_back(name.size() > 1 ? name[1] : 0);
    keyed.parent.push_back(parent == kNone ? 0 : row - parent);
    keyed.subtree_size.push_back(0);
    return row;
  }
  uint32_t parent(uint32_t row) const {
    return keyed.parent[row] == 0 ? kNone : row - keyed.parent[row];
  }
  // Once all nodes are there.
  void CountDescendants() {
    for (uint32_t row = keyed.size(); row-- > 0;) {
      if (parent(row) != kNone) keyed.subtree_size[parent(row)] += 1 + keyed.subtree_size[row];
    }
  }
};

Tree Parse(std::string_view text) {
  Tree tree;
  std::vector<uint32_t> open{kNone};
  uint32_t last = kNone;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '(') {
      open.push_back(last);
    } else if (text[i] == ')') {
      open.pop_back();
    } else if (text[i] != ' ') {
      const bool digit = i + 1 < text.size() && std::isdigit(text[i + 1]);
      last = tree.Add(open.back(), text.substr(i, digit ? 2 : 1));
      if (digit) ++i;
    }
  }
  tree.CountDescendants();
  return tree;
}

TreeMatch Match(const Tree& base, const Tree& compare) {
  return MatchTrees(base.keyed, compare.keyed, base.Content(), compare.Content());
}

// By row of the base the row that it became, "-" for none.
std::string Matched(std::string_view base, std::string_view compare) {
  const TreeMatch match = Match(Parse(base), Parse(compare));
  std::string out;
  for (const uint32_t row : match.of_base)
    out += (out.empty() ? "" : " ") + (row == kNone ? "-" : std::to_string(row));
  return out;
}

TEST(TreeMatch, WhatIsThereInBoth) {
  EXPECT_EQ(Matched("a(b c(d))", "a(b c(d))"), "0 1 2 3");
  EXPECT_EQ(Matched("a(b c(d))", "a(c(d) b)"), "0 3 1 2") << "whatever the order";
  EXPECT_EQ(Matched("a(b c)", "a(b d)"), "0 1 -");
  EXPECT_EQ(Matched("a", "b"), "-");
  EXPECT_EQ(Matched("a b", "b a"), "1 0") << "several roots";
  EXPECT_EQ(Matched("", "a"), "");
}

TEST(TreeMatch, OfSeveralAlikeTheLikestMeet) {
  // The middle one is gone.
  EXPECT_EQ(Matched("a(b(c) b(d) b(e))", "a(b(c) b(e))"), "0 1 2 - - 3 4");
  EXPECT_EQ(Matched("a(b1 b2 b3)", "a(b2 b3)"), "0 - 1 2") << "by what they hold";
  EXPECT_EQ(Matched("a(b1 b2)", "a(b3 b2 b4)"), "0 1 2") << "the rest in order";
  EXPECT_EQ(Matched("a(b b b)", "a(b b)"), "0 1 2 -") << "all alike: the last is gone";
}

TEST(TreeMatch, OfSeveralThoseMeetThatHaveMostInCommon) {
  // Tried again: the first attempt got no further than c.
  EXPECT_EQ(Matched("a(b(c d e))", "a(b(c) b(c d f))"), "0 3 4 5 -");
  EXPECT_EQ(Matched("a(b(c) b(c d f))", "a(b(c d e))"), "0 - - 1 2 3 -");
  EXPECT_EQ(Matched("a(b(c) b(d x))", "a(b(d y) b(c z))"), "0 4 5 1 2 -");
}

TEST(TreeMatch, CallsPutInBetween) {
  EXPECT_EQ(Matched("a(b(c))", "a(x(b(c)))"), "0 2 3");
  EXPECT_EQ(Matched("a(x(b(c)))", "a(b(c))"), "0 - 1 2") << "and taken out";
  EXPECT_EQ(Matched("b(c)", "x(b(c))"), "1 2") << "above the root";
  EXPECT_EQ(Matched("a(b c)", "a(x(b) y(c))"), "0 2 4");
  EXPECT_EQ(Matched("a(b(c))", "a(w(x(y(z(b(c))))))"), "0 5 6") << "four levels";
  EXPECT_EQ(Matched("a(b(c))", "a(v(w(x(y(z(b(c)))))))"), "0 - -") << "not five";
  EXPECT_EQ(Matched("a(b(c) x)", "a(x(b(c)))"), "0 - - 1") << "children come first";
  // Both b are left over; what is below the first can't be matched outside of it.
  EXPECT_EQ(Matched("a(b(c) c)", "a(x(b c(c)))"), "0 2 - 3");
}

std::mt19937_64 Random() { return std::mt19937_64(20260101); }

Tree RandomTree(std::mt19937_64* random, uint32_t size) {
  std::vector<std::vector<uint32_t>> children(size);
  for (uint32_t i = 1; i < size; ++i) children[(*random)() % i].push_back(i);
  Tree tree;
  std::vector<std::pair<uint32_t, uint32_t>> open{{0, kNone}};
  while (!open.empty()) {
    const auto [node, parent] = open.back();
    open.pop_back();
    const uint32_t row = tree.Add(parent, std::string(1, static_cast<char>('a' + (*random)() % 4)));
    for (const uint32_t child : children[node]) open.emplace_back(child, row);
  }
  tree.CountDescendants();
  return tree;
}

// The same tree with the children of every node in another order.
Tree Shuffled(const Tree& tree, std::mt19937_64* random) {
  std::vector<std::vector<uint32_t>> children(tree.keyed.size());
  for (uint32_t row = 1; row < tree.keyed.size(); ++row) children[tree.parent(row)].push_back(row);
  Tree out;
  std::vector<std::pair<uint32_t, uint32_t>> open{{0, kNone}};
  while (!open.empty()) {
    const auto [node, parent] = open.back();
    open.pop_back();
    const uint32_t row = out.Add(parent, tree.names[node]);
    std::shuffle(children[node].begin(), children[node].end(), *random);
    for (const uint32_t child : children[node]) open.emplace_back(child, row);
  }
  out.CountDescendants();
  return out;
}

uint32_t NearestMatched(const Tree& tree, const std::vector<uint32_t>& partner, uint32_t row) {
  uint32_t at = tree.parent(row);
  while (at != kNone && partner[at] == kNone) at = tree.parent(at);
  return at;
}

TEST(TreeMatch, PairsAreOfOneKeyAndKeepTheirPlaces) {
  std::mt19937_64 random = Random();
  for (int i = 0; i < 300; ++i) {
    const Tree a = RandomTree(&random, 1 + random() % 40),
               b = RandomTree(&random, 1 + random() % 40);
    const TreeMatch match = Match(a, b);
    uint32_t pairs = 0;
    for (uint32_t row = 0; row < a.keyed.size(); ++row) {
      const uint32_t other = match.of_base[row];
      if (other == kNone) continue;
      ++pairs;
      ASSERT_EQ(match.of_compare[other], row);
      ASSERT_EQ(a.keyed.key[row], b.keyed.key[other]);
      const uint32_t above = NearestMatched(a, match.of_base, row);
      const uint32_t above_other = NearestMatched(b, match.of_compare, other);
      ASSERT_EQ(above == kNone ? kNone : match.of_base[above], above_other);
    }
    EXPECT_EQ(pairs, match.matched());
    EXPECT_EQ(pairs,
              b.keyed.size() - std::count(match.of_compare.begin(), match.of_compare.end(), kNone));
  }
}

TEST(TreeMatch, TheOrderOfSiblingsDoesNotMatter) {
  std::mt19937_64 random = Random();
  for (int i = 0; i < 100; ++i) {
    const Tree tree = RandomTree(&random, 1 + random() % 200);
    const Tree shuffled = Shuffled(tree, &random);
    EXPECT_EQ(Match(tree, shuffled).matched(), tree.keyed.size());
  }
}

// Every second node of the one chain is missing in the other: each pair is found below the last.
TEST(TreeMatch, ChainsOfAnyDepth) {
  constexpr uint32_t kDepth = 300'000;
  Tree base, compare;
  for (uint32_t i = 0; i < kDepth; ++i) {
    base.Add(i == 0 ? kNone : i - 1, "a");
    compare.Add(i == 0 ? kNone : 2 * i - 1, "x");
    compare.Add(2 * i, "a");
  }
  base.CountDescendants();
  compare.CountDescendants();
  EXPECT_EQ(Match(base, compare).matched(), kDepth);
}

}  // namespace
}  // namespace weft::query::insight
