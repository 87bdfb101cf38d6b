// A trace of 100,000 spans with 14 attributes each, as columns. Budget: well under a second;
// baseline: copying the answer once, which is what a socket does to it in any case.
#include <cstring>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "api/trace_columns.h"

namespace weft::api {
namespace {

constexpr uint64_t kSpans = 100'000;
constexpr int kAttributes = 14;

void AddSpan(uint64_t i, const std::vector<model::Code>& keys, model::SpanBatch* batch) {
  for (const model::Code key : keys) {
    batch->attributes.Add(key, model::ValueType::kString,
                          batch->strings.Intern("value " + std::to_string(key * i % 5000)));
  }
  batch->trace.push_back(0);
  batch->span_id.push_back({model::MixBits(i + 1)});
  batch->parent_span_id.push_back({i == 0 ? 0 : model::MixBits(i / 3 + 1)});
  batch->start_ns.push_back(1'700'000'000'000'000'000 + i * 1000);
  batch->end_ns.push_back(batch->start_ns.back() + 500'000);
  batch->name.push_back(batch->strings.Intern("operation " + std::to_string(i % 50)));
  batch->kind.push_back(2);
  batch->status.push_back(0);
  for (auto* column : {&batch->status_message, &batch->trace_state, &batch->flags, &batch->resource,
                       &batch->scope, &batch->dropped_attributes, &batch->dropped_events,
                       &batch->dropped_links, &batch->event_end, &batch->link_end}) {
    column->push_back(0);
  }
  batch->attribute_end.push_back(batch->attributes.size());
}

model::SpanBatch MakeTrace() {
  model::SpanBatch batch;
  std::vector<model::Code> keys;
  for (int i = 0; i < kAttributes; ++i)
    keys.push_back(batch.strings.Intern("attribute.key." + std::to_string(i)));
  batch.traces.push_back({1, 2});
  batch.resources.schema_url.push_back(0);
  batch.resources.dropped_attributes.push_back(0);
  batch.resources.attribute_end.push_back(0);
  for (auto* column : {&batch.scopes.name, &batch.scopes.version, &batch.scopes.schema_url,
                       &batch.scopes.dropped_attributes, &batch.scopes.attribute_end}) {
    column->push_back(0);
  }
  for (uint64_t i = 0; i < kSpans; ++i) AddSpan(i, keys, &batch);
  return batch;
}

void BM_OrderTrace(benchmark::State& state) {
  const model::SpanBatch batch = MakeTrace();
  for (auto _ : state) benchmark::DoNotOptimize(OrderTrace(batch));
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kSpans));
}
BENCHMARK(BM_OrderTrace)->Unit(benchmark::kMillisecond);

void BM_EncodeTraceColumns(benchmark::State& state) {
  const model::SpanBatch batch = MakeTrace();
  const OrderedTrace trace = OrderTrace(batch);
  size_t bytes = 0;
  for (auto _ : state) bytes = EncodeTraceColumns(trace, {1, 2}, 0).size();
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kSpans));
  state.counters["MB"] = static_cast<double>(bytes) / 1e6;
}
BENCHMARK(BM_EncodeTraceColumns)->Unit(benchmark::kMillisecond);

void BM_CopyAnswer(benchmark::State& state) {
  const model::SpanBatch batch = MakeTrace();
  const std::string answer = EncodeTraceColumns(OrderTrace(batch), {1, 2}, 0);
  std::string copy(answer.size(), '\0');
  for (auto _ : state) {
    std::memcpy(copy.data(), answer.data(), answer.size());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(BM_CopyAnswer)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace weft::api
