// The catalog: which blocks lie in an object store, read from the store alone. Changes nothing, so
// it can also be read without a running server, or beside one (`weft blocks`, `weft check`).
//
// A block is the folder <tenant>/<block id>/. It exists when its meta.json does; a block that a
// deletion has written also needs that deletion's record, <tenant>/deletions/<id>/record.json.
#pragma once

#include <cstdint>
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

struct CatalogBlock {
  BlockName name;
  block::BlockMeta meta;
  uint64_t total_bytes = 0;            // of all its files, meta.json included, auxiliary ones not
  std::vector<std::string> auxiliary;  // files that meta.json does not list
  // Rows of spans.parquet that were deleted, whole traces; null when there are none.
  block::RowSetPtr deleted;

  uint64_t deleted_spans() const { return deleted ? deleted->row_count() : 0; }
};

struct Catalog {
  std::vector<CatalogBlock> blocks;  // by tenant, then id

  // There, and not what was written: meta.json is damaged or of a later version, or a file is
  // missing or has another size. The message says which. Not deleted by anyone but a person.
  struct Damaged {
    BlockName name;
    Error error;
  };
  std::vector<Damaged> damaged;

  // Blocks whose spans are in another one of `blocks` as well: left over from a compaction.
  std::vector<BlockName> replaced;

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
};

// Fails when something can't be read now that may be read later: a catalog is complete.
Result<Catalog> ReadCatalog(const ObjectStore& store);
// One block of it; the error of Damaged, or kNotFound.
Result<CatalogBlock> ReadCatalogBlock(const ObjectStore& store, const BlockName& name);

}  // namespace weft::store
