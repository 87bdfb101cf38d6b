#include "store/catalog.h"

#include <algorithm>
#include <map>
#include <set>

#include "model/tenant.h"

namespace weft::store {
namespace {

constexpr size_t kBlockIdDigits = 24;
// Its row groups and files are a few hundred bytes each.
constexpr uint64_t kMetaBytesMax = 64u << 20;

bool IsBlockId(std::string_view id) {
  return id.size() == kBlockIdDigits &&
         id.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool IsTenant(std::string_view tenant) {
  const auto parsed = model::ParseTenant(tenant);
  return !tenant.empty() && parsed.ok() && *parsed == tenant;
}

Error Damage(const std::string& what) { return Error(ErrorCode::kCorrupt, what); }

// The files that meta.json lists must be there, and whole as far as their sizes say.
Error MatchFiles(const std::vector<ObjectInfo>& objects, CatalogBlock* block) {
  block->total_bytes = 0;
  std::vector<std::string> rest;
  for (const ObjectInfo& object : objects) {
    if (object.name == kMetaFile) {
      block->total_bytes += object.size_bytes;
    } else {
      rest.push_back(object.name);
    }
  }
  for (const block::FileMeta& file : block->meta.files) {
    const auto it = std::find_if(objects.begin(), objects.end(), [&](const ObjectInfo& object) {
      return object.name == file.name;
    });
    if (it == objects.end()) return Damage(file.name + " is missing");
    if (it->size_bytes != file.size_bytes) {
      return Damage(file.name + " has " + std::to_string(it->size_bytes) + " bytes, not " +
                    std::to_string(file.size_bytes));
    }
    block->total_bytes += file.size_bytes;
    std::erase(rest, file.name);
  }
  block->auxiliary = std::move(rest);
  return Error::Ok();
}

// Null when there is none.
const ObjectInfo* Find(const Listing& listing, std::string_view name) {
  const auto it = std::find_if(listing.objects.begin(), listing.objects.end(),
                               [name](const ObjectInfo& object) { return object.name == name; });
  return it == listing.objects.end() ? nullptr : &*it;
}

Result<CatalogBlock> ReadListed(const ObjectStore& store, const BlockName& name,
                                const Listing& listing) {
  const ObjectInfo* meta = Find(listing, kMetaFile);
  if (meta == nullptr) return Error(ErrorCode::kNotFound, "there is no meta.json");
  if (meta->size_bytes > kMetaBytesMax) return Damage("meta.json is too large to be one");
  WEFT_ASSIGN_OR_RETURN(const std::string json,
                        store.GetSized(ObjectOf(name, kMetaFile), meta->size_bytes));
  CatalogBlock block;
  block.name = name;
  WEFT_ASSIGN_OR_RETURN(block.meta, block::BlockMeta::FromJson(json));
  if (block.meta.id != name.id || block.meta.tenant != name.tenant) {
    return Damage("meta.json is of another block");
  }
  WEFT_RETURN_IF_ERROR(MatchFiles(listing.objects, &block));
  return block;
}

// Whether asking again may give another answer: then nothing is known of the block.
bool MayPass(const Error& error) {
  return error.code() == ErrorCode::kUnavailable || error.code() == ErrorCode::kResourceExhausted ||
         error.code() == ErrorCode::kCancelled;
}

Error ReadBlockInto(const ObjectStore& store, BlockName name, Catalog* catalog) {
  WEFT_ASSIGN_OR_RETURN(const Listing listing, store.List(FolderOf(name)));
  if (Find(listing, kMetaFile) == nullptr) {
    catalog->unfinished.push_back(std::move(name));
    return Error::Ok();
  }
  auto block = ReadListed(store, name, listing);
  if (block.ok()) {
    catalog->blocks.push_back(std::move(block).value());
  } else if (MayPass(block.error())) {
    // Not damage: left out as if it were, its spans would be missing, and those that are in the log
    // as well would be stored a second time.
    return block.error().WithContext("block " + FolderOf(name));
  } else {
    catalog->damaged.push_back({std::move(name), block.error()});
  }
  return Error::Ok();
}

Error ReadDeletion(const ObjectStore& store, const std::string& tenant, const std::string& id,
                   Catalog* catalog) {
  const std::string object = DeletionObject(tenant, id);
  WEFT_ASSIGN_OR_RETURN(const Listing listing, store.List(DeletionFolder(tenant, id)));
  const ObjectInfo* record = Find(listing, kDeletionRecordFile);
  if (record == nullptr) {
    catalog->unfinished_deletions.push_back(DeletionFolder(tenant, id));
    return Error::Ok();
  }
  if (record->size_bytes > kDeletionBytesMax) {
    catalog->damaged_deletions.push_back({object, Damage("it is too large to be one")});
    return Error::Ok();
  }
  const auto json = store.GetSized(object, record->size_bytes);
  if (!json.ok() && MayPass(json.error())) return json.error().WithContext(object);
  auto deletion = json.ok() ? block::Deletion::FromJson(*json) : json.error();
  if (!deletion.ok()) {
    catalog->damaged_deletions.push_back({object, deletion.error()});
  } else if (deletion->id != id || deletion->tenant != tenant) {
    catalog->damaged_deletions.push_back({object, Damage("it is of another deletion")});
  } else {
    catalog->deletions.push_back(std::move(deletion).value());
  }
  return Error::Ok();
}

Error ReadDeletions(const ObjectStore& store, const std::string& tenant, Catalog* catalog) {
  const std::string folder = tenant + "/" + std::string(kDeletionsFolder);
  WEFT_ASSIGN_OR_RETURN(const Listing listing, store.List(folder));
  for (const std::string& id : listing.folders) {
    if (IsBlockId(id)) {
      WEFT_RETURN_IF_ERROR(ReadDeletion(store, tenant, id, catalog));
    } else {
      catalog->strangers.push_back(folder + "/" + id);
    }
  }
  return Error::Ok();
}

// Blocks that a deletion has written count when it has happened.
void TakeOutUncommitted(Catalog* catalog) {
  std::set<BlockName> happened;
  for (const block::Deletion& deletion : catalog->deletions) {
    happened.insert({deletion.tenant, deletion.id});
  }
  std::erase_if(catalog->blocks, [&](const CatalogBlock& block) {
    if (block.meta.deletion.empty()) return false;
    if (happened.contains({block.name.tenant, block.meta.deletion})) return false;
    catalog->unfinished.push_back(block.name);
    return true;
  });
}

void HideDeleted(Catalog* catalog) {
  std::map<BlockName, CatalogBlock*> blocks;
  for (CatalogBlock& block : catalog->blocks) blocks[block.name] = &block;
  for (const block::Deletion& deletion : catalog->deletions) {
    for (const block::Deletion::Part& part : deletion.parts) {
      const auto at = blocks.find({deletion.tenant, part.block_id});
      if (at == blocks.end()) continue;  // rewritten since
      CatalogBlock* block = at->second;
      if (part.rows.end() > block->meta.span_count) {
        catalog->damaged_deletions.push_back(
            {DeletionObject(deletion.tenant, deletion.id),
             Damage("it names rows that block " + part.block_id + " does not have")});
        continue;
      }
      block->deleted = std::make_shared<const block::RowSet>(
          block->deleted ? block::RowSet::Union(*block->deleted, part.rows) : part.rows);
    }
  }
}

// A block that another one replaces is no block any more, even if the other is replaced in turn.
void TakeOutReplaced(Catalog* catalog) {
  std::set<BlockName> replaced;
  for (const CatalogBlock& block : catalog->blocks) {
    for (const std::string& id : block.meta.replaces) replaced.insert({block.name.tenant, id});
  }
  std::erase_if(catalog->blocks, [&](const CatalogBlock& block) {
    if (!replaced.contains(block.name)) return false;
    catalog->replaced.push_back(block.name);
    return true;
  });
}

}  // namespace

Error CheckBlockName(const BlockName& name) {
  if (!IsTenant(name.tenant)) return Error(ErrorCode::kInvalidArgument, "not a tenant's name");
  if (!IsBlockId(name.id)) {
    return Error(ErrorCode::kInvalidArgument, "a block id is 24 lower-case hex digits");
  }
  return Error::Ok();
}

std::string FolderOf(const BlockName& name) { return name.tenant + "/" + name.id; }

std::string ObjectOf(const BlockName& name, std::string_view file) {
  return FolderOf(name) + "/" + std::string(file);
}

std::string DeletionFolder(const model::TenantId& tenant, std::string_view id) {
  return tenant + "/" + std::string(kDeletionsFolder) + "/" + std::string(id);
}

std::string DeletionObject(const model::TenantId& tenant, std::string_view id) {
  return DeletionFolder(tenant, id) + "/" + std::string(kDeletionRecordFile);
}

Result<CatalogBlock> ReadCatalogBlock(const ObjectStore& store, const BlockName& name) {
  WEFT_RETURN_IF_ERROR(CheckBlockName(name));
  WEFT_ASSIGN_OR_RETURN(const Listing listing, store.List(FolderOf(name)));
  if (Find(listing, kMetaFile) == nullptr) {
    return Error(ErrorCode::kNotFound,
                 "there is no block " + name.id + " of tenant " + name.tenant);
  }
  return ReadListed(store, name, listing);
}

Result<Catalog> ReadCatalog(const ObjectStore& store) {
  Catalog catalog;
  WEFT_ASSIGN_OR_RETURN(const Listing tenants, store.List(""));
  for (const std::string& tenant : tenants.folders) {
    if (!IsTenant(tenant)) {
      catalog.strangers.push_back(tenant);
      continue;
    }
    // First: read beside a server, a deletion that happens meanwhile is seen not at all. The other
    // way round its record could be seen and the block that it has written not.
    WEFT_RETURN_IF_ERROR(ReadDeletions(store, tenant, &catalog));
    WEFT_ASSIGN_OR_RETURN(const Listing blocks, store.List(tenant));
    for (const std::string& id : blocks.folders) {
      if (id == kDeletionsFolder) continue;
      if (IsBlockId(id)) {
        WEFT_RETURN_IF_ERROR(ReadBlockInto(store, {tenant, id}, &catalog));
      } else {
        catalog.strangers.push_back(tenant + "/" + id);
      }
    }
  }
  TakeOutUncommitted(&catalog);
  TakeOutReplaced(&catalog);
  HideDeleted(&catalog);
  return catalog;
}

}  // namespace weft::store
