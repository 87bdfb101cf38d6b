// What comparisons do with floods of values; what they answer is tested by the corpus.
#include "query/exec/comparison.h"

#include <gtest/gtest.h>

#include "query/exec/memory_source.h"
#include "query/exec/test_spans.h"
#include "query/lang/traceql/compile.h"

namespace weft::query::exec {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

// `count` spans, one each 10 ms: every `nth` one of them is called "hot", the others have names of
// their own. A group holds `group_size` of them.
MemorySource Flood(uint64_t count, uint64_t nth, uint64_t group_size) {
  std::vector<model::SpanBatch> batches;
  for (uint64_t i = 0; i < count; ++i) {
    if (i % group_size == 0) batches.emplace_back();
    const std::string name = i % nth == 0 ? "hot" : "name " + std::to_string(i);
    AddTrace(i + 1, kSecond + i * (kSecond / 100), name, &batches.back());
  }
  return MemorySource::Of(std::move(batches));
}

Result<ComparisonAnswer> CompareAll(const block::RowSource& source, std::string_view query,
                                    const TimeAxis& axis, const Budget& budget = {}) {
  const auto expression = lang::traceql::CompileMetrics(query);
  EXPECT_TRUE(expression.ok());
  TaskRunner runner(1);
  BudgetClock clock(budget, Env::Posix());
  return Compare(source, runner, &clock, budget, *expression, {"default", axis, 0, 0});
}

const ComparedField& NameOf(const ComparisonAnswer& answer) {
  for (const ComparedField& field : answer.fields) {
    if (field.field.is(plan::Property::kName)) return field;
  }
  ADD_FAILURE() << "no name";
  return answer.fields.at(0);
}

constexpr std::string_view kQuery = "{} | compare({ name = \"hot\" || name =~ \".*[02468]\" })";

TEST(Comparison, OfAFloodOnlyFrequentValuesAreShownExactly) {
  // Wherever the spans are.
  for (const uint64_t group_size : {uint64_t{1'000}, uint64_t{25'000}}) {
    const auto source = Flood(30'000, 25, group_size);
    const auto answer = CompareAll(source, kQuery, {700 * kSecond, 700 * kSecond, 1});
    ASSERT_TRUE(answer.ok()) << answer.error().message();
    // 600 odd ones are hot, too.
    EXPECT_EQ(answer->spans, (SideCounts{14'400, 15'600}));
    const ComparedField& name = NameOf(*answer);
    EXPECT_FALSE(name.counts_complete);
    ASSERT_EQ(name.values.size(), 1u) << group_size;
    EXPECT_EQ(name.values[0].value.text, "hot");
    EXPECT_EQ(name.values[0].spans, (SideCounts{0, 1'200}));
    EXPECT_TRUE(name.more[0] && name.more[1]);
    EXPECT_EQ(name.having.spans, answer->spans);
  }
}

TEST(Comparison, StepsAddUpToTheWhole) {
  const auto source = Flood(30'000, 25, 1'003);
  const auto answer = CompareAll(source, kQuery, {50 * kSecond, 50 * kSecond, 7});
  ASSERT_TRUE(answer.ok());
  const ComparedField& name = NameOf(*answer);
  ASSERT_EQ(name.values.size(), 1u);
  const auto& steps = name.values[0].steps[1];
  // From 1 s up to 50 s are 4,901 spans, of which every 25th is hot.
  EXPECT_EQ(steps, (std::vector<uint64_t>{197, 200, 200, 200, 200, 200, 3}));
}

TEST(Comparison, OneStepManyGroupsFewValues) {
  const auto source = Flood(15'000, 5, 100);
  const auto answer = CompareAll(source, kQuery, {700 * kSecond, 700 * kSecond, 1});
  ASSERT_TRUE(answer.ok());
  const ComparedField& name = NameOf(*answer);
  EXPECT_TRUE(name.counts_complete);
  EXPECT_EQ(name.counts.size(), 12'001u);
  // Ten of each side, the most frequent first, then by text.
  ASSERT_EQ(name.values.size(), 20u);
  EXPECT_EQ(name.values[0].value.text, "hot");
  EXPECT_EQ(name.values[1].value.text, "name 10002");
  EXPECT_EQ(name.values[10].spans, (SideCounts{1, 0}));
}

TEST(Comparison, StepsTimesValuesAreBounded) {
  const auto source = Flood(2'000, 25, 500);
  Budget budget;
  budget.memory_bytes = 64 << 20;
  const std::string_view query = "{} | compare({ name = \"hot\" }, 1000)";
  const TimeAxis few{kSecond, kSecond, 30};
  EXPECT_TRUE(CompareAll(source, query, few, budget).ok());
  const auto answer = CompareAll(source, query, {kSecond, kSecond / 100, 10'000}, budget);
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code(), ErrorCode::kResourceExhausted);
  EXPECT_NE(answer.error().message().find("fewer steps"), std::string::npos);
}

TEST(Comparison, MemoryIsBounded) {
  const auto source = Flood(30'000, 25, 5'000);
  Budget budget;
  budget.memory_bytes = 100'000;
  const auto answer = CompareAll(source, kQuery, {700 * kSecond, 700 * kSecond, 1}, budget);
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code(), ErrorCode::kResourceExhausted);
  EXPECT_NE(answer.error().message().find("compare fewer spans"), std::string::npos);
}

}  // namespace
}  // namespace weft::query::exec
