// Deleted spans: hidden at once, gone from every byte of the disk after compaction, and never back.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/env_fake.h"
#include "base/log.h"
#include "query/lang/traceql/compile.h"
#include "store/local_object_store.h"
#include "test/sim/server.h"

namespace weft::sim {
namespace {

using query::exec::DeletionRequest;
using Spans = std::vector<live::TestSpan>;

constexpr int64_t kHourNs = 3'600'000'000'000;

class DeletionTest : public testing::Test {
 protected:
  DeletionTest() {
    SetUpLog(LogLevel::kOff, LogFormat::kText);
    NewWorld(1);
  }

  void NewWorld(uint64_t seed) {
    server_.reset();
    env_ = std::make_unique<FakeEnv>(seed);
    objects_ = std::make_unique<store::LocalObjectStore>(*env_, "data/blocks");
    Start();
  }
  void Start() {
    server_.reset();
    server_ = std::make_unique<Server>(*env_, *objects_, ServerOptions{});
    const Error error = server_->Start();
    ASSERT_TRUE(error.ok()) << error.message();
  }
  void Push(const Spans& spans) {
    const Error error = server_->Push(spans);
    ASSERT_TRUE(error.ok()) << error.message();
  }
  Error Delete(const DeletionRequest& request) {
    Error error;
    server_->TryDelete(request, &error);
    return error;
  }
  static DeletionRequest Matching(const std::string& query) {
    DeletionRequest request{.tenant = kTenant};
    request.predicate = *query::lang::traceql::Compile(query)->filter();
    return request;
  }
  void CompactAll() {
    for (int i = 0; i < 30; ++i) {
      env_->SetNowNs(env_->NowNs() + kHourNs);
      const Error error = server_->Compact();
      ASSERT_TRUE(error.ok()) << error.message();
    }
  }

  // Ids of the spans of a trace.
  std::set<uint64_t> Ids(uint64_t trace) const {
    const auto spans = server_->live().FindTrace(kTenant, {0, trace}).value();
    std::set<uint64_t> ids;
    for (uint32_t i = 0; i < spans.size(); ++i) ids.insert(spans.span_id[i].value);
    return ids;
  }
  // Of all rows that a query sees.
  std::set<uint64_t> Rows() const {
    std::set<uint64_t> ids;
    const auto groups = server_->live().Snapshot(kTenant, {}, {}).value();
    for (const auto& group : groups) {
      const auto column = group->Read(block::Intrinsic::kSpanId).value();
      const auto& excluded = group->excluded_rows();
      for (uint32_t row = 0; row < group->row_count(); ++row) {
        if (row / 64 < excluded.size() && (excluded[row / 64] >> (row % 64) & 1) != 0) continue;
        const auto id = static_cast<uint64_t>(column->ints[row]);
        EXPECT_TRUE(ids.insert(id).second) << "span " << id << " is in two rows";
      }
    }
    return ids;
  }
  // Which files hold these bytes as they are.
  std::vector<std::string> FilesWith(const std::string& bytes) const {
    std::vector<std::string> files;
    for (const std::string& path : env_->Files()) {
      if (env_->ReadWholeFile(path)->find(bytes) != std::string::npos) files.push_back(path);
    }
    return files;
  }
  const block::Deletion& Only() const {
    deletions_ = server_->store().deletions().List(kTenant);
    EXPECT_EQ(deletions_.size(), 1u);
    return *deletions_.front();
  }

  std::unique_ptr<FakeEnv> env_;
  std::unique_ptr<store::LocalObjectStore> objects_;
  std::unique_ptr<Server> server_;
  mutable std::vector<store::DeletionPtr> deletions_;
};

Spans TwoTraces() {
  return {{.trace = 1, .id = 1, .name = "root"},
          {.trace = 1, .id = 2, .parent = 1, .name = "secret-of-ann"},
          {.trace = 1, .id = 3, .parent = 2, .name = "below"},
          {.trace = 2, .id = 4, .name = "other"}};
}

TEST_F(DeletionTest, ATraceIsHiddenAtOnceAndStaysSo) {
  Push(TwoTraces());
  DeletionRequest request{.tenant = kTenant, .requested_by = "ann"};
  request.trace_ids = {{0, 1}, {0, 1}, {0, 99}};
  ASSERT_TRUE(Delete(request).ok());
  for (int life = 0; life < 2; ++life) {
    EXPECT_TRUE(Ids(1).empty());
    EXPECT_EQ(Ids(2), std::set<uint64_t>{4});
    EXPECT_EQ(Rows(), std::set<uint64_t>{4});
    EXPECT_EQ(server_->store().TotalsOf(kTenant).spans, 1u);
    EXPECT_EQ(Only().span_count, 3u);
    EXPECT_EQ(Only().trace_count, 1u);
    EXPECT_EQ(Only().requested_by, "ann");
    EXPECT_FALSE(FilesWith("secret-of-ann").empty());  // or the end of this test says nothing
    EXPECT_FALSE(Only().done());
    env_->PowerCycle();
    Start();
  }
  CompactAll();
  EXPECT_TRUE(Only().done());
  EXPECT_TRUE(Ids(1).empty());
  EXPECT_EQ(Rows(), std::set<uint64_t>{4});
  EXPECT_EQ(FilesWith("secret-of-ann"), std::vector<std::string>{});
}

// What a trace keeps is a trace whose spans have lost their parents.
TEST_F(DeletionTest, OnlyMatchingSpansGo) {
  Push(TwoTraces());
  ASSERT_TRUE(Delete(Matching("{ name = \"secret-of-ann\" }")).ok());
  for (int life = 0; life < 3; ++life) {
    EXPECT_EQ(Ids(1), (std::set<uint64_t>{1, 3}));
    EXPECT_EQ(Rows(), (std::set<uint64_t>{1, 3, 4}));
    const auto summary = server_->live().SummarizeTrace(kTenant, {0, 1}).value();
    EXPECT_EQ(summary.fragments, 1u);
    EXPECT_EQ(summary.summary.span_count, 2u);
    EXPECT_EQ(summary.summary.root_name, "root");
    EXPECT_NE(summary.summary.flags & block::kTraceOrphans, 0u);
    const auto spans = server_->live().FindTrace(kTenant, {0, 1}).value();
    for (uint32_t i = 0; i < spans.size(); ++i) {
      if (spans.span_id[i].value == 3) {
        EXPECT_EQ(spans.parent_span_id[i].value, 2u);
      }
    }
    if (life == 1) {
      CompactAll();
      EXPECT_TRUE(Only().done());
      EXPECT_EQ(FilesWith("secret-of-ann"), std::vector<std::string>{});
      EXPECT_NE(FilesWith("below"), std::vector<std::string>{});
    }
    env_->PowerCycle();
    Start();
  }
}

TEST_F(DeletionTest, ABlockWithNothingLeftGoes) {
  Push(TwoTraces());
  ASSERT_TRUE(Delete(Matching("{}")).ok());
  EXPECT_TRUE(Rows().empty());
  CompactAll();
  EXPECT_TRUE(Only().done());
  EXPECT_TRUE(server_->store().Blocks(kTenant)->empty());
  EXPECT_EQ(FilesWith("secret-of-ann"), std::vector<std::string>{});
}

TEST_F(DeletionTest, OneDeletionAfterTheOther) {
  Push(TwoTraces());
  ASSERT_TRUE(Delete(Matching("{ name = \"secret-of-ann\" }")).ok());
  ASSERT_TRUE(Delete(Matching("{ name = \"below\" }")).ok());  // in the block of what was left
  EXPECT_EQ(Delete(Matching("{ name = \"below\" }")).code(), ErrorCode::kNotFound);
  EXPECT_EQ(Rows(), (std::set<uint64_t>{1, 4}));
  env_->PowerCycle();
  Start();
  EXPECT_EQ(Rows(), (std::set<uint64_t>{1, 4}));
  CompactAll();
  EXPECT_EQ(Rows(), (std::set<uint64_t>{1, 4}));
  EXPECT_EQ(FilesWith("below"), std::vector<std::string>{});
  for (const auto& deletion : server_->store().deletions().List(kTenant)) {
    EXPECT_TRUE(deletion->done());
  }
}

TEST_F(DeletionTest, OnlyTheTenantAndTheTimeThatWereNamed) {
  Push({{.trace = 1, .id = 1, .start_ns = 1000, .name = "x"},
        {.trace = 2, .id = 2, .start_ns = 5000, .end_ns = 6000, .name = "x"}});
  DeletionRequest other = Matching("{}");
  other.tenant = "other";
  EXPECT_EQ(Delete(other).code(), ErrorCode::kNotFound);
  DeletionRequest request = Matching("{ name = \"x\" }");
  request.range = {4000, 5001};
  ASSERT_TRUE(Delete(request).ok());
  EXPECT_EQ(Rows(), std::set<uint64_t>{1});
}

TEST_F(DeletionTest, NothingHappensForAClientThatHasGone) {
  Push(TwoTraces());
  const std::atomic<bool> gone{true};
  DeletionRequest request = Matching("{}");
  request.cancelled = &gone;
  EXPECT_EQ(Delete(request).code(), ErrorCode::kCancelled);
  EXPECT_EQ(Rows().size(), 4u);
}

// A span that is sent again after it was deleted is a new one.
TEST_F(DeletionTest, WhatIsSentLaterIsNotConcerned) {
  Push(TwoTraces());
  ASSERT_TRUE(Delete(Matching("{ name = \"secret-of-ann\" }")).ok());
  Push({TwoTraces()[1]});
  EXPECT_EQ(Ids(1), (std::set<uint64_t>{1, 2, 3}));
  env_->PowerCycle();
  Start();
  CompactAll();
  EXPECT_EQ(Ids(1), (std::set<uint64_t>{1, 2, 3}));
}

// A sender's retry that was recognised stands in the log and in no block. When its segment can't be
// removed, a replay would bring it as a new span: then nothing is deleted.
TEST_F(DeletionTest, ARetryInTheLogDoesNotComeBack) {
  uint32_t refused = 0;
  for (uint32_t round = 0; round < 50; ++round) {
    const uint32_t failures = round % 2 == 0 ? 1 : 8;
    const uint32_t before = round / 2;
    SCOPED_TRACE("round " + std::to_string(round));
    NewWorld(round + 1);
    Push(TwoTraces());
    Error flushed;
    ASSERT_TRUE(server_->TryFlush(&flushed) && flushed.ok());
    Push(TwoTraces());
    env_->FailFolderSyncs(failures, before);
    const Error deleted = Delete(Matching("{ name = \"secret-of-ann\" }"));
    refused += !deleted.ok();
    env_->FailFolderSyncs(0);
    env_->PowerCycle();
    Start();
    if (deleted.ok()) {
      EXPECT_EQ(Ids(1), (std::set<uint64_t>{1, 3}));
    }
  }
  EXPECT_GT(refused, 0u);
  EXPECT_LT(refused, 50u);
}

// The power goes at every step of a deletion and of its carrying out.
TEST_F(DeletionTest, APowerCutAtAnyStep) {
  uint64_t done = 0;
  for (uint64_t changes = 0; changes < 220; changes += 1 + changes / 40) {
    SCOPED_TRACE("after " + std::to_string(changes) + " changes");
    NewWorld(changes + 1);
    Push(TwoTraces());
    env_->CutPowerAfter(changes);
    const Error deleted = Delete(Matching("{ name = \"secret-of-ann\" }"));
    for (int i = 0; i < 4 && deleted.ok(); ++i) {
      env_->SetNowNs(env_->NowNs() + kHourNs);
      if (!server_->Compact().ok()) break;
    }
    server_.reset();
    env_->PowerCycle();
    Start();
    const std::set<uint64_t> ids = Ids(1);
    EXPECT_EQ(Rows().size(), ids.size() + 1);
    if (deleted.ok()) {
      EXPECT_EQ(ids, (std::set<uint64_t>{1, 3}));
    } else {
      // As it was, or deleted and the answer lost.
      EXPECT_TRUE(ids == (std::set<uint64_t>{1, 2, 3}) || ids == (std::set<uint64_t>{1, 3}));
    }
    CompactAll();
    EXPECT_EQ(Ids(1), ids);
    if (!ids.contains(2)) {
      EXPECT_EQ(FilesWith("secret-of-ann"), std::vector<std::string>{});
    }
    done += deleted.ok();
  }
  EXPECT_GT(done, 0u);
}

}  // namespace
}  // namespace weft::sim
