// The engine against the reference interpreter: random spans, cut into random row groups, asked
// random queries. WEFT_DIFFERENTIAL_SECONDS and WEFT_DIFFERENTIAL_SEED make it run longer and
// elsewhere.
#include "query/exec/differential.h"

#include <gtest/gtest.h>

#include "query/exec/random_queries.h"
#include "query/exec/reference_interpreter.h"
#include "query/exec/search.h"
#include "query/lang/traceql/compile.h"
#include "query/lang/traceql/literal_text.h"

namespace weft::query::exec {
namespace {

TimeRange RandomRange(const model::SpanBatch& spans, Chance* chance) {
  if (chance->OneIn(2)) return {};
  const uint64_t a = spans.start_ns[chance->Below(spans.size())];
  const uint64_t b = spans.start_ns[chance->Below(spans.size())];
  return {std::min(a, b), std::max(a, b) + chance->Below(2)};
}

// The spansets of a trace in an order of their own.
std::string Line(model::TraceId id, uint64_t start_ns, std::vector<std::string> sets) {
  std::sort(sets.begin(), sets.end());
  std::string out = id.ToHex() + " " + std::to_string(start_ns);
  for (const std::string& set : sets) out += " | " + set;
  return out;
}

std::string Line(const PlainTrace& trace, uint32_t shown) {
  std::vector<std::string> sets;
  for (const PlainSpanset& set : trace.spansets) {
    std::string text = std::to_string(set.spans.size()) + ":";
    for (size_t i = 0; i < set.spans.size() && i < shown; ++i)
      text += " " + set.spans[i]->id.ToHex();
    for (const auto& [name, value] : set.values) text += " " + name + "=" + Text(value);
    sets.push_back(std::move(text));
  }
  return Line(trace.id, trace.start_ns, std::move(sets));
}

std::string Line(const FoundTrace& trace) {
  std::vector<std::string> sets;
  for (const FoundSpanset& set : trace.spansets) {
    std::string text = std::to_string(set.matched) + ":";
    for (const FoundSpan& s : set.spans) text += " " + s.span_id.ToHex();
    for (const FoundValue& value : set.values) text += " " + value.name + "=" + Text(value);
    sets.push_back(std::move(text));
  }
  return Line(trace.summary.id, trace.summary.start_ns, std::move(sets));
}

// All pages of a search.
std::vector<std::string> Search(const block::RowSource& source, const plan::Plan& plan,
                                SearchRequest request, TaskRunner* runner) {
  std::vector<std::string> out;
  do {
    const auto answer = SearchExecutor(source, Env::Posix(), *runner).Run(plan, request, {});
    if (!answer.ok()) return {answer.error().message()};
    EXPECT_TRUE(answer->complete);
    EXPECT_LE(answer->traces.size(), request.limit);
    for (const FoundTrace& trace : answer->traces) out.push_back(Line(trace));
    request.cursor = answer->next_cursor;
  } while (!request.cursor.empty());
  return out;
}

// One set of spans and some queries; false when something differed.
bool RunRound(uint64_t seed, TaskRunner* runner, uint64_t* asked, uint64_t* refused) {
  Chance chance(seed);
  const model::SpanBatch spans = RandomSpans(&chance, 1 + chance.Below(12));
  const std::vector<PlainSpan> plain = ToPlainSpans(spans);
  const MemorySource source = Scatter(spans, false, &chance);
  const MemorySource doubled = Scatter(spans, true, &chance);
  const auto stored = Store(spans, &chance);
  if (stored == nullptr) return false;
  for (int i = 0; i < 20; ++i) {
    const std::string query = chance.OneIn(2) ? RandomFilter(&chance) : RandomPipeline(&chance);
    const auto tree = lang::traceql::Parse(query);
    const auto plan = lang::traceql::Compile(query);
    ++(plan.ok() ? *asked : *refused);
    if (!plan.ok()) continue;
    const uint32_t shown = chance.Below(4);
    const SearchRequest request{"t", RandomRange(spans, &chance), 1 + chance.Below(8), shown, {}};
    std::vector<std::string> expected;
    for (const PlainTrace& trace : PlainSearch(**tree, plain, request.range))
      expected.push_back(Line(trace, shown));
    const bool use_doubled = chance.OneIn(2);
    EXPECT_EQ(Search(use_doubled ? doubled : source, *plan, request, runner), expected)
        << "in memory: " << query;
    EXPECT_EQ(Search(*stored, *plan, request, runner), expected) << "in blocks: " << query;
    if (testing::Test::HasFailure()) return false;
  }
  return true;
}

TEST(Differential, EngineAndInterpreterAgree) {
  TaskRunner runner(1);
  uint64_t asked = 0;
  uint64_t refused = 0;
  RunRounds([&](uint64_t seed) { return RunRound(seed, &runner, &asked, &refused); });
  RecordProperty("queries", static_cast<int>(asked));
  EXPECT_GT(asked, 2 * refused) << "too few of the random queries are well typed";
}

}  // namespace
}  // namespace weft::query::exec
