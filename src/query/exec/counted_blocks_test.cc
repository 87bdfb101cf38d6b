#include "query/exec/counted_blocks.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "query/exec/plan_rows.h"
#include "query/exec/profile.h"
#include "query/exec/random_queries.h"
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

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kMinute = 60 * kSecond;

// Spans over a few minutes, many of them on their borders.
std::shared_ptr<const StoredTestSource> RandomBlock(Chance* chance) {
  std::vector<model::SpanBatch> batches(1);
  model::SpanBatch& spans = batches[0];
  const uint32_t count = 1 + chance->Below(60);
  for (uint64_t i = 1; i <= count; ++i) {
    const uint64_t start = kStart / kMinute * kMinute + chance->Below(20) * 15 * kSecond;
    AddTrace(i, start + chance->Below(2), "op" + std::to_string(chance->Below(4)), &spans);
    spans.end_ns.back() = start + chance->Below(1000) * 1'000'000;
    spans.kind.back() = static_cast<uint8_t>(chance->Below(3));
    spans.status.back() = static_cast<uint8_t>(chance->Below(3));
  }
  return StoredTestSource::Make(batches, {}).value();
}

std::string Text(const MetricLine& line) {
  std::string out;
  for (const FoundValue& label : line.labels) {
    out += label.name + "=" + label.text + std::to_string(label.number) + " ";
  }
  for (const double value : line.values) out += std::to_string(value) + " ";
  return out;
}

// Exemplars are not to be had from counts: with them the spans themselves are looked at.
std::vector<std::string> Lines(const block::RowSource& source, const std::string& text,
                               SeriesQuery query, bool counts, Profile* profile) {
  query.exemplars = counts ? 0 : 1;
  const auto expression = lang::traceql::CompileMetrics(text);
  TaskRunner runner(1);
  const auto answer =
      MetricExecutor(source, Env::Posix(), runner).Run(*expression, query, {.profile = profile});
  EXPECT_TRUE(answer.ok()) << answer.error().message();
  std::vector<std::string> out;
  for (const MetricLine& line : answer->lines) out.push_back(Text(line));
  return out;
}

TEST(CountedBlocks, AnswerInStepsOfMinutesAsTheSpansDo) {
  Chance chance(7);
  const std::vector<std::string> questions{
      "{} | rate() by (name)", "{ status = error } | count_over_time() by (kind)",
      "{ kind != internal } | quantile_over_time(duration, .5, .9) by (name)"};
  uint64_t counted = 0;
  for (int i = 0; i < 300; ++i) {
    const auto source = RandomBlock(&chance);
    const uint64_t step = kMinute * (1 + chance.Below(3));
    const uint64_t first = kStart / kMinute * kMinute + kMinute * chance.Below(4);
    const SeriesQuery query{"t", {first, step, 1 + chance.Below(6)}, 0, 0};
    for (const std::string& question : questions) {
      Profile profile(Env::Posix());
      const auto lines = Lines(*source, question, query, true, &profile);
      counted += profile.skipped()[kAnsweredByCounts];
      EXPECT_EQ(lines, Lines(*source, question, query, false, nullptr)) << question << i;
    }
  }
  EXPECT_GT(counted, 500u);  // or this is no test of them
}

}  // namespace
}  // namespace weft::query::exec
