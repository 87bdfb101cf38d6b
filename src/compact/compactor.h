// Compactor: makes few large blocks of many small ones, in the background.
//
// 1. Choose blocks (choose.h).
// 2. Merge them in memory (block/merge.h), write the result beside them.
// 3. Show it in their place, in one step (store::BlockShelf::Replace); a crash before that leaves
//    an unfinished block, one after it leaves blocks that do not count.
// 4. Delete what was replaced, a while later, when no query reads it any more.
// Before each merge what retention rules out is taken away (retention.h), in the same two steps.
// Blocks of which rows were deleted come first, each by itself, also where merging is switched off:
// they are rewritten without these rows, or go when nothing is left.
// After that the store saves its catalog if that is worth it (store::BlockStore::SaveCatalog).
// Blocks that still carry what replaying the write-ahead log needs are not touched.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <thread>

#include "base/env.h"
#include "base/metrics.h"
#include "base/mutex.h"
#include "block/block.h"
#include "compact/choose.h"
#include "compact/retention.h"
#include "store/block_store.h"

namespace weft::compact {

struct CompactorOptions {
  ChooseOptions choose;
  RetentionOptions retention;
  std::string disk_path;  // whose free space retention looks at
  block::BlockWriterOptions block{.row_group_rows_max = 1u << 19};
  // Of the time of one core that merging may take; 0: no merging but for deletions, retention
  // alone.
  uint32_t cpu_percent = 25;
  int64_t poll_ns = 2'000'000'000;
  int64_t retire_grace_ns = 120'000'000'000;
  uint64_t cache_bytes = 1ull << 20;  // for each block that is read
};

class Compactor {
 public:
  // `store` and `metrics` must outlive it. Merging waits while `busy` is true.
  Compactor(Env& env, CompactorOptions options, store::BlockStore& store, MetricRegistry& metrics,
            std::function<bool()> busy);
  ~Compactor();

  // Works in a thread of its own until Stop, which waits for a merge that has begun.
  void Start();
  void Stop() WEFT_EXCLUDES(mutex_);

  // Applies retention, deletes what was replaced or expired long enough ago, merges what is most
  // urgent; false when there was nothing to merge. Called by the thread, or by tests that have not
  // started it.
  Result<bool> RunOnce();

 private:
  void Run();
  void Expire();
  std::vector<Choice> ChooseAll();
  std::vector<Choice> ChooseWithDeletions();
  Error Merge(const Choice& choice);
  void RetireAll(const Choice& choice);
  void SkipUnreadable(const Choice& choice, const Error& why);
  Result<block::EncodedBlock> MergeOf(const std::vector<store::BlockPtr>& blocks, uint32_t level);
  bool WaitFor(int64_t ns) WEFT_EXCLUDES(mutex_);

  Env& env_;
  MetricRegistry& metrics_;
  const CompactorOptions options_;
  store::BlockStore& store_;
  const std::function<bool()> busy_;
  Counter& merges_;
  Counter& merged_blocks_;
  Counter& merged_spans_;
  Counter& read_bytes_;
  Counter& written_bytes_;
  Counter& busy_us_;
  Counter& failures_;
  Gauge& waiting_blocks_;
  Gauge& waiting_spans_;
  std::set<store::BlockName> skipped_;  // could not be read

  Mutex mutex_;
  CondVar changed_;
  bool stop_ WEFT_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace weft::compact
