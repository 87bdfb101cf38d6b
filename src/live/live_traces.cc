#include "live/live_traces.h"

#include <algorithm>
#include <bit>
#include <condition_variable>
#include <utility>

#include "base/log.h"
#include "base/memory.h"
#include "block/batch_row_group.h"
#include "block/trace_summary.h"
#include "live/batch_codec.h"
#include "live/block_builder.h"

namespace weft::live {
namespace {

constexpr int64_t kTickNs = 50'000'000;
constexpr uint32_t kOverloadRetryMs = 1000;
// A WAL segment is closed after a block was written when it holds this much: it can be released
// with that block.
constexpr uint64_t kRotateBytes = 16 << 20;

// How often FlushAndReleaseLog looks again for spans that were still on their way.
constexpr int kReleaseRounds = 5;

// Services that are named in metrics for sending too many attribute keys.
constexpr size_t kKeySendersMax = 20;

bool AllExcluded(const RowBits& excluded, uint32_t rows) {
  uint32_t count = 0;
  for (uint64_t word : excluded) count += static_cast<uint32_t>(std::popcount(word));
  return count >= rows;
}

}  // namespace

// One request on its way: done when every shard has merged its part.
struct LiveTraces::Ack {
  std::atomic<uint32_t> parts{0};
  std::atomic<uint64_t>* pushed_bytes = nullptr;
  uint64_t bytes = 0;
  Done done;

  void Finish(Error error) {
    *pushed_bytes -= bytes;
    done(std::move(error));
  }
  void PartDone() {
    if (parts.fetch_sub(1) == 1) Finish(Error::Ok());
  }
};

struct LiveTraces::MergeTask {
  model::TenantId tenant;
  std::shared_ptr<const model::SpanBatch> batch;
  std::vector<uint32_t> rows;
  wal::RecordPosition position;
  std::shared_ptr<Ack> ack;
};

// A shard with its thread and queue.
struct LiveTraces::ShardRunner {
  ShardRunner(CutLimits limits, Shard::NewBlockId new_block_id)
      : shard(limits, std::move(new_block_id)) {}

  Shard shard;
  std::atomic<uint64_t> bytes{0};  // of the shard, as of the last merge
  Mutex mutex;
  CondVar changed;
  std::deque<MergeTask> tasks WEFT_GUARDED_BY(mutex);
  bool stop WEFT_GUARDED_BY(mutex) = false;
  std::thread thread;
};

// Takes WAL records into the shards before any thread runs.
class LiveTraces::Replay : public wal::ReplayHandler {
 public:
  Replay(LiveTraces* live, const WalRowSet& known, const Progress& progress)
      : live_(live),
        known_(known),
        progress_(progress),
        received_(live->metrics_.GetCounter("weft_received_spans_total",
                                            "Spans in requests that could be decoded.",
                                            {{"protocol", "wal"}, {"tenant", ""}})),
        unreadable_(live->metrics_.GetCounter(
            "weft_wal_unreadable_records_total",
            "WAL records whose checksum is right and whose content is not.")) {}

  Error OnRecord(wal::RecordPosition position, std::string_view tenant,
                 std::string_view payload) override {
    auto batch = DecodeBatch(payload);
    if (!batch.ok()) {
      if (batch.error().code() == ErrorCode::kUnsupported) return batch.error();
      unreadable_.Add();
      LogError("a WAL record can't be read and is left out", {{"segment", position.segment},
                                                              {"record", position.record},
                                                              {"error", batch.error().message()}});
      return Error::Ok();
    }
    return Take(position, std::string(tenant), **batch);
  }
  void OnDamage(const wal::Damage&) override {}
  void OnProgress(uint64_t bytes_done, uint64_t bytes_total) override {
    if (progress_) progress_(bytes_done, bytes_total);
  }

 private:
  Error Take(wal::RecordPosition position, const model::TenantId& tenant,
             const model::SpanBatch& batch) {
    uint64_t rows_taken = 0;
    std::vector<std::vector<uint32_t>> by_shard = live_->SplitByShard(batch);
    for (size_t s = 0; s < by_shard.size(); ++s) {
      std::erase_if(by_shard[s], [&](uint32_t row) {
        return known_.Contains({position.segment, position.record, row});
      });
      rows_taken += by_shard[s].size();
      if (by_shard[s].empty()) continue;
      ShardRunner& runner = *live_->runners_[s];
      const uint32_t kept = runner.shard.Merge(tenant, batch, by_shard[s], position.segment,
                                               position.record, live_->env_.MonotonicNs());
      live_->duplicates_->Add(by_shard[s].size() - kept);
      runner.bytes = runner.shard.counts().bytes;
    }
    received_.Add(rows_taken);
    live_->ledger_.Open(position.segment, rows_taken);
    return live_->UnderPressure() ? WriteEverything() : Error::Ok();
  }

  // A log larger than memory becomes blocks on the way.
  Error WriteEverything() {
    for (const auto& runner : live_->runners_) {
      runner->shard.Cut(live_->env_.MonotonicNs(), true);
      while (const std::shared_ptr<CutJob> job =
                 runner->shard.TakeJob(live_->env_.MonotonicNs(), true)) {
        WEFT_RETURN_IF_ERROR(live_->WriteJob(runner.get(), *job));
      }
      runner->bytes = runner->shard.counts().bytes;
    }
    return Error::Ok();
  }

  LiveTraces* live_;
  const WalRowSet& known_;
  const Progress& progress_;
  Counter& received_;
  Counter& unreadable_;
};

LiveTraces::LiveTraces(Env& env, LiveOptions options, MetricRegistry& metrics,
                       block::BlockSink& sink, const block::RowSource& stored)
    : env_(env),
      options_(std::move(options)),
      metrics_(metrics),
      sink_(sink),
      stored_(stored),
      earlier_traces_(stored) {
  const auto new_block_id = [this] { return block::NewBlockId(env_.NowNs(), env_.RandomU64()); };
  for (uint32_t i = 0; i < std::max(1u, options_.shard_count); ++i) {
    runners_.push_back(std::make_unique<ShardRunner>(options_.cut, new_block_id));
  }
}

Result<std::unique_ptr<LiveTraces>> LiveTraces::Open(Env& env, LiveOptions options,
                                                     MetricRegistry& metrics,
                                                     block::BlockSink& sink,
                                                     const block::RowSource& stored,
                                                     const Progress& progress) {
  std::unique_ptr<LiveTraces> live(new LiveTraces(env, std::move(options), metrics, sink, stored));
  live->RegisterMetrics();
  WalRowSet known;
  WEFT_RETURN_IF_ERROR(live->LoadLedger(&known));
  Replay replay(live.get(), known, progress);
  WEFT_ASSIGN_OR_RETURN(live->wal_, wal::Wal::Open(env, live->options_.wal, metrics, replay));
  for (const wal::SegmentInfo& segment : live->wal_->segments())
    live->ledger_.Open(segment.number, 0);
  live->ReleaseSegments();
  live->StartThreads();
  return live;
}

LiveTraces::~LiveTraces() { Stop(0); }

void LiveTraces::RegisterMetrics() {
  duplicates_ = &metrics_.GetCounter("weft_refused_spans_total", "Spans refused, by reason.",
                                     {{"protocol", ""}, {"tenant", ""}, {"reason", "duplicate"}});
  blocks_written_ =
      &metrics_.GetCounter("weft_blocks_written_total", "Blocks written by this process.");
  block_failures_ =
      &metrics_.GetCounter("weft_block_write_failures_total",
                           "Attempts to write a block that failed; each is tried again.");
  const auto gauge = [this](const char* name, const char* help, auto read) {
    metrics_.AddGaugeFunction(name, help, {},
                              [this, read] { return static_cast<double>(read(counts())); });
  };
  gauge("weft_live_spans", "Spans durable in the WAL and not yet in a block.",
        [](const auto& c) { return c.spans; });
  gauge("weft_live_traces", "Traces that take spans.", [](const auto& c) { return c.traces; });
  gauge("weft_live_bytes", "Memory that live spans hold.", [](const auto& c) { return c.bytes; });
}

// Rows that blocks hold already, of WAL segments that may still be there.
Error LiveTraces::LoadLedger(WalRowSet* known) {
  WEFT_ASSIGN_OR_RETURN(const std::vector<block::BlockSink::AuxiliaryFile> files,
                        sink_.ReadAuxiliary(kWalRowsFile));
  for (const auto& file : files) {
    auto segments = WalRowSet::SegmentsOf(file.bytes);
    if (!segments.ok()) {
      return segments.error().WithContext(
          "block " + file.block_id +
          " does not say which WAL rows it holds, replay would double them; restore "
          "the file or remove it to accept that");
    }
    WEFT_RETURN_IF_ERROR(known->Add(file.bytes));
    ledger_.AddBlock(file.tenant, file.block_id, std::move(*segments));
  }
  return Error::Ok();
}

void LiveTraces::StartThreads() {
  for (const auto& runner : runners_) {
    runner->thread = std::thread([this, r = runner.get()] { RunShard(r); });
  }
  builder_ = std::thread([this] { RunBuilder(); });
}

Shard::Counts LiveTraces::counts() const {
  Shard::Counts sum;
  for (const auto& runner : runners_) {
    const Shard::Counts c = runner->shard.counts();
    sum.spans += c.spans;
    sum.traces += c.traces;
    sum.bytes += c.bytes;
    sum.jobs += c.jobs;
  }
  return sum;
}

std::map<model::TenantId, uint64_t> LiveTraces::SpansByTenant() const {
  std::map<model::TenantId, uint64_t> sum;
  for (const auto& runner : runners_) {
    for (const auto& [tenant, spans] : runner->shard.SpansByTenant()) sum[tenant] += spans;
  }
  return sum;
}

// --- SpanSink

bool LiveTraces::UnderPressure() const {
  uint64_t bytes = pushed_bytes_;
  for (const auto& runner : runners_) bytes += runner->bytes;
  return bytes > options_.memory_bytes_max / 10 * 7;
}

Error LiveTraces::Admit(const model::TenantId&, uint64_t announced_bytes) {
  if (stopping_)
    return Error(ErrorCode::kUnavailable, "the server is stopping: send again to the next one",
                 kOverloadRetryMs);
  uint64_t bytes = pushed_bytes_ + announced_bytes;
  for (const auto& runner : runners_) bytes += runner->bytes;
  if (bytes <= options_.memory_bytes_max) return Error::Ok();
  return Error(ErrorCode::kUnavailable,
               "the server's memory for live spans (memory.max) is full: send again later",
               kOverloadRetryMs);
}

void LiveTraces::Push(const model::TenantId& tenant, std::unique_ptr<model::SpanBatch> batch,
                      Done done) {
  if (batch->empty()) return done(Error::Ok());
  if (stopping_)
    return done(Error(ErrorCode::kUnavailable, "the server is stopping: send again to the next one",
                      kOverloadRetryMs));
  auto payload = EncodeBatch(*batch);
  if (!payload.ok()) return done(payload.error());
  auto ack = std::make_shared<Ack>();
  ack->bytes = batch->bytes() + payload->size();
  ack->pushed_bytes = &pushed_bytes_;
  ack->done = std::move(done);
  pushed_bytes_ += ack->bytes;
  std::shared_ptr<const model::SpanBatch> shared = std::move(batch);
  wal_->Append(
      tenant, std::move(*payload),
      [this, tenant, shared = std::move(shared), ack](Error error, wal::RecordPosition position) {
        if (!error.ok()) return ack->Finish(std::move(error));
        ledger_.Open(position.segment, shared->size());
        Enqueue(tenant, shared, position, ack);
      });
}

std::vector<std::vector<uint32_t>> LiveTraces::SplitByShard(const model::SpanBatch& batch) const {
  std::vector<std::vector<uint32_t>> rows(runners_.size());
  if (runners_.size() == 1) {
    rows[0].resize(batch.size());
    for (uint32_t i = 0; i < batch.size(); ++i) rows[0][i] = i;
    return rows;
  }
  for (uint32_t i = 0; i < batch.size(); ++i)
    rows[batch.trace_id(i).Hash() % runners_.size()].push_back(i);
  return rows;
}

void LiveTraces::Enqueue(const model::TenantId& tenant,
                         const std::shared_ptr<const model::SpanBatch>& batch,
                         wal::RecordPosition position, const std::shared_ptr<Ack>& ack) {
  std::vector<std::vector<uint32_t>> rows = SplitByShard(*batch);
  ack->parts = 1;
  for (size_t s = 0; s < rows.size(); ++s) {
    if (rows[s].empty()) continue;
    ++ack->parts;
    ShardRunner& runner = *runners_[s];
    MutexLock lock(runner.mutex);
    runner.tasks.push_back({tenant, batch, std::move(rows[s]), position, ack});
    runner.changed.NotifyOne();
  }
  ack->PartDone();
}

// --- threads

void LiveTraces::RunShard(ShardRunner* runner) {
  int64_t next_cut_ns = 0;
  while (true) {
    std::deque<MergeTask> tasks;
    bool stop;
    {
      MutexLock lock(runner->mutex);
      if (runner->tasks.empty() && !runner->stop) runner->changed.WaitFor(runner->mutex, kTickNs);
      tasks.swap(runner->tasks);
      stop = runner->stop;
    }
    if (stop && tasks.empty()) return;
    MergeTasks(runner, std::move(tasks));
    const int64_t now_ns = env_.MonotonicNs();
    if (now_ns < next_cut_ns) continue;
    next_cut_ns = now_ns + kTickNs;
    CutAndDispatch(runner, false);
  }
}

void LiveTraces::MergeTasks(ShardRunner* runner, std::deque<MergeTask> tasks) {
  for (MergeTask& task : tasks) {
    const uint32_t kept =
        runner->shard.Merge(task.tenant, *task.batch, task.rows, task.position.segment,
                            task.position.record, env_.MonotonicNs());
    duplicates_->Add(task.rows.size() - kept);
    task.batch.reset();
    task.ack->PartDone();
  }
  if (!tasks.empty()) runner->bytes = runner->shard.counts().bytes;
}

void LiveTraces::CutAndDispatch(ShardRunner* runner, bool all) {
  const int64_t now_ns = env_.MonotonicNs();
  const bool pressure = UnderPressure();
  runner->shard.Cut(now_ns, all || pressure);
  // Under pressure whatever is cut goes as soon as the builder has nothing else to do: while it
  // works, the next block grows.
  while (std::shared_ptr<CutJob> job =
             runner->shard.TakeJob(now_ns, all || (pressure && BuilderIsIdle()))) {
    MutexLock lock(build_mutex_);
    build_tasks_.push_back({runner, std::move(job)});
    build_changed_.NotifyAll();
  }
}

bool LiveTraces::BuilderIsIdle() {
  MutexLock lock(build_mutex_);
  return build_tasks_.empty() && builds_running_ == 0;
}

void LiveTraces::RunBuilder() {
  while (true) {
    BuildTask task;
    {
      MutexLock lock(build_mutex_);
      while (build_tasks_.empty() && !build_stop_) build_changed_.Wait(build_mutex_);
      if (build_stop_) return;
      task = build_tasks_.front();
      build_tasks_.pop_front();
      ++builds_running_;
    }
    const Error error = WriteJob(task.runner, *task.job);
    if (error.ok()) ReturnFreeMemory();
    MutexLock lock(build_mutex_);
    --builds_running_;
    if (error.ok()) {
      built_spans_ += task.job->span_count;
      ++built_blocks_;
    } else {
      // The spans stay live and in the WAL; the same block is tried again until it works.
      block_failures_->Add();
      last_build_error_ = error;
      ++build_attempts_failed_;
      build_tasks_.push_front(std::move(task));
      LogError("a block can't be written; its spans stay in the WAL", {{"error", error.message()}});
      build_changed_.NotifyAll();
      if (!build_stop_) build_changed_.WaitFor(build_mutex_, options_.build_retry_ns);
    }
    build_changed_.NotifyAll();
  }
}

Error LiveTraces::WriteJob(ShardRunner* runner, const CutJob& job) {
  WEFT_ASSIGN_OR_RETURN(BuiltBlock built,
                        BuildBlock(job, stored_, &earlier_traces_, env_.NowNs(), options_.block));
  if (built.stored_spans > 0) {
    WEFT_ASSIGN_OR_RETURN(std::vector<uint64_t> segments,
                          WalRowSet::SegmentsOf(built.block.auxiliary.back().bytes));
    const std::vector<block::ManyKeys> many_keys = built.block.meta.many_keys;
    WEFT_RETURN_IF_ERROR(sink_.WriteBlock(std::move(built.block)));
    ReportManyKeys(job.tenant, many_keys);
    ledger_.AddBlock(job.tenant, job.block_id, std::move(segments));
    blocks_written_->Add();
  }
  duplicates_->Add(built.duplicate_spans);
  runner->shard.Release(job);
  runner->bytes = runner->shard.counts().bytes;
  ledger_.Settle(built.wal_rows);
  if (wal_) ReleaseSegments();  // not during replay
  return Error::Ok();
}

// By name for the first ones; a tenant who invents services must not fill the metrics.
void LiveTraces::ReportManyKeys(const model::TenantId& tenant,
                                const std::vector<block::ManyKeys>& many_keys) {
  for (const block::ManyKeys& many : many_keys) {
    std::pair<model::TenantId, std::string> sender{tenant, many.service};
    if (!key_senders_.contains(sender)) {
      if (key_senders_.size() < kKeySendersMax) {
        LogWarn(
            "a service sends ids as attribute keys: they get no columns, which makes asking for "
            "them "
            "slow; `weft blocks` shows an example",
            {{"tenant", tenant}, {"service", many.service}, {"keys", many.keys}});
        key_senders_.insert(sender);
      } else {
        sender = {"", "(others)"};
      }
    }
    metrics_
        .GetCounter("weft_many_attribute_keys_total",
                    "Attribute keys without a column in blocks where a service has over 1,000.",
                    {{"tenant", sender.first}, {"service", sender.second}})
        .Add(many.keys);
  }
}

void LiveTraces::ReleaseSegments() {
  const MutexLock lock(release_mutex_);
  const std::vector<wal::SegmentInfo> segments = wal_->segments();
  if (!segments.empty()) {
    // Without the second, the last blocks before a quiet time would carry their wal_rows.bin, and
    // wait for compaction, until the traffic of hours has filled the segment.
    const wal::SegmentInfo& current = segments.back();
    const bool idle = current.records > 0 && ledger_.IsSettled(current.number);
    if (current.bytes >= kRotateBytes || idle) ledger_.Open(wal_->Rotate(), 0);
  }
  for (uint64_t segment : ledger_.TakeReleasable(wal_->current_segment())) {
    const Error error = wal_->ReleaseSegment(segment);
    if (error.ok()) continue;
    LogWarn("a WAL segment can't be removed; tried again later",
            {{"segment", segment}, {"error", error.message()}});
    // It may be there at the next start: until it is gone, its blocks must say what they hold of
    // it.
    ledger_.Open(segment, 0);
  }
  for (const SegmentLedger::BlockRef& block : ledger_.TakeUnneededBlocks()) {
    const Error error = sink_.RemoveAuxiliary(block.tenant, block.block_id, kWalRowsFile);
    if (!error.ok())
      LogWarn("wal_rows.bin can't be removed",
              {{"block", block.block_id}, {"error", error.message()}});
  }
}

// --- flush and stop

Result<FlushReport> LiveTraces::Flush() {
  uint64_t spans_before, blocks_before, failures_before;
  {
    MutexLock lock(build_mutex_);
    spans_before = built_spans_;
    blocks_before = built_blocks_;
    failures_before = build_attempts_failed_;
  }
  for (const auto& runner : runners_) CutAndDispatch(runner.get(), true);
  MutexLock lock(build_mutex_);
  while ((!build_tasks_.empty() || builds_running_ > 0) &&
         build_attempts_failed_ == failures_before && !build_stop_) {
    build_changed_.Wait(build_mutex_);
  }
  if (build_attempts_failed_ != failures_before) return last_build_error_;
  return FlushReport{built_spans_ - spans_before, built_blocks_ - blocks_before};
}

Result<FlushReport> LiveTraces::FlushAndReleaseLog() {
  // What was acknowledged so far is in segments below this one; a shard may still be merging the
  // last of it, which the next round then finds.
  const uint64_t keep = wal_->Rotate();
  ledger_.Open(keep, 0);
  FlushReport sum;
  uint64_t oldest = 0;
  for (int round = 0; round < kReleaseRounds; ++round) {
    if (round > 0) {
      MutexLock lock(build_mutex_);
      build_changed_.WaitFor(build_mutex_, kTickNs);
    }
    WEFT_ASSIGN_OR_RETURN(const FlushReport report, Flush());
    sum.spans += report.spans;
    sum.blocks += report.blocks;
    ReleaseSegments();
    const std::vector<wal::SegmentInfo> segments = wal_->segments();
    if (segments.empty() || segments.front().number >= keep) return sum;
    oldest = segments.front().number;
  }
  return Error(ErrorCode::kUnavailable,
               "segment " + std::to_string(oldest) +
                   " of the write-ahead log can't be removed yet, and spans in it would come back: "
                   "try again; if it stays, the log says why",
               kOverloadRetryMs);
}

void LiveTraces::Stop(int64_t deadline_ns) {
  if (stopping_.exchange(true) || !wal_) return;
  wal_->Stop();  // what is queued becomes durable and is merged below
  for (const auto& runner : runners_) {
    {
      MutexLock lock(runner->mutex);
      runner->stop = true;
      runner->changed.NotifyAll();
    }
    if (runner->thread.joinable()) runner->thread.join();
  }
  const int64_t give_up_ns = env_.MonotonicNs() + deadline_ns;
  uint64_t failures = 0;
  {
    MutexLock lock(build_mutex_);
    failures = build_attempts_failed_;
  }
  if (deadline_ns > 0) {
    for (const auto& runner : runners_) CutAndDispatch(runner.get(), true);
  }
  {
    MutexLock lock(build_mutex_);
    while (deadline_ns > 0 && (!build_tasks_.empty() || builds_running_ > 0) &&
           build_attempts_failed_ == failures && env_.MonotonicNs() < give_up_ns) {
      build_changed_.WaitFor(build_mutex_, kTickNs);
    }
    build_stop_ = true;
    build_changed_.NotifyAll();
  }
  if (builder_.joinable()) builder_.join();
}

// --- RowSource

Result<std::vector<std::shared_ptr<const block::RowGroup>>> LiveTraces::Snapshot(
    const model::TenantId& tenant, TimeRange range, const block::SnapshotOptions& options) const {
  // Live rows first: a block that becomes visible in between is then seen twice, never missed, and
  // its rows are left out by its id.
  std::vector<std::pair<ShardRunner*, ChunkView>> views;
  for (const auto& runner : runners_) {
    for (ChunkView& view : runner->shard.Snapshot(tenant, range))
      views.emplace_back(runner.get(), std::move(view));
  }
  WEFT_ASSIGN_OR_RETURN(auto groups, stored_.Snapshot(tenant, range, options));
  absl::flat_hash_set<std::string> visible;
  for (const auto& group : groups) visible.insert(group->block_id());
  for (const auto& [runner, view] : views) {
    RowBits excluded = runner->shard.ExcludedRows(view, visible);
    if (AllExcluded(excluded, view.columns->batch().size())) continue;
    groups.push_back(std::make_shared<block::BatchRowGroup>(view.columns, std::move(excluded)));
  }
  return groups;
}

Result<model::SpanBatch> LiveTraces::FindTrace(const model::TenantId& tenant,
                                               model::TraceId id) const {
  model::SpanBatch live;
  for (const auto& runner : runners_) runner->shard.FindTrace(tenant, id, &live);
  WEFT_ASSIGN_OR_RETURN(model::SpanBatch stored, stored_.FindTrace(tenant, id));
  if (live.empty()) return stored;
  model::BatchAppender(&live).AppendAll(stored);
  return block::WithoutDuplicates(live);
}

Result<std::vector<bool>> LiveTraces::MayBeElsewhere(const model::TenantId& tenant,
                                                     std::span<const model::TraceId> ids,
                                                     const std::string& block_id) const {
  std::vector<bool> live(ids.size(), false);
  for (const auto& runner : runners_) runner->shard.MarkLive(tenant, ids, &live);
  WEFT_ASSIGN_OR_RETURN(std::vector<bool> elsewhere, stored_.MayBeElsewhere(tenant, ids, block_id));
  for (size_t i = 0; i < ids.size(); ++i) elsewhere[i] = elsewhere[i] || live[i];
  return elsewhere;
}

Result<block::RowSource::JoinedSummary> LiveTraces::SummarizeTrace(const model::TenantId& tenant,
                                                                   model::TraceId id) const {
  model::SpanBatch live;
  for (const auto& runner : runners_) runner->shard.FindTrace(tenant, id, &live);
  WEFT_ASSIGN_OR_RETURN(JoinedSummary stored, stored_.SummarizeTrace(tenant, id));
  if (live.empty()) return stored;
  if (stored.fragments == 0) return JoinedSummary{block::SummarizeSpans(live), 1};
  WEFT_ASSIGN_OR_RETURN(const model::SpanBatch spans, stored_.FindTrace(tenant, id));
  model::BatchAppender(&live).AppendAll(spans);
  return JoinedSummary{block::SummarizeSpans(live), stored.fragments + 1};
}

}  // namespace weft::live
