// Catalog snapshots: what the catalog says of one tenant's blocks, in one object, so that a start
// does not have to read thousands of small ones.
//
// They only save time. The store's listing says which blocks are there, their own meta.json what is
// in them; a snapshot spares reading the meta.json of a block that it knows. It lies in the folder
// <tenant>/catalog/, beside the blocks:
//
//   <number>.snapshot   the blocks at one time; the highest number counts
//   <number>.changes    blocks that are about to be deleted, or changed: what a snapshot of a lower
//                       number says of them is not trusted any more
//
// Numbers are 16 hex digits and only grow. `changes` are durable before the first object of such a
// block is touched, so that a snapshot never vouches for a block that is half gone. When an object
// of either kind can't be read, the snapshots before it are not used.
//
// Layout: docs/durability.md. Both end with a CRC-32C of what stands before it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "store/catalog.h"

namespace weft::store {

inline constexpr std::string_view kCatalogFolder = "catalog";

struct CatalogSnapshot {
  // Without auxiliary files: a block that still has some is not in a snapshot.
  std::vector<CatalogBlock> blocks;
  // Blocks that no longer count and may still lie about: replaced, or expired.
  std::vector<std::string> retired;
};

std::string EncodeSnapshot(const std::vector<const CatalogBlock*>& blocks,
                           const std::vector<std::string>& retired);
// kCorrupt when it is not what was written, kUnsupported when a later version wrote it.
Result<CatalogSnapshot> DecodeSnapshot(const model::TenantId& tenant, std::string_view bytes);

std::string EncodeChanges(const std::vector<std::string>& block_ids);
Result<std::vector<std::string>> DecodeChanges(std::string_view bytes);

// The name of an object of the catalog: "<tenant>/catalog/<number>.<kind>".
std::string CatalogObject(const model::TenantId& tenant, uint64_t number, std::string_view kind);
// Number and kind of what lies in a catalog folder; nothing when it is not named so.
struct CatalogObjectName {
  uint64_t number = 0;
  std::string_view kind;  // into the name that was parsed
};
std::optional<CatalogObjectName> ParseCatalogObject(std::string_view name);

inline constexpr std::string_view kSnapshotKind = "snapshot";
inline constexpr std::string_view kChangesKind = "changes";
inline constexpr std::string_view kTracesKind = "traces";  // see trace_directory.h

}  // namespace weft::store
