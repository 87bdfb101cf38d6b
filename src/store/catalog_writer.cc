#include "store/catalog_writer.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "store/catalog_snapshot.h"

namespace weft::store {
namespace {

constexpr uint64_t kBlocksPerChange = 128;

uint64_t NumberOf(const std::string& object) {
  const auto parsed = ParseCatalogObject(std::string_view(object).substr(object.rfind('/') + 1));
  return parsed ? parsed->number : 0;
}

}  // namespace

void CatalogWriter::Begin(const Catalog& catalog) {
  const MutexLock lock(mutex_);
  for (const auto& [name, objects] : catalog.objects) {
    Tenant& tenant = tenants_[name];
    for (const ObjectInfo& object : objects) {
      const auto parsed = ParseCatalogObject(object.name);
      if (!parsed) continue;
      tenant.last_number = std::max(tenant.last_number, parsed->number);
      if (parsed->kind == kTracesKind) continue;
      tenant.has_snapshot |= parsed->kind == kSnapshotKind;
      tenant.objects.push_back(CatalogObject(name, parsed->number, parsed->kind));
    }
  }
  // What no snapshot told of is as good as changed since.
  for (const auto& [name, count] : catalog.not_in_snapshots) tenants_[name].changes += count;
}

void CatalogWriter::Changed(const model::TenantId& tenant) {
  const MutexLock lock(mutex_);
  ++tenants_[tenant].changes;
}

uint64_t CatalogWriter::NextNumber(const model::TenantId& tenant) {
  const MutexLock lock(mutex_);
  return ++tenants_[tenant].last_number;
}

Error CatalogWriter::TakeBack(const model::TenantId& tenant, const std::vector<std::string>& ids) {
  const MutexLock one_at_a_time(take_back_mutex_);
  std::string object;
  std::string previous;
  std::string bytes;
  {
    const MutexLock lock(mutex_);
    Tenant& state = tenants_[tenant];
    if (!state.has_snapshot) return Error::Ok();
    state.taken_back.insert(state.taken_back.end(), ids.begin(), ids.end());
    state.changes_number = ++state.last_number;
    object = CatalogObject(tenant, state.changes_number, kChangesKind);
    previous = state.own_changes;
    bytes = EncodeChanges(state.taken_back);
    // It may be there even if the store says no.
    state.objects.push_back(object);
  }
  WEFT_RETURN_IF_ERROR(objects_.Put(object, bytes));
  {
    const MutexLock lock(mutex_);
    tenants_[tenant].own_changes = object;
  }
  if (!previous.empty()) DeleteObjects(tenant, {previous});
  return Error::Ok();
}

bool CatalogWriter::IsDue(const model::TenantId& tenant, uint64_t block_count, bool all) const {
  const MutexLock lock(mutex_);
  const auto state = tenants_.find(tenant);
  if (state == tenants_.end() || state->second.changes == 0) return false;
  if (!state->second.has_snapshot && block_count < options_.blocks_min) return false;
  return all || state->second.changes >= options_.changes_min + block_count / kBlocksPerChange;
}

CatalogWriter::Begun CatalogWriter::BeginSave(const model::TenantId& tenant) {
  const MutexLock lock(mutex_);
  Tenant& state = tenants_[tenant];
  // From here on whoever deletes a block says so under a higher number.
  state.has_snapshot = true;
  return {++state.last_number, state.changes};
}

Error CatalogWriter::Finish(const model::TenantId& tenant, const Begun& begun,
                            const Contents& contents) {
  std::vector<const CatalogBlock*> blocks;
  blocks.reserve(contents.blocks.size());
  for (const BlockPtr& block : contents.blocks) blocks.push_back(block.get());
  const std::string object = CatalogObject(tenant, begun.number, kSnapshotKind);
  {
    const MutexLock lock(mutex_);
    tenants_[tenant].objects.push_back(object);
  }
  WEFT_RETURN_IF_ERROR(objects_.Put(object, EncodeSnapshot(blocks, contents.retired)));
  std::vector<std::string> older;
  {
    const MutexLock lock(mutex_);
    Tenant& state = tenants_[tenant];
    state.changes -= begun.changes;
    // One that is being written now holds them for the snapshot, and for the next one.
    if (state.changes_number < begun.number) {
      state.own_changes.clear();
      state.taken_back.clear();
    }
    for (const std::string& name : state.objects) {
      if (NumberOf(name) < begun.number) older.push_back(name);
    }
  }
  // Snapshots first: none may outlive the changes that take back what it says.
  std::partition(older.begin(), older.end(),
                 [](const std::string& name) { return name.ends_with(kSnapshotKind); });
  DeleteObjects(tenant, older);
  return Error::Ok();
}

void CatalogWriter::DeleteObjects(const model::TenantId& tenant,
                                  const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (const Error error = objects_.Delete(name); !error.ok()) {
      LogWarn("an old object of the catalog could not be deleted; tried again later",
              {{"object", name}, {"error", error.message()}});
      return;
    }
    const MutexLock lock(mutex_);
    std::erase(tenants_[tenant].objects, name);
  }
}

}  // namespace weft::store
