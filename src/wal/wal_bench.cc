// Cost of the log itself, with syncs left out: bytes go to the page cache. Baseline: a bare
// checksum and copy of the same bytes.
#include <string>

#include <benchmark/benchmark.h>

#include "base/checksum.h"
#include "wal/wal.h"

namespace weft::wal {
namespace {

// A request of 500 spans of about 100 bytes, as live would hand it over.
constexpr size_t kRecordBytes = 50'000;
constexpr int kSpansPerRecord = 500;

class NullHandler : public ReplayHandler {
 public:
  Error OnRecord(RecordPosition, std::string_view, std::string_view payload) override {
    bytes += payload.size();
    return Error::Ok();
  }
  void OnDamage(const Damage&) override {}
  void OnProgress(uint64_t, uint64_t) override {}
  uint64_t bytes = 0;
};

Options BenchOptions() {
  Options options;
  options.folder = "/tmp/weft_wal_bench_" + std::to_string(Env::Posix().RandomU64());
  options.own_thread = false;
  options.sync = false;
  return options;
}

void BM_CopyAndChecksum(benchmark::State& state) {
  const std::string payload(kRecordBytes, 'x');
  std::string copy;
  for (auto _ : state) {
    copy.assign(payload);
    benchmark::DoNotOptimize(Crc32c(copy));
  }
  state.SetItemsProcessed(state.iterations() * kSpansPerRecord);
}
BENCHMARK(BM_CopyAndChecksum);

void BM_Append(benchmark::State& state) {
  const Options options = BenchOptions();
  MetricRegistry metrics;
  NullHandler handler;
  const std::string payload(kRecordBytes, 'x');
  auto wal = Wal::Open(Env::Posix(), options, metrics, handler);
  if (!wal.ok()) return state.SkipWithError("cannot open");
  for (auto _ : state) {
    (*wal)->Append("default", payload, [](const Error&, RecordPosition) {});
    (*wal)->CommitQueued();
    state.PauseTiming();
    for (const SegmentInfo& info : (*wal)->segments()) {
      if (info.number != (*wal)->current_segment() && !(*wal)->ReleaseSegment(info.number).ok()) {
        return state.SkipWithError("cannot release");
      }
    }
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * kSpansPerRecord);
  wal.value().reset();
  (void)Env::Posix().RemoveTree(options.folder).ok();
}
BENCHMARK(BM_Append);

void BM_Replay(benchmark::State& state) {
  const Options options = BenchOptions();
  MetricRegistry metrics;
  NullHandler handler;
  const std::string payload(kRecordBytes, 'x');
  constexpr int kRecords = 2000;
  {
    auto wal = Wal::Open(Env::Posix(), options, metrics, handler);
    if (!wal.ok()) return state.SkipWithError("cannot open");
    for (int i = 0; i < kRecords; ++i) {
      (*wal)->Append("default", payload, [](const Error&, RecordPosition) {});
      (*wal)->CommitQueued();
    }
  }
  for (auto _ : state) {
    if (!Wal::Open(Env::Posix(), options, metrics, handler).ok()) return;
  }
  state.SetItemsProcessed(state.iterations() * kRecords * kSpansPerRecord);
  state.SetBytesProcessed(static_cast<int64_t>(handler.bytes));
  (void)Env::Posix().RemoveTree(options.folder).ok();
}
BENCHMARK(BM_Replay);

}  // namespace
}  // namespace weft::wal
