// DeletionRecords: the records of deletions in an object store,
// <tenant>/deletions/<id>/record.json.
//
// A record is written once, when spans are deleted, and replaced once, when nothing of them is left
// (block/deletion.h). Between the two it says which rows of which blocks do not count.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "base/mutex.h"
#include "block/deletion.h"
#include "store/catalog.h"
#include "store/object_store.h"

namespace weft::store {

using DeletionPtr = std::shared_ptr<const block::Deletion>;

// Any thread; Put and Settle one call at a time.
class DeletionRecords {
 public:
  // Of a tenant. Beyond it the oldest that is done is forgotten.
  static constexpr size_t kRecordsMax = 10'000;

  // `objects` must outlive it.
  DeletionRecords(ObjectStore& objects, MetricRegistry& metrics);

  // What the catalog has read. Called once.
  void Fill(std::vector<block::Deletion> deletions) WEFT_EXCLUDES(mutex_);

  // For a process that only reads: takes over the tenant's records that are new or have changed,
  // and forgets those whose ids are not among `there`.
  void Follow(const model::TenantId& tenant, std::vector<block::Deletion> changed,
              const std::set<std::string>& there) WEFT_EXCLUDES(mutex_);

  // Makes it durable: from here on its rows do not count. On failure it is not there, unless
  // `in_doubt` is set: then the store refused to say, and nothing may be replaced before
  // RemoveInDoubt is ok. kTooLarge when it names too many rows; kResourceExhausted when there are
  // too many records, none of which can go: `is_needed` says which of those that are done must
  // stay.
  Error Put(const block::Deletion& deletion,
            const std::function<bool(const block::Deletion&)>& is_needed, bool* in_doubt)
      WEFT_EXCLUDES(mutex_);
  // Removes the record of a deletion that nobody was told of.
  Error RemoveInDoubt(const model::TenantId& tenant, const std::string& id) {
    return Remove(tenant, id);
  }

  // Whether some are not done.
  bool any_pending() const { return pending_.value() > 0; }
  // Records as done those none of whose blocks is among `on_disk`.
  void Settle(const std::set<BlockName>& on_disk, int64_t now_ns) WEFT_EXCLUDES(mutex_);

  // Newest first.
  std::vector<DeletionPtr> List(const model::TenantId& tenant) const WEFT_EXCLUDES(mutex_);
  // Null when there is none.
  DeletionPtr Find(const model::TenantId& tenant, std::string_view id) const WEFT_EXCLUDES(mutex_);

 private:
  using ById = std::map<std::string, DeletionPtr, std::less<>>;  // ids sort by age

  Error MakeRoom(const model::TenantId& tenant,
                 const std::function<bool(const block::Deletion&)>& is_needed)
      WEFT_EXCLUDES(mutex_);
  std::vector<DeletionPtr> Pending() const WEFT_EXCLUDES(mutex_);
  Error Remove(const model::TenantId& tenant, const std::string& id);
  void Keep(block::Deletion deletion) WEFT_REQUIRES(mutex_);
  void UpdateGauge() WEFT_REQUIRES(mutex_);

  ObjectStore& objects_;
  Gauge& pending_;
  mutable Mutex mutex_;
  std::map<model::TenantId, ById> deletions_ WEFT_GUARDED_BY(mutex_);
};

}  // namespace weft::store
