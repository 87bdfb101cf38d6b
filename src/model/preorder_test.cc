#include "model/preorder.h"

#include <algorithm>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::model {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TreeSpan Span(uint64_t id, uint64_t parent, uint64_t start, uint64_t end, uint8_t kind = 1) {
  return {SpanId{id}, SpanId{parent}, start, end, kind};
}

// Spans with equal fields count as equal content.
struct Tree {
  explicit Tree(std::vector<TreeSpan> input) : spans(std::move(input)) {
    result = builder.Build(spans, [this](uint32_t i) {
      return spans[i].start_ns * 31 + spans[i].end_ns * 7 + spans[i].kind;
    });
  }
  std::vector<uint64_t> Ids() const {
    std::vector<uint64_t> ids;
    for (uint32_t input : result.input) ids.push_back(spans[input].span_id.value);
    return ids;
  }
  std::vector<TreeSpan> spans;
  PreorderBuilder builder;
  Preorder result;
};

TEST(Preorder, PutsParentsBeforeChildrenAndSiblingsByStart) {
  const Tree tree({Span(4, 1, 30, 40), Span(3, 2, 12, 13), Span(2, 1, 10, 20), Span(1, 0, 0, 100)});
  EXPECT_THAT(tree.Ids(), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(tree.result.parent, ElementsAre(0, 1, 1, 3));
  EXPECT_THAT(tree.result.subtree_size, ElementsAre(3, 1, 0, 0));
  EXPECT_THAT(tree.result.marks, ElementsAre(0, 0, 0, 0));
}

TEST(Preorder, NothingInNothingOut) {
  const Tree tree({});
  EXPECT_EQ(tree.result.size(), 0u);
}

TEST(Preorder, OrphansAreRootsAfterTheTrueRoot) {
  const Tree tree({Span(9, 77, 1, 2), Span(1, 0, 5, 9)});
  EXPECT_THAT(tree.Ids(), ElementsAre(1, 9));
  EXPECT_THAT(tree.result.marks, ElementsAre(0, kMarkOrphan));
  EXPECT_THAT(tree.result.parent, ElementsAre(0, 0));
}

TEST(Preorder, ASpanSentTwiceIsOneSpan) {
  const Tree tree({Span(1, 0, 0, 9), Span(2, 1, 1, 2), Span(2, 1, 1, 2)});
  EXPECT_THAT(tree.Ids(), ElementsAre(1, 2));
  EXPECT_THAT(tree.result.duplicates, ElementsAre(2));
  EXPECT_THAT(tree.result.marks, ElementsAre(0, 0));
}

TEST(Preorder, DifferentSpansWithOneIdAreAllKeptAndMarked) {
  const Tree tree({Span(1, 0, 0, 9), Span(2, 1, 1, 2), Span(2, 1, 4, 5), Span(3, 2, 6, 7)});
  EXPECT_THAT(tree.Ids(), ElementsAre(1, 2, 3, 2));
  EXPECT_THAT(tree.result.duplicates, IsEmpty());
  EXPECT_EQ(tree.result.marks[1] & kMarkDuplicateId, kMarkDuplicateId);
  EXPECT_EQ(tree.result.marks[3] & kMarkDuplicateId, kMarkDuplicateId);
}

TEST(Preorder, AServerSpanThatSharesItsClientsIdBecomesItsChild) {
  const Tree tree(
      {Span(2, 1, 3, 8, 2), Span(1, 0, 0, 9, 2), Span(2, 1, 2, 9, 3), Span(5, 2, 4, 5)});
  EXPECT_THAT(tree.Ids(), ElementsAre(1, 2, 2, 5));
  EXPECT_EQ(tree.spans[tree.result.input[1]].kind, 3);
  EXPECT_EQ(tree.spans[tree.result.input[2]].kind, 2);
  EXPECT_THAT(tree.result.parent, ElementsAre(0, 1, 1, 1));
}

TEST(Preorder, CyclesAreCutAtTheEarliestSpan) {
  const Tree tree({Span(1, 3, 5, 6), Span(2, 1, 4, 6), Span(3, 2, 7, 8), Span(4, 4, 1, 2)});
  EXPECT_THAT(tree.Ids(), ElementsAre(4, 2, 3, 1));
  EXPECT_THAT(tree.result.parent, ElementsAre(0, 0, 1, 1));
  EXPECT_EQ(tree.result.marks[0], kMarkCycle);
  EXPECT_EQ(tree.result.marks[1], kMarkCycle);
}

TEST(Preorder, MarksChildrenThatLeaveTheirParentsTime) {
  const Tree tree({Span(1, 0, 10, 20), Span(2, 1, 5, 15), Span(3, 1, 15, 25)});
  EXPECT_THAT(tree.result.marks, ElementsAre(0, kMarkStartsBefore, kMarkEndsAfter));
}

TEST(Preorder, ALongChainNeedsNoStack) {
  std::vector<TreeSpan> chain;
  for (uint64_t i = 1; i <= 100000; ++i) chain.push_back(Span(i, i - 1, i, i + 1));
  const Tree tree(chain);
  EXPECT_EQ(tree.result.subtree_size[0], 99999u);
  EXPECT_EQ(tree.result.parent[99999], 1u);
}

// Properties of any forest, whatever the input: every kept span once, ranges that nest, and
// independence of the input's order.
TEST(Preorder, HoldsItsPromisesOnRandomGraphs) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 300; ++round) {
    const uint32_t n = 1 + random() % 40;
    std::vector<TreeSpan> spans;
    for (uint32_t i = 0; i < n; ++i) {
      spans.push_back(Span(1 + random() % 30, random() % 31, 1000 * i + random() % 50,
                           random() % 100, random() % 6));
    }
    const Tree tree(spans);
    const Preorder& p = tree.result;
    ASSERT_EQ(p.size() + p.duplicates.size(), n);
    for (uint32_t row = 0; row < p.size(); ++row) {
      ASSERT_LE(p.parent[row], row);
      ASSERT_LE(row + p.subtree_size[row], p.size() - 1);
      if (p.parent[row] == 0) continue;
      const uint32_t parent = row - p.parent[row];
      ASSERT_LE(row + p.subtree_size[row], parent + p.subtree_size[parent]);
    }
    std::shuffle(spans.begin(), spans.end(), random);
    ASSERT_EQ(Tree(spans).Ids(), tree.Ids()) << "round " << round;
  }
}

}  // namespace
}  // namespace weft::model
