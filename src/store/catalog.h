// The catalog: which blocks lie in an object store, read from the store alone. Changes nothing, so
// it can also be read without a running server, or beside one (`weft blocks`, `weft check`).
//
// A block is the folder <tenant>/<block id>/. It exists when its meta.json does.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "block/block.h"
#include "store/object_store.h"

namespace weft::store {

inline constexpr std::string_view kMetaFile = "meta.json";

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

struct CatalogBlock {
  BlockName name;
  block::BlockMeta meta;
  uint64_t total_bytes = 0;            // of all its files, meta.json included, auxiliary ones not
  std::vector<std::string> auxiliary;  // files that meta.json does not list
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

  // Folders without meta.json: being written, being deleted, or cut off at either.
  std::vector<BlockName> unfinished;

  // Folders that are not named like a tenant or a block.
  std::vector<std::string> strangers;
};

// Fails when something can't be read now that may be read later: a catalog is complete.
Result<Catalog> ReadCatalog(const ObjectStore& store);
// One block of it; the error of Damaged, or kNotFound.
Result<CatalogBlock> ReadCatalogBlock(const ObjectStore& store, const BlockName& name);

}  // namespace weft::store
