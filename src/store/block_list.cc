#include "store/block_list.h"

#include <algorithm>

namespace weft::store {

bool NewerFirst(const BlockPtr& a, const BlockPtr& b) {
  if (a->meta.last_start_ns != b->meta.last_start_ns) {
    return a->meta.last_start_ns > b->meta.last_start_ns;
  }
  return a->name.id > b->name.id;
}

BlockList::BlockList() : none_(std::make_shared<const BlockVector>()) {}

void BlockList::Count(const CatalogBlock& block, TenantTotals* totals) {
  const BlockFacts& meta = block.meta;
  totals->oldest_ns =
      totals->blocks == 0 ? meta.first_start_ns : std::min(totals->oldest_ns, meta.first_start_ns);
  totals->newest_ns = std::max(totals->newest_ns, meta.last_start_ns);
  ++totals->blocks;
  totals->bytes += block.total_bytes;
  totals->spans += meta.span_count - block.deleted_spans();
  totals->traces += meta.trace_count;
}

void BlockList::Fill(std::vector<CatalogBlock> blocks) {
  std::map<model::TenantId, std::shared_ptr<BlockVector>> lists;
  for (CatalogBlock& block : blocks) {
    auto& list = lists[block.name.tenant];
    if (!list) list = std::make_shared<BlockVector>();
    list->push_back(std::make_shared<const CatalogBlock>(std::move(block)));
  }
  for (auto& [name, list] : lists) std::sort(list->begin(), list->end(), NewerFirst);
  const MutexLock lock(mutex_);
  for (auto& [name, list] : lists) {
    Tenant& tenant = tenants_[name];
    tenant.by_id.reserve(list->size());
    for (const BlockPtr& block : *list) {
      tenant.by_id.emplace(block->name.id, block);
      Count(*block, &tenant.totals);
    }
    tenant.list = std::move(list);
  }
}

void BlockList::Add(CatalogBlock block) { Replace(std::move(block), {}); }

BlockPtr BlockList::TakeOut(const std::string& id, Tenant* tenant, BlockVector* list) {
  const auto found = tenant->by_id.find(id);
  if (found == tenant->by_id.end()) return nullptr;
  BlockPtr block = std::move(found->second);
  tenant->by_id.erase(found);
  list->erase(std::lower_bound(list->begin(), list->end(), block, NewerFirst));
  TenantTotals& totals = tenant->totals;
  --totals.blocks;
  totals.bytes -= block->total_bytes;
  totals.spans -= block->meta.span_count - block->deleted_spans();
  totals.traces -= block->meta.trace_count;
  totals.newest_ns = list->empty() ? 0 : list->front()->meta.last_start_ns;
  if (list->empty()) {
    totals.oldest_ns = 0;
  } else if (totals.oldest_ns == block->meta.first_start_ns) {
    totals.oldest_ns = UINT64_MAX;
    for (const BlockPtr& b : *list) {
      totals.oldest_ns = std::min(totals.oldest_ns, b->meta.first_start_ns);
    }
  }
  return block;
}

void BlockList::Replace(CatalogBlock block, const std::vector<BlockName>& others) {
  const auto added = std::make_shared<const CatalogBlock>(std::move(block));
  const MutexLock lock(mutex_);
  Tenant& tenant = tenants_[added->name.tenant];
  auto copy =
      tenant.list ? std::make_shared<BlockVector>(*tenant.list) : std::make_shared<BlockVector>();
  for (const BlockName& other : others) TakeOut(other.id, &tenant, copy.get());
  copy->insert(std::upper_bound(copy->begin(), copy->end(), added, NewerFirst), added);
  tenant.by_id[added->name.id] = added;
  Count(*added, &tenant.totals);
  tenant.list = std::move(copy);
}

void BlockList::Change(const model::TenantId& name, const std::vector<std::string>& gone,
                       std::vector<CatalogBlock> come,
                       const std::vector<block::Deletion::Part>& hidden,
                       const std::vector<std::string>& shown) {
  const MutexLock lock(mutex_);
  Tenant& tenant = tenants_[name];
  auto copy =
      tenant.list ? std::make_shared<BlockVector>(*tenant.list) : std::make_shared<BlockVector>();
  for (const std::string& id : gone) TakeOut(id, &tenant, copy.get());
  for (const std::string& id : shown) Show(id, &tenant, copy.get());
  for (const block::Deletion::Part& part : hidden) Hide(part, &tenant, copy.get());
  for (CatalogBlock& block : come) {
    auto added = std::make_shared<const CatalogBlock>(std::move(block));
    tenant.by_id[added->name.id] = added;
    Count(*added, &tenant.totals);
    copy->push_back(std::move(added));
  }
  std::sort(copy->begin(), copy->end(), NewerFirst);
  tenant.list = std::move(copy);
}

void BlockList::Hide(const block::Deletion::Part& part, Tenant* tenant, BlockVector* list) {
  const auto known = tenant->by_id.find(part.block_id);
  if (known == tenant->by_id.end()) return;
  const BlockPtr block = known->second;  // which is taken out of there
  auto rows = std::make_shared<const block::RowSet>(
      block->deleted ? block::RowSet::Union(*block->deleted, part.rows) : part.rows);
  SetDeleted(block, std::move(rows), tenant, list);
}

void BlockList::Show(const std::string& id, Tenant* tenant, BlockVector* list) {
  const auto known = tenant->by_id.find(id);
  if (known == tenant->by_id.end()) return;
  const BlockPtr block = known->second;  // which is taken out of there
  SetDeleted(block, nullptr, tenant, list);
}

void BlockList::SetDeleted(const BlockPtr& block, block::RowSetPtr rows, Tenant* tenant,
                           BlockVector* list) {
  auto changed = std::make_shared<CatalogBlock>(*block);
  changed->deleted = std::move(rows);
  tenant->totals.spans += block->deleted_spans();
  tenant->totals.spans -= changed->deleted_spans();
  *std::lower_bound(list->begin(), list->end(), block, NewerFirst) = changed;
  tenant->by_id.erase(block->name.id);  // its key is in the old block
  tenant->by_id.emplace(changed->name.id, changed);
}

BlockPtr BlockList::Remove(const BlockName& name) {
  const MutexLock lock(mutex_);
  const auto it = tenants_.find(name.tenant);
  if (it == tenants_.end() || !it->second.by_id.contains(name.id)) return nullptr;
  auto copy = std::make_shared<BlockVector>(*it->second.list);
  BlockPtr removed = TakeOut(name.id, &it->second, copy.get());
  it->second.list = std::move(copy);
  return removed;
}

std::shared_ptr<const BlockVector> BlockList::Get(const model::TenantId& tenant) const {
  const MutexLock lock(mutex_);
  const auto it = tenants_.find(tenant);
  return it == tenants_.end() ? none_ : it->second.list;
}

BlockPtr BlockList::Find(const BlockName& name) const {
  const MutexLock lock(mutex_);
  const auto it = tenants_.find(name.tenant);
  if (it == tenants_.end()) return nullptr;
  const auto block = it->second.by_id.find(name.id);
  return block == it->second.by_id.end() ? nullptr : block->second;
}

std::vector<model::TenantId> BlockList::tenants() const {
  const MutexLock lock(mutex_);
  std::vector<model::TenantId> tenants;
  tenants.reserve(tenants_.size());
  for (const auto& [name, tenant] : tenants_) tenants.push_back(name);
  return tenants;
}

TenantTotals BlockList::TotalsOf(const model::TenantId& tenant) const {
  const MutexLock lock(mutex_);
  const auto it = tenants_.find(tenant);
  return it == tenants_.end() ? TenantTotals() : it->second.totals;
}

}  // namespace weft::store
