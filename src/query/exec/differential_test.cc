// The engine against the reference interpreter: random spans, cut into random row groups, asked
// random queries. WEFT_DIFFERENTIAL_SECONDS and WEFT_DIFFERENTIAL_SEED make it run longer and
// elsewhere.
#include <cstdlib>

#include <gtest/gtest.h>

#include "query/exec/memory_source.h"
#include "query/exec/random_queries.h"
#include "query/exec/reference_interpreter.h"
#include "query/exec/search.h"
#include "query/exec/stored_test_source.h"
#include "query/lang/traceql/compile.h"

namespace weft::query::exec {
namespace {

int64_t Setting(const char* name, int64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoll(text);
}

// Cuts the spans into up to four groups. With `excluded`, some spans stand in a second group too,
// marked excluded there: as live rows whose block has become visible.
MemorySource Scatter(const model::SpanBatch& spans, bool excluded, Chance* chance) {
  const uint32_t groups = 1 + chance->Below(4);
  const bool by_trace = chance->OneIn(2);
  std::vector<std::vector<uint32_t>> rows(groups);
  std::vector<std::vector<uint32_t>> hidden(groups);
  for (uint32_t i = 0; i < spans.size(); ++i) {
    const uint32_t group = by_trace ? spans.trace[i] % groups : chance->Below(groups);
    rows[group].push_back(i);
    if (!excluded || !chance->OneIn(5) || groups == 1) continue;
    const uint32_t other = (group + 1) % groups;
    hidden[other].push_back(static_cast<uint32_t>(rows[other].size()));
    rows[other].push_back(i);
  }
  std::vector<MemorySource::Group> out;
  for (uint32_t g = 0; g < groups; ++g) {
    auto batch = std::make_shared<model::SpanBatch>();
    model::BatchAppender(batch.get()).Append(spans, rows[g]);
    out.push_back({std::move(batch), hidden[g]});
  }
  return MemorySource(std::move(out));
}

// Cuts the spans into up to three blocks with small row groups and pages.
std::shared_ptr<const block::RowSource> Store(const model::SpanBatch& spans, Chance* chance) {
  std::vector<model::SpanBatch> batches(1 + chance->Below(3));
  std::vector<std::vector<uint32_t>> rows(batches.size());
  const bool by_trace = chance->OneIn(2);
  for (uint32_t i = 0; i < spans.size(); ++i) {
    const uint32_t piece = by_trace ? spans.trace[i] : chance->Below(1000);
    rows[piece % rows.size()].push_back(i);
  }
  for (size_t i = 0; i < rows.size(); ++i) model::BatchAppender(&batches[i]).Append(spans, rows[i]);
  block::BlockWriterOptions options;
  options.row_group_rows_max = 1 + chance->Below(40);
  options.filter_from_bytes = chance->OneIn(2) ? 1 : 1u << 14;
  options.page_rows = 1 + chance->Below(10);
  const auto made = StoredTestSource::Make(batches, options);
  EXPECT_TRUE(made.ok()) << made.error().message();
  return made.ok() ? *made : nullptr;
}

TimeRange RandomRange(const model::SpanBatch& spans, Chance* chance) {
  if (chance->OneIn(2)) return {};
  const uint64_t a = spans.start_ns[chance->Below(spans.size())];
  const uint64_t b = spans.start_ns[chance->Below(spans.size())];
  return {std::min(a, b), std::max(a, b) + chance->Below(2)};
}

std::string Line(const PlainTrace& trace, uint32_t shown) {
  std::string out = trace.id.ToHex() + " " + std::to_string(trace.start_ns) + " " +
                    std::to_string(trace.matched.size()) + ":";
  for (size_t i = 0; i < trace.matched.size() && i < shown; ++i)
    out += " " + trace.matched[i]->id.ToHex();
  return out;
}

std::string Line(const FoundTrace& trace) {
  std::string out = trace.summary.id.ToHex() + " " + std::to_string(trace.summary.start_ns) + " " +
                    std::to_string(trace.matched) + ":";
  for (const FoundSpan& s : trace.spans) out += " " + s.span_id.ToHex();
  return out;
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
    const std::string query = RandomFilter(&chance);
    const auto tree = lang::traceql::Parse(query);
    const auto plan = lang::traceql::Compile(query);
    ++(plan.ok() ? *asked : *refused);
    if (!plan.ok()) continue;
    const uint32_t shown = chance.Below(4);
    const SearchRequest request{"t", RandomRange(spans, &chance), 1 + chance.Below(8), shown, {}};
    std::vector<std::string> expected;
    for (const PlainTrace& trace : PlainSearch(**tree, plain, request.range))
      expected.push_back(Line(trace, shown));
    const bool use_doubled = !plan->needs_tree() && chance.OneIn(2);
    EXPECT_EQ(Search(use_doubled ? doubled : source, *plan, request, runner), expected)
        << "in memory: " << query << "\nWEFT_DIFFERENTIAL_SEED=" << seed;
    EXPECT_EQ(Search(*stored, *plan, request, runner), expected)
        << "in blocks: " << query << "\nWEFT_DIFFERENTIAL_SEED=" << seed;
    if (testing::Test::HasFailure()) return false;
  }
  return true;
}

TEST(Differential, EngineAndInterpreterAgree) {
  const int64_t seconds = Setting("WEFT_DIFFERENTIAL_SECONDS", 3);
  uint64_t seed = static_cast<uint64_t>(Setting("WEFT_DIFFERENTIAL_SEED", 1));
  const int64_t end_ns = Env::Posix().MonotonicNs() + seconds * 1'000'000'000;
  TaskRunner runner(1);
  uint64_t asked = 0;
  uint64_t refused = 0;
  // At least some rounds, however slow the machine.
  for (int round = 0; round < 20 || Env::Posix().MonotonicNs() < end_ns; ++round, ++seed) {
    ASSERT_TRUE(RunRound(seed, &runner, &asked, &refused));
  }
  RecordProperty("queries", static_cast<int>(asked));
  EXPECT_GT(asked, 2 * refused) << "too few of the random queries are well typed";
}

}  // namespace
}  // namespace weft::query::exec
