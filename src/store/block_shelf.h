// BlockShelf: puts blocks into an object store and takes them away, and knows which are there. What
// is inside a block it never looks at.
//
// Writing: 1. all files, durable; 2. meta.json, durable: from here on the block exists; 3. the list
// that queries see. Whatever happens before 2 leaves a folder without meta.json, which the next
// start removes. Deleting goes the other way round; before it what a snapshot of the catalog says
// of the block is taken back (catalog_snapshot.h).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "base/mutex.h"
#include "block/block.h"
#include "store/block_list.h"
#include "store/catalog.h"
#include "store/catalog_writer.h"
#include "store/deletion_records.h"
#include "store/object_store.h"

namespace weft::store {

struct BlockShelfOptions {
  uint32_t parallel_reads = 1;  // of the catalog, see CatalogOptions
  CatalogWriterOptions catalog;
};

// Any thread.
class BlockShelf {
 public:
  // `objects` and `metrics` must outlive it.
  BlockShelf(ObjectStore& objects, MetricRegistry& metrics, const BlockShelfOptions& options = {});

  // Reads the catalog; removes folders that are no blocks if `remove_unfinished` (only by the one
  // process that writes). Damaged blocks are logged, counted, left where they are and not seen by
  // queries. Called once.
  Error Load(bool remove_unfinished);

  // Looks again at what there is, for a process that only reads: blocks that came and went since
  // are taken over in one step for each tenant. `before` is called with what is to come before
  // queries see it, `after` with the ids that they no longer see. One call at a time.
  struct Watcher {
    std::function<Error(const model::TenantId&, const TenantChanges&)> before;
    std::function<void(const model::TenantId&, const std::vector<std::string>&)> after;
  };
  Error Refresh(const Watcher& watcher) WEFT_EXCLUDES(mutex_);

  // As BlockSink says.
  Error Write(const block::EncodedBlock& block);
  // Writes a block that has the spans of `others`, and shows it in their place in one step. They
  // are off the disk some time later, see RemoveRetired; a crash between leaves them there, and
  // whoever reads the catalog knows by the new block's meta.json that they do not count. On failure
  // nothing has changed; a new block that then could not be removed either is removed before the
  // next one of its tenant is written. One call at a time.
  Error Replace(block::EncodedBlock block, const std::vector<BlockName>& others, int64_t now_ns)
      WEFT_EXCLUDES(mutex_);
  // Out of sight at once, off the disk by RemoveRetired; it may be back at the next start if that
  // comes first. False when there is no such block.
  bool Retire(const BlockName& name, int64_t now_ns) WEFT_EXCLUDES(mutex_);
  // Deletes blocks that were replaced or retired before `until_ns`. Queries that began before may
  // still read them, so leave them for longer than a query takes. Returns those that are gone.
  std::vector<BlockName> RemoveRetired(int64_t until_ns) WEFT_EXCLUDES(mutex_);
  // The same at once for those of a tenant that Retire() took, which are what a start may bring
  // back; queries that read them begin anew.
  std::vector<BlockName> RemoveExpired(const model::TenantId& tenant) WEFT_EXCLUDES(mutex_);
  // Whether any of these is still there.
  bool HasExpired(const model::TenantId& tenant) const WEFT_EXCLUDES(mutex_);
  // Of blocks that were replaced or retired and are still on the disk.
  uint64_t retired_bytes() const WEFT_EXCLUDES(mutex_);

  // A block for a deletion that is not there yet (BlockMeta::deletion names it): durable, and
  // visible with it.
  Result<CatalogBlock> PutForDeletion(const block::EncodedBlock& block) { return Put(block); }
  // Makes the deletion durable and shows it: its rows are hidden and `blocks`, from PutForDeletion,
  // visible in one step. On failure nothing has changed and the blocks are removed, now or before
  // the next block of the tenant is replaced. One call at a time, and none while Replace runs.
  Error Commit(const block::Deletion& deletion, std::vector<CatalogBlock> blocks)
      WEFT_EXCLUDES(mutex_);
  // Removes blocks of a deletion that is given up before Commit.
  void Abandon(const std::vector<CatalogBlock>& blocks);
  // Rows of a block that a deletion hides if its record, of which Commit could not know, is there
  // after a restart; null when there are none.
  block::RowSetPtr RowsInDoubt(const BlockName& name) const WEFT_EXCLUDES(mutex_);
  // Records which deletions have been carried out: of the blocks that they name nothing is left.
  void SettleDeletions(int64_t now_ns) WEFT_EXCLUDES(mutex_);
  const DeletionRecords& deletions() const { return deletions_; }

  // Whether some auxiliary file lies in the block's folder.
  bool HasAuxiliary(const BlockName& name) const WEFT_EXCLUDES(mutex_);
  Result<std::vector<block::BlockSink::AuxiliaryFile>> ReadAuxiliary(std::string_view file) const
      WEFT_EXCLUDES(mutex_);
  Error RemoveAuxiliary(const BlockName& name, std::string_view file) WEFT_EXCLUDES(mutex_);

  // Out of sight at once, then off the disk; ok when there is none. Queries that began before may
  // fail to read it. On failure it is out of sight, and may be back at the next start.
  Error Delete(const BlockName& name);
  // Takes a block that turned out to be unreadable out of sight; logged and counted once.
  void SetAside(const BlockName& name, const Error& why) WEFT_EXCLUDES(mutex_);

  // Writes snapshots of the catalog where that is worth it; with `all`, wherever anything has
  // changed. One call at a time.
  Error SaveCatalog(bool all) WEFT_EXCLUDES(mutex_);
  // What lay in the tenants' catalog folders when the catalog was read.
  const std::map<model::TenantId, std::vector<ObjectInfo>>& catalog_objects() const {
    return catalog_objects_;
  }
  uint64_t NextCatalogNumber(const model::TenantId& tenant) { return writer_.NextNumber(tenant); }

  const BlockList& list() const { return list_; }
  std::vector<Catalog::Damaged> damaged() const WEFT_EXCLUDES(mutex_);

 private:
  struct Retired {
    BlockName name;
    int64_t since_ns = 0;
    uint64_t bytes = 0;
    bool expired = false;  // and nothing says that it does not count
  };

  std::vector<BlockName> RemoveFromDisk(const std::vector<BlockName>& due) WEFT_EXCLUDES(mutex_);

  struct Remains {
    BlockName name;
    bool merged = false;
  };

  // A deletion that failed, and whose record is perhaps there all the same.
  struct InDoubt {
    model::TenantId tenant;
    std::string id;
    std::vector<block::Deletion::Part> parts;
    std::vector<CatalogBlock> blocks;
  };

  // Whatever makes something else not count.
  Error MakeDurable(const Catalog& catalog);
  // Durable, and not yet visible.
  Result<CatalogBlock> Put(const block::EncodedBlock& block);
  Error PutFiles(const block::EncodedBlock& block, const std::optional<block::BlockFile>& bundle,
                 const BlockName& name);
  std::set<std::string> ShownAgain(const model::TenantId& tenant,
                                   const std::set<std::string>& deletion_ids) const;
  Result<std::vector<block::Deletion::Part>> HiddenBy(const model::TenantId& tenant,
                                                      const TenantChanges& changes,
                                                      const std::set<std::string>& shown) const;
  // Of blocks of which no snapshot tells.
  Error Remove(const BlockName& name);
  CatalogWriter::Contents ContentsOf(const model::TenantId& tenant) const WEFT_EXCLUDES(mutex_);
  void RemoveReplaced(const std::vector<BlockName>& names) WEFT_EXCLUDES(mutex_);
  void Undo(const BlockName& name, bool merged) WEFT_EXCLUDES(mutex_);
  // Removes what Undo could not, as far as it is in the way of this block.
  Error RemoveRemains(const block::BlockMeta& next) WEFT_EXCLUDES(mutex_);
  Error ResolveDoubts(const model::TenantId& tenant) WEFT_EXCLUDES(mutex_);
  void Remember(const CatalogBlock& block) WEFT_REQUIRES(mutex_);
  void UpdateGauges(const model::TenantId& tenant);

  ObjectStore& objects_;
  MetricRegistry& metrics_;
  const BlockShelfOptions options_;
  Gauge& damaged_gauge_;
  BlockList list_;
  DeletionRecords deletions_;
  CatalogWriter writer_;
  std::map<model::TenantId, std::vector<ObjectInfo>> catalog_objects_;

  // Ids that do not count, of Load and Refresh.
  std::map<model::TenantId, std::vector<std::string>> ignored_;
  mutable Mutex mutex_;
  // Auxiliary files by name, and the blocks that have one.
  std::map<std::string, std::vector<BlockName>, std::less<>> auxiliary_ WEFT_GUARDED_BY(mutex_);
  std::vector<Catalog::Damaged> damaged_ WEFT_GUARDED_BY(mutex_);
  std::vector<Retired> retired_ WEFT_GUARDED_BY(mutex_);  // still on the disk
  // Blocks that a failed write left: perhaps whole, though nobody was told so.
  std::vector<Remains> remains_ WEFT_GUARDED_BY(mutex_);
  std::vector<InDoubt> in_doubt_ WEFT_GUARDED_BY(mutex_);
};

}  // namespace weft::store
