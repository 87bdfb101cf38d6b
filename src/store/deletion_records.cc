#include "store/deletion_records.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace weft::store {

DeletionRecords::DeletionRecords(ObjectStore& objects, MetricRegistry& metrics)
    : objects_(objects),
      pending_(metrics.GetGauge("weft_deletions_pending",
                                "Deletions whose spans are hidden and still in some file.")) {}

void DeletionRecords::Fill(std::vector<block::Deletion> deletions) {
  const MutexLock lock(mutex_);
  for (block::Deletion& deletion : deletions) {
    Keep(std::move(deletion));
  }
  UpdateGauge();
}

void DeletionRecords::Follow(const model::TenantId& tenant, std::vector<block::Deletion> changed,
                             const std::set<std::string>& there) {
  const MutexLock lock(mutex_);
  for (block::Deletion& deletion : changed) Keep(std::move(deletion));
  std::erase_if(deletions_[tenant],
                [&](const auto& entry) { return !there.contains(entry.first); });
  UpdateGauge();
}

void DeletionRecords::Keep(block::Deletion deletion) {
  auto kept = std::make_shared<const block::Deletion>(std::move(deletion));
  deletions_[kept->tenant].insert_or_assign(kept->id, kept);
}

void DeletionRecords::UpdateGauge() {
  int64_t pending = 0;
  for (const auto& [tenant, deletions] : deletions_) {
    pending += std::count_if(deletions.begin(), deletions.end(),
                             [](const auto& entry) { return !entry.second->done(); });
  }
  pending_.Set(pending);
}

Error DeletionRecords::MakeRoom(const model::TenantId& tenant,
                                const std::function<bool(const block::Deletion&)>& is_needed) {
  std::string oldest;
  {
    const MutexLock lock(mutex_);
    const auto of_tenant = deletions_.find(tenant);
    if (of_tenant == deletions_.end() || of_tenant->second.size() < kRecordsMax) return Error::Ok();
    for (const auto& [id, deletion] : of_tenant->second) {
      if (!deletion->done() || is_needed(*deletion)) continue;
      oldest = id;
      break;
    }
  }
  if (oldest.empty()) {
    return {ErrorCode::kResourceExhausted,
            "tenant " + tenant + " has " + std::to_string(kRecordsMax) +
                " deletions that compaction has not carried out yet: try again when some are done",
            60'000};
  }
  WEFT_RETURN_IF_ERROR(Remove(tenant, oldest));
  const MutexLock lock(mutex_);
  deletions_[tenant].erase(oldest);
  return Error::Ok();
}

Error DeletionRecords::Put(const block::Deletion& deletion,
                           const std::function<bool(const block::Deletion&)>& is_needed,
                           bool* in_doubt) {
  *in_doubt = false;
  const std::string json = deletion.ToJson();
  if (json.size() > kDeletionBytesMax) {
    return {ErrorCode::kTooLarge,
            "this deletes from too many traces at once: delete in several ranges of time"};
  }
  WEFT_RETURN_IF_ERROR(MakeRoom(deletion.tenant, is_needed));
  const Error error = objects_.Put(DeletionObject(deletion.tenant, deletion.id), json);
  if (!error.ok()) {
    *in_doubt = !RemoveInDoubt(deletion.tenant, deletion.id).ok();
    return error.WithContext("the record of the deletion");
  }
  const MutexLock lock(mutex_);
  Keep(deletion);
  UpdateGauge();
  return Error::Ok();
}

// The record first: without it the folder means nothing, and goes at the next start at the latest.
Error DeletionRecords::Remove(const model::TenantId& tenant, const std::string& id) {
  WEFT_RETURN_IF_ERROR(objects_.Delete(DeletionObject(tenant, id)));
  if (const Error error = objects_.DeleteFolder(DeletionFolder(tenant, id)); !error.ok()) {
    LogWarn("an empty folder can't be removed", {{"error", error.message()}});
  }
  return Error::Ok();
}

std::vector<DeletionPtr> DeletionRecords::Pending() const {
  const MutexLock lock(mutex_);
  std::vector<DeletionPtr> pending;
  for (const auto& [tenant, deletions] : deletions_) {
    for (const auto& [id, deletion] : deletions) {
      if (!deletion->done()) pending.push_back(deletion);
    }
  }
  return pending;
}

void DeletionRecords::Settle(const std::set<BlockName>& on_disk, int64_t now_ns) {
  for (const DeletionPtr& pending : Pending()) {
    const bool left = std::any_of(
        pending->parts.begin(), pending->parts.end(),
        [&](const auto& part) { return on_disk.contains({pending->tenant, part.block_id}); });
    if (left) continue;
    block::Deletion done = *pending;
    done.parts.clear();
    done.done_ns = static_cast<uint64_t>(std::max<int64_t>(now_ns, 1));
    const Error error = objects_.Put(DeletionObject(done.tenant, done.id), done.ToJson());
    if (!error.ok()) {
      LogWarn("the record of a deletion can't be written; tried again later",
              {{"tenant", done.tenant}, {"deletion", done.id}, {"error", error.message()}});
      continue;
    }
    LogInfo("a deletion has been carried out: its spans are in no file any more",
            {{"tenant", done.tenant}, {"deletion", done.id}, {"spans", done.span_count}});
    const MutexLock lock(mutex_);
    Keep(std::move(done));
    UpdateGauge();
  }
}

std::vector<DeletionPtr> DeletionRecords::List(const model::TenantId& tenant) const {
  const MutexLock lock(mutex_);
  std::vector<DeletionPtr> list;
  const auto of_tenant = deletions_.find(tenant);
  if (of_tenant == deletions_.end()) return list;
  for (const auto& [id, deletion] : of_tenant->second) list.push_back(deletion);
  std::reverse(list.begin(), list.end());
  return list;
}

DeletionPtr DeletionRecords::Find(const model::TenantId& tenant, std::string_view id) const {
  const MutexLock lock(mutex_);
  const auto of_tenant = deletions_.find(tenant);
  if (of_tenant == deletions_.end()) return nullptr;
  const auto at = of_tenant->second.find(id);
  return at == of_tenant->second.end() ? nullptr : at->second;
}

}  // namespace weft::store
