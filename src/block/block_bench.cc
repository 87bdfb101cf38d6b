// What a span costs to write into a block and to read back, by stage; and its bytes by column (with
// WEFT_BENCH_COLUMNS=1 in the environment). 262,144 spans of a web shop, 14 attributes a span.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "block/attribute_pivot.h"
#include "block/attribute_plan.h"
#include "block/block.h"
#include "block/block_fixture.h"
#include "block/parquet_footer.h"
#include "block/reader.h"
#include "block/row_grouping.h"

namespace weft::block {
namespace {

constexpr uint32_t kSpans = 1 << 18;

struct Fixture {
  model::SpanBatch batch = MakeShopBatch(1, kSpans);
  std::vector<const model::SpanBatch*> batches = {&batch};
  BlockInput input = MakeBlockInput(batches);
  EncodedBlock encoded = WriteBlock(input, BlockMeta{.id = "b", .tenant = "t"}, {}).value();
};

const Fixture& Shop() {
  static const Fixture kFixture;
  return kFixture;
}

void PerSpan(benchmark::State& state, uint64_t spans) {
  state.counters["ns/span"] = benchmark::Counter(
      static_cast<double>(spans) * static_cast<double>(state.iterations()) * 1e-9,
      benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void PrintColumns(const BlockFile& file, uint64_t tail_bytes, double spans) {
  const auto footer = ReadParquetFooter(
      std::string_view(file.bytes).substr(file.bytes.size() - tail_bytes), file.bytes.size());
  if (!footer.ok()) return;
  std::printf("%-34s %7.3f B/span, footer and page index %.3f\n", file.name.c_str(),
              static_cast<double>(file.bytes.size()) / spans,
              static_cast<double>(tail_bytes) / spans);
  std::vector<std::pair<uint64_t, std::string>> columns;
  for (size_t c = 0; c < footer->columns.size(); ++c) {
    uint64_t bytes = 0;
    uint64_t pages = 0;
    uint64_t dictionary = 0;
    for (const FileRowGroup& group : footer->row_groups) {
      dictionary += group.chunks[c].dictionary_bytes;
      for (const PagePlace& page : group.chunks[c].pages) bytes += page.size_bytes;
      pages += group.chunks[c].pages.size();
    }
    char text[160];
    std::snprintf(text, sizeof text, "%-30s dictionary %.3f, %llu pages",
                  footer->columns[c].name.c_str(), static_cast<double>(dictionary) / spans,
                  static_cast<unsigned long long>(pages));
    columns.emplace_back(bytes + dictionary, text);
  }
  std::sort(columns.rbegin(), columns.rend());
  for (const auto& [bytes, text] : columns) {
    std::printf("  %7.3f  %s\n", static_cast<double>(bytes) / spans, text.c_str());
  }
}

void BM_WriteBlock(benchmark::State& state) {
  const Fixture& shop = Shop();
  const double spans = static_cast<double>(shop.encoded.meta.span_count);
  static bool printed = false;
  if (std::getenv("WEFT_BENCH_COLUMNS") != nullptr && !std::exchange(printed, true)) {
    for (size_t f = 0; f < shop.encoded.files.size(); ++f) {
      PrintColumns(shop.encoded.files[f], shop.encoded.meta.files[f].tail_bytes, spans);
    }
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(WriteBlock(shop.input, BlockMeta{.id = "b"}, {}));
  }
  PerSpan(state, shop.encoded.meta.span_count);
  state.counters["B/span"] = static_cast<double>(shop.encoded.meta.TotalBytes()) / spans;
  state.counters["attributes/span"] = static_cast<double>(shop.batch.attributes.size()) / spans;
}
BENCHMARK(BM_WriteBlock)->Unit(benchmark::kMillisecond);

void BM_GroupTraces(benchmark::State& state) {
  const Fixture& shop = Shop();
  for (auto _ : state) benchmark::DoNotOptimize(GroupTraces(shop.input, 1 << 17));
  PerSpan(state, shop.input.rows.size());
}
BENCHMARK(BM_GroupTraces)->Unit(benchmark::kMillisecond);

void BM_PlanAttributes(benchmark::State& state) {
  const Fixture& shop = Shop();
  for (auto _ : state) {
    KeyIndex keys(shop.batches);
    AttributePlan plan(Scope::kSpan, shop.batches, &keys);
    plan.Count(shop.input.rows);
    plan.Choose();
    benchmark::DoNotOptimize(plan.columns().size());
  }
  PerSpan(state, shop.input.rows.size());
}
BENCHMARK(BM_PlanAttributes)->Unit(benchmark::kMillisecond);

void BM_PivotAttributes(benchmark::State& state) {
  const Fixture& shop = Shop();
  KeyIndex keys(shop.batches);
  AttributePlan plan(Scope::kSpan, shop.batches, &keys);
  plan.Count(shop.input.rows);
  plan.Choose();
  StringTranslator strings(shop.batches);
  AttributePivot pivot(&plan, shop.batches, &strings);
  OverflowRows overflow;
  const std::span<const RowRef> rows = std::span(shop.input.rows).first(1 << 17);
  for (auto _ : state) {
    strings.Clear();
    pivot.Run(rows, 0, &overflow);
  }
  PerSpan(state, rows.size());
}
BENCHMARK(BM_PivotAttributes)->Unit(benchmark::kMillisecond);

std::shared_ptr<const Block> OpenShop(size_t cache_bytes) {
  return Block::Open(Shop().encoded.meta, MemoryFiles(Shop().encoded.files),
                     std::make_shared<ColumnCache>(cache_bytes))
      .value();
}

void BM_OpenBlock(benchmark::State& state) {
  const MemoryFiles files(Shop().encoded.files);
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        Block::Open(Shop().encoded.meta, files, std::make_shared<ColumnCache>(1 << 20)));
  }
}
BENCHMARK(BM_OpenBlock)->Unit(benchmark::kMicrosecond);

// Argument: bytes of cache. With none, every page is read and decoded anew.
void BM_FindTrace(benchmark::State& state) {
  const auto block = OpenShop(static_cast<size_t>(state.range(0)));
  const std::vector<BlockInput::Trace>& traces = Shop().input.traces;
  size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(block->FindTrace(traces[next].id));
    next = (next + 7919) % traces.size();
  }
}
BENCHMARK(BM_FindTrace)->Arg(64 << 20)->Arg(0)->Unit(benchmark::kMicrosecond);

// Decoding one whole column, nothing cached.
void BM_ReadColumn(benchmark::State& state, const char* name) {
  const auto block = OpenShop(0);
  const TableReader& spans = block->table(Scope::kSpan);
  const std::optional<uint32_t> column = spans.FindColumn(name);
  for (auto _ : state) benchmark::DoNotOptimize(spans.ReadRange(0, *column, 0, 1 << 16, nullptr));
  state.counters["ns/row"] =
      benchmark::Counter(65536e-9 * static_cast<double>(state.iterations()),
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK_CAPTURE(BM_ReadColumn, name, "name")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(BM_ReadColumn, start_time, "start_time")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(BM_ReadColumn, user, "attr.app.user.id")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(BM_ReadColumn, http_route, "attr.http.route")->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace weft::block
