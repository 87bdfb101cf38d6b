// What a sender and a query see of the data path when things go right, and of a full disk. What
// they see when all kinds of things go wrong is in sim_test.cc.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/env_fake.h"
#include "store/local_object_store.h"
#include "test/sim/server.h"

namespace weft::sim {
namespace {

using live::TestSpan;

uint64_t RowsOf(const Server& server) {
  const auto groups = server.live().Snapshot(kTenant, {}, {});
  EXPECT_TRUE(groups.ok()) << groups.error().message();
  uint64_t rows = 0;
  for (const auto& group : *groups) {
    rows += group->row_count();
    for (uint64_t word : group->excluded_rows())
      rows -= static_cast<uint64_t>(__builtin_popcountll(word));
  }
  return rows;
}

uint64_t SpansOf(const Server& server, uint64_t trace) {
  const auto spans = server.live().FindTrace(TenantOf(trace), {0, trace});
  EXPECT_TRUE(spans.ok()) << spans.error().message();
  return spans->size();
}

class DataPathTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(server_.Start().ok()); }

  FakeEnv env_{1};
  store::LocalObjectStore objects_{env_, "data/blocks"};
  Server server_{env_, objects_, {}};
};

TEST_F(DataPathTest, AnAcknowledgedSpanIsVisibleAtOnce) {
  ASSERT_TRUE(server_.Push({{.trace = 1, .id = 1}, {.trace = 1, .id = 2, .parent = 1}}).ok());
  EXPECT_EQ(SpansOf(server_, 1), 2u);
  EXPECT_EQ(RowsOf(server_), 2u);
}

TEST_F(DataPathTest, AFlushMovesEverySpanToBlocksAndReleasesTheLog) {
  for (uint64_t t = 1; t <= 50; ++t) ASSERT_TRUE(server_.Push({{.trace = 4 * t, .id = t}}).ok());
  const auto report = server_.live().Flush();
  ASSERT_TRUE(report.ok()) << report.error().message();
  EXPECT_EQ(report->spans, 50u);
  EXPECT_EQ(server_.live().counts().spans, 0u);
  EXPECT_EQ(RowsOf(server_), 50u);
  EXPECT_EQ(SpansOf(server_, 4 * 7), 1u);
}

TEST_F(DataPathTest, ARetryIsStoredOnceWhereverTheFirstOneIs) {
  const std::vector<TestSpan> request = {{.trace = 1, .id = 1}, {.trace = 1, .id = 2, .parent = 1}};
  ASSERT_TRUE(server_.Push(request).ok());
  ASSERT_TRUE(server_.Push(request).ok());
  EXPECT_EQ(RowsOf(server_), 2u);
  ASSERT_TRUE(server_.live().Flush().ok());
  ASSERT_TRUE(server_.Push(request).ok());
  EXPECT_EQ(SpansOf(server_, 1), 2u);
  ASSERT_TRUE(server_.live().Flush().ok());
  EXPECT_EQ(RowsOf(server_), 2u);
  EXPECT_EQ(server_.Count("weft_refused_spans_total"), 4u);
  EXPECT_EQ(server_.Count("weft_stored_spans_total"), 2u);
}

// Shards know the traces of their own process only.
TEST_F(DataPathTest, ARetryAfterARestartIsStoredOnceToo) {
  const std::vector<TestSpan> request = {{.trace = 1, .id = 1}, {.trace = 1, .id = 2, .parent = 1}};
  ASSERT_TRUE(server_.Push(request).ok());
  ASSERT_TRUE(server_.live().Flush().ok());
  server_.Stop(true);
  Server next(env_, objects_, {});
  ASSERT_TRUE(next.Start().ok());
  ASSERT_TRUE(next.Push(request).ok());
  ASSERT_TRUE(next.live().Flush().ok());
  EXPECT_EQ(RowsOf(next), 2u);
  EXPECT_EQ(next.Count("weft_refused_spans_total"), 2u);
}

// A request of nothing but repetitions makes no block, so that none names it: the log brings it
// again.
TEST_F(DataPathTest, ARecognisedRetryIsRecognisedAgainWhenTheLogIsReplayed) {
  const std::vector<TestSpan> request = {{.trace = 1, .id = 1}, {.trace = 1, .id = 2, .parent = 1}};
  ASSERT_TRUE(server_.Push(request).ok());
  ASSERT_TRUE(server_.live().Flush().ok());
  ASSERT_TRUE(server_.Push(request).ok());
  ASSERT_TRUE(server_.live().Flush().ok());
  EXPECT_EQ(RowsOf(server_), 2u);
  server_.Stop(false);
  Server next(env_, objects_, {});
  ASSERT_TRUE(next.Start().ok());
  ASSERT_TRUE(next.live().Flush().ok());
  EXPECT_EQ(RowsOf(next), 2u);
}

// It kept every later block from being written, and the log grew.
TEST_F(DataPathTest, ADamagedBlockKeepsNoSpanFromBeingStored) {
  ASSERT_TRUE(server_.Push({{.trace = 1, .id = 1}}).ok());
  ASSERT_TRUE(server_.live().Flush().ok());
  const std::string folder =
      "data/blocks/" + store::FolderOf(server_.store().Blocks(kTenant)->front()->name) + "/";
  for (const std::string& path : env_.Files()) {
    if (path == folder + "spans.parquet") env_.FlipBit(path, 8 * 40);
  }
  server_.Stop(false);
  Server next(env_, objects_, {});
  ASSERT_TRUE(next.Start().ok());
  ASSERT_TRUE(next.Push({{.trace = 1, .id = 2}}).ok());
  EXPECT_FALSE(next.live().FindTrace(kTenant, {0, 1}).ok());
  EXPECT_TRUE(next.live().Flush().ok());
  EXPECT_EQ(next.live().counts().spans, 0u);
}

TEST_F(DataPathTest, AFullDiskKeepsSpansLiveAndRecovers) {
  ASSERT_TRUE(server_.Push({{.trace = 1, .id = 1}}).ok());
  env_.SetDiskBytes(1);
  EXPECT_FALSE(server_.live().Flush().ok());
  EXPECT_FALSE(server_.Push({{.trace = 2, .id = 2}}).ok());
  EXPECT_EQ(RowsOf(server_), 1u);
  env_.SetDiskBytes(UINT64_MAX);
  EXPECT_TRUE(server_.live().Flush().ok());
  EXPECT_EQ(RowsOf(server_), 1u);
  EXPECT_EQ(server_.live().counts().spans, 0u);
}

}  // namespace
}  // namespace weft::sim
