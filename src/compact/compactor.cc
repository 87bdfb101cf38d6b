#include "compact/compactor.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/log.h"
#include "base/memory.h"
#include "block/merge.h"

namespace weft::compact {

using store::BlockName;
using store::BlockPtr;

Compactor::Compactor(Env& env, CompactorOptions options, store::BlockStore& store,
                     MetricRegistry& metrics, std::function<bool()> busy)
    : env_(env),
      metrics_(metrics),
      options_(std::move(options)),
      store_(store),
      busy_(std::move(busy)),
      merges_(metrics.GetCounter("weft_compaction_merges_total", "Blocks written by compaction.")),
      merged_blocks_(metrics.GetCounter("weft_compaction_merged_blocks_total",
                                        "Blocks that compaction has replaced.")),
      merged_spans_(
          metrics.GetCounter("weft_compaction_spans_total", "Spans rewritten by compaction.")),
      read_bytes_(metrics.GetCounter("weft_compaction_read_bytes_total",
                                     "Bytes of the blocks that compaction has replaced.")),
      written_bytes_(metrics.GetCounter("weft_compaction_written_bytes_total",
                                        "Bytes of the blocks that compaction has written.")),
      busy_us_(metrics.GetCounter("weft_compaction_busy_microseconds_total",
                                  "Time that merging has taken.")),
      failures_(metrics.GetCounter("weft_compaction_failures_total",
                                   "Merges that failed; the blocks stay as they are.")),
      waiting_blocks_(
          metrics.GetGauge("weft_compaction_waiting_blocks", "Blocks that wait to be merged.")),
      waiting_spans_(
          metrics.GetGauge("weft_compaction_waiting_spans", "Spans in blocks that wait.")) {}

Compactor::~Compactor() { Stop(); }

void Compactor::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Compactor::Stop() {
  {
    const MutexLock lock(mutex_);
    stop_ = true;
  }
  changed_.NotifyAll();
  if (thread_.joinable()) thread_.join();
}

void Compactor::Run() {
  for (;;) {
    const int64_t begin_ns = env_.MonotonicNs();
    const auto result = RunOnce();
    const bool merged = result.ok() && *result;
    if (merged) ReturnFreeMemory();
    const int64_t took_ns = env_.MonotonicNs() - begin_ns;
    const int64_t percent = std::clamp<int64_t>(options_.cpu_percent, 1, 100);
    const int64_t rest_ns = took_ns * (100 - percent) / percent;
    if (WaitFor(merged ? rest_ns : std::max(rest_ns, options_.poll_ns))) return;
  }
}

// Whether to stop.
bool Compactor::WaitFor(int64_t ns) {
  const int64_t until_ns = env_.MonotonicNs() + ns;
  MutexLock lock(mutex_);
  while (!stop_) {
    const int64_t left_ns = until_ns - env_.MonotonicNs();
    if (left_ns <= 0) return false;
    changed_.WaitFor(mutex_, left_ns);
  }
  return true;
}

void Compactor::Expire() {
  const RetentionOptions& options = options_.retention;
  if (options.age_ns == 0 && options.tenant_bytes == 0 && options.disk_free_bytes == 0) return;
  uint64_t free_bytes = UINT64_MAX;
  if (options.disk_free_bytes != 0) {
    const auto free = env_.FreeDiskBytes(options_.disk_path);
    // What has been retired is on its way: nothing more need go for it.
    if (free.ok()) free_bytes = *free + store_.retired_bytes();
  }
  std::vector<std::shared_ptr<const store::BlockVector>> blocks;
  for (const model::TenantId& tenant : store_.tenants()) blocks.push_back(store_.Blocks(tenant));
  for (const Expired& expired : ExpiredBlocks(blocks, options, env_.NowNs(), free_bytes)) {
    const BlockName& name = expired.block->name;
    // Replaying the log would bring it back: it goes when the log is done with it.
    if (store_.HasAuxiliary(name) || !store_.RetireBlock(name, env_.NowNs())) continue;
    metrics_
        .GetCounter("weft_expired_spans_total", "Spans that retention has deleted.",
                    {{"tenant", name.tenant}, {"reason", std::string(expired.reason)}})
        .Add(expired.block->meta.span_count - expired.block->deleted_spans());
    LogInfo("a block has expired", {{"tenant", name.tenant},
                                    {"block", name.id},
                                    {"reason", expired.reason},
                                    {"spans", expired.block->meta.span_count}});
  }
}

std::vector<Choice> Compactor::ChooseAll() {
  std::vector<Choice> all;
  uint64_t blocks = 0;
  uint64_t spans = 0;
  for (const model::TenantId& tenant : store_.tenants()) {
    const auto list = store_.Blocks(tenant);
    store::BlockVector ready;
    for (const BlockPtr& block : *list) {
      if (!store_.HasAuxiliary(block->name)) ready.push_back(block);
    }
    for (Choice& choice : ChooseBlocks(ready, skipped_, options_.choose, env_.NowNs())) {
      blocks += choice.blocks.size();
      spans += choice.span_count();
      all.push_back(std::move(choice));
    }
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Choice& a, const Choice& b) { return a.level < b.level; });
  waiting_blocks_.Set(static_cast<int64_t>(blocks));
  waiting_spans_.Set(static_cast<int64_t>(spans));
  return all;
}

// Those with deleted rows.
std::vector<Choice> Compactor::ChooseWithDeletions() {
  std::vector<Choice> all;
  for (const model::TenantId& tenant : store_.tenants()) {
    const auto list = store_.Blocks(tenant);
    for (Choice& choice : ChooseDeleted(*list, skipped_, options_.choose, env_.NowNs())) {
      // Replaying the log needs its name: it waits until the log is done with it.
      if (!store_.HasAuxiliary(choice.blocks[0]->name)) all.push_back(std::move(choice));
    }
  }
  return all;
}

Result<bool> Compactor::RunOnce() {
  const MutexLock lock(store_.rewriting());
  Expire();
  store_.RemoveRetired(env_.NowNs() - options_.retire_grace_ns);
  store_.SettleDeletions(env_.NowNs());
  if (const Error error = store_.SaveCatalog(false); !error.ok()) {
    // Nothing but the time of the next start hangs on it.
    LogWarn("the catalog could not be saved; tried again later", {{"error", error.message()}});
  }
  if (busy_ && busy_()) return false;
  std::vector<Choice> choices = ChooseWithDeletions();
  if (choices.empty() && options_.cpu_percent != 0) choices = ChooseAll();
  if (choices.empty()) return false;
  ReturnFreeMemory();
  const Error error = Merge(choices.front());
  if (error.ok()) return true;
  failures_.Add();
  LogError("compaction failed; the blocks stay as they are", {{"error", error.message()}});
  SkipUnreadable(choices.front(), error);
  return error;
}

Result<block::EncodedBlock> Compactor::MergeOf(const std::vector<BlockPtr>& blocks,
                                               uint32_t level) {
  std::vector<std::shared_ptr<const block::Block>> inputs;
  std::vector<block::RowSetPtr> deleted;
  for (const BlockPtr& block : blocks) {
    deleted.push_back(block->deleted);
    auto opened = store_.OpenForReading(*block, options_.cache_bytes);
    if (!opened.ok()) return opened.error().WithContext("block " + FolderOf(block->name));
    inputs.push_back(std::move(opened).value());
  }
  block::BlockMeta meta;
  meta.id = block::NewBlockId(env_.NowNs(), env_.RandomU64());
  meta.tenant = blocks.front()->name.tenant;
  meta.created_ns = static_cast<uint64_t>(env_.NowNs());
  meta.level = level;
  return block::MergeBlocks(inputs, std::move(meta), options_.block, deleted);
}

// Nothing of them is left. Until they are off the disk the records of the deletions hide them.
void Compactor::RetireAll(const Choice& choice) {
  for (const BlockPtr& block : choice.blocks) {
    store_.RetireBlock(block->name, env_.NowNs());
    LogInfo("a block has gone, all its spans were deleted",
            {{"tenant", block->name.tenant}, {"block", block->name.id}});
  }
}

Error Compactor::Merge(const Choice& choice) {
  const int64_t begin_ns = env_.MonotonicNs();
  if (choice.span_count() == 0) {
    RetireAll(choice);
    return Error::Ok();
  }
  WEFT_ASSIGN_OR_RETURN(block::EncodedBlock merged, MergeOf(choice.blocks, choice.level));
  std::vector<BlockName> names;
  uint64_t read_bytes = 0;
  for (const BlockPtr& block : choice.blocks) {
    names.push_back(block->name);
    read_bytes += block->total_bytes;
  }
  const uint64_t spans = merged.meta.span_count;
  const uint64_t written_bytes = merged.meta.TotalBytes();
  WEFT_RETURN_IF_ERROR(store_.ReplaceBlocks(std::move(merged), names, env_.NowNs()));
  const int64_t took_ns = env_.MonotonicNs() - begin_ns;
  merges_.Add();
  merged_blocks_.Add(names.size());
  merged_spans_.Add(spans);
  read_bytes_.Add(read_bytes);
  written_bytes_.Add(written_bytes);
  busy_us_.Add(static_cast<uint64_t>(took_ns / 1000));
  LogInfo("blocks were merged", {{"tenant", names.front().tenant},
                                 {"blocks", names.size()},
                                 {"level", choice.level},
                                 {"spans", spans},
                                 {"bytes_before", read_bytes},
                                 {"bytes", written_bytes},
                                 {"ms", took_ns / 1'000'000}});
  return Error::Ok();
}

// Finds those that can't be merged even alone. When all can, the trouble is elsewhere (a full disk)
// and the same is tried again later.
void Compactor::SkipUnreadable(const Choice& choice, const Error& why) {
  if (why.code() != ErrorCode::kCorrupt && why.code() != ErrorCode::kUnsupported &&
      why.code() != ErrorCode::kNotFound) {
    return;
  }
  for (const BlockPtr& block : choice.blocks) {
    const auto alone = MergeOf({block}, choice.level);
    if (alone.ok()) continue;
    skipped_.insert(block->name);
    LogError("a block can't be read and is left out of compaction",
             {{"tenant", block->name.tenant},
              {"block", block->name.id},
              {"error", alone.error().message()}});
  }
}

}  // namespace weft::compact
