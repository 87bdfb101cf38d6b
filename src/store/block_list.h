// The blocks that queries see, per tenant: a list that is replaced whole, never changed, so that a
// query keeps the one it began with.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "base/mutex.h"
#include "base/time_range.h"
#include "store/catalog.h"

namespace weft::store {

using BlockPtr = std::shared_ptr<const CatalogBlock>;
// Newest first: by last_start_ns, then id.
using BlockVector = std::vector<BlockPtr>;
// That order.
bool NewerFirst(const BlockPtr& a, const BlockPtr& b);

struct TenantTotals {
  uint64_t blocks = 0;
  uint64_t bytes = 0;
  uint64_t spans = 0;  // without deleted ones
  uint64_t traces = 0;
  uint64_t oldest_ns = 0;  // first start of any span; 0 when there are no blocks
  uint64_t newest_ns = 0;
};

// Any thread.
class BlockList {
 public:
  BlockList();

  // All at once; nothing may be there yet.
  void Fill(std::vector<CatalogBlock> blocks) WEFT_EXCLUDES(mutex_);
  void Add(CatalogBlock block) WEFT_EXCLUDES(mutex_);
  // Puts one in the place of others, in one step.
  void Replace(CatalogBlock block, const std::vector<BlockName>& others) WEFT_EXCLUDES(mutex_);
  // Takes some of a tenant's blocks away, shows all rows of some and then hides rows of some as far
  // as these are there, and adds some, in one step.
  void Change(const model::TenantId& tenant, const std::vector<std::string>& gone,
              std::vector<CatalogBlock> come, const std::vector<block::Deletion::Part>& hidden = {},
              const std::vector<std::string>& shown = {}) WEFT_EXCLUDES(mutex_);
  // The block that was removed, or null.
  BlockPtr Remove(const BlockName& name) WEFT_EXCLUDES(mutex_);

  // Never null.
  std::shared_ptr<const BlockVector> Get(const model::TenantId& tenant) const WEFT_EXCLUDES(mutex_);
  BlockPtr Find(const BlockName& name) const WEFT_EXCLUDES(mutex_);
  std::vector<model::TenantId> tenants() const WEFT_EXCLUDES(mutex_);
  TenantTotals TotalsOf(const model::TenantId& tenant) const WEFT_EXCLUDES(mutex_);

 private:
  struct Tenant {
    std::shared_ptr<const BlockVector> list;
    absl::flat_hash_map<std::string_view, BlockPtr> by_id;  // keys are the blocks' own names
    TenantTotals totals;
  };

  static void Count(const CatalogBlock& block, TenantTotals* totals);
  // Takes the block out of `list`, which is to become the tenant's; null when it is not there.
  static BlockPtr TakeOut(const std::string& id, Tenant* tenant, BlockVector* list);
  static void Hide(const block::Deletion::Part& part, Tenant* tenant, BlockVector* list);
  static void Show(const std::string& id, Tenant* tenant, BlockVector* list);
  static void SetDeleted(const BlockPtr& block, block::RowSetPtr rows, Tenant* tenant,
                         BlockVector* list);

  mutable Mutex mutex_;
  std::map<model::TenantId, Tenant> tenants_ WEFT_GUARDED_BY(mutex_);
  const std::shared_ptr<const BlockVector> none_;
};

}  // namespace weft::store
