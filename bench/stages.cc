// weft_stages: what each stage of taking a span in costs by itself (CPU of one thread, the best of
// some rounds), beside its budget; prints one line of JSON for bench/run micro.
//
// The stages run on the real classes in the order in which a span meets them: each takes what the
// one before has made of the same traffic. Syncs of the disk are left out: they cost time, not CPU.
//
// 1. requests -> decode -> batches
// 2. batches -> encode for the WAL -> records -> frame, checksum, write
// 3. batches -> counts by label -> series
// 4. batches -> merge into a shard -> cut, preorder -> input of a block
// 5. input -> pivot, encode, compress -> blocks -> write
// 6. blocks -> compaction -> one block
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "base/env.h"
#include "bench/baseline.h"
#include "bench/traffic.h"
#include "block/block.h"
#include "block/block_fixture.h"
#include "block/merge.h"
#include "block/reader.h"
#include "generate/batch_counter.h"
#include "generate/series_store.h"
#include "live/batch_codec.h"
#include "live/block_builder.h"
#include "live/shard.h"
#include "receive/otlp/decode_proto.h"
#include "wal/wal.h"

namespace weft::bench {
namespace {

constexpr uint64_t kSpans = 1 << 20;
constexpr int kRounds = 3;
// As the server's settings are when nothing else is said (compaction.row-group-rows, zstd-level).
constexpr uint32_t kMergedRowGroupRows = 1 << 19;
constexpr int kMergedZstdLevel = 4;
constexpr size_t kMergeCacheBytes = 1 << 20;
constexpr char kTenant[] = "default";

using Batches = std::vector<std::unique_ptr<model::SpanBatch>>;

[[noreturn]] void Fail(const std::string& message) {
  std::cerr << "weft_stages: " << message << "\n";
  std::exit(1);
}

template <typename T>
T Take(Result<T> result) {
  if (!result.ok()) Fail(result.error().message());
  return std::move(*result);
}

void Check(const Error& error) {
  if (!error.ok()) Fail(error.message());
}

// CPU time of this thread: others may be busy on the machine.
double CpuSeconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// The CPU of one round by stage; parts of a stage add up.
using Round = std::map<std::string, double>;

template <typename Work>
auto Timed(Round* round, const char* stage, Work work) {
  const double before = CpuSeconds();
  auto made = work();
  (*round)[stage] += CpuSeconds() - before;
  return made;
}

// A store without blocks.
class NothingStored : public block::RowSource {
 public:
  Result<std::vector<std::shared_ptr<const block::RowGroup>>> Snapshot(
      const model::TenantId&, TimeRange, const block::SnapshotOptions&) const override {
    return std::vector<std::shared_ptr<const block::RowGroup>>();
  }
  Result<model::SpanBatch> FindTrace(const model::TenantId&, model::TraceId) const override {
    return model::SpanBatch();
  }
  Result<JoinedSummary> SummarizeTrace(const model::TenantId&, model::TraceId) const override {
    return JoinedSummary();
  }
};

class NoRecords : public wal::ReplayHandler {
 public:
  Error OnRecord(wal::RecordPosition, std::string_view, std::string_view) override {
    return Error::Ok();
  }
  void OnDamage(const wal::Damage&) override {}
  void OnProgress(uint64_t, uint64_t) override {}
};

Batches Decode(const Traffic& traffic) {
  Batches batches;
  for (const demo::ExportRequest& request : traffic.requests) {
    batches.push_back(std::make_unique<model::SpanBatch>());
    receive::RejectedSpans rejected;
    Check(receive::otlp::DecodeTraces(request.body, {}, batches.back().get(), &rejected));
  }
  return batches;
}

std::vector<std::string> EncodeForWal(const Batches& batches) {
  std::vector<std::string> records;
  for (const auto& batch : batches) records.push_back(Take(live::EncodeBatch(*batch)));
  return records;
}

bool WriteWal(const std::string& folder, std::vector<std::string> records) {
  wal::Options options;
  options.folder = folder;
  options.own_thread = false;
  options.sync = false;
  MetricRegistry metrics;
  NoRecords handler;
  const std::unique_ptr<wal::Wal> wal =
      Take(wal::Wal::Open(Env::Posix(), options, metrics, handler));
  for (std::string& record : records) {
    wal->Append(kTenant, std::move(record),
                [](const Error& error, wal::RecordPosition) { Check(error); });
    wal->CommitQueued();
  }
  return true;
}

Error WriteFiles(const block::EncodedBlock& block, const std::string& folder) {
  Env& env = Env::Posix();
  WEFT_RETURN_IF_ERROR(env.CreateFolder(folder));
  for (const block::BlockFile& file : block.files) {
    WEFT_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> out,
                          env.NewWritableFile(folder + "/" + file.name));
    WEFT_RETURN_IF_ERROR(out->Append(file.bytes));
    WEFT_RETURN_IF_ERROR(out->Close());
  }
  return Error::Ok();
}

// What serve's settings ask for when nothing else is said.
bool Generate(const Batches& batches, generate::SeriesStore* series, generate::CallMatcher* calls) {
  for (const auto& batch : batches) {
    generate::BatchCounts counts = generate::CountBatch(*batch, {});
    series->Add(kTenant, generate::Kind::kSpans, std::move(counts.spans));
    calls->Add(kTenant, std::move(counts.calls));
  }
  return true;
}

bool Merge(const Batches& batches, live::Shard* shard) {
  std::vector<uint32_t> rows;
  uint32_t record = 0;
  for (const auto& batch : batches) {
    rows.resize(batch->size());
    std::iota(rows.begin(), rows.end(), 0);
    shard->Merge(kTenant, *batch, rows, 1, record++, 0);
  }
  return true;
}

// All that the shard holds, as blocks of the size that the server writes.
std::vector<block::EncodedBlock> WriteBlocks(live::Shard* shard, const std::string& folder,
                                             Round* round) {
  const NothingStored stored;
  live::EarlierTraces earlier(stored);
  std::vector<block::EncodedBlock> blocks;
  shard->Cut(0, true);
  while (true) {
    const auto job = Timed(round, "cut", [&] { return shard->TakeJob(0, true); });
    if (job == nullptr) return blocks;
    live::PreparedBlock prepared =
        Timed(round, "cut", [&] { return Take(live::PrepareBlock(*job, stored, &earlier, 0)); });
    blocks.push_back(Timed(round, "block", [&] {
      return Take(block::WriteBlock(prepared.input, std::move(prepared.meta), {}));
    }));
    Timed(round, "write", [&] {
      Check(WriteFiles(blocks.back(), folder + "/" + job->block_id));
      return true;
    });
    Timed(round, "cut", [&] {
      shard->Release(*job);
      return true;
    });
  }
}

block::EncodedBlock Compact(const std::vector<block::EncodedBlock>& blocks) {
  const auto cache = std::make_shared<block::ColumnCache>(kMergeCacheBytes);
  std::vector<std::shared_ptr<const block::Block>> inputs;
  for (const block::EncodedBlock& block : blocks) {
    inputs.push_back(Take(block::Block::Open(block.meta, block::MemoryFiles(block.files), cache)));
  }
  const block::BlockWriterOptions options{.row_group_rows_max = kMergedRowGroupRows,
                                          .zstd_level = kMergedZstdLevel};
  return Take(block::MergeBlocks(
      inputs, block::BlockMeta{.id = "merged", .tenant = kTenant, .level = 1}, options));
}

uint64_t SpansOf(const std::vector<block::EncodedBlock>& blocks) {
  uint64_t spans = 0;
  for (const block::EncodedBlock& block : blocks) spans += block.meta.span_count;
  return spans;
}

Round RunOnce(const Traffic& traffic, const std::string& folder) {
  Round round;
  MetricRegistry metrics;
  Timed(&round, "baseline", [&] { return WalkAndHash(traffic).digest; });
  const Batches batches = Timed(&round, "decode", [&] { return Decode(traffic); });
  std::vector<std::string> records =
      Timed(&round, "wal_encode", [&] { return EncodeForWal(batches); });
  Timed(&round, "wal_write", [&] { return WriteWal(folder + "/wal", std::move(records)); });
  generate::SeriesStore series(Env::Posix(), metrics, {});
  generate::CallMatcher calls(Env::Posix(), metrics, &series);
  Timed(&round, "generate", [&] { return Generate(batches, &series, &calls); });
  uint64_t number = 0;
  live::Shard shard({}, [&] { return "block-" + std::to_string(number++); });
  Timed(&round, "merge", [&] { return Merge(batches, &shard); });
  const std::vector<block::EncodedBlock> blocks = WriteBlocks(&shard, folder, &round);
  const block::EncodedBlock merged = Timed(&round, "compaction", [&] { return Compact(blocks); });
  if (SpansOf(blocks) != traffic.spans || merged.meta.span_count != traffic.spans)
    Fail("spans are missing from a block");
  return round;
}

void Print(const Traffic& traffic, const Round& best) {
  const auto spans = static_cast<double>(traffic.spans);
  std::printf("{\"spans\": %llu, \"bytesPerSpan\": %.1f, \"nsPerSpan\": {",
              static_cast<unsigned long long>(traffic.spans),
              static_cast<double>(traffic.bytes) / spans);
  const char* comma = "";
  for (const auto& [stage, seconds] : best) {
    std::printf("%s\"%s\": %.1f", comma, stage.c_str(), seconds * 1e9 / spans);
    comma = ", ";
  }
  std::printf("}}\n");
}

int Main(int argc, char** argv) {
  if (argc != 2) Fail("usage: weft_stages FOLDER     (an empty one, for what is written)");
  const Traffic traffic = MakeTraffic(kSpans, 1, static_cast<uint64_t>(Env::Posix().NowNs()));
  Round best;
  for (int i = 0; i < kRounds; ++i) {
    const std::string folder = std::string(argv[1]) + "/" + std::to_string(i);
    Check(Env::Posix().CreateFolder(folder));
    for (const auto& [stage, seconds] : RunOnce(traffic, folder)) {
      const auto [known, first] = best.try_emplace(stage, seconds);
      if (!first) known->second = std::min(known->second, seconds);
    }
    Check(Env::Posix().RemoveTree(folder));
  }
  Print(traffic, best);
  return 0;
}

}  // namespace
}  // namespace weft::bench

int main(int argc, char** argv) { return weft::bench::Main(argc, argv); }
