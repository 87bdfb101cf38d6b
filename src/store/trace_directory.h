// TraceDirectory: which blocks may hold a trace, so that asking for one trace of a hundred thousand
// blocks opens the few that hold it.
//
// Each block is in one of three states:
//   covered  a trace table (trace_table.h) in the tenant's catalog folder lists its traces;
//   noted    not yet, but the hashes of its trace ids are in memory;
//   unknown  neither: it may hold anything.
// Saving makes a table of noted blocks, and merges tables as they add up, four of a size into one,
// up to TraceTable::kEntriesMax entries. A table that is lost or damaged makes its blocks unknown
// again, which costs time and no answer. Any thread, but one call of Save at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include "base/mutex.h"
#include "store/catalog.h"
#include "store/object_store.h"
#include "store/shared_traces.h"
#include "store/trace_table.h"

namespace weft::store {

struct TraceDirectoryOptions {
  // A table is written for so many blocks, or for so many of their traces.
  uint32_t blocks_min = 64;
  uint64_t traces_min = 1u << 20;
  // Of noted blocks in memory, 8 bytes each; more blocks stay unknown.
  uint64_t noted_traces_max = 4u << 20;
  // Another process writes: a table that is gone was merged into another one, and Find fails with
  // kNotFound until that has been loaded.
  bool read_only = false;
};

class TraceDirectory {
 public:
  // Sorted, each once.
  using Hashes = std::vector<uint64_t>;

  TraceDirectory(ObjectStore& objects, const TraceDirectoryOptions& options)
      : objects_(objects), options_(options) {}

  // Makes the tenant's tables those among `objects`, what lies in its catalog folder: opens those
  // that are new, drops those that are gone. Fails when one can't be read now.
  Error Load(const model::TenantId& tenant, const std::vector<ObjectInfo>& objects)
      WEFT_EXCLUDES(mutex_);

  // Whether so many more hashes would be kept.
  bool HasRoomFor(uint64_t hashes) const WEFT_EXCLUDES(mutex_);
  // A block comes: before queries see it, that no trace is missed. With its hashes, or unknown.
  void Add(const BlockName& name, std::optional<Hashes> hashes) WEFT_EXCLUDES(mutex_);
  // The hashes of a block that was unknown.
  void Note(const BlockName& name, Hashes hashes) WEFT_EXCLUDES(mutex_);
  // A block goes: after queries have stopped seeing it.
  void Remove(const BlockName& name) WEFT_EXCLUDES(mutex_);

  // A block that was added is going to replace others: their traces are in it and not elsewhere for
  // that. Taken back by its Remove.
  void WillReplace(const BlockName& name, const std::vector<BlockName>& others)
      WEFT_EXCLUDES(mutex_);
  // The others go: after queries have stopped seeing them. Those who still read one are told by
  // MayBeInOthers what was in the others, until ForgetReplaced.
  void Replace(const BlockName& name, const std::vector<BlockName>& others) WEFT_EXCLUDES(mutex_);
  void ForgetReplaced(const BlockName& name) WEFT_EXCLUDES(mutex_);
  bool IsReplaced(const BlockName& name) const WEFT_EXCLUDES(mutex_);

  // Ids of all blocks that may hold the trace; others may be among them. At most one read for each
  // table that is not in memory.
  Result<std::vector<std::string>> Find(const model::TenantId& tenant, model::TraceId id) const
      WEFT_EXCLUDES(mutex_);
  // Of each hash of a trace of `block` whether another block may hold the trace, too; errors as
  // Find's. Much cheaper than asking for one after the other. Of a block that was replaced, whether
  // one of the others of its time may. Where many are asked for it is found out for all blocks at
  // once and kept until a block comes or goes.
  Result<std::vector<bool>> MayBeInOthers(const model::TenantId& tenant,
                                          std::span<const uint64_t> hashes,
                                          const RawBlockId& block) const WEFT_EXCLUDES(mutex_);
  bool IsUnknown(const BlockName& name) const WEFT_EXCLUDES(mutex_);
  // Some of the unknown blocks.
  std::vector<BlockName> Unknown(const model::TenantId& tenant, size_t count_max) const
      WEFT_EXCLUDES(mutex_);

  // Writes and merges tables where that is worth it; with `all`, also of fewer blocks. Gives a
  // number for each new object by calling `next_number`.
  template <typename NextNumber>
  Error Save(const model::TenantId& tenant, bool all, NextNumber next_number) {
    WEFT_RETURN_IF_ERROR(SaveNoted(tenant, all, next_number));
    return MergeTables(tenant, next_number);
  }

  struct Totals {
    uint64_t tables = 0;
    uint64_t covered = 0;
    uint64_t noted = 0;
    uint64_t unknown = 0;
    uint64_t memory_bytes = 0;
  };
  Totals totals() const WEFT_EXCLUDES(mutex_);

 private:
  struct Table {
    std::string name;  // of the object, in full
    std::shared_ptr<const TraceTable> table;
  };
  using TablePtr = std::shared_ptr<const Table>;
  // A block that was replaced.
  struct Part {
    RawBlockId id;
    bool covered = false;
    std::shared_ptr<const Hashes> hashes;
  };
  struct Replaced {
    RawBlockId by;
    // All that went with it, itself too; null while it is still there.
    std::shared_ptr<const std::vector<Part>> parts;
  };
  // Traces that several blocks list, but for those that are about to replace others.
  struct Shared {
    uint64_t version = 0;
    absl::flat_hash_set<uint64_t> hashes;
  };
  struct Tenant {
    // Counts all changes of what follows, but for `useless` and `unreadable`.
    uint64_t version = 0;
    std::shared_ptr<const Shared> shared;
    std::vector<TablePtr> tables;
    // All blocks: how many tables list each.
    absl::flat_hash_map<RawBlockId, uint32_t> blocks;
    std::map<RawBlockId, std::shared_ptr<const Hashes>> uncovered;  // null: unknown
    std::map<RawBlockId, Replaced> replaced;                        // or about to be
    std::vector<std::string> useless;                               // objects to delete
    // Objects in the folder that are damaged, or of a later version: not tried again.
    absl::flat_hash_set<std::string> unreadable;
  };
  using NumberSource = std::function<uint64_t()>;

  Error SaveNoted(const model::TenantId& tenant, bool all, const NumberSource& next_number)
      WEFT_EXCLUDES(mutex_);
  Error MergeTables(const model::TenantId& tenant, const NumberSource& next_number)
      WEFT_EXCLUDES(mutex_);
  std::vector<TablePtr> ChooseTables(const model::TenantId& tenant) WEFT_EXCLUDES(mutex_);
  // Writes a table, and shows it in the place of others.
  Error Write(const model::TenantId& tenant, uint64_t number, const std::vector<RawBlockId>& blocks,
              std::vector<std::pair<uint64_t, uint32_t>> entries,
              const std::vector<TablePtr>& others) WEFT_EXCLUDES(mutex_);
  void DeleteUseless(const model::TenantId& tenant) WEFT_EXCLUDES(mutex_);
  // A table that can't be read: its blocks are unknown from here on.
  void Drop(const model::TenantId& tenant, const TablePtr& table, const Error& why) const
      WEFT_EXCLUDES(mutex_);
  // Says so, and remembers not to try again.
  void SetAside(Tenant* tenant, const std::string& name, const Error& why) const
      WEFT_REQUIRES(mutex_);
  void Cover(Tenant* tenant, const TablePtr& table) const WEFT_REQUIRES(mutex_);
  void Uncover(Tenant* tenant, const TablePtr& table) const WEFT_REQUIRES(mutex_);
  void Forget(Tenant* tenant, const RawBlockId& id) const WEFT_REQUIRES(mutex_);
  // Where the traces of blocks other than one stand.
  struct Others {
    bool unknown = false;
    std::vector<std::shared_ptr<const Hashes>> lists;
    std::vector<TablePtr> tables;
    std::vector<std::vector<bool>> counts;  // for each table, which of its blocks
  };
  Others OthersOf(const Tenant& tenant, const RawBlockId& block) const WEFT_REQUIRES(mutex_);
  // What tells which traces of `block` others list; null where that is not known at once, and not
  // worth finding out for `asked` traces.
  std::shared_ptr<const Shared> SharedFor(const model::TenantId& tenant, const RawBlockId& block,
                                          size_t asked) const WEFT_EXCLUDES(mutex_, sharing_);
  // Null where it would have to be found out.
  std::shared_ptr<const Shared> KnownShared(const model::TenantId& tenant,
                                            const RawBlockId& block) const WEFT_REQUIRES(mutex_);
  // What to find it out from; nothing where that can't be done or is not worth it.
  std::optional<TraceLists> ListsFor(const model::TenantId& tenant, const RawBlockId& block,
                                     size_t asked) const WEFT_REQUIRES(mutex_);
  // Of all blocks, for Shared; nothing where a block is unknown, or there are too many traces.
  static std::optional<TraceLists> ListsOf(const Tenant& tenant);
  // Blocks that are about to replace others.
  static absl::flat_hash_set<RawBlockId> ReplacementsOf(const Tenant& tenant);

  ObjectStore& objects_;
  const TraceDirectoryOptions options_;
  mutable Mutex sharing_;  // before mutex_: one thread finds out for all
  mutable Mutex mutex_;
  mutable std::map<model::TenantId, Tenant> tenants_ WEFT_GUARDED_BY(mutex_);
  mutable uint64_t noted_traces_ WEFT_GUARDED_BY(mutex_) = 0;
};

// The hashes of the traces of a block that is still in memory; nothing when they can't be read.
std::optional<TraceDirectory::Hashes> HashesOf(const block::EncodedBlock& block);
// The same of a block's spans.parquet.
Result<TraceDirectory::Hashes> ReadHashes(std::unique_ptr<ReadableFile> spans,
                                          const block::FileMeta& meta);
// Sorts, and leaves out what is there twice.
TraceDirectory::Hashes HashesOf(const std::vector<model::TraceId>& ids);

}  // namespace weft::store
