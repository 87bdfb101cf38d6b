// Searches over a million synthetic spans in memory, 131,072 a group; CPU ns a row (all threads)
// and time a query.
//
// The columns are made once and kept, as a warm cache would: what is measured is filtering,
// ordering and joining.
#include <ctime>
#include <map>
#include <mutex>

#include <benchmark/benchmark.h>

#include "query/exec/catalog.h"
#include "query/exec/memory_source.h"
#include "query/exec/search.h"
#include "query/lang/traceql/compile.h"

namespace weft::query::exec {
namespace {

constexpr uint32_t kSpans = 1'000'000;
constexpr uint32_t kSpansOfTrace = 14;
constexpr uint32_t kGroupSpans = 131'072;
constexpr uint64_t kStart = 1'700'000'000'000'000'000ULL;

// Keeps what it has read, and knows the traces by id.
class WarmGroup : public block::RowGroup {
 public:
  explicit WarmGroup(std::shared_ptr<const block::RowGroup> cold)
      : cold_(std::move(cold)),
        first_(cold_->first_start_ns()),
        last_(cold_->last_start_ns()),
        last_trace_(cold_->last_trace_start_ns()) {}
  uint32_t row_count() const override { return cold_->row_count(); }
  uint64_t first_start_ns() const override { return first_; }
  uint64_t last_start_ns() const override { return last_; }
  uint64_t last_trace_start_ns() const override { return last_trace_; }
  bool has_tree() const override { return false; }
  const std::string& block_id() const override { return cold_->block_id(); }
  Error LoadTraces() const override { return cold_->LoadTraces(); }
  uint32_t trace_count() const override { return cold_->trace_count(); }
  model::TraceId trace_id(uint32_t t) const override { return cold_->trace_id(t); }
  uint64_t trace_start_ns(uint32_t t) const override { return cold_->trace_start_ns(t); }
  uint64_t trace_end_ns(uint32_t t) const override { return cold_->trace_end_ns(t); }
  const std::vector<uint32_t>& trace_of_row() const override { return cold_->trace_of_row(); }
  Result<uint32_t> TableRows(block::Scope s) const override { return cold_->TableRows(s); }
  Result<std::vector<KeyInfo>> AttributeKeys() const override { return cold_->AttributeKeys(); }
  Result<block::TraceSummary> Summary(uint32_t t) const override {
    block::TraceSummary out;
    out.id = trace_id(t);
    out.start_ns = trace_start_ns(t);
    out.end_ns = trace_end_ns(t);
    out.span_count = kSpansOfTrace;
    return out;
  }
  Result<block::ColumnPtr> Read(block::Intrinsic column) const override {
    const std::lock_guard lock(mutex_);
    auto& kept = intrinsics_[column];
    if (!kept) {
      WEFT_ASSIGN_OR_RETURN(kept, cold_->Read(column));
    }
    return kept;
  }
  Result<std::vector<block::ColumnPtr>> ReadAttribute(block::Scope scope,
                                                      std::string_view key) const override {
    const std::lock_guard lock(mutex_);
    const auto at = std::make_pair(scope, std::string(key));
    if (const auto found = attributes_.find(at); found != attributes_.end()) return found->second;
    WEFT_ASSIGN_OR_RETURN(auto read, cold_->ReadAttribute(scope, key));
    return attributes_.emplace(at, std::move(read)).first->second;
  }
  Result<block::ColumnPtr> ReadAt(block::Intrinsic column,
                                  std::span<const uint32_t> rows) const override {
    WEFT_ASSIGN_OR_RETURN(const block::ColumnPtr all, Read(column));
    auto out = std::make_shared<block::Column>();
    out->type = all->type;
    out->dictionary = all->dictionary;
    out->row_count = static_cast<uint32_t>(rows.size());
    for (uint32_t row : rows) {
      if (all->dictionary) {
        out->codes.push_back(all->codes[row]);
      } else {
        out->ints.push_back(all->ints[row]);
      }
    }
    return block::ColumnPtr(std::move(out));
  }

 private:
  std::shared_ptr<const block::RowGroup> cold_;
  uint64_t first_, last_, last_trace_;
  mutable std::mutex mutex_;
  mutable std::map<block::Intrinsic, block::ColumnPtr> intrinsics_;
  mutable std::map<std::pair<block::Scope, std::string>, std::vector<block::ColumnPtr>> attributes_;
};

class WarmSource : public block::RowSource {
 public:
  WarmSource() {
    uint32_t trace = 0;
    for (uint32_t made = 0; made < kSpans; made += kGroupSpans) {
      std::vector<model::SpanBatch> batches;
      batches.push_back(MakeBatch(&trace, std::min(kGroupSpans, kSpans - made)));
      const auto cold = *MemorySource::Of(std::move(batches)).Snapshot("t", {}, {});
      groups_.push_back(std::make_shared<WarmGroup>(cold[0]));
      const auto& group = *groups_.back();
      for (uint32_t t = 0; t < group.trace_count(); ++t)
        places_[group.trace_id(t)] = {groups_.size() - 1, t};
    }
  }

  Result<std::vector<std::shared_ptr<const block::RowGroup>>> Snapshot(
      const model::TenantId&, TimeRange, const block::SnapshotOptions&) const override {
    return groups_;
  }
  Result<model::SpanBatch> FindTrace(const model::TenantId&, model::TraceId) const override {
    return model::SpanBatch();
  }
  Result<JoinedSummary> SummarizeTrace(const model::TenantId&, model::TraceId id) const override {
    const auto& [group, trace] = places_.at(id);
    WEFT_ASSIGN_OR_RETURN(auto summary, groups_[group]->Summary(trace));
    return JoinedSummary{std::move(summary), 1};
  }

 private:
  static model::SpanBatch MakeBatch(uint32_t* trace, uint32_t spans) {
    model::SpanBatch b;
    uint64_t state = *trace + 1;
    const auto next = [&state] { return model::MixBits(state += 0x9e3779b97f4a7c15ULL); };
    for (uint32_t i = 0; i < 20; ++i) {
      b.resources.attributes.Add(b.strings.Intern("service.name"), model::ValueType::kString,
                                 b.strings.Intern("service-" + std::to_string(i)));
      b.resources.schema_url.push_back(0);
      b.resources.dropped_attributes.push_back(0);
      b.resources.attribute_end.push_back(b.resources.attributes.size());
    }
    b.scopes.name.push_back(b.strings.Intern("lib"));
    b.scopes.version.push_back(0);
    b.scopes.schema_url.push_back(0);
    b.scopes.dropped_attributes.push_back(0);
    b.scopes.attribute_end.push_back(0);
    const model::Code route = b.strings.Intern("http.route");
    const model::Code code = b.strings.Intern("http.status_code");
    const model::Code user = b.strings.Intern("user.id");
    for (uint32_t i = 0; i < spans; ++i) {
      if (i % kSpansOfTrace == 0) {
        b.traces.push_back({next(), next()});
        ++*trace;
      }
      const uint64_t start = kStart + uint64_t{*trace} * 10'000'000 + next() % 1'000'000;
      b.trace.push_back(static_cast<uint32_t>(b.traces.size()) - 1);
      b.span_id.push_back({next()});
      b.parent_span_id.push_back({i % kSpansOfTrace == 0 ? 0 : b.span_id[i - 1].value});
      b.start_ns.push_back(start);
      b.end_ns.push_back(start + (next() % 1000 == 0 ? 600'000'000 : next() % 50'000'000));
      b.name.push_back(b.strings.Intern("operation-" + std::to_string(next() % 60)));
      b.kind.push_back(static_cast<uint8_t>(1 + next() % 5));
      b.status.push_back(next() % 50 == 0 ? 2 : 0);
      b.resource.push_back(static_cast<uint32_t>(next() % 20));
      for (auto* zeros :
           {&b.status_message, &b.trace_state, &b.flags, &b.scope, &b.dropped_attributes,
            &b.dropped_events, &b.dropped_links, &b.event_end, &b.link_end}) {
        zeros->push_back(0);
      }
      b.attributes.Add(route, model::ValueType::kString,
                       b.strings.Intern("/api/" + std::to_string(next() % 200)));
      if (next() % 2 == 0) b.attributes.Add(code, model::ValueType::kInt, 200 + next() % 5 * 100);
      const bool rare = *trace == 1234 && i % kSpansOfTrace == 3;
      b.attributes.Add(
          user, model::ValueType::kString,
          b.strings.Intern(rare ? "the-one" : "user-" + std::to_string(next() % 10'000)));
      b.attribute_end.push_back(b.attributes.size());
    }
    return b;
  }

  std::vector<std::shared_ptr<const block::RowGroup>> groups_;
  std::map<model::TraceId, std::pair<size_t, uint32_t>> places_;
};

const WarmSource& Source() {
  static const WarmSource source;
  return source;
}

void BM_Search(benchmark::State& state, const char* query, uint32_t limit, size_t helpers) {
  const auto plan = lang::traceql::Compile(query);
  TaskRunner runner(helpers);
  const SearchExecutor executor(Source(), Env::Posix(), runner);
  const SearchRequest request{"t", {}, limit, 3, {}};
  SearchStats stats;
  size_t found = 0;
  // The first run reads the columns.
  (void)executor.Run(*plan, request, {});
  const std::clock_t start = std::clock();
  for (auto _ : state) {
    const auto answer = executor.Run(*plan, request, {});
    if (!answer.ok()) state.SkipWithError(answer.error().message().c_str());
    stats = answer->stats;
    found = answer->traces.size();
  }
  state.counters["traces"] = static_cast<double>(found);
  state.counters["rows"] = static_cast<double>(stats.rows);
  const double cpu_ns = static_cast<double>(std::clock() - start) * 1e9 / CLOCKS_PER_SEC;
  const double runs = static_cast<double>(state.iterations()) * static_cast<double>(stats.rows);
  state.counters["CPU ns/row"] = cpu_ns / runs;
}

#define WEFT_BENCH(name, query, limit)                                                \
  BENCHMARK_CAPTURE(BM_Search, name, query, limit, 0)->Unit(benchmark::kMicrosecond); \
  BENCHMARK_CAPTURE(BM_Search, name##_2_threads, query, limit, 1)                     \
      ->Unit(benchmark::kMicrosecond)                                                 \
      ->UseRealTime()

WEFT_BENCH(everything_newest_20, "{}", 20);
WEFT_BENCH(rare_value, "{ span.user.id = \"the-one\" }", 20);
WEFT_BENCH(absent_value, "{ span.user.id = \"nobody\" }", 20);
WEFT_BENCH(absent_resource_value, "{ resource.service.name = \"nobody\" }", 20);
WEFT_BENCH(service_and_duration_newest_20,
           "{ resource.service.name = \"service-7\" && duration > 500ms }", 20);
WEFT_BENCH(regex_on_names_that_match_nothing, "{ name =~ \"nothing.*\" }", 20);
WEFT_BENCH(number_scan, "{ duration > 10s }", 20);
WEFT_BENCH(arithmetic_scan, "{ duration / 2 > 10s }", 20);

void BM_Values(benchmark::State& state) {
  const auto field = lang::traceql::CompileField("span.user.id");
  const Catalog catalog(Source(), Env::Posix(), "t", {}, {});
  (void)catalog.AttributeValues({*field, "user-1", 100});
  for (auto _ : state) benchmark::DoNotOptimize(catalog.AttributeValues({*field, "user-1", 100}));
}
BENCHMARK(BM_Values)->Unit(benchmark::kMicrosecond);

void BM_Services(benchmark::State& state) {
  const Catalog catalog(Source(), Env::Posix(), "t", {}, {});
  (void)catalog.Services();
  for (auto _ : state) benchmark::DoNotOptimize(catalog.Services());
}
BENCHMARK(BM_Services)->Unit(benchmark::kMicrosecond);

// What the plainest loop over one array of numbers costs on this machine: the ratio to it is what
// counts.
void BM_BaselineSumOfAMillionNumbers(benchmark::State& state) {
  const std::vector<int64_t> numbers(kSpans, 3);
  for (auto _ : state) {
    int64_t sum = 0;
    for (int64_t n : numbers) sum += n > 2 ? 1 : 0;
    benchmark::DoNotOptimize(sum);
  }
}
BENCHMARK(BM_BaselineSumOfAMillionNumbers)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace weft::query::exec
