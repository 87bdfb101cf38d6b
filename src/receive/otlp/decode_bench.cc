// What decoding costs, as a ratio to a bare walk over the same bytes: reading every tag and length
// of every message, keeping nothing.

#include <string>

#include <benchmark/benchmark.h>

#include "model/otlp_encode.h"
#include "receive/otlp/decode_json.h"
#include "receive/otlp/decode_proto.h"
#include "receive/sample_batch.h"
#include "receive/wire_reader.h"

namespace weft::receive::otlp {
namespace {

constexpr uint32_t kSpans = 5000;

const std::string& ProtoBody() {
  static const std::string body = model::EncodeOtlpProto(*MakeShopBatch(1, kSpans));
  return body;
}

// Fields that are messages, by depth: the request, ResourceSpans, ScopeSpans, Span, KeyValue,
// AnyValue.
uint64_t WalkValue(std::string_view bytes) {
  uint64_t sum = 0;
  for (WireReader reader(bytes); reader.Next(); reader.Skip()) sum += reader.tag();
  return sum;
}

uint64_t WalkPair(std::string_view bytes) {
  uint64_t sum = 0;
  WireReader reader(bytes);
  while (reader.Next()) {
    if (reader.tag() == BytesTag(2)) {
      sum += WalkValue(reader.Bytes());
    } else {
      reader.Skip();
    }
  }
  return sum;
}

uint64_t WalkSpan(std::string_view bytes) {
  uint64_t sum = 0;
  WireReader reader(bytes);
  while (reader.Next()) {
    if (reader.tag() == BytesTag(9)) {
      sum += WalkPair(reader.Bytes());
    } else {
      reader.Skip();
    }
  }
  return sum;
}

uint64_t WalkDown(std::string_view bytes, int depth) {
  uint64_t sum = 0;
  WireReader reader(bytes);
  while (reader.Next()) {
    if (reader.tag() == BytesTag(depth == 0 ? 1 : 2)) {
      sum += depth == 2 ? WalkSpan(reader.Bytes()) : WalkDown(reader.Bytes(), depth + 1);
    } else {
      reader.Skip();
    }
  }
  return sum;
}

void CountPerSpan(benchmark::State& state, size_t bytes) {
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * kSpans);
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * static_cast<int64_t>(bytes));
  state.counters["ns_per_span"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * kSpans / 1e9,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["bytes_per_span"] = static_cast<double>(bytes) / kSpans;
}

void BM_BareWalk(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(WalkDown(ProtoBody(), 0));
  CountPerSpan(state, ProtoBody().size());
}
BENCHMARK(BM_BareWalk);

void BM_DecodeProto(benchmark::State& state) {
  for (auto _ : state) {
    model::SpanBatch batch;
    RejectedSpans rejected;
    const Error error = DecodeTraces(ProtoBody(), {}, &batch, &rejected);
    if (!error.ok() || batch.size() != kSpans) state.SkipWithError("not decoded");
    benchmark::DoNotOptimize(batch);
  }
  CountPerSpan(state, ProtoBody().size());
}
BENCHMARK(BM_DecodeProto);

void BM_DecodeJson(benchmark::State& state) {
  std::string body = model::EncodeOtlpJson(*MakeShopBatch(1, kSpans));
  for (auto _ : state) {
    model::SpanBatch batch;
    RejectedSpans rejected;
    const Error error = DecodeTracesJson(&body, {}, &batch, &rejected);
    if (!error.ok() || batch.size() != kSpans) state.SkipWithError("not decoded");
    benchmark::DoNotOptimize(batch);
  }
  CountPerSpan(state, body.size());
}
BENCHMARK(BM_DecodeJson);

void BM_EncodeProto(benchmark::State& state) {
  const auto batch = MakeShopBatch(1, kSpans);
  for (auto _ : state) benchmark::DoNotOptimize(model::EncodeOtlpProto(*batch));
  CountPerSpan(state, ProtoBody().size());
}
BENCHMARK(BM_EncodeProto);

}  // namespace
}  // namespace weft::receive::otlp
