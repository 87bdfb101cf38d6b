#include "store/catalog.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include <absl/container/flat_hash_map.h>

#include "base/log.h"
#include "model/tenant.h"
#include "store/catalog_snapshot.h"
#include "store/packed_meta.h"

namespace weft::store {
namespace {

constexpr size_t kBlockIdDigits = 24;
// Its row groups and files are a few hundred bytes each.
constexpr uint64_t kMetaBytesMax = 64u << 20;
// Of a million blocks.
constexpr uint64_t kSnapshotBytesMax = 1u << 30;

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
Error MatchFiles(const std::vector<ObjectInfo>& objects, const block::BlockMeta& meta,
                 CatalogBlock* block) {
  block->total_bytes = 0;
  std::vector<std::string> rest;
  for (const ObjectInfo& object : objects) {
    if (object.name == kMetaFile) {
      block->total_bytes += object.size_bytes;
    } else {
      rest.push_back(object.name);
    }
  }
  for (const block::FileMeta& file : meta.files) {
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

// A block as its own folder tells of it.
struct ReadBlock {
  CatalogBlock block;
  std::vector<std::string> replaces;
};

Result<ReadBlock> ReadListed(const ObjectStore& store, const BlockName& name,
                             const Listing& listing) {
  const ObjectInfo* info = Find(listing, kMetaFile);
  if (info == nullptr) return Error(ErrorCode::kNotFound, "there is no meta.json");
  if (info->size_bytes > kMetaBytesMax) return Damage("meta.json is too large to be one");
  WEFT_ASSIGN_OR_RETURN(const std::string json,
                        store.GetSized(ObjectOf(name, kMetaFile), info->size_bytes));
  WEFT_ASSIGN_OR_RETURN(block::BlockMeta meta, block::BlockMeta::FromJson(json));
  if (meta.id != name.id || meta.tenant != name.tenant) {
    return Damage("meta.json is of another block");
  }
  ReadBlock read{MakeCatalogBlock(meta), std::move(meta.replaces)};
  WEFT_RETURN_IF_ERROR(MatchFiles(listing.objects, meta, &read.block));
  return read;
}

// Reads one tenant's part of the catalog:
//
// 1. The listing says which blocks there are.
// 2. The newest snapshot tells of those that it knows, unless `changes` after it take that back.
// 3. The others are read one by one, several at a time.
class TenantReader {
 public:
  TenantReader(const ObjectStore& store, const CatalogOptions& options, model::TenantId tenant,
               Catalog* catalog)
      : store_(store), options_(options), tenant_(std::move(tenant)), catalog_(catalog) {}

  // The blocks that are there and not known, for which the snapshot is of no use.
  Error ReadNew(const KnownTenant& known, std::set<std::string>* listed) {
    WEFT_RETURN_IF_ERROR(ReadDeletions(known.is_done));
    WEFT_ASSIGN_OR_RETURN(const Listing listing, store_.List(tenant_));
    const std::set<std::string_view> in_list(known.blocks.begin(), known.blocks.end());
    const std::set<std::string_view> to_ignore(known.ignored.begin(), known.ignored.end());
    for (const std::string& folder : listing.folders) {
      if (!IsBlockId(folder)) continue;
      listed->insert(folder);
      if (to_ignore.contains(folder)) {
        retired_.insert(folder);
      } else if (!in_list.contains(folder) && !known.is_damaged(folder)) {
        unread_.push_back(folder);
      }
    }
    const bool has_catalog = std::binary_search(listing.folders.begin(), listing.folders.end(),
                                                std::string(kCatalogFolder));
    if (has_catalog) WEFT_RETURN_IF_ERROR(ReadSnapshot());
    WEFT_RETURN_IF_ERROR(ReadBlocks());
    TakeOutUncommitted();
    TakeOutReplaced();
    HideDeleted();
    return Error::Ok();
  }
  std::vector<CatalogBlock> TakeBlocks() { return std::move(blocks_); }
  std::vector<block::Deletion> TakeDeletions() { return std::move(deletions_); }
  std::set<std::string> TakeDeletionIds() { return std::move(happened_); }
  const std::set<std::string>& retired() const { return retired_; }

  // Deletions first: one that happens meanwhile is seen not at all, neither the rows that it hides
  // nor the blocks that it has written.
  Error Read() {
    WEFT_RETURN_IF_ERROR(ReadDeletions([](const std::string&) { return false; }));
    WEFT_ASSIGN_OR_RETURN(const Listing listing, store_.List(tenant_));
    for (const std::string& folder : listing.folders) {
      if (IsBlockId(folder)) {
        unread_.push_back(folder);
      } else if (folder == kCatalogFolder) {
        WEFT_RETURN_IF_ERROR(ReadSnapshot());
      } else if (folder != kDeletionsFolder) {
        catalog_->strangers.push_back(tenant_ + "/" + folder);
      }
    }
    TakeFromSnapshot();
    WEFT_RETURN_IF_ERROR(ReadBlocks());
    TakeOutUncommitted();
    TakeOutReplaced();
    HideDeleted();
    std::sort(blocks_.begin(), blocks_.end(),
              [](const CatalogBlock& a, const CatalogBlock& b) { return a.name.id < b.name.id; });
    std::move(blocks_.begin(), blocks_.end(), std::back_inserter(catalog_->blocks));
    std::move(deletions_.begin(), deletions_.end(), std::back_inserter(catalog_->deletions));
    return Error::Ok();
  }

 private:
  Error ReadDeletions(const std::function<bool(const std::string&)>& is_done) {
    const std::string folder = tenant_ + "/" + std::string(kDeletionsFolder);
    WEFT_ASSIGN_OR_RETURN(const Listing listing, store_.List(folder));
    for (const std::string& id : listing.folders) {
      if (is_done(id)) {
        happened_.insert(id);
      } else if (IsBlockId(id)) {
        WEFT_RETURN_IF_ERROR(ReadDeletion(id));
      } else {
        catalog_->strangers.push_back(folder + "/" + id);
      }
    }
    return Error::Ok();
  }

  Error ReadDeletion(const std::string& id) {
    const std::string object = DeletionObject(tenant_, id);
    WEFT_ASSIGN_OR_RETURN(const Listing listing, store_.List(DeletionFolder(tenant_, id)));
    const ObjectInfo* record = Find(listing, kDeletionRecordFile);
    if (record == nullptr) {
      catalog_->unfinished_deletions.push_back(DeletionFolder(tenant_, id));
      return Error::Ok();
    }
    if (record->size_bytes > kDeletionBytesMax) {
      catalog_->damaged_deletions.push_back({object, Damage("it is too large to be one")});
      return Error::Ok();
    }
    const auto json = store_.GetSized(object, record->size_bytes);
    if (!json.ok() && IsTransient(json.error())) return json.error().WithContext(object);
    auto deletion = json.ok() ? block::Deletion::FromJson(*json) : json.error();
    if (!deletion.ok()) {
      catalog_->damaged_deletions.push_back({object, deletion.error()});
    } else if (deletion->id != id || deletion->tenant != tenant_) {
      catalog_->damaged_deletions.push_back({object, Damage("it is of another deletion")});
    } else {
      happened_.insert(id);
      deletions_.push_back(std::move(deletion).value());
    }
    return Error::Ok();
  }

  // Blocks that a deletion has written count when it has happened.
  void TakeOutUncommitted() {
    std::erase_if(blocks_, [&](const CatalogBlock& block) {
      if (block.meta.deletion.empty() || happened_.contains(block.meta.deletion)) return false;
      catalog_->unfinished.push_back(block.name);
      return true;
    });
  }

  void HideDeleted() {
    if (deletions_.empty()) return;
    std::map<std::string_view, CatalogBlock*> blocks;
    for (CatalogBlock& block : blocks_) blocks[block.name.id] = &block;
    for (const block::Deletion& deletion : deletions_) {
      for (const block::Deletion::Part& part : deletion.parts) {
        const auto at = blocks.find(part.block_id);
        if (at == blocks.end()) continue;  // rewritten since
        CatalogBlock* block = at->second;
        if (part.rows.end() > block->meta.span_count) {
          catalog_->damaged_deletions.push_back(
              {DeletionObject(deletion.tenant, deletion.id),
               Damage("it names rows that block " + part.block_id + " does not have")});
          continue;
        }
        block->deleted = std::make_shared<const block::RowSet>(
            block->deleted ? block::RowSet::Union(*block->deleted, part.rows) : part.rows);
      }
    }
  }

  // Nothing but time is lost with a snapshot that is not good.
  Error ReadSnapshot() {
    WEFT_ASSIGN_OR_RETURN(Listing listing,
                          store_.List(tenant_ + "/" + std::string(kCatalogFolder)));
    const auto& objects = catalog_->objects[tenant_] = std::move(listing.objects);
    if (!options_.use_snapshots) return Error::Ok();
    uint64_t newest = 0;
    const ObjectInfo* snapshot = nullptr;
    for (const ObjectInfo& object : objects) {
      const auto name = ParseCatalogObject(object.name);
      if (!name || name->kind != kSnapshotKind || (snapshot && name->number < newest)) continue;
      newest = name->number;
      snapshot = &object;
    }
    if (snapshot == nullptr) return Error::Ok();
    Error error = UseSnapshot(*snapshot);
    for (const ObjectInfo& object : objects) {
      const auto name = ParseCatalogObject(object.name);
      if (!name || name->kind != kChangesKind || name->number < newest || !error.ok()) continue;
      error = TakeBack(object);
    }
    if (error.ok()) return error;
    if (IsTransient(error)) return error.WithContext("the catalog of tenant " + tenant_);
    LogWarn("a snapshot of the catalog is of no use; every block is read instead",
            {{"tenant", tenant_}, {"object", snapshot->name}, {"error", error.message()}});
    known_.clear();
    retired_.clear();
    return Error::Ok();
  }

  Result<std::string> GetObject(const ObjectInfo& object) const {
    if (object.size_bytes > kSnapshotBytesMax) return Damage("too large to be one");
    return store_.GetSized(tenant_ + "/" + std::string(kCatalogFolder) + "/" + object.name,
                           object.size_bytes);
  }

  Error UseSnapshot(const ObjectInfo& object) {
    WEFT_ASSIGN_OR_RETURN(const std::string bytes, GetObject(object));
    WEFT_ASSIGN_OR_RETURN(CatalogSnapshot snapshot, DecodeSnapshot(tenant_, bytes));
    known_.reserve(snapshot.blocks.size());
    for (CatalogBlock& block : snapshot.blocks) {
      std::string id = block.name.id;
      known_.emplace(std::move(id), std::move(block));
    }
    retired_.insert(snapshot.retired.begin(), snapshot.retired.end());
    return Error::Ok();
  }

  Error TakeBack(const ObjectInfo& object) {
    WEFT_ASSIGN_OR_RETURN(const std::string bytes, GetObject(object));
    WEFT_ASSIGN_OR_RETURN(const auto ids, DecodeChanges(bytes));
    for (const std::string& id : ids) known_.erase(id);
    return Error::Ok();
  }

  void TakeFromSnapshot() {
    std::erase_if(unread_, [&](const std::string& id) {
      if (retired_.contains(id)) {
        catalog_->replaced.push_back({tenant_, id});
        return true;
      }
      const auto known = known_.find(id);
      if (known == known_.end()) return false;
      blocks_.push_back(std::move(known->second));
      return true;
    });
    known_.clear();
  }

  Error ReadBlocks() {
    std::vector<std::optional<Result<ReadBlock>>> read(unread_.size());
    std::atomic<size_t> next{0};
    const auto work = [&] {
      for (size_t i = next++; i < unread_.size(); i = next++) {
        read[i] = ReadOne({tenant_, unread_[i]});
        // Then the catalog fails as a whole.
        if (!read[i]->ok() && IsTransient(read[i]->error())) next = unread_.size();
      }
    };
    const size_t helpers = std::min<size_t>(options_.parallel_reads, unread_.size());
    std::vector<std::thread> threads;
    for (size_t i = 1; i < helpers; ++i) threads.emplace_back(work);
    work();
    for (std::thread& thread : threads) thread.join();
    for (size_t i = 0; i < read.size(); ++i) {
      if (read[i]) WEFT_RETURN_IF_ERROR(Take({tenant_, unread_[i]}, *std::move(read[i])));
    }
    return Error::Ok();
  }

  // A block without a name when there is no meta.json.
  Result<ReadBlock> ReadOne(const BlockName& name) const {
    WEFT_ASSIGN_OR_RETURN(const Listing listing, store_.List(FolderOf(name)));
    if (Find(listing, kMetaFile) == nullptr) return ReadBlock{};
    return ReadListed(store_, name, listing);
  }

  Error Take(const BlockName& name, Result<ReadBlock> read) {
    if (!read.ok()) {
      // Not damage: left out as if it were, its spans would be missing, and those that are in the
      // log as well would be stored a second time.
      if (IsTransient(read.error())) return read.error().WithContext("block " + FolderOf(name));
      catalog_->damaged.push_back({name, read.error()});
    } else if (read->block.name.id.empty()) {
      catalog_->unfinished.push_back(name);
    } else {
      retired_.insert(read->replaces.begin(), read->replaces.end());
      if (!read->replaces.empty()) catalog_->replacing.push_back(name);
      ++catalog_->not_in_snapshots[tenant_];
      blocks_.push_back(std::move(read->block));
    }
    return Error::Ok();
  }

  // A block that another one replaces is no block any more, even if the other is replaced in turn.
  void TakeOutReplaced() {
    std::erase_if(blocks_, [&](const CatalogBlock& block) {
      if (!retired_.contains(block.name.id)) return false;
      catalog_->replaced.push_back(block.name);
      return true;
    });
  }

  const ObjectStore& store_;
  const CatalogOptions& options_;
  const model::TenantId tenant_;
  Catalog* const catalog_;
  absl::flat_hash_map<std::string, CatalogBlock> known_;  // by the snapshot
  std::set<std::string> retired_;                         // ids that do not count
  std::vector<std::string> unread_;                       // ids
  std::vector<CatalogBlock> blocks_;
  std::vector<block::Deletion> deletions_;
  std::set<std::string> happened_;  // ids of these and of those that are known to be done
};

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
  WEFT_ASSIGN_OR_RETURN(ReadBlock read, ReadListed(store, name, listing));
  return std::move(read.block);
}

CatalogBlock MakeCatalogBlock(const block::BlockMeta& meta) {
  CatalogBlock block;
  block.name = {meta.tenant, meta.id};
  block.meta = {meta.level,       meta.created_ns,     meta.span_count,
                meta.trace_count, meta.first_start_ns, meta.last_start_ns,
                meta.last_end_ns, meta.deletion,       meta.row_groups};
  block.packed_meta = PackMeta(meta);
  return block;
}

Result<block::BlockMeta> CatalogBlock::ReadMeta() const { return UnpackMeta(packed_meta); }

Result<std::vector<model::TenantId>> ListTenants(const ObjectStore& store) {
  WEFT_ASSIGN_OR_RETURN(Listing listing, store.List(""));
  std::erase_if(listing.folders, [](const std::string& folder) { return !IsTenant(folder); });
  return std::move(listing.folders);
}

Result<TenantChanges> ReadChanges(const ObjectStore& store, const model::TenantId& tenant,
                                  const KnownTenant& known, const CatalogOptions& options) {
  Catalog catalog;
  CatalogOptions without_snapshots = options;
  without_snapshots.use_snapshots = false;
  TenantReader reader(store, without_snapshots, tenant, &catalog);
  std::set<std::string> listed;
  WEFT_RETURN_IF_ERROR(reader.ReadNew(known, &listed));
  TenantChanges changes;
  changes.come = reader.TakeBlocks();
  if (!catalog.damaged_deletions.empty()) {
    const Catalog::DamagedDeletion& damaged = catalog.damaged_deletions.front();
    return damaged.error.WithContext("the record of a deletion, " + damaged.object +
                                     ", is damaged");
  }
  changes.deletions = reader.TakeDeletions();
  changes.deletion_ids = reader.TakeDeletionIds();
  changes.damaged = std::move(catalog.damaged);
  changes.objects = std::move(catalog.objects[tenant]);
  for (const std::string& id : known.blocks) {
    if (!listed.contains(id) || reader.retired().contains(id)) changes.gone.push_back(id);
  }
  for (const std::string& id : reader.retired()) {
    if (listed.contains(id)) changes.ignored.push_back(id);
  }
  return changes;
}

Result<Catalog> ReadCatalog(const ObjectStore& store, const CatalogOptions& options) {
  Catalog catalog;
  WEFT_ASSIGN_OR_RETURN(const Listing tenants, store.List(""));
  for (const std::string& tenant : tenants.folders) {
    if (!IsTenant(tenant)) {
      catalog.strangers.push_back(tenant);
      continue;
    }
    WEFT_RETURN_IF_ERROR(TenantReader(store, options, tenant, &catalog).Read());
  }
  return catalog;
}

}  // namespace weft::store
