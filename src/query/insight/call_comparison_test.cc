// What comparisons of calls do with floods of names; what they answer is tested in test/api.
#include "query/insight/call_comparison.h"

#include <gtest/gtest.h>

#include "query/exec/memory_source.h"
#include "query/exec/test_spans.h"
#include "query/lang/traceql/compile.h"

namespace weft::query::insight {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

// Traces of one span each: every 25th is called "hot", the others have names of their own.
exec::MemorySource Flood(uint64_t count, uint64_t group_size) {
  std::vector<model::SpanBatch> batches;
  for (uint64_t i = 0; i < count; ++i) {
    if (i % group_size == 0) batches.emplace_back();
    exec::AddTrace(i + 1, kSecond + i, i % 25 == 0 ? "hot" : "name " + std::to_string(i),
                   &batches.back());
  }
  return exec::MemorySource::Of(std::move(batches));
}

Result<CallComparison> CompareAll(const block::RowSource& source, const exec::Budget& budget = {}) {
  const auto expression =
      lang::traceql::CompileMetrics("{} | compare({ name = \"hot\" || name =~ \".*[02468]\" })");
  EXPECT_TRUE(expression.ok());
  exec::TaskRunner runner(2);
  exec::BudgetClock clock(budget, Env::Posix());
  return CompareCalls(source, runner, &clock, budget, *expression, "default", {});
}

TEST(CallComparison, OfAFloodOnlyFrequentCallsAreCountedExactly) {
  for (const uint64_t group_size : {uint64_t{1'000}, uint64_t{25'000}}) {
    const auto answer = CompareAll(Flood(30'000, group_size));
    ASSERT_TRUE(answer.ok()) << answer.error().message();
    EXPECT_EQ(answer->traces, (exec::SideCounts{14'400, 15'600}));
    EXPECT_FALSE(answer->calls_complete);
    ASSERT_EQ(answer->calls.size(), 1u) << group_size;
    EXPECT_EQ(answer->calls[0].call.name, "hot");
    EXPECT_TRUE(answer->calls[0].call.of_root);
    EXPECT_EQ(answer->calls[0].sides[1].traces, 1'200u);
    EXPECT_EQ(answer->calls[0].sides[0].traces, 0u);
  }
}

TEST(CallComparison, MemoryIsBounded) {
  exec::Budget budget;
  budget.memory_bytes = 100'000;
  const auto answer = CompareAll(Flood(15'000, 1'000), budget);
  if (answer.ok()) {
    EXPECT_FALSE(answer->complete);
  } else {
    EXPECT_EQ(answer.error().code(), ErrorCode::kResourceExhausted);
  }
}

}  // namespace
}  // namespace weft::query::insight
