// The catalog: which blocks lie in an object store, read from the store alone. Changes nothing, so
// it can also be read without a running server, or beside one (`weft blocks`, `weft check`).
//
// A block is the folder <tenant>/<block id>/. It exists when its meta.json does; a block that a
// deletion has written also needs that deletion's record, <tenant>/deletions/<id>/record.json.
// Snapshots of the catalog (catalog_snapshot.h) spare reading most of them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "block/block.h"
#include "block/deletion.h"
#include "store/object_store.h"

namespace weft::store {

inline constexpr std::string_view kMetaFile = "meta.json";
inline constexpr std::string_view kDeletionsFolder = "deletions";
inline constexpr std::string_view kDeletionRecordFile = "record.json";
// Of the record of a deletion: some three million traces.
inline constexpr uint64_t kDeletionBytesMax = 64u << 20;

struct BlockName {
  model::TenantId tenant;
  std::string id;

  auto operator<=>(const BlockName&) const = default;
};

// Checks both parts: kInvalidArgument for a tenant that is not one or an id that is not 24 hex
// digits.
Error CheckBlockName(const BlockName& name);
// "<tenant>/<id>", and the name of a file of it.
std::string FolderOf(const BlockName& name);
std::string ObjectOf(const BlockName& name, std::string_view file);
// "<tenant>/deletions/<id>", and the record in it.
std::string DeletionFolder(const model::TenantId& tenant, std::string_view id);
std::string DeletionObject(const model::TenantId& tenant, std::string_view id);

// What choosing blocks looks at, of queries and of compaction: as in block::BlockMeta.
struct BlockFacts {
  uint32_t level = 0;
  uint64_t created_ns = 0;
  uint64_t span_count = 0;
  uint64_t trace_count = 0;
  uint64_t first_start_ns = 0;
  uint64_t last_start_ns = 0;
  uint64_t last_end_ns = 0;
  std::string deletion;  // the block counts only with it; empty for most
  std::vector<block::RowGroupMeta> row_groups;
};

// A block of the list. There may be a hundred thousand in memory: about 900 bytes each.
struct CatalogBlock {
  BlockName name;
  BlockFacts meta;
  std::string packed_meta;             // all of meta.json, see packed_meta.h
  uint64_t total_bytes = 0;            // of all its files, meta.json included, auxiliary ones not
  std::vector<std::string> auxiliary;  // files that meta.json does not list
  // Rows of spans.parquet that were deleted, whole traces; null when there are none. Of the records
  // of deletions, never of a snapshot.
  block::RowSetPtr deleted;

  // All of meta.json again.
  Result<block::BlockMeta> ReadMeta() const;
  uint64_t deleted_spans() const { return deleted ? deleted->row_count() : 0; }
};

// The other way round; `total_bytes` and `auxiliary` are left to the caller.
CatalogBlock MakeCatalogBlock(const block::BlockMeta& meta);

struct Catalog {
  std::vector<CatalogBlock> blocks;  // by tenant, then id

  // There, and not what was written: meta.json is damaged or of a later version, or a file is
  // missing or has another size. The message says which. Not deleted by anyone but a person.
  struct Damaged {
    BlockName name;
    Error error;
  };
  std::vector<Damaged> damaged;

  // Blocks that do not count: their spans are in another one of `blocks` as well, or had expired.
  std::vector<BlockName> replaced;
  // Blocks whose own meta.json says that they replace others: no snapshot vouches that it is
  // durable.
  std::vector<BlockName> replacing;

  // Folders without meta.json: being written, being deleted, or cut off at either. And blocks that
  // a deletion has written which then did not happen.
  std::vector<BlockName> unfinished;

  std::vector<block::Deletion> deletions;  // by tenant, then id
  // Folders of deletions that did not happen.
  std::vector<std::string> unfinished_deletions;
  // Records that are not what was written: while one is there nobody knows which spans it hides.
  struct DamagedDeletion {
    std::string object;
    Error error;
  };
  std::vector<DamagedDeletion> damaged_deletions;

  // Folders that are not named like a tenant or a block.
  std::vector<std::string> strangers;

  // What lies in the catalog folder of each tenant, snapshots and the like; by name.
  std::map<model::TenantId, std::vector<ObjectInfo>> objects;
  // How many blocks of each tenant no snapshot told of, whether they count or not.
  std::map<model::TenantId, uint64_t> not_in_snapshots;
};

struct CatalogOptions {
  // Blocks that are read at a time: the wait for an object store is what costs.
  uint32_t parallel_reads = 1;
  // Without, every block's own files are looked at, and what is damaged among them is found.
  bool use_snapshots = true;
};

// Fails when something can't be read now that may be read later: a catalog is complete. A block
// that a snapshot tells of is not looked at: that it is damaged shows when it is opened.
Result<Catalog> ReadCatalog(const ObjectStore& store, const CatalogOptions& options = {});
// What is known of a tenant when its listing is looked at again.
struct KnownTenant {
  std::vector<std::string> blocks;   // in the list
  std::vector<std::string> ignored;  // as the last call has said
  std::function<bool(const std::string& id)> is_damaged;
  // Deletions that have been carried out: their records don't change any more.
  std::function<bool(const std::string& id)> is_done;
};
// What one tenant's listing shows now, against what is known.
struct TenantChanges {
  std::vector<CatalogBlock> come;
  std::vector<std::string> gone;     // known, and not there any more, or replaced
  std::vector<std::string> ignored;  // there, and not to be counted: replaced by others
  std::vector<Catalog::Damaged> damaged;
  std::vector<ObjectInfo> objects;  // in the catalog folder
  // Deletions that are there and were not known to be done; `come` has their rows hidden, what was
  // known has not.
  std::vector<block::Deletion> deletions;
  // All that are there, done ones too.
  std::set<std::string> deletion_ids;
};
// Reads the blocks that are there and not known, and no others; and the records of deletions that
// are not known to be done. Fails when a record is damaged.
Result<TenantChanges> ReadChanges(const ObjectStore& store, const model::TenantId& tenant,
                                  const KnownTenant& known, const CatalogOptions& options);
// The tenants that have a folder.
Result<std::vector<model::TenantId>> ListTenants(const ObjectStore& store);
// One block of it; the error of Damaged, or kNotFound.
Result<CatalogBlock> ReadCatalogBlock(const ObjectStore& store, const BlockName& name);

}  // namespace weft::store
