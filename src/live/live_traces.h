// LiveTraces: the spans that are not yet in a block. Owns the WAL, the shards, and the threads that
// cut traces and build blocks.
//
//   Push --> encode --> WAL (group commit) --> shard queue --> merge --> done(Ok)
//                                                  |
//                                 cut --> job --> BuildBlock --> BlockSink --> release rows, WAL
//                                 segments
//
// "done" comes after the spans are durable and merged, so that a query that begins then sees them.
// As a RowSource it answers for live rows and, through `stored`, for blocks: every span once,
// wherever it is at the moment.
//
// Memory: bytes held by chunks and by requests on their way are bounded by
// Options::memory_bytes_max. Above 70 % of it all traces are cut early; at 100 % Admit refuses with
// kUnavailable until blocks have been written. Nothing is ever dropped.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/env.h"
#include "base/metrics.h"
#include "base/mutex.h"
#include "block/block.h"
#include "block/row_source.h"
#include "live/earlier_traces.h"
#include "live/segment_ledger.h"
#include "live/shard.h"
#include "model/span_sink.h"
#include "wal/wal.h"

namespace weft::live {

struct LiveOptions {
  wal::Options wal;
  CutLimits cut;
  block::BlockWriterOptions block;
  uint32_t shard_count = 1;  // one thread each
  uint64_t memory_bytes_max = 1u << 30;
  int64_t build_retry_ns = 1'000'000'000;  // pause after a block could not be written
};

struct FlushReport {
  uint64_t spans = 0;
  uint64_t blocks = 0;
};

class LiveTraces : public model::SpanSink, public block::RowSource {
 public:
  using Progress = std::function<void(uint64_t bytes_done, uint64_t bytes_total)>;

  // Replays the WAL (spans that blocks already hold are left out), then starts. `sink` and `stored`
  // are the store; all references must outlive this object.
  static Result<std::unique_ptr<LiveTraces>> Open(Env& env, LiveOptions options,
                                                  MetricRegistry& metrics, block::BlockSink& sink,
                                                  const block::RowSource& stored,
                                                  const Progress& progress);
  ~LiveTraces() override;

  // --- SpanSink
  Error Admit(const model::TenantId& tenant, uint64_t announced_bytes) override;
  void Push(const model::TenantId& tenant, std::unique_ptr<model::SpanBatch> batch,
            Done done) override;

  // --- RowSource: live rows and blocks
  Result<std::vector<std::shared_ptr<const block::RowGroup>>> Snapshot(
      const model::TenantId& tenant, TimeRange range,
      const block::SnapshotOptions& options) const override;
  Result<model::SpanBatch> FindTrace(const model::TenantId& tenant,
                                     model::TraceId id) const override;
  Result<JoinedSummary> SummarizeTrace(const model::TenantId& tenant,
                                       model::TraceId id) const override;
  Result<std::vector<bool>> MayBeElsewhere(const model::TenantId& tenant,
                                           std::span<const model::TraceId> ids,
                                           const std::string& block_id) const override;

  // Cuts everything there is now and returns when it is durable in blocks; the first failure
  // otherwise (what failed stays live).
  Result<FlushReport> Flush();
  // The same, and the log holds none of the spans that were acknowledged before the call either, so
  // that no replay brings them: what a deletion has to come after. kUnavailable when the log can't
  // let go of a segment.
  Result<FlushReport> FlushAndReleaseLog();
  // Refuses new spans, flushes within `deadline_ns`, closes the WAL. Without a flush in time the
  // WAL covers the rest. Called once.
  void Stop(int64_t deadline_ns);

  // Whether memory is so short that all traces are cut early.
  bool UnderPressure() const;
  Shard::Counts counts() const;
  std::map<model::TenantId, uint64_t> SpansByTenant() const;

 private:
  struct Ack;
  struct MergeTask;
  struct ShardRunner;
  class Replay;

  LiveTraces(Env& env, LiveOptions options, MetricRegistry& metrics, block::BlockSink& sink,
             const block::RowSource& stored);

  void RegisterMetrics();
  Error LoadLedger(WalRowSet* known);
  void StartThreads();
  ShardRunner& RunnerOf(model::TraceId id) const;
  std::vector<std::vector<uint32_t>> SplitByShard(const model::SpanBatch& batch) const;
  void Enqueue(const model::TenantId& tenant, const std::shared_ptr<const model::SpanBatch>& batch,
               wal::RecordPosition position, const std::shared_ptr<Ack>& ack);
  void RunShard(ShardRunner* runner);
  void MergeTasks(ShardRunner* runner, std::deque<MergeTask> tasks);
  void CutAndDispatch(ShardRunner* runner, bool all);
  bool BuilderIsIdle() WEFT_EXCLUDES(build_mutex_);
  void RunBuilder();
  Error WriteJob(ShardRunner* runner, const CutJob& job);
  void ReportManyKeys(const model::TenantId& tenant, const std::vector<block::ManyKeys>& many_keys);
  void ReleaseSegments() WEFT_EXCLUDES(release_mutex_);

  Env& env_;
  const LiveOptions options_;
  MetricRegistry& metrics_;
  block::BlockSink& sink_;
  const block::RowSource& stored_;
  // Of whoever builds: Open, then the builder thread.
  EarlierTraces earlier_traces_;
  std::set<std::pair<model::TenantId, std::string>> key_senders_;
  SegmentLedger ledger_;
  std::unique_ptr<wal::Wal> wal_;
  std::vector<std::unique_ptr<ShardRunner>> runners_;
  std::atomic<uint64_t> pushed_bytes_{0};  // of batches between Push and merge
  std::atomic<bool> stopping_{false};

  Counter* duplicates_ = nullptr;
  Counter* blocks_written_ = nullptr;
  Counter* block_failures_ = nullptr;

  Mutex release_mutex_;  // one ReleaseSegments at a time

  // Jobs waiting for the builder.
  struct BuildTask {
    ShardRunner* runner;
    std::shared_ptr<CutJob> job;
  };
  Mutex build_mutex_;
  CondVar build_changed_;
  std::deque<BuildTask> build_tasks_ WEFT_GUARDED_BY(build_mutex_);
  uint64_t builds_running_ WEFT_GUARDED_BY(build_mutex_) = 0;
  bool build_stop_ WEFT_GUARDED_BY(build_mutex_) = false;
  uint64_t built_spans_ WEFT_GUARDED_BY(build_mutex_) = 0;
  uint64_t built_blocks_ WEFT_GUARDED_BY(build_mutex_) = 0;
  uint64_t build_attempts_failed_ WEFT_GUARDED_BY(build_mutex_) = 0;
  Error last_build_error_ WEFT_GUARDED_BY(build_mutex_);
  std::thread builder_;
};

}  // namespace weft::live
