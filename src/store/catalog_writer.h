// CatalogWriter: keeps the snapshots of the catalog (catalog_snapshot.h) as the blocks come and go.
//
// A snapshot is written when enough has changed since the last one to be worth its bytes: after 64
// changes and one in 128 of the blocks. Only the one process that writes to the store has one.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "store/block_list.h"
#include "store/catalog.h"
#include "store/object_store.h"

namespace weft::store {

struct CatalogWriterOptions {
  // A tenant with fewer blocks than that has no snapshot, and one is written after so many changes.
  uint32_t blocks_min = 64;
  uint32_t changes_min = 64;
};

// Any thread, but one call of Save at a time.
class CatalogWriter {
 public:
  // `objects` must outlive it.
  CatalogWriter(ObjectStore& objects, const CatalogWriterOptions& options)
      : objects_(objects), options_(options) {}

  // What is there already; called before everything else.
  void Begin(const Catalog& catalog) WEFT_EXCLUDES(mutex_);
  // A block has come or gone.
  void Changed(const model::TenantId& tenant) WEFT_EXCLUDES(mutex_);
  // Durably takes back what a snapshot may say of these blocks: before anything of them is deleted.
  // They must be out of the list by now.
  Error TakeBack(const model::TenantId& tenant, const std::vector<std::string>& ids)
      WEFT_EXCLUDES(mutex_);
  // Whether a snapshot would be worth its bytes now; with `all`, whether it would say anything new.
  bool IsDue(const model::TenantId& tenant, uint64_t block_count, bool all) const
      WEFT_EXCLUDES(mutex_);
  // Writes one of what `take` gives, called after the snapshot has its number.
  struct Contents {
    std::vector<BlockPtr> blocks;
    std::vector<std::string> retired;
  };
  template <typename Take>
  Error Save(const model::TenantId& tenant, Take take) WEFT_EXCLUDES(mutex_) {
    const Begun begun = BeginSave(tenant);
    return Finish(tenant, begun, take());
  }

  // The number of the next object in the tenant's catalog folder.
  uint64_t NextNumber(const model::TenantId& tenant) WEFT_EXCLUDES(mutex_);

 private:
  struct Tenant {
    uint64_t last_number = 0;
    bool has_snapshot = false;
    uint64_t changes = 0;                 // since the last snapshot
    std::vector<std::string> taken_back;  // by this process, since the last snapshot
    std::vector<std::string> objects;     // snapshots and changes that lie there: full names
    std::string own_changes;              // the durable object that holds `taken_back`
    uint64_t changes_number = 0;          // of the last such object, durable or not
  };
  struct Begun {
    uint64_t number = 0;
    uint64_t changes = 0;
  };

  Begun BeginSave(const model::TenantId& tenant) WEFT_EXCLUDES(mutex_);
  Error Finish(const model::TenantId& tenant, const Begun& begun, const Contents& contents)
      WEFT_EXCLUDES(mutex_);
  // Objects that a newer one makes useless; what can't be deleted now is later.
  void DeleteObjects(const model::TenantId& tenant, const std::vector<std::string>& names)
      WEFT_EXCLUDES(mutex_);

  ObjectStore& objects_;
  const CatalogWriterOptions options_;
  mutable Mutex mutex_;
  Mutex take_back_mutex_;  // one at a time: each holds what those before it do
  std::map<model::TenantId, Tenant> tenants_ WEFT_GUARDED_BY(mutex_);
};

}  // namespace weft::store
