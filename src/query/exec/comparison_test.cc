// What comparisons do with floods of values, and that what is not counted but taken away is the
// same as counted. What they answer is tested by the corpus.
#include "query/exec/comparison.h"

#include <algorithm>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "query/exec/memory_source.h"
#include "query/exec/random_queries.h"
#include "query/exec/reference_interpreter.h"
#include "query/exec/stored_test_source.h"
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

// Spans whose attributes have three, a thousand and 30,000 values.
model::SpanBatch ManyValues(uint32_t count) {
  model::SpanBatch b;
  for (uint32_t i = 0; i < count; ++i) {
    AddTrace(i + 1, kSecond + i, "n" + std::to_string(i % 7), &b);
    if (i % 100 != 0) {  // of the trace before
      b.traces.pop_back();
      b.trace.back() = static_cast<uint32_t>(b.traces.size()) - 1;
    }
    const auto add = [&](std::string_view key, std::string_view value) {
      b.attributes.Add(b.strings.Intern(key), model::ValueType::kString, b.strings.Intern(value));
    };
    add("few", std::to_string(i % 3));
    if (i % 4 != 0) add("some", std::to_string(i * 7 % 1000));
    add("most", std::to_string(i % 30'000));
    if (i % 2 == 0) {
      b.attributes.Add(b.strings.Intern("number"), model::ValueType::kInt, i * 31 % 900);
    }
    b.attribute_end.back() = b.attributes.size();
  }
  return b;
}

// By field and value, of both sides.
using PlainCounts = std::map<std::string, std::map<std::string, SideCounts>>;

std::string TextOf(const PlainValue& value) {
  switch (value.type) {
    case PlainValue::Type::kBool: return value.number != 0 ? "bool true" : "bool false";
    case PlainValue::Type::kInt: return "int " + std::to_string(value.number);
    case PlainValue::Type::kFloat: return "float " + std::to_string(value.real);
    case PlainValue::Type::kText: return "text " + value.text;
    default: return {};
  }
}

std::string TextOf(const plan::Value& value) {
  switch (value.type) {
    case plan::Value::Type::kBool: return value.number != 0 ? "bool true" : "bool false";
    case plan::Value::Type::kInt: return "int " + std::to_string(value.number);
    case plan::Value::Type::kDouble: return "float " + std::to_string(value.real);
    case plan::Value::Type::kString: return "text " + value.text;
    case plan::Value::Type::kNil: return {};
  }
  return {};
}

PlainCounts CountPlainly(const std::vector<PlainSpan>& spans, std::string_view selection,
                         TimeRange range) {
  const auto tree = lang::traceql::Parse("{ " + std::string(selection) + " }");
  EXPECT_TRUE(tree.ok()) << selection;
  PlainCounts out;
  const auto selected = PlainSearch(**tree, spans, range);
  std::set<const PlainSpan*> of_selection;
  for (const PlainTrace& trace : selected) {
    for (const PlainSpanset& set : trace.spansets) {
      of_selection.insert(set.spans.begin(), set.spans.end());
    }
  }
  for (const PlainSpan& span : spans) {
    if (!range.Contains(span.start_ns)) continue;
    const size_t side = of_selection.contains(&span) ? 1 : 0;
    for (const auto& [key, value] : span.attributes) {
      std::set<std::string> texts{TextOf(value)};
      for (const PlainValue& element : value.elements) texts.insert(TextOf(element));
      texts.erase("");
      for (const std::string& text : texts) ++out["span." + key][text][side];
    }
  }
  return out;
}

// Whatever is compared, in memory and in blocks, whole or in part: as counted span by span.
TEST(Comparison, CountsEveryValueOfSpansOnBothSides) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    Chance chance(seed);
    const bool many = seed > 38;
    const model::SpanBatch spans = many ? ManyValues(32'000) : RandomSpans(&chance, 60);
    const auto plain = ToPlainSpans(spans);
    const std::string selection =
        many ? (seed == 40 ? "name = \"n3\"" : "name != \"n3\"")
             : chance.Pick<std::string>({"span.a != nil", "kind = server", "status = error",
                                         "duration > 20ms", "name = \"a\" || span.b != nil"});
    const auto [first, last] = std::minmax_element(spans.start_ns.begin(), spans.start_ns.end());
    const uint64_t begin = chance.OneIn(2) ? *first : *first + (*last - *first) / 3;
    const TimeAxis axis{*last, *last + 1 - begin, 1};
    const auto expected = CountPlainly(plain, selection, axis.range());
    const auto stored = StoredTestSource::Make({spans}, {});
    ASSERT_TRUE(stored.ok());
    const auto memory = MemorySource::Of({spans});
    for (const block::RowSource* source : {static_cast<const block::RowSource*>(&memory),
                                           static_cast<const block::RowSource*>(stored->get())}) {
      const auto answer = CompareAll(*source, "{} | compare({ " + selection + " }, 1000)", axis);
      ASSERT_TRUE(answer.ok()) << answer.error().message();
      PlainCounts got;
      size_t incomplete = 0;
      for (const ComparedField& field : answer->fields) {
        if (!field.field.is_attribute_of(block::Scope::kSpan)) continue;
        incomplete += field.counts_complete ? 0 : 1;
        if (!field.counts_complete) continue;
        for (const ComparedValue& value : field.values) {
          got["span." + field.field.key][TextOf(value.value)] = value.spans;
        }
      }
      PlainCounts wanted = expected;
      EXPECT_EQ(wanted.erase("span.most"), many ? 1u : 0u);
      EXPECT_EQ(incomplete, many ? 1u : 0u);
      EXPECT_EQ(got, wanted) << "seed " << seed << " " << selection;
    }
  }
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
