#include "query/exec/counted_blocks.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "query/exec/plan_rows.h"
#include "query/exec/profile.h"
#include "query/exec/stored_test_source.h"
#include "query/exec/test_spans.h"
#include "query/lang/traceql/compile.h"

namespace weft::query::exec {
namespace {

constexpr uint64_t kStart = 1'700'000'000'000'000'000;

// A block of so many operations, all of whose spans start at once.
std::shared_ptr<const StoredTestSource> BlockOf(uint64_t operations) {
  std::vector<model::SpanBatch> batches(1);
  for (uint64_t i = 1; i <= operations; ++i) {
    AddTrace(i, kStart, "op" + std::to_string(i), &batches[0]);
  }
  return StoredTestSource::Make(batches, {}).value();
}

Result<MetricAnswer> Ask(const block::RowSource& source, const Budget& budget) {
  const auto expression = lang::traceql::CompileMetrics("{} | rate() by (name)");
  TaskRunner runner(1);
  const SeriesQuery query{"t", {kStart, 1'000'000'000, 10'000}};
  return MetricExecutor(source, Env::Posix(), runner).Run(*expression, query, budget);
}

TEST(CountedBlocks, KeepToTheMemoryOfTheQuery) {
  const auto source = BlockOf(100);
  Profile profile(Env::Posix());
  const auto answer = Ask(*source, {.profile = &profile});
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->lines.size(), 100u);
  EXPECT_EQ(profile.skipped()[kAnsweredByCounts], 1u);  // or this is no test of them
  // A line has a number for each of 10,000 steps.
  EXPECT_EQ(Ask(*source, {.memory_bytes = 1 << 20}).error().code(), ErrorCode::kResourceExhausted);
}

}  // namespace
}  // namespace weft::query::exec
