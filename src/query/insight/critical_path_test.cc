// The critical path and retiming: cases worked out by hand, and random trees against slow and
// obvious versions.
#include "query/insight/critical_path.h"

#include <functional>
#include <map>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "model/span_batch.h"
#include "query/insight/retiming.h"

namespace weft::query::insight {
namespace {

using model::SpanKind;

// Traces in preorder, span by span.
class Tree {
 public:
  // `parent`: a row, or -1 for a root.
  uint32_t Add(int32_t parent, int64_t start, int64_t end, SpanKind kind = SpanKind::kServer,
               int64_t resource = 0) {
    const auto row = static_cast<uint32_t>(start_.size());
    start_.push_back(start);
    duration_.push_back(end - start);
    parent_.push_back(parent < 0 ? 0 : row - parent);
    subtree_.push_back(0);
    resource_.push_back(resource);
    kind_.push_back(static_cast<uint8_t>(kind));
    for (int32_t above = parent; above >= 0;) {
      ++subtree_[above];
      above = parent_[above] == 0 ? -1 : above - static_cast<int32_t>(parent_[above]);
    }
    return row;
  }

  TreeRows rows() const {
    return {size(),          start_.data(),    duration_.data(), parent_.data(),
            subtree_.data(), resource_.data(), kind_.data()};
  }
  uint32_t size() const { return static_cast<uint32_t>(start_.size()); }
  int64_t duration(uint32_t row) const { return duration_[row]; }
  bool is_root(uint32_t row) const { return parent_[row] == 0; }
  uint32_t parent(uint32_t row) const { return row - static_cast<uint32_t>(parent_[row]); }

  BlockingTimes Times() const {
    BlockingTimes times;
    times.Compute(rows(), exec::Bitmap(size(), true));
    return times;
  }
  std::vector<int64_t> Path() const {
    std::vector<int64_t> own(size(), 0);
    const BlockingTimes times = Times();
    CriticalPath path;
    for (uint32_t row = 0; row < size(); ++row) {
      if (is_root(row)) path.Walk(rows(), times, row, &own);
    }
    return own;
  }
  int64_t Retimed(const std::vector<uint32_t>& changed, double factor) const {
    exec::Bitmap rows_changed(size());
    for (const uint32_t row : changed) rows_changed.Set(row);
    return Retiming().DurationOf(rows(), Times(), 0, rows_changed, factor);
  }

 private:
  std::vector<int64_t> start_, duration_, parent_, subtree_, resource_;
  std::vector<uint8_t> kind_;
};

using Own = std::vector<int64_t>;

TEST(CriticalPath, OneAfterTheOther) {
  Tree tree;
  tree.Add(-1, 0, 100);
  tree.Add(0, 10, 40);
  tree.Add(0, 40, 90);
  EXPECT_EQ(tree.Path(), (Own{20, 30, 50}));
}

TEST(CriticalPath, OfChildrenAtTheSameTimeTheLastOneCounts) {
  Tree tree;
  tree.Add(-1, 0, 100);
  tree.Add(0, 10, 80);
  tree.Add(0, 20, 90);
  // Before the last one began nothing had ended: the root is waited for.
  EXPECT_EQ(tree.Path(), (Own{30, 0, 70}));
}

TEST(CriticalPath, GoesDown) {
  Tree tree;
  tree.Add(-1, 0, 100);
  tree.Add(0, 10, 90);
  tree.Add(1, 20, 50);
  tree.Add(1, 60, 80);
  EXPECT_EQ(tree.Path(), (Own{20, 30, 30, 20}));
}

TEST(CriticalPath, AsynchronousChildrenDoNotCount) {
  Tree tree;
  tree.Add(-1, 0, 100);
  const uint32_t producer = tree.Add(0, 10, 20, SpanKind::kProducer);
  tree.Add(static_cast<int32_t>(producer), 15, 20, SpanKind::kConsumer, 1);
  tree.Add(0, 30, 200, SpanKind::kInternal);  // on the root's clock, after its end
  EXPECT_EQ(tree.Path(), (Own{90, 10, 0, 0}));
}

TEST(CriticalPath, ClocksThatDisagreeAreClipped) {
  Tree tree;
  tree.Add(-1, 100, 200);
  tree.Add(0, 90, 150, SpanKind::kServer, 1);
  tree.Add(0, 190, 230, SpanKind::kServer, 1);
  tree.Add(0, 210, 220, SpanKind::kServer, 1);  // wholly outside
  tree.Add(3, 211, 212, SpanKind::kServer, 1);
  EXPECT_EQ(tree.Path(), (Own{40, 50, 10, 0, 0}));
}

TEST(CriticalPath, EveryRootHasOne) {
  Tree tree;
  tree.Add(-1, 0, 10);
  tree.Add(0, 2, 4);
  tree.Add(-1, 5, 8);
  EXPECT_EQ(tree.Path(), (Own{8, 2, 3}));
}

TEST(CriticalPath, AChainAsDeepAsMemory) {
  Tree tree;
  constexpr int32_t kDepth = 3000;
  for (int32_t i = 0; i < kDepth; ++i) tree.Add(i - 1, i, 2 * kDepth - i);
  const Own own = tree.Path();
  EXPECT_EQ(own[0], 2);
  EXPECT_EQ(own[kDepth - 1], 2 * kDepth - 2 * (kDepth - 1));
}

TEST(Retiming, HalfOfASpanBetweenOthers) {
  Tree tree;
  tree.Add(-1, 0, 100);
  tree.Add(0, 10, 50);
  tree.Add(0, 60, 90);
  EXPECT_EQ(tree.Retimed({1}, 0.5), 80);
  EXPECT_EQ(tree.Retimed({2}, 0), 70);
  EXPECT_EQ(tree.Retimed({0}, 0.5), 85);  // its own 30
  EXPECT_EQ(tree.Retimed({1}, 2), 140);
  EXPECT_EQ(tree.Retimed({}, 0.5), 100);
}

TEST(Retiming, WhatRunsAtTheSameTimeIsStillWaitedFor) {
  Tree tree;
  tree.Add(-1, 0, 100);
  tree.Add(0, 0, 80);
  tree.Add(0, 0, 60);
  EXPECT_EQ(tree.Retimed({1}, 0.5), 80);  // now the other one is the last
  EXPECT_EQ(tree.Retimed({2}, 0.5), 100);
  EXPECT_EQ(tree.Retimed({1, 2}, 0.5), 60);
  EXPECT_EQ(tree.Retimed({2}, 2), 140);
}

TEST(Retiming, GapsStayButForTheParentsOwnTime) {
  Tree tree;
  tree.Add(-1, 0, 100);
  tree.Add(0, 20, 90);
  tree.Add(0, 30, 60);  // begins while the first runs
  // Own: 0 to 20 and 90 to 100.
  EXPECT_EQ(tree.Retimed({0}, 0.5), 85);
  EXPECT_EQ(tree.Retimed({1}, 0), 70);  // the second still begins at 30, is 30 long, and 10
}

TEST(Retiming, DeepSpansMoveAllAboveThem) {
  Tree tree;
  tree.Add(-1, 0, 100);
  tree.Add(0, 10, 90);
  tree.Add(1, 20, 80);
  EXPECT_EQ(tree.Retimed({2}, 0.5), 70);
  EXPECT_EQ(tree.Retimed({1, 2}, 0), 20);
}

TEST(Retiming, SpansWithoutALength) {
  Tree tree;
  tree.Add(-1, 0, 100);
  tree.Add(0, 10, 30);
  tree.Add(0, 50, 50);
  tree.Add(0, 50, 50);
  tree.Add(0, 70, 90);
  EXPECT_EQ(tree.Retimed({}, 0.5), 100);
  EXPECT_EQ(tree.Retimed({1}, 0.5), 90);
  EXPECT_EQ(tree.Retimed({0}, 0.5), 70);
}

// --- random trees

Tree RandomTree(std::mt19937* random) {
  const auto pick = [&](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(*random);
  };
  struct Open {
    uint32_t row;
    int64_t start, end;
  };
  Tree tree;
  std::vector<Open> above;
  for (int64_t i = 0, count = pick(1, 14); i < count; ++i) {
    while (!above.empty() && pick(0, 2) == 0) above.pop_back();
    const bool root = above.empty();
    const int64_t low = root ? 0 : above.back().start, high = root ? 40 : above.back().end;
    int64_t start = pick(low, high), end = pick(start, high);
    if (root) end += 5;
    if (pick(0, 9) == 0) end += pick(0, 20);                       // outlives its parent
    if (pick(0, 9) == 0) start -= pick(0, start > 9 ? 9 : start);  // or begins before it
    const auto kind = static_cast<SpanKind>(pick(1, 5));
    const uint32_t row =
        tree.Add(root ? -1 : static_cast<int32_t>(above.back().row), start, end, kind, pick(0, 1));
    above.push_back({row, start, end});
  }
  return tree;
}

TEST(CriticalPath, OfRandomTreesIsAsLongAsTheirRoots) {
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const Tree tree = RandomTree(&random);
    const Own own = tree.Path();
    int64_t root_ns = 0, sum = 0;
    for (uint32_t row = 0; row < tree.size(); ++row) {
      if (row > 0 && tree.is_root(row)) {
        ASSERT_EQ(sum, root_ns) << "tree " << i;
        root_ns = sum = 0;
      }
      if (tree.is_root(row)) root_ns = tree.duration(row);
      ASSERT_GE(own[row], 0);
      sum += own[row];
    }
    ASSERT_EQ(sum, root_ns) << "tree " << i;
  }
}

// At each moment, from the end: who is waited for. Step 3 of critical_path.h, moment by moment.
void WalkSlowly(const Tree& tree, const BlockingTimes& times, uint32_t row, Own* own) {
  int64_t until = times.to[row];
  std::vector<bool> used(tree.size(), false);
  while (true) {
    int64_t best = -1;
    for (uint32_t child = row + 1; child < tree.size(); ++child) {
      if (tree.is_root(child) || tree.parent(child) != row || times.left_out.Test(child)) continue;
      if (used[child] || times.to[child] > until) continue;
      if (best < 0 || times.to[child] > times.to[best]) best = child;
    }
    if (best < 0) break;
    used[best] = true;
    (*own)[row] += until - times.to[best];
    WalkSlowly(tree, times, static_cast<uint32_t>(best), own);
    until = times.from[best];
  }
  (*own)[row] += until - times.from[row];
}

TEST(CriticalPath, OfRandomTreesIsAsTheSlowWalkSays) {
  std::mt19937 random(2);
  for (int i = 0; i < 20'000; ++i) {
    const Tree tree = RandomTree(&random);
    const BlockingTimes times = tree.Times();
    Own own(tree.size(), 0);
    for (uint32_t row = 0; row < tree.size(); ++row) {
      if (tree.is_root(row)) WalkSlowly(tree, times, row, &own);
    }
    ASSERT_EQ(tree.Path(), own) << "tree " << i;
  }
}

// retiming.h, moment by moment. Factors are 0, 1 or 2, so that nothing is rounded.
int64_t RetimeSlowly(const Tree& tree, const BlockingTimes& times, uint32_t row,
                     const exec::Bitmap& changed, int64_t factor) {
  std::vector<uint32_t> children;
  for (uint32_t child = row + 1; child < tree.size(); ++child) {
    if (!tree.is_root(child) && tree.parent(child) == row && !times.left_out.Test(child))
      children.push_back(child);
  }
  std::stable_sort(children.begin(), children.end(),
                   [&](uint32_t a, uint32_t b) { return times.from[a] < times.from[b]; });
  const int64_t own_factor = changed.Test(row) ? factor : 1;
  // From the end of what had ended to a time: its moments, those of the parent alone scaled.
  const auto gap = [&](int64_t from, int64_t to) {
    int64_t length = 0;
    for (int64_t moment = from; moment < to; ++moment) {
      bool alone = true;
      for (const uint32_t child : children) {
        alone &= moment < times.from[child] || moment >= times.to[child];
      }
      length += alone ? own_factor : 1;
    }
    return length;
  };
  std::vector<int64_t> new_end;
  const auto after = [&](int64_t time, size_t begun) {
    int64_t ended = times.from[row], now = 0;
    for (size_t i = 0; i < begun; ++i) {
      if (times.to[children[i]] > time) continue;
      ended = std::max(ended, times.to[children[i]]);
      now = std::max(now, new_end[i]);
    }
    return now + gap(ended, time);
  };
  for (size_t i = 0; i < children.size(); ++i) {
    const int64_t begins = after(times.from[children[i]], i);
    new_end.push_back(begins + RetimeSlowly(tree, times, children[i], changed, factor));
  }
  return after(times.to[row], children.size());
}

TEST(Retiming, OfRandomTreesIsAsTheSlowOneSays) {
  std::mt19937 random(3);
  for (int i = 0; i < 20'000; ++i) {
    const Tree tree = RandomTree(&random);
    const BlockingTimes times = tree.Times();
    exec::Bitmap changed(tree.size());
    for (uint32_t row = 0; row < tree.size(); ++row) {
      if (random() % 2 == 0) changed.Set(row);
    }
    Retiming retiming;
    for (uint32_t row = 0; row < tree.size(); ++row) {
      if (!tree.is_root(row)) continue;
      const auto now = [&](double factor) {
        return retiming.DurationOf(tree.rows(), times, row, changed, factor);
      };
      ASSERT_EQ(now(1), tree.duration(row)) << "tree " << i;
      for (const int64_t factor : {0, 2}) {
        ASSERT_EQ(now(static_cast<double>(factor)), RetimeSlowly(tree, times, row, changed, factor))
            << "tree " << i << ", factor " << factor;
      }
      ASSERT_LE(now(0.3), now(0.9)) << "tree " << i;
      ASSERT_LE(now(0.9), tree.duration(row)) << "tree " << i;
    }
  }
}

}  // namespace
}  // namespace weft::query::insight
