#include "store/block_shelf.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <set>
#include <utility>

#include "base/log.h"
#include "block/bundle.h"
#include "store/catalog_snapshot.h"

namespace weft::store {

BlockShelf::BlockShelf(ObjectStore& objects, MetricRegistry& metrics,
                       const BlockShelfOptions& options)
    : objects_(objects),
      metrics_(metrics),
      options_(options),
      damaged_gauge_(metrics.GetGauge("weft_store_damaged_blocks",
                                      "Blocks that are there and can't be read; see the log.")),
      deletions_(objects, metrics),
      writer_(objects, options.catalog) {}

Error BlockShelf::Load(bool remove_unfinished) {
  WEFT_ASSIGN_OR_RETURN(Catalog catalog,
                        ReadCatalog(objects_, {.parallel_reads = options_.parallel_reads}));
  for (const Catalog::DamagedDeletion& damaged : catalog.damaged_deletions) {
    return damaged.error.WithContext(
        "the record of a deletion, " + damaged.object +
        ", is damaged and spans that it hides would be seen again; restore it, or remove it to "
        "accept that");
  }
  writer_.Begin(catalog);
  catalog_objects_ = std::move(catalog.objects);
  if (remove_unfinished) WEFT_RETURN_IF_ERROR(MakeDurable(catalog));
  for (const std::string& folder : catalog.strangers) {
    LogWarn("a folder among the blocks is not a block and is left alone", {{"folder", folder}});
  }
  for (const std::string& folder : catalog.unfinished_deletions) {
    if (!remove_unfinished) break;
    if (const Error error = objects_.DeleteFolder(folder); !error.ok()) {
      LogWarn("what is left of a deletion that did not happen could not be removed",
              {{"folder", folder}, {"error", error.message()}});
    }
  }
  for (const BlockName& name : catalog.replaced) ignored_[name.tenant].push_back(name.id);
  for (const BlockName& name : catalog.unfinished) {
    if (!remove_unfinished) break;
    LogInfo("an unfinished block was removed", {{"tenant", name.tenant}, {"block", name.id}});
    if (const Error error = Remove(name); !error.ok()) {
      LogWarn("an unfinished block could not be removed; tried again later",
              {{"error", error.message()}});
      const MutexLock lock(mutex_);
      retired_.push_back({name, INT64_MIN, 0});
    }
  }
  if (remove_unfinished) {
    RemoveReplaced(catalog.replaced);
    for (const auto& [tenant, objects] : catalog_objects_) {
      const std::string folder = tenant + "/" + std::string(kCatalogFolder);
      if (const Error error = objects_.RemoveRemains(folder); !error.ok()) {
        LogWarn("what a crash left could not be removed",
                {{"folder", folder}, {"error", error.message()}});
      }
    }
  }
  for (const Catalog::Damaged& damaged : catalog.damaged) SetAside(damaged.name, damaged.error);
  {
    const MutexLock lock(mutex_);
    for (const CatalogBlock& block : catalog.blocks) Remember(block);
  }
  list_.Fill(std::move(catalog.blocks));
  deletions_.Fill(std::move(catalog.deletions));
  for (const model::TenantId& tenant : list_.tenants()) UpdateGauges(tenant);
  return Error::Ok();
}

// An earlier life may have ended between writing one of these and syncing it. What they replace,
// the log's copy or the rows that they hide is destroyed from now on, because they are there. What
// a snapshot tells of was durable before it was written.
Error BlockShelf::MakeDurable(const Catalog& catalog) {
  std::vector<BlockName> names;
  if (!catalog.replaced.empty()) names = catalog.replacing;
  for (const CatalogBlock& block : catalog.blocks) {
    if (!block.auxiliary.empty()) names.push_back(block.name);
  }
  for (const BlockName& name : names) {
    const Error error = objects_.MakeDurable(ObjectOf(name, kMetaFile));
    if (!error.ok()) return error.WithContext("block " + FolderOf(name));
  }
  for (const block::Deletion& deletion : catalog.deletions) {
    if (deletion.done()) continue;
    WEFT_RETURN_IF_ERROR(objects_.MakeDurable(DeletionObject(deletion.tenant, deletion.id)));
  }
  return Error::Ok();
}

Error BlockShelf::Refresh(const Watcher& watcher) {
  WEFT_ASSIGN_OR_RETURN(std::vector<model::TenantId> tenants, ListTenants(objects_));
  // Those whose last block is gone have no folder any more.
  for (const model::TenantId& tenant : list_.tenants()) tenants.push_back(tenant);
  std::sort(tenants.begin(), tenants.end());
  tenants.erase(std::unique(tenants.begin(), tenants.end()), tenants.end());
  std::set<BlockName> damaged;
  for (const Catalog::Damaged& block : this->damaged()) damaged.insert(block.name);
  for (const model::TenantId& tenant : tenants) {
    KnownTenant known;
    const auto blocks = list_.Get(tenant);
    for (const BlockPtr& block : *blocks) known.blocks.push_back(block->name.id);
    known.ignored = ignored_[tenant];
    known.is_damaged = [&](const std::string& id) { return damaged.contains({tenant, id}); };
    known.is_done = [&](const std::string& id) {
      const DeletionPtr deletion = deletions_.Find(tenant, id);
      return deletion != nullptr && deletion->done();
    };
    WEFT_ASSIGN_OR_RETURN(
        TenantChanges changes,
        ReadChanges(objects_, tenant, known, {.parallel_reads = options_.parallel_reads}));
    for (const Catalog::Damaged& block : changes.damaged) SetAside(block.name, block.error);
    const std::set<std::string> shown = ShownAgain(tenant, changes.deletion_ids);
    WEFT_ASSIGN_OR_RETURN(const auto hidden, HiddenBy(tenant, changes, shown));
    WEFT_RETURN_IF_ERROR(watcher.before(tenant, changes));
    ignored_[tenant] = std::move(changes.ignored);
    deletions_.Follow(tenant, std::move(changes.deletions), changes.deletion_ids);
    const bool same = changes.come.empty() && changes.gone.empty();
    if (same && hidden.empty() && shown.empty()) continue;
    list_.Change(tenant, changes.gone, std::move(changes.come), hidden,
                 {shown.begin(), shown.end()});
    watcher.after(tenant, changes.gone);
    UpdateGauges(tenant);
  }
  return Error::Ok();
}

// The blocks of which a deletion that was taken back has hidden rows. It is: when the writer could
// not write all of it, and somebody has seen its record meanwhile.
std::set<std::string> BlockShelf::ShownAgain(const model::TenantId& tenant,
                                             const std::set<std::string>& deletion_ids) const {
  std::set<std::string> blocks;
  for (const DeletionPtr& known : deletions_.List(tenant)) {
    if (deletion_ids.contains(known->id)) continue;
    for (const block::Deletion::Part& part : known->parts) blocks.insert(part.block_id);
  }
  return blocks;
}

// The rows that deletions hide which are not known yet (the blocks that they have written come with
// them), and those that the others hide in the blocks of `shown`.
Result<std::vector<block::Deletion::Part>> BlockShelf::HiddenBy(
    const model::TenantId& tenant, const TenantChanges& changes,
    const std::set<std::string>& shown) const {
  std::vector<block::Deletion::Part> hidden;
  for (const DeletionPtr& known : deletions_.List(tenant)) {
    if (shown.empty() || !changes.deletion_ids.contains(known->id)) continue;
    for (const block::Deletion::Part& part : known->parts) {
      if (shown.contains(part.block_id)) hidden.push_back(part);
    }
  }
  for (const block::Deletion& deletion : changes.deletions) {
    if (deletions_.Find(deletion.tenant, deletion.id) != nullptr) continue;
    for (const block::Deletion::Part& part : deletion.parts) {
      const BlockPtr block = list_.Find({deletion.tenant, part.block_id});
      if (block != nullptr && part.rows.end() > block->meta.span_count) {
        return Error(ErrorCode::kCorrupt,
                     "the record of a deletion, " + DeletionObject(deletion.tenant, deletion.id) +
                         ", names rows that block " + part.block_id + " does not have");
      }
      hidden.push_back(part);
    }
  }
  return hidden;
}

void BlockShelf::RemoveReplaced(const std::vector<BlockName>& names) {
  {
    const MutexLock lock(mutex_);
    for (const BlockName& name : names) retired_.push_back({name, INT64_MIN, 0});
  }
  for (const BlockName& name : RemoveRetired(INT64_MIN + 1)) {
    LogInfo("a block that compaction has replaced was removed",
            {{"tenant", name.tenant}, {"block", name.id}});
  }
  // What could not be removed stays among the retired: what replaced it may be replaced in turn,
  // and the memory of it must not get lost.
}

void BlockShelf::Remember(const CatalogBlock& block) {
  for (const std::string& file : block.auxiliary) auxiliary_[file].push_back(block.name);
}

Error BlockShelf::Write(const block::EncodedBlock& block) {
  WEFT_ASSIGN_OR_RETURN(CatalogBlock entry, Put(block));
  const BlockName name = entry.name;
  const uint64_t spans = entry.meta.span_count;
  const bool fresh = entry.meta.level == 0;
  list_.Add(std::move(entry));
  writer_.Changed(name.tenant);
  UpdateGauges(name.tenant);
  if (fresh) {
    metrics_
        .GetCounter("weft_stored_spans_total", "Spans written to fresh blocks by this process.",
                    {{"tenant", name.tenant}})
        .Add(spans);
  }
  return Error::Ok();
}

Error BlockShelf::Replace(block::EncodedBlock block, const std::vector<BlockName>& others,
                          int64_t now_ns) {
  const model::TenantId tenant = block.meta.tenant;
  block.meta.replaces.clear();
  WEFT_RETURN_IF_ERROR(ResolveDoubts(tenant));
  std::vector<Retired> replaced;
  for (const BlockName& name : others) {
    const BlockPtr other = list_.Find(name);
    if (name.tenant != tenant || other == nullptr) {
      return Error(ErrorCode::kNotFound, "block " + name.id + " is not there any more");
    }
    block.meta.replaces.push_back(name.id);
    replaced.push_back({name, now_ns, other->total_bytes});
  }
  {
    // What these replaced, and what has expired, if it is not removed yet: neither may come back.
    const MutexLock lock(mutex_);
    for (const Retired& retired : retired_) {
      if (retired.name.tenant == tenant) block.meta.replaces.push_back(retired.name.id);
    }
  }
  WEFT_ASSIGN_OR_RETURN(CatalogBlock entry, Put(block));
  {
    // In one step for who takes a snapshot of the catalog.
    const MutexLock lock(mutex_);
    list_.Replace(std::move(entry), others);
    for (const Retired& retired : replaced) {
      retired_.push_back(retired);
      for (auto& [file, names] : auxiliary_) std::erase(names, retired.name);
    }
  }
  writer_.Changed(tenant);
  UpdateGauges(tenant);
  return Error::Ok();
}

bool BlockShelf::Retire(const BlockName& name, int64_t now_ns) {
  {
    const MutexLock lock(mutex_);
    const BlockPtr removed = list_.Remove(name);
    if (removed == nullptr) return false;
    retired_.push_back({name, now_ns, removed->total_bytes, /*expired=*/true});
    for (auto& [file, names] : auxiliary_) std::erase(names, name);
  }
  writer_.Changed(name.tenant);
  UpdateGauges(name.tenant);
  return true;
}

std::vector<BlockName> BlockShelf::RemoveRetired(int64_t until_ns) {
  std::vector<BlockName> due;
  {
    const MutexLock lock(mutex_);
    for (const Retired& retired : retired_) {
      if (retired.since_ns < until_ns) due.push_back(retired.name);
    }
  }
  return RemoveFromDisk(due);
}

std::vector<BlockName> BlockShelf::RemoveExpired(const model::TenantId& tenant) {
  std::vector<BlockName> due;
  {
    const MutexLock lock(mutex_);
    for (const Retired& retired : retired_) {
      if (retired.expired && retired.name.tenant == tenant) due.push_back(retired.name);
    }
  }
  return RemoveFromDisk(due);
}

bool BlockShelf::HasExpired(const model::TenantId& tenant) const {
  const MutexLock lock(mutex_);
  return std::ranges::any_of(retired_, [&](const Retired& retired) {
    return retired.expired && retired.name.tenant == tenant;
  });
}

std::vector<BlockName> BlockShelf::RemoveFromDisk(const std::vector<BlockName>& due) {
  std::map<model::TenantId, std::vector<std::string>> ids;
  for (const BlockName& name : due) ids[name.tenant].push_back(name.id);
  std::map<model::TenantId, Error> taken_back;
  for (const auto& [tenant, blocks] : ids) taken_back[tenant] = writer_.TakeBack(tenant, blocks);
  std::vector<BlockName> removed;
  for (const BlockName& name : due) {
    Error error = taken_back[name.tenant];
    if (error.ok()) error = Remove(name);
    if (!error.ok()) {
      LogWarn("a replaced block could not be removed; tried again later",
              {{"tenant", name.tenant}, {"block", name.id}, {"error", error.message()}});
      continue;
    }
    const MutexLock lock(mutex_);
    std::erase_if(retired_, [&](const Retired& retired) { return retired.name == name; });
    removed.push_back(name);
  }
  return removed;
}

uint64_t BlockShelf::retired_bytes() const {
  const MutexLock lock(mutex_);
  uint64_t bytes = 0;
  for (const Retired& retired : retired_) bytes += retired.bytes;
  return bytes;
}

Error BlockShelf::Commit(const block::Deletion& deletion, std::vector<CatalogBlock> blocks) {
  Error error = ResolveDoubts(deletion.tenant);
  bool in_doubt = false;
  if (error.ok()) {
    const auto is_needed = [this](const block::Deletion& known) {
      const auto list = list_.Get(known.tenant);
      return std::any_of(list->begin(), list->end(),
                         [&](const BlockPtr& block) { return block->meta.deletion == known.id; });
    };
    error = deletions_.Put(deletion, is_needed, &in_doubt);
  }
  if (in_doubt) {
    LogWarn("the record of a deletion that failed can't be removed; tried again later",
            {{"tenant", deletion.tenant}, {"deletion", deletion.id}});
    const MutexLock lock(mutex_);
    in_doubt_.push_back({deletion.tenant, deletion.id, deletion.parts, std::move(blocks)});
    return error;
  }
  if (!error.ok()) {
    Abandon(blocks);
    return error;
  }
  list_.Change(deletion.tenant, {}, std::move(blocks), deletion.parts);
  writer_.Changed(deletion.tenant);
  UpdateGauges(deletion.tenant);
  metrics_
      .GetCounter("weft_deleted_spans_total", "Spans that somebody asked to delete.",
                  {{"tenant", deletion.tenant}})
      .Add(deletion.span_count);
  return Error::Ok();
}

// What can't be removed is no block without its deletion, and goes at the next start.
void BlockShelf::Abandon(const std::vector<CatalogBlock>& blocks) {
  for (const CatalogBlock& block : blocks) Undo(block.name, false);
}

// Perhaps a deletion is on the disk that hides rows of blocks and counts others in. Nothing may
// come in the place of these before that is over: after a restart both would count.
Error BlockShelf::ResolveDoubts(const model::TenantId& tenant) {
  std::vector<InDoubt> found;
  {
    const MutexLock lock(mutex_);
    for (const InDoubt& doubt : in_doubt_) {
      if (doubt.tenant == tenant) found.push_back(doubt);
    }
  }
  for (const InDoubt& doubt : found) {
    if (const Error error = deletions_.RemoveInDoubt(doubt.tenant, doubt.id); !error.ok()) {
      return error.WithContext("what is left of deletion " + doubt.id + " that failed");
    }
    Abandon(doubt.blocks);
    const MutexLock lock(mutex_);
    std::erase_if(in_doubt_, [&](const InDoubt& d) { return d.id == doubt.id; });
  }
  return Error::Ok();
}

block::RowSetPtr BlockShelf::RowsInDoubt(const BlockName& name) const {
  const MutexLock lock(mutex_);
  block::RowSetPtr rows;
  for (const InDoubt& doubt : in_doubt_) {
    if (doubt.tenant != name.tenant) continue;
    for (const block::Deletion::Part& part : doubt.parts) {
      if (part.block_id != name.id) continue;
      rows = std::make_shared<const block::RowSet>(rows ? block::RowSet::Union(*rows, part.rows)
                                                        : part.rows);
    }
  }
  return rows;
}

void BlockShelf::SettleDeletions(int64_t now_ns) {
  if (!deletions_.any_pending()) return;
  std::set<BlockName> on_disk;
  for (const model::TenantId& tenant : list_.tenants()) {
    const auto list = list_.Get(tenant);
    for (const BlockPtr& block : *list) on_disk.insert(block->name);
  }
  {
    const MutexLock lock(mutex_);
    for (const Retired& retired : retired_) on_disk.insert(retired.name);
    for (const Remains& remains : remains_) on_disk.insert(remains.name);
    for (const Catalog::Damaged& damaged : damaged_) on_disk.insert(damaged.name);
  }
  deletions_.Settle(on_disk, now_ns);
}

bool BlockShelf::HasAuxiliary(const BlockName& name) const {
  const MutexLock lock(mutex_);
  return std::any_of(auxiliary_.begin(), auxiliary_.end(), [&](const auto& entry) {
    return std::find(entry.second.begin(), entry.second.end(), name) != entry.second.end();
  });
}

Result<CatalogBlock> BlockShelf::Put(const block::EncodedBlock& block) {
  const BlockName name{block.meta.tenant, block.meta.id};
  WEFT_RETURN_IF_ERROR(CheckBlockName(name));
  if (list_.Find(name) != nullptr) {
    return Error(ErrorCode::kInvalidArgument, "block " + name.id + " exists already");
  }
  block::BlockMeta meta = block.meta;
  std::optional<block::BlockFile> bundle;
  if (objects_.IsRemote()) {
    bundle = block::MakeBundle(block);
    if (bundle->bytes.empty()) {
      bundle.reset();  // stores don't tell an empty object from none
    } else {
      meta.files.push_back(block::Describe(*bundle));
    }
  }
  CatalogBlock entry = MakeCatalogBlock(meta);
  const std::string json = meta.ToJson();
  entry.total_bytes = meta.TotalBytes() + json.size();
  for (const block::BlockFile& file : block.auxiliary) entry.auxiliary.push_back(file.name);

  WEFT_RETURN_IF_ERROR(RemoveRemains(block.meta));
  Error error = PutFiles(block, bundle, name);
  if (error.ok()) error = objects_.Put(ObjectOf(name, kMetaFile), json);
  if (!error.ok()) {
    Undo(name, !block.meta.replaces.empty());
    return error.WithContext("block " + name.id);
  }
  const MutexLock lock(mutex_);
  Remember(entry);
  return entry;
}

Error BlockShelf::PutFiles(const block::EncodedBlock& block,
                           const std::optional<block::BlockFile>& bundle, const BlockName& name) {
  std::vector<NamedBytes> objects;
  for (const auto* files : {&block.files, &block.auxiliary}) {
    for (const block::BlockFile& file : *files) {
      if (file.name == kMetaFile || file.name.find('/') != std::string::npos) {
        return Error(ErrorCode::kInvalidArgument, "a file of a block can't be named " + file.name);
      }
      objects.push_back({ObjectOf(name, file.name), file.bytes});
    }
  }
  if (bundle) objects.push_back({ObjectOf(name, bundle->name), bundle->bytes});
  return objects_.Put(objects);
}

void BlockShelf::Undo(const BlockName& name, bool merged) {
  // meta.json first: it may be there although the store said no.
  const Error error = Remove(name);
  if (error.ok()) return;
  LogWarn("a block that could not be written could not be removed either",
          {{"tenant", name.tenant}, {"block", name.id}, {"error", error.message()}});
  const MutexLock lock(mutex_);
  remains_.push_back({name, merged});
}

// A block that is written again must find its place empty. A merged block must not meet another one
// that nobody knows of: after a restart that one counts, with spans that the new one has too, or in
// place of blocks that only it has the spans of.
Error BlockShelf::RemoveRemains(const block::BlockMeta& next) {
  const auto in_the_way = [&](const Remains& remains) {
    if (remains.name.tenant != next.tenant) return false;
    return remains.name.id == next.id || (remains.merged && !next.replaces.empty());
  };
  std::vector<Remains> found;
  {
    const MutexLock lock(mutex_);
    std::copy_if(remains_.begin(), remains_.end(), std::back_inserter(found), in_the_way);
  }
  for (const Remains& remains : found) {
    if (const Error error = Remove(remains.name); !error.ok()) {
      return error.WithContext("what an earlier write left of block " + remains.name.id);
    }
    const MutexLock lock(mutex_);
    std::erase_if(remains_, [&](const Remains& r) { return r.name == remains.name; });
  }
  return Error::Ok();
}

Result<std::vector<block::BlockSink::AuxiliaryFile>> BlockShelf::ReadAuxiliary(
    std::string_view file) const {
  std::vector<BlockName> names;
  {
    const MutexLock lock(mutex_);
    const auto it = auxiliary_.find(file);
    if (it != auxiliary_.end()) names = it->second;
  }
  std::vector<block::BlockSink::AuxiliaryFile> files;
  for (const BlockName& name : names) {
    auto bytes = objects_.Get(ObjectOf(name, file));
    if (bytes.error().code() == ErrorCode::kNotFound) continue;  // deleted since
    if (!bytes.ok()) return bytes.error();
    files.push_back({name.tenant, name.id, std::move(bytes).value()});
  }
  return files;
}

Error BlockShelf::RemoveAuxiliary(const BlockName& name, std::string_view file) {
  WEFT_RETURN_IF_ERROR(CheckBlockName(name));
  {
    // Only what is known to be auxiliary: never a file that meta.json lists.
    const MutexLock lock(mutex_);
    const auto it = auxiliary_.find(file);
    if (it == auxiliary_.end()) return Error::Ok();
    if (std::find(it->second.begin(), it->second.end(), name) == it->second.end()) {
      return Error::Ok();
    }
  }
  WEFT_RETURN_IF_ERROR(objects_.Delete(ObjectOf(name, file)));
  const MutexLock lock(mutex_);
  const auto it = auxiliary_.find(file);
  if (it != auxiliary_.end()) std::erase(it->second, name);
  return Error::Ok();
}

Error BlockShelf::Delete(const BlockName& name) {
  WEFT_RETURN_IF_ERROR(CheckBlockName(name));
  list_.Remove(name);
  UpdateGauges(name.tenant);
  {
    const MutexLock lock(mutex_);
    for (auto& [file, names] : auxiliary_) std::erase(names, name);
  }
  writer_.Changed(name.tenant);
  WEFT_RETURN_IF_ERROR(writer_.TakeBack(name.tenant, {name.id}));
  return Remove(name);
}

CatalogWriter::Contents BlockShelf::ContentsOf(const model::TenantId& tenant) const {
  CatalogWriter::Contents contents;
  std::set<std::string_view> with_auxiliary;
  const MutexLock lock(mutex_);
  for (const auto& [file, names] : auxiliary_) {
    for (const BlockName& name : names) {
      if (name.tenant == tenant) with_auxiliary.insert(name.id);
    }
  }
  const auto list = list_.Get(tenant);
  contents.blocks.reserve(list->size());
  for (const BlockPtr& block : *list) {
    // Whether these are still there is for the listing of their folder to say.
    if (!with_auxiliary.contains(block->name.id)) contents.blocks.push_back(block);
  }
  for (const Retired& retired : retired_) {
    if (retired.name.tenant == tenant) contents.retired.push_back(retired.name.id);
  }
  return contents;
}

Error BlockShelf::SaveCatalog(bool all) {
  Error first;
  for (const model::TenantId& tenant : list_.tenants()) {
    if (!writer_.IsDue(tenant, list_.TotalsOf(tenant).blocks, all)) continue;
    Error error = writer_.Save(tenant, [&] { return ContentsOf(tenant); });
    if (first.ok()) first = error.WithContext("the catalog of tenant " + tenant);
  }
  return first;
}

Error BlockShelf::Remove(const BlockName& name) {
  WEFT_RETURN_IF_ERROR(objects_.Delete(ObjectOf(name, kMetaFile)));
  return objects_.DeleteFolder(FolderOf(name));
}

void BlockShelf::SetAside(const BlockName& name, const Error& why) {
  {
    const MutexLock lock(mutex_);
    const bool known = std::any_of(damaged_.begin(), damaged_.end(),
                                   [&](const Catalog::Damaged& d) { return d.name == name; });
    if (known) return;
    damaged_.push_back({name, why});
    damaged_gauge_.Set(static_cast<int64_t>(damaged_.size()));
    for (auto& [file, names] : auxiliary_) std::erase(names, name);
  }
  list_.Remove(name);
  writer_.Changed(name.tenant);
  UpdateGauges(name.tenant);
  LogError("a block can't be read; it is left where it is and out of all answers",
           {{"tenant", name.tenant}, {"block", name.id}, {"error", why.message()}});
}

std::vector<Catalog::Damaged> BlockShelf::damaged() const {
  const MutexLock lock(mutex_);
  return damaged_;
}

void BlockShelf::UpdateGauges(const model::TenantId& tenant) {
  const TenantTotals totals = list_.TotalsOf(tenant);
  const MetricLabels labels{{"tenant", tenant}};
  const auto set = [&](std::string_view name, std::string_view help, uint64_t value) {
    metrics_.GetGauge(name, help, labels).Set(static_cast<int64_t>(value));
  };
  set("weft_store_blocks", "Blocks.", totals.blocks);
  set("weft_store_bytes", "Bytes of all files of all blocks.", totals.bytes);
  set("weft_store_spans", "Spans in blocks.", totals.spans);
}

}  // namespace weft::store
