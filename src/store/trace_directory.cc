#include "store/trace_directory.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/borrowed_file.h"
#include "base/log.h"
#include "block/schema.h"
#include "block/table_reader.h"
#include "store/catalog_snapshot.h"

namespace weft::store {
namespace {

// So many are looked up one by one.
constexpr size_t kFewTraces = 8;
// Tables of a size class are within a factor of four of each other.
constexpr size_t kMergeCount = 4;

uint32_t SizeClassOf(uint64_t entries) {
  uint32_t size_class = 0;
  for (; entries >= 4; entries >>= 2) ++size_class;
  return size_class;
}

Result<std::shared_ptr<const TraceTable>> OpenTable(const ObjectStore& objects,
                                                    const std::string& name, uint64_t size_bytes) {
  WEFT_ASSIGN_OR_RETURN(auto file, objects.OpenSized(name, size_bytes));
  return TraceTable::Open(std::move(file));
}

}  // namespace

TraceDirectory::Hashes HashesOf(const std::vector<model::TraceId>& ids) {
  TraceDirectory::Hashes hashes;
  hashes.reserve(ids.size());
  for (const model::TraceId id : ids) hashes.push_back(TraceHash(id));
  std::sort(hashes.begin(), hashes.end());
  hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
  return hashes;
}

Result<TraceDirectory::Hashes> ReadHashes(std::unique_ptr<ReadableFile> spans,
                                          const block::FileMeta& meta) {
  WEFT_ASSIGN_OR_RETURN(const auto table,
                        block::TableReader::Open(std::move(spans), meta,
                                                 std::make_shared<block::ColumnCache>(0), {}));
  std::vector<model::TraceId> ids;
  for (uint32_t group = 0; group < table->row_groups().size(); ++group) {
    // Nearly always the ids are a dictionary: a page, instead of a code for each span.
    WEFT_ASSIGN_OR_RETURN(auto dictionary,
                          table->DictionaryOf(group, block::kSpanTraceId, nullptr));
    if (!dictionary) {
      WEFT_ASSIGN_OR_RETURN(const auto column, table->Read(group, block::kSpanTraceId, nullptr));
      dictionary = column->dictionary;
    }
    for (const std::string_view text : dictionary->strings) {
      if (text.size() != 16) return Error(ErrorCode::kCorrupt, "a trace id has no 16 bytes");
      ids.push_back(model::TraceId::FromBytes(text.data()));
    }
  }
  return HashesOf(ids);
}

std::optional<TraceDirectory::Hashes> HashesOf(const block::EncodedBlock& block) {
  for (size_t i = 0; i < block.files.size(); ++i) {
    if (block.files[i].name != block::kSpansFile || i >= block.meta.files.size()) continue;
    auto hashes =
        ReadHashes(std::make_unique<BorrowedFile>(block.files[i].bytes), block.meta.files[i]);
    if (hashes.ok()) return std::move(hashes).value();
  }
  return std::nullopt;
}

void TraceDirectory::Cover(Tenant* tenant, const TablePtr& table) const {
  ++tenant->version;
  for (const RawBlockId& id : table->table->blocks()) {
    const auto block = tenant->blocks.find(id);
    if (block == tenant->blocks.end()) continue;
    ++block->second;
    Forget(tenant, id);
  }
  tenant->tables.push_back(table);
}

void TraceDirectory::Uncover(Tenant* tenant, const TablePtr& table) const {
  if (std::erase(tenant->tables, table) == 0) return;
  ++tenant->version;
  for (const RawBlockId& id : table->table->blocks()) {
    const auto block = tenant->blocks.find(id);
    if (block == tenant->blocks.end() || --block->second > 0) continue;
    tenant->uncovered.try_emplace(id);
  }
}

void TraceDirectory::Forget(Tenant* tenant, const RawBlockId& id) const {
  const auto it = tenant->uncovered.find(id);
  if (it == tenant->uncovered.end()) return;
  if (it->second) noted_traces_ -= it->second->size();
  tenant->uncovered.erase(it);
}

Error TraceDirectory::Load(const model::TenantId& tenant, const std::vector<ObjectInfo>& objects) {
  std::vector<TablePtr> present;
  absl::flat_hash_set<std::string> names;
  {
    const MutexLock lock(mutex_);
    present = tenants_[tenant].tables;
    names = tenants_[tenant].unreadable;
  }
  for (const TablePtr& table : present) names.insert(table->name);
  absl::flat_hash_set<std::string> listed;
  for (const ObjectInfo& object : objects) {
    const auto parsed = ParseCatalogObject(object.name);
    if (!parsed || parsed->kind != kTracesKind) continue;
    std::string name = CatalogObject(tenant, parsed->number, kTracesKind);
    listed.insert(name);
    if (names.contains(name)) continue;
    const auto opened = OpenTable(objects_, name, object.size_bytes);
    if (!opened.ok() && IsTransient(opened.error())) return opened.error().WithContext(name);
    const MutexLock lock(mutex_);
    if (opened.ok()) {
      Cover(&tenants_[tenant], std::make_shared<const Table>(Table{std::move(name), *opened}));
      continue;
    }
    // Gone meanwhile is no damage.
    if (opened.error().code() == ErrorCode::kNotFound) continue;
    SetAside(&tenants_[tenant], name, opened.error());
  }
  const MutexLock lock(mutex_);
  Tenant& state = tenants_[tenant];
  for (const TablePtr& table : present) {
    if (!listed.contains(table->name)) Uncover(&state, table);
  }
  absl::erase_if(state.unreadable, [&](const std::string& name) { return !listed.contains(name); });
  return Error::Ok();
}

bool TraceDirectory::HasRoomFor(uint64_t hashes) const {
  const MutexLock lock(mutex_);
  return noted_traces_ + hashes <= options_.noted_traces_max;
}

void TraceDirectory::Add(const BlockName& name, std::optional<Hashes> hashes) {
  const RawBlockId id = RawIdOf(name.id);
  const MutexLock lock(mutex_);
  Tenant& tenant = tenants_[name.tenant];
  ++tenant.version;
  uint32_t tables = 0;
  for (const TablePtr& table : tenant.tables) {
    const auto& blocks = table->table->blocks();
    tables += std::binary_search(blocks.begin(), blocks.end(), id) ? 1 : 0;
  }
  tenant.blocks[id] = tables;
  Forget(&tenant, id);
  // Where both are there, a table was made while an earlier attempt to write the block went wrong.
  if (tables > 0 && !hashes) return;
  std::shared_ptr<const Hashes> noted;
  if (hashes && noted_traces_ + hashes->size() <= options_.noted_traces_max) {
    noted_traces_ += hashes->size();
    noted = std::make_shared<const Hashes>(*std::move(hashes));
  }
  tenant.uncovered[id] = std::move(noted);
}

void TraceDirectory::Note(const BlockName& name, Hashes hashes) {
  const RawBlockId id = RawIdOf(name.id);
  const MutexLock lock(mutex_);
  const auto tenant = tenants_.find(name.tenant);
  if (tenant == tenants_.end()) return;
  const auto block = tenant->second.uncovered.find(id);
  if (block == tenant->second.uncovered.end() || block->second != nullptr) return;
  if (noted_traces_ + hashes.size() > options_.noted_traces_max) return;
  noted_traces_ += hashes.size();
  ++tenant->second.version;
  block->second = std::make_shared<const Hashes>(std::move(hashes));
}

void TraceDirectory::Remove(const BlockName& name) {
  const RawBlockId id = RawIdOf(name.id);
  const MutexLock lock(mutex_);
  const auto tenant = tenants_.find(name.tenant);
  if (tenant == tenants_.end()) return;
  ++tenant->second.version;
  tenant->second.blocks.erase(id);
  Forget(&tenant->second, id);
  std::erase_if(tenant->second.replaced, [&](const auto& entry) {
    return entry.second.by == id && entry.second.parts == nullptr;
  });
}

void TraceDirectory::WillReplace(const BlockName& name, const std::vector<BlockName>& others) {
  const MutexLock lock(mutex_);
  Tenant& tenant = tenants_[name.tenant];
  ++tenant.version;
  for (const BlockName& other : others)
    tenant.replaced[RawIdOf(other.id)] = {RawIdOf(name.id), nullptr};
}

void TraceDirectory::Replace(const BlockName& name, const std::vector<BlockName>& others) {
  const MutexLock lock(mutex_);
  Tenant& tenant = tenants_[name.tenant];
  ++tenant.version;
  auto parts = std::make_shared<std::vector<Part>>();
  for (const BlockName& other : others) {
    const RawBlockId id = RawIdOf(other.id);
    const auto tables = tenant.blocks.find(id);
    const auto noted = tenant.uncovered.find(id);
    parts->push_back({id, tables != tenant.blocks.end() && tables->second > 0,
                      noted == tenant.uncovered.end() ? nullptr : noted->second});
    tenant.blocks.erase(id);
    Forget(&tenant, id);
  }
  for (const Part& part : *parts) tenant.replaced[part.id] = {RawIdOf(name.id), parts};
}

void TraceDirectory::ForgetReplaced(const BlockName& name) {
  const MutexLock lock(mutex_);
  const auto tenant = tenants_.find(name.tenant);
  if (tenant != tenants_.end()) tenant->second.replaced.erase(RawIdOf(name.id));
}

bool TraceDirectory::IsReplaced(const BlockName& name) const {
  const MutexLock lock(mutex_);
  const auto tenant = tenants_.find(name.tenant);
  if (tenant == tenants_.end()) return false;
  const auto replaced = tenant->second.replaced.find(RawIdOf(name.id));
  return replaced != tenant->second.replaced.end() && replaced->second.parts != nullptr;
}

bool TraceDirectory::IsUnknown(const BlockName& name) const {
  const MutexLock lock(mutex_);
  const auto tenant = tenants_.find(name.tenant);
  if (tenant == tenants_.end()) return false;
  const auto block = tenant->second.uncovered.find(RawIdOf(name.id));
  return block != tenant->second.uncovered.end() && block->second == nullptr;
}

std::vector<BlockName> TraceDirectory::Unknown(const model::TenantId& tenant,
                                               size_t count_max) const {
  std::vector<BlockName> names;
  const MutexLock lock(mutex_);
  const auto it = tenants_.find(tenant);
  if (it == tenants_.end()) return names;
  for (const auto& [id, hashes] : it->second.uncovered) {
    if (names.size() == count_max) break;
    if (hashes == nullptr) names.push_back({tenant, BlockIdOf(id)});
  }
  return names;
}

Result<std::vector<std::string>> TraceDirectory::Find(const model::TenantId& tenant,
                                                      model::TraceId id) const {
  const uint64_t hash = TraceHash(id);
  std::vector<RawBlockId> found;
  std::vector<TablePtr> tables;
  {
    const MutexLock lock(mutex_);
    const auto it = tenants_.find(tenant);
    if (it == tenants_.end()) return std::vector<std::string>();
    tables = it->second.tables;
    for (const auto& [block, hashes] : it->second.uncovered) {
      if (hashes == nullptr || std::binary_search(hashes->begin(), hashes->end(), hash)) {
        found.push_back(block);
      }
    }
  }
  for (const TablePtr& table : tables) {
    const Error error = table->table->Find(hash, &found);
    if (error.ok()) continue;
    const bool elsewhere = options_.read_only && error.code() == ErrorCode::kNotFound;
    if (IsTransient(error) || elsewhere) return error.WithContext(table->name);
    // Merged away since, or damaged: what it covered is covered by another one, or unknown.
    Drop(tenant, table, error);
    return Find(tenant, id);
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  std::vector<std::string> ids;
  for (const RawBlockId& block : found) ids.push_back(BlockIdOf(block));
  return ids;
}

namespace {

// Hashes and where they stand in a question, sorted.
using AskedHashes = std::vector<std::pair<uint64_t, size_t>>;

// Sets found[i] where `sorted` has hash i.
void MarkThoseIn(const std::vector<uint64_t>& sorted, const AskedHashes& asked,
                 std::vector<bool>* found) {
  auto at = sorted.begin();
  for (const auto& [hash, index] : asked) {
    // Few are asked of many, or many of many: twice as far each time meets both.
    ptrdiff_t step = 1;
    while (step < sorted.end() - at && at[step] < hash) step *= 2;
    at = std::lower_bound(at, at + std::min(step + 1, sorted.end() - at), hash);
    if (at == sorted.end()) return;
    if (*at == hash) (*found)[index] = true;
  }
}

// Sets found[i] where a block of the table that counts has hash i. A few are looked up, for more
// the whole table is read.
Error MarkThoseIn(const TraceTable& table, const std::vector<bool>& counts,
                  const AskedHashes& asked, std::vector<bool>* found) {
  if (std::find(counts.begin(), counts.end(), true) == counts.end()) return Error::Ok();
  if (asked.size() > kFewTraces) {
    size_t at = 0;
    return table.ForEach([&](uint64_t hash, uint32_t number) {
      while (at < asked.size() && asked[at].first < hash) ++at;
      if (!counts[number]) return;
      for (size_t i = at; i < asked.size() && asked[i].first == hash; ++i) {
        (*found)[asked[i].second] = true;
      }
    });
  }
  for (const auto& [hash, index] : asked) {
    std::vector<RawBlockId> blocks;
    WEFT_RETURN_IF_ERROR(table.Find(hash, &blocks));
    for (size_t i = 0; i < counts.size() && !(*found)[index]; ++i) {
      (*found)[index] =
          counts[i] && std::find(blocks.begin(), blocks.end(), table.blocks()[i]) != blocks.end();
    }
  }
  return Error::Ok();
}

}  // namespace

// What has replaced the block holds its traces, and what it has replaced holds no others.
TraceDirectory::Others TraceDirectory::OthersOf(const Tenant& tenant,
                                                const RawBlockId& block) const {
  Others out;
  std::set<RawBlockId> same{block};
  std::vector<Part> parts;
  for (auto at = tenant.replaced.find(block); at != tenant.replaced.end();
       at = tenant.replaced.find(at->second.by)) {
    if (!same.insert(at->second.by).second) break;
    if (at->second.parts)
      parts.insert(parts.end(), at->second.parts->begin(), at->second.parts->end());
  }
  const auto is_other = [&](const RawBlockId& id) {
    if (same.contains(id)) return false;
    const auto replaced = tenant.replaced.find(id);
    return replaced == tenant.replaced.end() || replaced->second.by != block;
  };
  const auto add = [&](const std::shared_ptr<const Hashes>& list) {
    if (list == nullptr) out.unknown = true;
    out.lists.push_back(list);
  };
  for (const auto& [id, list] : tenant.uncovered) {
    if (is_other(id)) add(list);
  }
  std::set<RawBlockId> in_tables;
  for (const Part& part : parts) {
    if (same.contains(part.id)) continue;
    if (part.hashes == nullptr && part.covered) {
      in_tables.insert(part.id);
    } else {
      add(part.hashes);
    }
  }
  // A table may list blocks that are gone.
  out.tables = tenant.tables;
  std::set<RawBlockId> missing = in_tables;
  for (const TablePtr& table : out.tables) {
    std::vector<bool>& of_table = out.counts.emplace_back();
    for (const RawBlockId& id : table->table->blocks()) {
      of_table.push_back(in_tables.contains(id) || (tenant.blocks.contains(id) && is_other(id)));
      missing.erase(id);
    }
  }
  if (!missing.empty()) out.unknown = true;
  return out;
}

absl::flat_hash_set<RawBlockId> TraceDirectory::ReplacementsOf(const Tenant& tenant) {
  absl::flat_hash_set<RawBlockId> found;
  for (const auto& [id, replaced] : tenant.replaced) {
    if (replaced.parts == nullptr) found.insert(replaced.by);
  }
  return found;
}

// A block that is about to replace others lists the same traces as they do.
std::optional<TraceLists> TraceDirectory::ListsOf(const Tenant& tenant) {
  // What is found takes 20 bytes for each two of them, at most.
  constexpr uint64_t kEntriesMax = 8u << 20;
  const auto replacements = ReplacementsOf(tenant);
  TraceLists lists;
  std::map<RawBlockId, uint32_t> numbers;
  const auto number_of = [&](const RawBlockId& id) {
    return numbers.try_emplace(id, static_cast<uint32_t>(numbers.size())).first->second;
  };
  for (const auto& [id, hashes] : tenant.uncovered) {
    if (hashes == nullptr) return std::nullopt;
    if (!replacements.contains(id)) lists.blocks.push_back({number_of(id), hashes});
  }
  for (const TablePtr& table : tenant.tables) {
    auto& numbers_of_table = lists.tables.emplace_back(table->table).numbers;
    for (const RawBlockId& id : table->table->blocks()) {
      const bool counts = tenant.blocks.contains(id) && !replacements.contains(id);
      numbers_of_table.push_back(counts ? std::optional(number_of(id)) : std::nullopt);
    }
  }
  if (lists.entry_count() > kEntriesMax) return std::nullopt;
  return lists;
}

std::shared_ptr<const TraceDirectory::Shared> TraceDirectory::SharedFor(
    const model::TenantId& tenant, const RawBlockId& block, size_t asked) const {
  {
    const MutexLock lock(mutex_);
    if (auto known = KnownShared(tenant, block)) return known;
  }
  const MutexLock sharing(sharing_);
  auto shared = std::make_shared<Shared>();
  std::optional<TraceLists> lists;
  {
    const MutexLock lock(mutex_);
    if (auto known = KnownShared(tenant, block)) return known;  // another thread found out
    lists = ListsFor(tenant, block, asked);
    if (!lists) return nullptr;
    shared->version = tenants_[tenant].version;
  }
  auto found = FindSharedTraces(*lists);
  if (!found.ok()) return nullptr;  // asking the tables says which it is
  shared->hashes = std::move(found).value();
  const MutexLock lock(mutex_);
  tenants_[tenant].shared = shared;
  return shared;
}

std::shared_ptr<const TraceDirectory::Shared> TraceDirectory::KnownShared(
    const model::TenantId& tenant, const RawBlockId& block) const {
  const auto it = tenants_.find(tenant);
  if (it == tenants_.end() || it->second.shared == nullptr) return nullptr;
  const Tenant& state = it->second;
  const bool counts = state.blocks.contains(block) && !ReplacementsOf(state).contains(block);
  return counts && state.shared->version == state.version ? state.shared : nullptr;
}

std::optional<TraceLists> TraceDirectory::ListsFor(const model::TenantId& tenant,
                                                   const RawBlockId& block, size_t asked) const {
  const auto it = tenants_.find(tenant);
  if (it == tenants_.end()) return std::nullopt;
  const Tenant& state = it->second;
  if (!state.blocks.contains(block) || ReplacementsOf(state).contains(block)) return std::nullopt;
  // Each list is searched for each trace, else.
  constexpr size_t kWorthIt = 8;
  uint64_t traces = 0;
  for (const TablePtr& table : state.tables) traces += table->table->entry_count();
  const uint64_t steps = asked * state.uncovered.size() + traces;
  for (const auto& [id, hashes] : state.uncovered) traces += hashes ? hashes->size() : 0;
  if (steps * kWorthIt < traces) return std::nullopt;
  return ListsOf(state);
}

Result<std::vector<bool>> TraceDirectory::MayBeInOthers(const model::TenantId& tenant,
                                                        std::span<const uint64_t> hashes,
                                                        const RawBlockId& block) const {
  std::vector<bool> others(hashes.size(), false);
  if (hashes.size() > kFewTraces) {
    if (const auto shared = SharedFor(tenant, block, hashes.size())) {
      for (size_t i = 0; i < hashes.size(); ++i) others[i] = shared->hashes.contains(hashes[i]);
      return others;
    }
  }
  Others of;
  {
    const MutexLock lock(mutex_);
    const auto it = tenants_.find(tenant);
    if (it == tenants_.end()) return others;
    of = OthersOf(it->second, block);
  }
  if (of.unknown) return std::vector<bool>(hashes.size(), true);
  AskedHashes asked;
  for (size_t i = 0; i < hashes.size(); ++i) asked.emplace_back(hashes[i], i);
  std::sort(asked.begin(), asked.end());
  for (const auto& list : of.lists) MarkThoseIn(*list, asked, &others);
  for (size_t i = 0; i < of.tables.size(); ++i) {
    const Error error = MarkThoseIn(*of.tables[i]->table, of.counts[i], asked, &others);
    if (error.ok()) continue;
    const bool elsewhere = options_.read_only && error.code() == ErrorCode::kNotFound;
    if (IsTransient(error) || elsewhere) return error.WithContext(of.tables[i]->name);
    Drop(tenant, of.tables[i], error);
    return MayBeInOthers(tenant, hashes, block);
  }
  return others;
}

void TraceDirectory::Drop(const model::TenantId& tenant, const TablePtr& table,
                          const Error& why) const {
  const MutexLock lock(mutex_);
  Tenant& state = tenants_[tenant];
  if (std::find(state.tables.begin(), state.tables.end(), table) == state.tables.end()) return;
  SetAside(&state, table->name, why);
  Uncover(&state, table);
}

void TraceDirectory::SetAside(Tenant* tenant, const std::string& name, const Error& why) const {
  LogWarn("a trace table can't be read; finding its traces takes longer until it is made anew",
          {{"object", name}, {"error", why.message()}});
  const bool corrupt = why.code() == ErrorCode::kCorrupt;
  if (corrupt || why.code() == ErrorCode::kUnsupported) tenant->unreadable.insert(name);
  if (corrupt && !options_.read_only) tenant->useless.push_back(name);
}

Error TraceDirectory::SaveNoted(const model::TenantId& tenant, bool all,
                                const NumberSource& next_number) {
  std::vector<std::pair<RawBlockId, std::shared_ptr<const Hashes>>> noted;
  uint64_t traces = 0;
  {
    const MutexLock lock(mutex_);
    const Tenant& state = tenants_[tenant];
    for (const auto& [id, hashes] : state.uncovered) {
      if (hashes == nullptr) continue;
      if (!noted.empty() && traces + hashes->size() > TraceTable::kEntriesMax) break;
      noted.emplace_back(id, hashes);
      traces += hashes->size();
    }
    const bool worth_it = noted.size() >= options_.blocks_min || traces >= options_.traces_min;
    // At the end of a life: so that the next one need not look into the blocks.
    const bool last = all && state.blocks.size() >= options_.blocks_min;
    if (noted.empty() || !(worth_it || last)) return Error::Ok();
  }
  std::vector<RawBlockId> blocks;
  std::vector<std::pair<uint64_t, uint32_t>> entries;
  entries.reserve(traces);
  for (const auto& [id, hashes] : noted) {
    for (const uint64_t hash : *hashes) {
      entries.emplace_back(hash, static_cast<uint32_t>(blocks.size()));
    }
    blocks.push_back(id);
  }
  return Write(tenant, next_number(), blocks, std::move(entries), {});
}

// Four of a size, or one that is mostly of blocks that are gone.
std::vector<TraceDirectory::TablePtr> TraceDirectory::ChooseTables(const model::TenantId& tenant) {
  const MutexLock lock(mutex_);
  const Tenant& state = tenants_[tenant];
  std::map<uint32_t, std::vector<TablePtr>> classes;
  for (const TablePtr& table : state.tables) {
    const auto& blocks = table->table->blocks();
    const auto alive =
        static_cast<size_t>(std::count_if(blocks.begin(), blocks.end(), [&](const RawBlockId& id) {
          return state.blocks.contains(id);
        }));
    if (alive * 2 < blocks.size()) return {table};
    std::vector<TablePtr>& alike = classes[SizeClassOf(table->table->entry_count())];
    alike.push_back(table);
    uint64_t entries = 0;
    for (const TablePtr& one : alike) entries += one->table->entry_count();
    if (entries > TraceTable::kEntriesMax) {
      alike.pop_back();
    } else if (alike.size() == kMergeCount) {
      return alike;
    }
  }
  return {};
}

Error TraceDirectory::MergeTables(const model::TenantId& tenant, const NumberSource& next_number) {
  for (;;) {
    DeleteUseless(tenant);
    const std::vector<TablePtr> chosen = ChooseTables(tenant);
    if (chosen.empty()) return Error::Ok();
    std::vector<RawBlockId> blocks;
    std::vector<std::pair<uint64_t, uint32_t>> entries;
    for (const TablePtr& table : chosen) {
      // The number in the new table of each block that is still there.
      std::vector<std::optional<uint32_t>> number_of(table->table->blocks().size());
      {
        const MutexLock lock(mutex_);
        const Tenant& state = tenants_[tenant];
        for (size_t i = 0; i < number_of.size(); ++i) {
          const RawBlockId& id = table->table->blocks()[i];
          if (!state.blocks.contains(id)) continue;
          number_of[i] = static_cast<uint32_t>(blocks.size());
          blocks.push_back(id);
        }
      }
      const Error error = table->table->ForEach([&](uint64_t hash, uint32_t block) {
        if (number_of[block]) entries.emplace_back(hash, *number_of[block]);
      });
      if (error.ok()) continue;
      if (!IsTransient(error)) Drop(tenant, table, error);
      return error.WithContext(table->name);
    }
    WEFT_RETURN_IF_ERROR(Write(tenant, next_number(), blocks, std::move(entries), chosen));
  }
}

Error TraceDirectory::Write(const model::TenantId& tenant, uint64_t number,
                            const std::vector<RawBlockId>& blocks,
                            std::vector<std::pair<uint64_t, uint32_t>> entries,
                            const std::vector<TablePtr>& others) {
  TablePtr written;
  if (!blocks.empty()) {
    // Sorted, so that a block is found among them.
    std::vector<uint32_t> order(blocks.size());
    for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(),
              [&](uint32_t a, uint32_t b) { return blocks[a] < blocks[b]; });
    std::vector<RawBlockId> sorted;
    std::vector<uint32_t> number_of(blocks.size());
    for (const uint32_t i : order) {
      if (sorted.empty() || sorted.back() != blocks[i]) sorted.push_back(blocks[i]);
      number_of[i] = static_cast<uint32_t>(sorted.size() - 1);
    }
    for (auto& [hash, block] : entries) block = number_of[block];
    const std::string name = CatalogObject(tenant, number, kTracesKind);
    const std::string bytes = EncodeTraceTable(sorted, std::move(entries));
    Error error = objects_.Put(name, bytes);
    if (!error.ok()) {
      // It may be there all the same.
      const MutexLock lock(mutex_);
      tenants_[tenant].useless.push_back(name);
      return error;
    }
    WEFT_ASSIGN_OR_RETURN(auto table, OpenTable(objects_, name, bytes.size()));
    written = std::make_shared<const Table>(Table{name, std::move(table)});
  }
  {
    const MutexLock lock(mutex_);
    Tenant& state = tenants_[tenant];
    if (written) Cover(&state, written);
    for (const TablePtr& other : others) {
      Uncover(&state, other);
      state.useless.push_back(other->name);
    }
  }
  DeleteUseless(tenant);
  return Error::Ok();
}

void TraceDirectory::DeleteUseless(const model::TenantId& tenant) {
  std::vector<std::string> names;
  {
    const MutexLock lock(mutex_);
    names = tenants_[tenant].useless;
  }
  for (const std::string& name : names) {
    if (const Error error = objects_.Delete(name); !error.ok()) {
      LogWarn("an old trace table could not be deleted; tried again later",
              {{"object", name}, {"error", error.message()}});
      return;
    }
    const MutexLock lock(mutex_);
    std::erase(tenants_[tenant].useless, name);
  }
}

TraceDirectory::Totals TraceDirectory::totals() const {
  Totals totals;
  const MutexLock lock(mutex_);
  for (const auto& [name, tenant] : tenants_) {
    totals.tables += tenant.tables.size();
    totals.covered += tenant.blocks.size() - tenant.uncovered.size();
    for (const auto& [id, hashes] : tenant.uncovered) ++(hashes ? totals.noted : totals.unknown);
    for (const TablePtr& table : tenant.tables) totals.memory_bytes += table->table->memory_bytes();
    if (tenant.shared) totals.memory_bytes += tenant.shared->hashes.capacity() * 9;
    totals.memory_bytes += tenant.blocks.capacity() * (sizeof(RawBlockId) + 5);
  }
  totals.memory_bytes += noted_traces_ * sizeof(uint64_t);
  return totals;
}

}  // namespace weft::store
