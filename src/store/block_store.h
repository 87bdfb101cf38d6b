// BlockStore: the blocks of all tenants in an object store, to write to (BlockSink) and to ask
// (RowSource).
//
// What is where, and what survives what, is told in block_shelf.h; memory and files are bounded by
// BlockStoreOptions. A block that turns out to be damaged when it is opened is logged, counted
// (weft_store_damaged_blocks) and left out from then on; damage found while reading is an error of
// that read. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "base/env.h"
#include "base/metrics.h"
#include "base/mutex.h"
#include "block/block.h"
#include "block/row_source.h"
#include "store/block_list.h"
#include "store/block_shelf.h"
#include "store/open_blocks.h"
#include "store/trace_directory.h"

namespace weft::store {

struct BlockStoreOptions {
  uint64_t cache_bytes_max = 128ull << 20;  // of decoded columns, dictionaries, directories
  uint32_t open_blocks_max = 512;
  uint32_t open_files_max = 256;
  // Only by the one process that writes: folders without meta.json are removed at the start.
  bool remove_unfinished = true;
  // Another process writes to the store: nothing of it is changed here, and Refresh follows what
  // that process does.
  bool read_only = false;
  BlockShelfOptions shelf;
  TraceDirectoryOptions traces;
};

class BlockStore : public block::BlockSink, public block::RowSource {
 public:
  // Reads the catalog. `objects` and `metrics` must outlive the store, and the store its row
  // groups.
  static Result<std::unique_ptr<BlockStore>> Open(ObjectStore& objects, BlockStoreOptions options,
                                                  MetricRegistry& metrics);

  // --- BlockSink
  Error WriteBlock(block::EncodedBlock block) override;
  Result<std::vector<AuxiliaryFile>> ReadAuxiliary(std::string_view name) const override;
  Error RemoveAuxiliary(const model::TenantId& tenant, const std::string& block_id,
                        std::string_view name) override;

  // --- RowSource
  Result<std::vector<std::shared_ptr<const block::RowGroup>>> Snapshot(
      const model::TenantId& tenant, TimeRange range,
      const block::SnapshotOptions& options) const override;
  Result<model::SpanBatch> FindTrace(const model::TenantId& tenant,
                                     model::TraceId id) const override;
  Result<std::vector<model::SpanId>> SpanIdsOf(const model::TenantId& tenant,
                                               model::TraceId id) const override;
  Result<JoinedSummary> SummarizeTrace(const model::TenantId& tenant,
                                       model::TraceId id) const override;
  Result<std::vector<bool>> MayBeElsewhere(const model::TenantId& tenant,
                                           std::span<const model::TraceId> ids,
                                           const std::string& block_id) const override;

  // A store that only reads: see Refresh. Else nothing.
  Error Renew() const override;

  // --- what is there
  std::shared_ptr<const BlockVector> Blocks(const model::TenantId& tenant) const {
    return shelf_.list().Get(tenant);
  }
  std::vector<model::TenantId> tenants() const { return shelf_.list().tenants(); }
  TenantTotals TotalsOf(const model::TenantId& tenant) const {
    return shelf_.list().TotalsOf(tenant);
  }
  std::vector<Catalog::Damaged> damaged() const { return shelf_.damaged(); }

  // See BlockShelf::Delete.
  Error DeleteBlock(const BlockName& name);

  // Takes over what the process that writes has changed since: costs a listing of each tenant's
  // blocks, and reads only what is new. Calls that come while one is running wait for the next.
  Error Refresh() const WEFT_EXCLUDES(refresh_mutex_);

  // --- for compaction and retention: see BlockShelf
  Error ReplaceBlocks(block::EncodedBlock block, const std::vector<BlockName>& others,
                      int64_t now_ns);
  bool RetireBlock(const BlockName& name, int64_t now_ns);
  void RemoveRetired(int64_t until_ns);
  // Removes what has expired of a tenant at once; kUnavailable where that fails: a start may bring
  // such a block back, with spans that somebody deletes now.
  Error RemoveExpired(const model::TenantId& tenant);
  uint64_t retired_bytes() const { return shelf_.retired_bytes(); }
  // Held by whoever replaces or retires blocks or hides rows of them, from before it reads them:
  // what a merge has read must not change before it takes their place.
  Mutex& rewriting() WEFT_RETURN_CAPABILITY(rewriting_) { return rewriting_; }
  bool HasAuxiliary(const BlockName& name) const { return shelf_.HasAuxiliary(name); }
  // Writes what a next start and finding traces are quick by, where that is worth it: snapshots of
  // the catalog and trace tables. With `all` what is left over too, at the end of a life. Looks
  // into some blocks whose traces are not known. One call at a time.
  Error SaveCatalog(bool all);

  // --- deletion: see BlockShelf
  Result<CatalogBlock> PutForDeletion(const block::EncodedBlock& block);
  Error CommitDeletion(const block::Deletion& deletion, std::vector<CatalogBlock> blocks);
  void AbandonDeletion(const std::vector<CatalogBlock>& blocks);
  void SettleDeletions(int64_t now_ns) {
    if (!read_only_) shelf_.SettleDeletions(now_ns);
  }
  const DeletionRecords& deletions() const { return shelf_.deletions(); }

  // Opened anew, to be read once as a whole: with a small cache of its own.
  Result<std::shared_ptr<const block::Block>> OpenForReading(const CatalogBlock& block,
                                                             uint64_t cache_bytes) const {
    return open_.OpenApart(block, cache_bytes);
  }

 private:
  BlockStore(ObjectStore& objects, const BlockStoreOptions& options, MetricRegistry& metrics);
  Error LoadTraceDirectory();
  void NoteUnknown(const model::TenantId& tenant);
  void SetAside(const BlockName& name, const Error& why) const;
  // Those that may hold the trace, newest first.
  Result<BlockVector> BlocksWith(const model::TenantId& tenant, model::TraceId id) const;
  Result<std::shared_ptr<const block::RowGroup>> OpenGroup(const BlockPtr& block,
                                                           uint32_t row_group) const;
  Result<TraceDirectory::Hashes> ReadHashesOf(const CatalogBlock& block) const;
  bool MayHold(const CatalogBlock& block, model::TraceId id) const;

  // The opened block; null when it is damaged, or gone since the list was taken.
  Result<std::shared_ptr<const block::Block>> OpenOrSetAside(const CatalogBlock& block) const;
  struct Fragments {
    model::SpanBatch spans;
    uint32_t count = 0;  // blocks that hold some of it
  };
  Result<Fragments> FindFragments(const model::TenantId& tenant, model::TraceId id) const;
  Result<std::vector<model::SpanId>> SpanIdsOnce(const model::TenantId& tenant,
                                                 model::TraceId id) const;
  Result<JoinedSummary> SummarizeOnce(const model::TenantId& tenant, model::TraceId id) const;

  ObjectStore& objects_;
  const bool read_only_;
  Mutex rewriting_;
  mutable Mutex refresh_mutex_;
  mutable std::atomic<uint64_t> refreshes_begun_{0};
  // The number of the last one that succeeded, counted from 1.
  mutable uint64_t refreshed_ WEFT_GUARDED_BY(refresh_mutex_) = 0;
  mutable BlockShelf shelf_;
  mutable OpenBlocks open_;
  mutable TraceDirectory traces_;
  std::set<BlockName> unreadable_;  // of NoteUnknown: blocks whose traces can't be read
};

}  // namespace weft::store
