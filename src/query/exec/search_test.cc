// Budgets, laziness and odd sources; what searches answer is tested by the corpus and the
// differential test.
#include "query/exec/search.h"

#include <atomic>

#include <gtest/gtest.h>

#include "base/env_fake.h"
#include "query/exec/memory_source.h"
#include "query/exec/test_spans.h"
#include "query/lang/traceql/compile.h"

namespace weft::query::exec {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

// Ten groups of ten traces each; group i holds seconds 10 i + 1 ... 10 i + 10.
std::vector<model::SpanBatch> TenGroups() {
  std::vector<model::SpanBatch> out(10);
  for (uint64_t i = 0; i < 100; ++i)
    AddTrace(i + 1, (i + 1) * kSecond, i % 2 == 0 ? "even" : "odd", &out[i / 10]);
  return out;
}

plan::Plan PlanOf(std::string_view text) { return *lang::traceql::Compile(text); }

class SearchTest : public testing::Test {
 protected:
  Result<SearchAnswer> Search(const block::RowSource& source, std::string_view query,
                              uint32_t limit, const Budget& budget = {},
                              const Env& env = Env::Posix(), TimeRange range = {}) {
    const SearchRequest request{"t", range, limit, 3, cursor_};
    return SearchExecutor(source, env, runner_).Run(PlanOf(query), request, budget);
  }

  TaskRunner runner_{0};
  std::string cursor_;
};

TEST_F(SearchTest, LeavesOlderGroupsUnopened) {
  const MemorySource source = MemorySource::Of(TenGroups());
  const auto answer = Search(source, "{}", 5);
  ASSERT_TRUE(answer.ok());
  ASSERT_EQ(answer->traces.size(), 5u);
  EXPECT_EQ(answer->traces[0].summary.id, (model::TraceId{0, 100}));
  EXPECT_EQ(answer->stats.row_groups, 1u);
  EXPECT_EQ(answer->stats.row_groups_skipped, 9u);
  EXPECT_EQ(answer->stats.rows, 10u);
  EXPECT_FALSE(answer->next_cursor.empty());
}

TEST_F(SearchTest, OpensAllGroupsForARareSpan) {
  const MemorySource source = MemorySource::Of(TenGroups());
  const auto answer = Search(source, "{ span:id = \"3\" }", 1);
  ASSERT_TRUE(answer.ok());
  ASSERT_EQ(answer->traces.size(), 1u);
  EXPECT_EQ(answer->stats.row_groups, 10u);
  EXPECT_TRUE(answer->next_cursor.empty());
}

TEST_F(SearchTest, SkipsGroupsOutsideTheRange) {
  const MemorySource source = MemorySource::Of(TenGroups());
  const auto answer = Search(source, "{}", 100, {}, Env::Posix(), {15 * kSecond, 16 * kSecond});
  ASSERT_TRUE(answer.ok());
  ASSERT_EQ(answer->traces.size(), 1u);
  EXPECT_EQ(answer->stats.row_groups, 1u);
}

TEST_F(SearchTest, RefusesAWrongCursor) {
  const MemorySource source = MemorySource::Of(TenGroups());
  cursor_ = "AAAA";
  EXPECT_EQ(Search(source, "{}", 5).error().code(), ErrorCode::kInvalidArgument);
}

TEST_F(SearchTest, StopsWhenItIsCancelled) {
  const MemorySource source = MemorySource::Of(TenGroups());
  const std::atomic<bool> cancelled{true};
  EXPECT_EQ(Search(source, "{}", 5, {.cancelled = &cancelled}).error().code(),
            ErrorCode::kCancelled);
}

// A source whose every look at a trace takes a second of the fake clock.
class SlowSource : public MemorySource {
 public:
  explicit SlowSource(FakeEnv* env) : MemorySource(MemorySource::Of(TenGroups())), env_(env) {}
  Result<JoinedSummary> SummarizeTrace(const model::TenantId& tenant,
                                       model::TraceId id) const override {
    env_->AdvanceNs(static_cast<int64_t>(kSecond));
    return MemorySource::SummarizeTrace(tenant, id);
  }

 private:
  FakeEnv* env_;
};

TEST_F(SearchTest, SaysWhenItsTimeRanOutAndShowsWhatItFound) {
  FakeEnv env(1);
  const SlowSource source(&env);
  const auto answer = Search(source, "{ name = \"odd\" }", 20, {.time_ms = 5500}, env);
  ASSERT_TRUE(answer.ok());
  EXPECT_FALSE(answer->complete);
  EXPECT_EQ(answer->reason, "the time limit of 5500 ms ran out");
  EXPECT_TRUE(answer->next_cursor.empty());
  // Two groups were open by then; all that was found in them is shown.
  ASSERT_EQ(answer->traces.size(), 10u);
  EXPECT_EQ(answer->traces[0].summary.id, (model::TraceId{0, 100}));
  EXPECT_EQ(answer->stats.row_groups, 2u);
}

TEST_F(SearchTest, SaysWhenItsMemoryRanOut) {
  const MemorySource source = MemorySource::Of(TenGroups());
  const auto answer = Search(source, "{ name = \"odd\" }", 100, {.memory_bytes = 1});
  ASSERT_TRUE(answer.ok());
  EXPECT_FALSE(answer->complete);
  EXPECT_EQ(answer->reason, "the memory limit of 1 bytes ran out");
  EXPECT_EQ(answer->traces.size(), 5u);
}

// A source in which a trace expires between the snapshot and the answer.
class ForgetfulSource : public MemorySource {
 public:
  ForgetfulSource() : MemorySource(MemorySource::Of(TenGroups())) {}
  Result<JoinedSummary> SummarizeTrace(const model::TenantId&, model::TraceId) const override {
    return JoinedSummary();
  }
};

TEST_F(SearchTest, ShowsWhatItSawOfATraceThatExpired) {
  const ForgetfulSource source;
  const auto answer = Search(source, "{ traceDuration = 1ns }", 2);
  ASSERT_TRUE(answer.ok());
  ASSERT_EQ(answer->traces.size(), 2u);
  EXPECT_EQ(answer->traces[0].summary.start_ns, 100 * kSecond);
  EXPECT_EQ(answer->traces[0].summary.root_name, "odd");
}

class BrokenSource : public MemorySource {
 public:
  BrokenSource() : MemorySource(MemorySource::Of(TenGroups())) {}
  Result<JoinedSummary> SummarizeTrace(const model::TenantId&, model::TraceId) const override {
    return Error(ErrorCode::kCorrupt, "block 7 is damaged");
  }
};

TEST_F(SearchTest, PassesOnWhatTheSourceFailsWith) {
  const BrokenSource source;
  EXPECT_EQ(Search(source, "{}", 2).error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(Search(source, "{ rootName = \"x\" }", 2).error().code(), ErrorCode::kCorrupt);
}

// A sender's retry after a restart: the same span in two groups, until they are merged.
TEST_F(SearchTest, CountsASpanThatWasStoredTwiceOnce) {
  std::vector<model::SpanBatch> batches(2);
  AddTrace(7, 5, "again", &batches[0]);
  AddTrace(7, 5, "again", &batches[1]);
  const MemorySource source = MemorySource::Of(std::move(batches));
  const auto answer = Search(source, "{ name = \"again\" }", 5);
  ASSERT_TRUE(answer.ok());
  ASSERT_EQ(answer->traces.size(), 1u);
  EXPECT_EQ(answer->traces[0].matched(), 1u);
  EXPECT_EQ(answer->traces[0].spansets[0].spans.size(), 1u);
}

// Two different spans that share an id and a start are two.
TEST_F(SearchTest, CountsSpansThatShareAnId) {
  std::vector<model::SpanBatch> batches(2);
  AddTrace(7, 5, "one", &batches[0]);
  AddTrace(7, 5, "two", &batches[1]);
  const MemorySource source = MemorySource::Of(std::move(batches));
  const auto answer = Search(source, "{}", 5);
  ASSERT_TRUE(answer.ok());
  ASSERT_EQ(answer->traces.size(), 1u);
  EXPECT_EQ(answer->traces[0].matched(), 2u);
}

TEST_F(SearchTest, AnswersOnNothing) {
  const MemorySource source = MemorySource::Of({});
  const auto answer = Search(source, "{}", 5);
  ASSERT_TRUE(answer.ok());
  EXPECT_TRUE(answer->complete);
  EXPECT_TRUE(answer->traces.empty());
}

TEST_F(SearchTest, AnswersTheSameWithHelpers) {
  const MemorySource source = MemorySource::Of(TenGroups());
  TaskRunner helpers(2);
  const SearchRequest request{"t", {}, 60, 3, {}};
  const auto answer =
      SearchExecutor(source, Env::Posix(), helpers).Run(PlanOf("{ name = \"odd\" }"), request, {});
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->traces.size(), 50u);
  EXPECT_EQ(answer->stats.row_groups, 10u);
}

}  // namespace
}  // namespace weft::query::exec
