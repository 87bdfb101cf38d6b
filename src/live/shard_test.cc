#include "live/shard.h"

#include <gtest/gtest.h>

#include "live/testing_batches.h"

namespace weft::live {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

class ShardTest : public ::testing::Test {
 protected:
  uint32_t Merge(const std::vector<TestSpan>& spans, int64_t now_ns,
                 const model::TenantId& tenant = "t") {
    const auto batch = MakeBatch(spans);
    std::vector<uint32_t> rows(batch->size());
    for (uint32_t i = 0; i < rows.size(); ++i) rows[i] = i;
    return shard.Merge(tenant, *batch, rows, 1, record_++, now_ns);
  }
  std::shared_ptr<CutJob> CutAt(int64_t now_ns) {
    shard.Cut(now_ns, false);
    return shard.TakeJob(now_ns, true);
  }
  uint32_t VisibleRows(const absl::flat_hash_set<std::string>& visible = {}) {
    uint32_t rows = 0;
    for (const ChunkView& view : shard.Snapshot("t", {})) {
      rows += view.columns->batch().size();
      for (uint64_t word : shard.ExcludedRows(view, visible))
        rows -= static_cast<uint32_t>(__builtin_popcountll(word));
    }
    return rows;
  }

  uint32_t record_ = 0;
  uint32_t blocks_ = 0;
  Shard shard{CutLimits{}, [this] { return "block" + std::to_string(blocks_++); }};
};

TEST_F(ShardTest, ATraceWhoseRootEndedIsCutAfterItsGrace) {
  Merge({{.id = 2, .parent = 1}, {.id = 1}}, 0);
  EXPECT_EQ(CutAt(2 * kSecond), nullptr);
  const auto job = CutAt(4 * kSecond);
  ASSERT_NE(job, nullptr);
  EXPECT_EQ(job->span_count, 2u);
}

TEST_F(ShardTest, NewsProlongsTheWait) {
  Merge({{.id = 1}}, 0);
  Merge({{.id = 2, .parent = 1}}, 2 * kSecond);
  EXPECT_EQ(CutAt(4 * kSecond), nullptr);
  EXPECT_NE(CutAt(6 * kSecond), nullptr);
}

TEST_F(ShardTest, ATraceWithoutRootWaitsLonger) {
  Merge({{.id = 2, .parent = 1}}, 0);
  EXPECT_EQ(CutAt(9 * kSecond), nullptr);
  EXPECT_NE(CutAt(11 * kSecond), nullptr);
}

TEST_F(ShardTest, ATraceThatNeverRestsIsCutWhenItIsOld) {
  for (int i = 0; i < 125; ++i) Merge({{.id = 10 + static_cast<uint64_t>(i)}}, i * kSecond);
  const auto job = CutAt(125 * kSecond);
  ASSERT_NE(job, nullptr);
  EXPECT_EQ(job->span_count, 125u);
}

TEST_F(ShardTest, ASpanSentAgainIsLeftOut) {
  EXPECT_EQ(Merge({{.id = 1}, {.id = 2, .parent = 1}}, 0), 2u);
  EXPECT_EQ(Merge({{.id = 2, .parent = 1}}, 1), 0u);
  EXPECT_EQ(Merge({{.id = 2, .parent = 1, .name = "other content"}}, 2), 1u);
  EXPECT_EQ(Merge({{.id = 9, .parent = 1}, {.id = 9, .parent = 1}}, 3), 1u);
  EXPECT_EQ(shard.counts().spans, 4u);
  // The WAL rows of the retries are settled with the trace.
  const auto job = CutAt(kSecond * 10);
  EXPECT_EQ(job->traces[0]->duplicates.size(), 2u);
}

TEST_F(ShardTest, RetriesAreFoundInLargeTracesToo) {
  for (uint64_t i = 1; i <= 100; ++i) Merge({{.id = i, .parent = i - 1}}, 0);
  for (uint64_t i = 1; i <= 100; ++i) EXPECT_EQ(Merge({{.id = i, .parent = i - 1}}, 0), 0u);
}

TEST_F(ShardTest, ALateSpanOfACutTraceJoinsItUntilTheBlockBegins) {
  Merge({{.id = 1}}, 0);
  shard.Cut(4 * kSecond, false);
  Merge({{.id = 2, .parent = 1}}, 4 * kSecond);
  EXPECT_EQ(shard.TakeJob(4 * kSecond, true)->span_count, 2u);
}

TEST_F(ShardTest, ASpanAfterTheBlockBeganMakesAFragment) {
  Merge({{.id = 1}}, 0);
  const auto first = CutAt(4 * kSecond);
  Merge({{.id = 2, .parent = 1}}, 5 * kSecond);
  const auto second = CutAt(20 * kSecond);
  EXPECT_FALSE(first->traces[0]->fragment);
  EXPECT_TRUE(second->traces[0]->fragment);
  model::SpanBatch found;
  shard.FindTrace("t", {0, 1}, &found);
  EXPECT_EQ(found.size(), 2u);
}

TEST_F(ShardTest, RowsAreSeenExactlyOnceWhileTheirBlockBecomesVisible) {
  Merge({{.trace = 1, .id = 1}, {.trace = 2, .id = 2, .parent = 7}}, 0);
  const auto job = CutAt(4 * kSecond);
  ASSERT_EQ(job->span_count, 1u);
  EXPECT_EQ(VisibleRows(), 2u);
  EXPECT_EQ(VisibleRows({"block0"}), 1u);
  shard.Release(*job);
  EXPECT_EQ(VisibleRows(), 1u);
  EXPECT_EQ(shard.counts().spans, 1u);
}

TEST_F(ShardTest, AViewTakenBeforeTheReleaseStillKnowsTheBlock) {
  Merge({{.id = 1}}, 0);
  const auto views = shard.Snapshot("t", {});
  const auto job = CutAt(4 * kSecond);
  shard.Release(*job);
  ASSERT_EQ(views.size(), 1u);
  EXPECT_TRUE(shard.ExcludedRows(views[0], {}).empty())
      << "the block was not listed: the live row is the only one";
  EXPECT_EQ(shard.ExcludedRows(views[0], {"block0"}), RowBits{1});
}

TEST_F(ShardTest, MemoryIsGivenBack) {
  for (uint64_t t = 1; t <= 200; ++t) Merge({{.trace = t, .id = t}}, 0);
  EXPECT_GT(shard.counts().bytes, 10000u);
  const auto job = CutAt(4 * kSecond);
  shard.Release(*job);
  EXPECT_EQ(shard.counts().bytes, 0u);
  EXPECT_EQ(shard.counts().traces, 0u);
}

TEST_F(ShardTest, WhatIsLeftOfAChunkMovesToTheOpenOne) {
  std::vector<TestSpan> spans;
  for (uint64_t t = 1; t <= 9; ++t) spans.push_back({.trace = t, .id = t});
  spans.push_back({.trace = 10, .id = 10, .parent = 99});  // has no root: waits longer
  spans.push_back({.trace = 10, .id = 11, .parent = 10});
  Merge(spans, 0);
  const auto job = CutAt(4 * kSecond);
  ASSERT_NE(job, nullptr);
  ASSERT_EQ(job->span_count, 9u);
  const auto before = shard.Snapshot("t", {});
  const uint64_t bytes = shard.counts().bytes;
  shard.Release(*job);
  EXPECT_EQ(VisibleRows({job->block_id}), 2u);
  EXPECT_LE(shard.counts().bytes, bytes);
  model::SpanBatch found;
  shard.FindTrace("t", {0, 10}, &found);
  EXPECT_EQ(found.size(), 2u);
  EXPECT_EQ(Merge({spans[9], spans[10]}, 5 * kSecond), 0u) << "retries are known";

  // The trace goes into a block; who took a view before the move learns of it.
  const auto late = CutAt(16 * kSecond);
  ASSERT_NE(late, nullptr);
  EXPECT_EQ(late->span_count, 2u);
  ASSERT_EQ(before.size(), 1u);
  const auto count = [&](const absl::flat_hash_set<std::string>& visible) {
    uint32_t rows = before[0].columns->batch().size();
    for (const uint64_t word : shard.ExcludedRows(before[0], visible))
      rows -= static_cast<uint32_t>(__builtin_popcountll(word));
    return rows;
  };
  EXPECT_EQ(count({}), 11u);
  EXPECT_EQ(count({job->block_id}), 2u);
  EXPECT_EQ(count({job->block_id, late->block_id}), 0u);
  shard.Release(*late);
  EXPECT_EQ(count({job->block_id, late->block_id}), 0u);
  EXPECT_EQ(VisibleRows({job->block_id, late->block_id}), 0u);
  EXPECT_EQ(shard.counts().spans, 0u);
  // The WAL rows are those of the first arrival.
  ASSERT_EQ(late->traces.size(), 1u);
  for (const RowAt& at : late->traces[0]->rows) EXPECT_EQ(at.chunk->origin[at.row].record, 0u);
}

TEST_F(ShardTest, TenantsDoNotMeet) {
  Merge({{.id = 1}}, 0, "a");
  Merge({{.id = 1}}, 0, "b");
  model::SpanBatch found;
  shard.FindTrace("a", {0, 1}, &found);
  EXPECT_EQ(found.size(), 1u);
  EXPECT_TRUE(shard.Snapshot("c", {}).empty());
  EXPECT_EQ(shard.SpansByTenant().size(), 2u);
}

TEST_F(ShardTest, ATooLargeTraceIsCutAtOnce) {
  CutLimits limits;
  limits.trace_spans_max = 50;
  limits.block_spans = 10;
  Shard small(limits, [] { return "b"; });
  std::vector<TestSpan> spans;
  for (uint64_t i = 1; i <= 60; ++i) spans.push_back({.id = i, .parent = i - 1});
  const auto batch = MakeBatch(spans);
  std::vector<uint32_t> rows(60);
  for (uint32_t i = 0; i < 60; ++i) rows[i] = i;
  small.Merge("t", *batch, rows, 1, 0, 0);
  const auto job = small.TakeJob(0, false);
  ASSERT_NE(job, nullptr);
  EXPECT_EQ(job->span_count, 60u);
  EXPECT_EQ(small.TakeJob(0, true), nullptr);
}

}  // namespace
}  // namespace weft::live
