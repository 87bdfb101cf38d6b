#include "store/block_list.h"

#include <algorithm>

namespace weft::store {
namespace {

bool NewerFirst(const BlockPtr& a, const BlockPtr& b) {
  if (a->meta.last_start_ns != b->meta.last_start_ns) {
    return a->meta.last_start_ns > b->meta.last_start_ns;
  }
  return a->name.id > b->name.id;
}

}  // namespace

BlockList::BlockList() : none_(std::make_shared<const BlockVector>()) {}

void BlockList::Fill(std::vector<CatalogBlock> blocks) {
  std::map<model::TenantId, std::shared_ptr<BlockVector>> lists;
  for (CatalogBlock& block : blocks) {
    auto& list = lists[block.name.tenant];
    if (!list) list = std::make_shared<BlockVector>();
    list->push_back(std::make_shared<const CatalogBlock>(std::move(block)));
  }
  for (auto& [tenant, list] : lists) std::sort(list->begin(), list->end(), NewerFirst);
  const MutexLock lock(mutex_);
  for (auto& [tenant, list] : lists) lists_[tenant] = std::move(list);
}

void BlockList::Add(CatalogBlock block) { Replace(std::move(block), {}); }

void BlockList::Replace(CatalogBlock block, const std::vector<BlockName>& others) {
  const auto added = std::make_shared<const CatalogBlock>(std::move(block));
  const MutexLock lock(mutex_);
  auto& list = lists_[added->name.tenant];
  auto copy = list ? std::make_shared<BlockVector>(*list) : std::make_shared<BlockVector>();
  std::erase_if(*copy, [&](const BlockPtr& b) {
    return std::find(others.begin(), others.end(), b->name) != others.end();
  });
  copy->insert(std::upper_bound(copy->begin(), copy->end(), added, NewerFirst), added);
  list = std::move(copy);
}

void BlockList::Hide(const std::vector<block::Deletion::Part>& parts, const model::TenantId& tenant,
                     std::vector<CatalogBlock> added) {
  std::map<std::string_view, const block::RowSet*> rows;
  for (const block::Deletion::Part& part : parts) rows[part.block_id] = &part.rows;
  const MutexLock lock(mutex_);
  auto& list = lists_[tenant];
  auto copy = list ? std::make_shared<BlockVector>(*list) : std::make_shared<BlockVector>();
  for (BlockPtr& block : *copy) {
    const auto at = rows.find(block->name.id);
    if (at == rows.end()) continue;
    auto changed = std::make_shared<CatalogBlock>(*block);
    changed->deleted = std::make_shared<const block::RowSet>(
        block->deleted ? block::RowSet::Union(*block->deleted, *at->second) : *at->second);
    block = std::move(changed);
  }
  for (CatalogBlock& block : added) {
    copy->push_back(std::make_shared<const CatalogBlock>(std::move(block)));
  }
  std::sort(copy->begin(), copy->end(), NewerFirst);
  list = std::move(copy);
}

BlockPtr BlockList::Remove(const BlockName& name) {
  const MutexLock lock(mutex_);
  const auto it = lists_.find(name.tenant);
  if (it == lists_.end()) return nullptr;
  auto copy = std::make_shared<BlockVector>(*it->second);
  const auto at = std::find_if(copy->begin(), copy->end(),
                               [&](const BlockPtr& block) { return block->name == name; });
  if (at == copy->end()) return nullptr;
  BlockPtr removed = *at;
  copy->erase(at);
  it->second = std::move(copy);
  return removed;
}

std::shared_ptr<const BlockVector> BlockList::Get(const model::TenantId& tenant) const {
  const MutexLock lock(mutex_);
  const auto it = lists_.find(tenant);
  return it == lists_.end() ? none_ : it->second;
}

BlockPtr BlockList::Find(const BlockName& name) const {
  const auto list = Get(name.tenant);
  for (const BlockPtr& block : *list) {
    if (block->name == name) return block;
  }
  return nullptr;
}

std::vector<model::TenantId> BlockList::tenants() const {
  const MutexLock lock(mutex_);
  std::vector<model::TenantId> tenants;
  tenants.reserve(lists_.size());
  for (const auto& [tenant, list] : lists_) tenants.push_back(tenant);
  return tenants;
}

TenantTotals BlockList::TotalsOf(const model::TenantId& tenant) const {
  TenantTotals totals;
  const auto list = Get(tenant);
  for (const BlockPtr& block : *list) {
    const block::BlockMeta& meta = block->meta;
    totals.oldest_ns =
        totals.blocks == 0 ? meta.first_start_ns : std::min(totals.oldest_ns, meta.first_start_ns);
    totals.newest_ns = std::max(totals.newest_ns, meta.last_start_ns);
    ++totals.blocks;
    totals.bytes += block->total_bytes;
    totals.spans += meta.span_count - block->deleted_spans();
    totals.traces += meta.trace_count;
  }
  return totals;
}

}  // namespace weft::store
