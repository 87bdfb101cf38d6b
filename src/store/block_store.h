// BlockStore: the blocks of all tenants in an object store, to write to (BlockSink) and to ask
// (RowSource).
//
// What is where, and what survives what, is told in block_shelf.h; memory and files are bounded by
// BlockStoreOptions. A block that turns out to be damaged when it is opened is logged, counted
// (weft_store_damaged_blocks) and left out from then on; damage found while reading is an error of
// that read. Any thread.
#pragma once

#include <cstdint>
#include <memory>
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

namespace weft::store {

struct BlockStoreOptions {
  uint64_t cache_bytes_max = 128ull << 20;  // of decoded columns, dictionaries, directories
  uint32_t open_blocks_max = 512;
  uint32_t open_files_max = 256;
  // Only by the one process that writes: folders without meta.json are removed at the start.
  bool remove_unfinished = true;
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
  Result<JoinedSummary> SummarizeTrace(const model::TenantId& tenant,
                                       model::TraceId id) const override;

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

  // --- for compaction and retention: see BlockShelf
  Error ReplaceBlocks(block::EncodedBlock block, const std::vector<BlockName>& others,
                      int64_t now_ns) {
    return shelf_.Replace(std::move(block), others, now_ns);
  }
  bool RetireBlock(const BlockName& name, int64_t now_ns) { return shelf_.Retire(name, now_ns); }
  void RemoveRetired(int64_t until_ns);
  uint64_t retired_bytes() const { return shelf_.retired_bytes(); }
  // Held by whoever replaces or retires blocks or hides rows of them, from before it reads them:
  // what a merge has read must not change before it takes their place.
  Mutex& rewriting() WEFT_RETURN_CAPABILITY(rewriting_) { return rewriting_; }
  bool HasAuxiliary(const BlockName& name) const { return shelf_.HasAuxiliary(name); }

  // --- deletion: see BlockShelf
  Result<CatalogBlock> PutForDeletion(const block::EncodedBlock& block) {
    return shelf_.PutForDeletion(block);
  }
  Error CommitDeletion(const block::Deletion& deletion, std::vector<CatalogBlock> blocks) {
    return shelf_.Commit(deletion, std::move(blocks));
  }
  void AbandonDeletion(const std::vector<CatalogBlock>& blocks) { shelf_.Abandon(blocks); }
  void SettleDeletions(int64_t now_ns) { shelf_.SettleDeletions(now_ns); }
  const DeletionRecords& deletions() const { return shelf_.deletions(); }

  // Opened anew, to be read once as a whole: with a small cache of its own.
  Result<std::shared_ptr<const block::Block>> OpenForReading(const CatalogBlock& block,
                                                             uint64_t cache_bytes) const {
    return open_.OpenApart(block, cache_bytes);
  }

 private:
  BlockStore(ObjectStore& objects, const BlockStoreOptions& options, MetricRegistry& metrics);

  // The opened block; null when it is damaged, or gone since the list was taken.
  Result<std::shared_ptr<const block::Block>> OpenOrSetAside(const CatalogBlock& block) const;
  struct Fragments {
    model::SpanBatch spans;
    uint32_t count = 0;  // blocks that hold some of it
  };
  Result<Fragments> FindFragments(const model::TenantId& tenant, model::TraceId id) const;

  Mutex rewriting_;
  mutable BlockShelf shelf_;
  mutable OpenBlocks open_;
};

}  // namespace weft::store
