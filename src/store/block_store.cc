#include "store/block_store.h"

#include <algorithm>
#include <utility>

#include "block/renewal.h"
#include "block/schema.h"
#include "block/stored_row_group.h"
#include "block/trace_summary.h"
#include "store/lazy_row_group.h"

namespace weft::store {
namespace {

constexpr uint32_t kRetryMs = 2000;

// Whether an error says that the block itself is bad, and not that the disk is busy or failing.
bool IsDamage(const Error& error) {
  return error.code() == ErrorCode::kCorrupt || error.code() == ErrorCode::kUnsupported ||
         error.code() == ErrorCode::kNotFound;
}

Error InBlock(const Error& error, const CatalogBlock& block) {
  return error.WithContext("block " + FolderOf(block.name));
}

TraceDirectoryOptions ForReading(const BlockStoreOptions& options) {
  TraceDirectoryOptions traces = options.traces;
  traces.read_only = options.read_only;
  return traces;
}

Error ReadOnly() {
  return Error(ErrorCode::kUnsupported,
               "this server only reads the store: another one writes to it");
}

}  // namespace

Result<std::unique_ptr<BlockStore>> BlockStore::Open(ObjectStore& objects,
                                                     BlockStoreOptions options,
                                                     MetricRegistry& metrics) {
  std::unique_ptr<BlockStore> store(new BlockStore(objects, options, metrics));
  const bool remove = options.remove_unfinished && !options.read_only;
  WEFT_RETURN_IF_ERROR(store->shelf_.Load(remove));
  WEFT_RETURN_IF_ERROR(store->LoadTraceDirectory());
  return store;
}

BlockStore::BlockStore(ObjectStore& objects, const BlockStoreOptions& options,
                       MetricRegistry& metrics)
    : objects_(objects),
      read_only_(options.read_only),
      shelf_(objects, metrics, options.shelf),
      open_(objects, {options.open_blocks_max, options.open_files_max, options.cache_bytes_max},
            metrics),
      traces_(objects, ForReading(options)) {}

Error BlockStore::LoadTraceDirectory() {
  for (const auto& [tenant, objects] : shelf_.catalog_objects()) {
    WEFT_RETURN_IF_ERROR(traces_.Load(tenant, objects));
  }
  for (const model::TenantId& tenant : tenants()) {
    const auto blocks = Blocks(tenant);
    for (const BlockPtr& block : *blocks) traces_.Add(block->name, std::nullopt);
  }
  return Error::Ok();
}

Error BlockStore::Refresh() const {
  const uint64_t asked = refreshes_begun_;
  const MutexLock lock(refresh_mutex_);
  // One that began after this call says all that this one would.
  if (refreshed_ > asked) return Error::Ok();
  const uint64_t number = ++refreshes_begun_;
  const BlockShelf::Watcher watcher{
      [this](const model::TenantId& tenant, const TenantChanges& changes) {
        for (const CatalogBlock& block : changes.come) traces_.Add(block.name, std::nullopt);
        return traces_.Load(tenant, changes.objects);
      },
      [this](const model::TenantId& tenant, const std::vector<std::string>& gone) {
        for (const std::string& id : gone) {
          traces_.Remove({tenant, id});
          open_.Forget({tenant, id});
        }
      }};
  WEFT_RETURN_IF_ERROR(shelf_.Refresh(watcher));
  refreshed_ = number;
  return Error::Ok();
}

Error BlockStore::Renew() const { return read_only_ ? Refresh() : Error::Ok(); }

Error BlockStore::WriteBlock(block::EncodedBlock block) {
  if (read_only_) return ReadOnly();
  const BlockName name{block.meta.tenant, block.meta.id};
  WEFT_RETURN_IF_ERROR(CheckBlockName(name));
  if (shelf_.list().Find(name) == nullptr) traces_.Add(name, HashesOf(block));
  const Error error = shelf_.Write(block);
  if (!error.ok() && shelf_.list().Find(name) == nullptr) traces_.Remove(name);
  return error;
}

Error BlockStore::ReplaceBlocks(block::EncodedBlock block, const std::vector<BlockName>& others,
                                int64_t now_ns) {
  if (read_only_) return ReadOnly();
  const BlockName name{block.meta.tenant, block.meta.id};
  WEFT_RETURN_IF_ERROR(CheckBlockName(name));
  if (shelf_.list().Find(name) == nullptr) {
    traces_.Add(name, HashesOf(block));
    traces_.WillReplace(name, others);
  }
  const Error error = shelf_.Replace(std::move(block), others, now_ns);
  if (error.ok()) {
    traces_.Replace(name, others);
  } else if (shelf_.list().Find(name) == nullptr) {
    traces_.Remove(name);
  }
  return error;
}

// Finding a trace must know of it before anybody can see it.
Result<CatalogBlock> BlockStore::PutForDeletion(const block::EncodedBlock& block) {
  if (read_only_) return ReadOnly();
  const BlockName name{block.meta.tenant, block.meta.id};
  WEFT_RETURN_IF_ERROR(CheckBlockName(name));
  if (shelf_.list().Find(name) == nullptr) traces_.Add(name, HashesOf(block));
  auto put = shelf_.PutForDeletion(block);
  if (!put.ok() && shelf_.list().Find(name) == nullptr) traces_.Remove(name);
  return put;
}

Error BlockStore::CommitDeletion(const block::Deletion& deletion,
                                 std::vector<CatalogBlock> blocks) {
  if (read_only_) return ReadOnly();
  std::vector<BlockName> names;
  for (const CatalogBlock& block : blocks) names.push_back(block.name);
  Error error = shelf_.Commit(deletion, std::move(blocks));
  if (error.ok()) return error;
  for (const BlockName& name : names) traces_.Remove(name);
  return error;
}

void BlockStore::AbandonDeletion(const std::vector<CatalogBlock>& blocks) {
  shelf_.Abandon(blocks);
  for (const CatalogBlock& block : blocks) traces_.Remove(block.name);
}

bool BlockStore::RetireBlock(const BlockName& name, int64_t now_ns) {
  if (read_only_ || !shelf_.Retire(name, now_ns)) return false;
  traces_.Remove(name);
  return true;
}

Error BlockStore::SaveCatalog(bool all) {
  if (read_only_) return ReadOnly();
  Error first = shelf_.SaveCatalog(all);
  for (const model::TenantId& tenant : tenants()) {
    if (!all) NoteUnknown(tenant);
    Error error = traces_.Save(tenant, all, [&] { return shelf_.NextCatalogNumber(tenant); });
    if (first.ok()) first = error.WithContext("the trace tables of tenant " + tenant);
  }
  return first;
}

// Blocks that were there before this life, or whose table was lost. Those for which there is no
// room now have their turn when a table has been made of the others.
void BlockStore::NoteUnknown(const model::TenantId& tenant) {
  constexpr size_t kBlocksMax = 1024;
  for (const BlockName& name : traces_.Unknown(tenant, kBlocksMax + unreadable_.size())) {
    const BlockPtr block = shelf_.list().Find(name);
    if (block == nullptr || unreadable_.contains(name)) continue;
    if (!traces_.HasRoomFor(block->meta.trace_count)) continue;
    auto hashes = ReadHashesOf(*block);
    if (hashes.ok()) {
      traces_.Note(name, std::move(hashes).value());
    } else if (IsTransient(hashes.error())) {
      return;
    } else {
      unreadable_.insert(name);
    }
  }
}

Result<TraceDirectory::Hashes> BlockStore::ReadHashesOf(const CatalogBlock& block) const {
  WEFT_ASSIGN_OR_RETURN(const block::BlockMeta meta, block.ReadMeta());
  for (const block::FileMeta& file : meta.files) {
    if (file.name != block::kSpansFile) continue;
    WEFT_ASSIGN_OR_RETURN(auto spans,
                          objects_.OpenSized(ObjectOf(block.name, file.name), file.size_bytes));
    return ReadHashes(std::move(spans), file);
  }
  return Error(ErrorCode::kCorrupt, "meta.json lists no spans");
}

void BlockStore::SetAside(const BlockName& name, const Error& why) const {
  shelf_.SetAside(name, why);
  traces_.Remove(name);
}

Result<std::vector<block::BlockSink::AuxiliaryFile>> BlockStore::ReadAuxiliary(
    std::string_view name) const {
  return shelf_.ReadAuxiliary(name);
}

Error BlockStore::RemoveAuxiliary(const model::TenantId& tenant, const std::string& block_id,
                                  std::string_view name) {
  if (read_only_) return ReadOnly();
  return shelf_.RemoveAuxiliary({tenant, block_id}, name);
}

void BlockStore::RemoveRetired(int64_t until_ns) {
  if (read_only_) return;
  for (const BlockName& name : shelf_.RemoveRetired(until_ns)) {
    open_.Forget(name);
    traces_.ForgetReplaced(name);
  }
}

Error BlockStore::RemoveExpired(const model::TenantId& tenant) {
  if (read_only_) return ReadOnly();
  for (const BlockName& name : shelf_.RemoveExpired(tenant)) open_.Forget(name);
  if (!shelf_.HasExpired(tenant)) return Error::Ok();
  return {ErrorCode::kUnavailable,
          "a block that has expired can't be removed yet, and spans in it would come back: try "
          "again; if it stays, the log says why",
          kRetryMs};
}

Error BlockStore::DeleteBlock(const BlockName& name) {
  if (read_only_) return ReadOnly();
  const Error error = shelf_.Delete(name);
  open_.Forget(name);
  if (shelf_.list().Find(name) == nullptr) traces_.Remove(name);
  return error;
}

Result<std::shared_ptr<const block::Block>> BlockStore::OpenOrSetAside(
    const CatalogBlock& block) const {
  auto opened = open_.Get(block);
  if (opened.ok() || !IsDamage(opened.error())) {
    return opened.ok() ? std::move(opened) : InBlock(opened.error(), block);
  }
  // Taken away by the process that writes: its spans are elsewhere, and the caller has to look
  // again.
  const bool gone = opened.error().code() == ErrorCode::kNotFound;
  if (read_only_ && gone) return InBlock(opened.error(), block);
  open_.Forget(block.name);
  // Gone from the list: it was deleted, and this query began before.
  if (shelf_.list().Find(block.name) != nullptr) SetAside(block.name, opened.error());
  return std::shared_ptr<const block::Block>();
}

Result<std::shared_ptr<const block::RowGroup>> BlockStore::OpenGroup(const BlockPtr& block,
                                                                     uint32_t row_group) const {
  WEFT_ASSIGN_OR_RETURN(const auto opened, OpenOrSetAside(*block));
  if (opened == nullptr) return std::shared_ptr<const block::RowGroup>();
  return opened->OpenRowGroup(row_group, block->deleted);
}

Result<std::vector<std::shared_ptr<const block::RowGroup>>> BlockStore::Snapshot(
    const model::TenantId& tenant, TimeRange range, const block::SnapshotOptions& options) const {
  std::vector<std::shared_ptr<const block::RowGroup>> groups;
  const auto blocks = Blocks(tenant);  // the list may be replaced meanwhile
  const auto open = [this](const BlockPtr& block, uint32_t row_group) {
    return OpenGroup(block, row_group);
  };
  for (const BlockPtr& block : *blocks) {
    if (block->meta.last_start_ns < range.start_ns) break;  // and so are all that follow
    if (!range.Touches(block->meta.first_start_ns, block->meta.last_start_ns)) continue;
    uint64_t first_row = 0;
    for (uint32_t g = 0; g < block->meta.row_groups.size(); ++g) {
      const block::RowGroupMeta& meta = block->meta.row_groups[g];
      const uint64_t begin = first_row;
      first_row += meta.span_count;
      if (!range.Touches(meta.first_start_ns, meta.last_start_ns)) continue;
      if (block->deleted && block->deleted->CountIn(begin, meta.span_count) == meta.span_count) {
        continue;
      }
      auto group = std::make_shared<const LazyRowGroup>(block, g, open);
      if (!options.lazy) {
        WEFT_RETURN_IF_ERROR(group->Load());
        if (group->row_count() == 0) continue;
      }
      groups.push_back(std::move(group));
    }
  }
  return groups;
}

// Of a block whose traces are not known its list of traces is read, which is little of it.
bool BlockStore::MayHold(const CatalogBlock& block, model::TraceId id) const {
  if (!traces_.IsUnknown(block.name)) return true;
  auto hashes = ReadHashesOf(block);
  if (!hashes.ok()) return true;  // opening the block will say why
  const bool holds = std::binary_search(hashes->begin(), hashes->end(), TraceHash(id));
  traces_.Note(block.name, std::move(hashes).value());
  return holds;
}

Result<BlockVector> BlockStore::BlocksWith(const model::TenantId& tenant, model::TraceId id) const {
  // What the directory says must be of the blocks of one moment: a trace that moves from one block
  // to another in between would be in neither.
  constexpr int kAttempts = 10;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto blocks = Blocks(tenant);
    WEFT_ASSIGN_OR_RETURN(const auto ids, traces_.Find(tenant, id));
    BlockVector found;
    for (const std::string& block_id : ids) {
      BlockPtr block = shelf_.list().Find({tenant, block_id});
      if (block != nullptr && MayHold(*block, id)) found.push_back(std::move(block));
    }
    if (Blocks(tenant) != blocks) continue;
    std::sort(found.begin(), found.end(), NewerFirst);
    return found;
  }
  return *Blocks(tenant);
}

Result<BlockStore::Fragments> BlockStore::FindFragments(const model::TenantId& tenant,
                                                        model::TraceId id) const {
  std::vector<model::SpanBatch> batches;
  WEFT_ASSIGN_OR_RETURN(const BlockVector blocks, BlocksWith(tenant, id));
  for (const BlockPtr& block : blocks) {
    WEFT_ASSIGN_OR_RETURN(const auto opened, OpenOrSetAside(*block));
    if (opened == nullptr) continue;
    auto batch = opened->FindTrace(id, block->deleted);
    if (!batch.ok()) return InBlock(batch.error(), *block);
    if (!batch->empty()) batches.push_back(std::move(batch).value());
  }
  Fragments fragments;
  fragments.count = static_cast<uint32_t>(batches.size());
  if (batches.size() == 1) {
    fragments.spans = std::move(batches[0]);
  } else if (batches.size() > 1) {
    model::SpanBatch all;
    model::BatchAppender appender(&all);
    for (const model::SpanBatch& batch : batches) appender.AppendAll(batch);
    // A span that was sent again after its trace was cut is in both.
    fragments.spans = block::WithoutDuplicates(all);
  }
  return fragments;
}

Result<model::SpanBatch> BlockStore::FindTrace(const model::TenantId& tenant,
                                               model::TraceId id) const {
  WEFT_ASSIGN_OR_RETURN(Fragments fragments, block::WithRenewal<Fragments>(
                                                 *this, [&] { return FindFragments(tenant, id); }));
  return std::move(fragments.spans);
}

Result<std::vector<model::SpanId>> BlockStore::SpanIdsOf(const model::TenantId& tenant,
                                                         model::TraceId id) const {
  return block::WithRenewal<std::vector<model::SpanId>>(*this,
                                                        [&] { return SpanIdsOnce(tenant, id); });
}

Result<std::vector<model::SpanId>> BlockStore::SpanIdsOnce(const model::TenantId& tenant,
                                                           model::TraceId id) const {
  std::vector<model::SpanId> all;
  WEFT_ASSIGN_OR_RETURN(const BlockVector blocks, BlocksWith(tenant, id));
  for (const BlockPtr& block : blocks) {
    WEFT_ASSIGN_OR_RETURN(const auto opened, OpenOrSetAside(*block));
    if (opened == nullptr) continue;
    // What a restart may hide is not there for whoever sends it again.
    block::RowSetPtr hidden = block->deleted;
    if (const block::RowSetPtr doubtful = shelf_.RowsInDoubt(block->name)) {
      hidden = hidden
                   ? std::make_shared<const block::RowSet>(block::RowSet::Union(*hidden, *doubtful))
                   : doubtful;
    }
    const auto ids = opened->SpanIdsOf(id, hidden);
    if (!ids.ok()) return InBlock(ids.error(), *block);
    all.insert(all.end(), ids->begin(), ids->end());
  }
  return all;
}

// By the directories, which may take a trace for another. Of the blocks of one moment, as
// BlocksWith is. A query that began before its block was replaced is told of the blocks that it
// sees; of a block that is gone otherwise the traces are elsewhere.
Result<std::vector<bool>> BlockStore::MayBeElsewhere(const model::TenantId& tenant,
                                                     std::span<const model::TraceId> ids,
                                                     const std::string& block_id) const {
  std::vector<uint64_t> hashes;
  hashes.reserve(ids.size());
  for (const model::TraceId& id : ids) hashes.push_back(TraceHash(id));
  return block::WithRenewal<std::vector<bool>>(*this, [&]() -> Result<std::vector<bool>> {
    constexpr int kAttempts = 3;
    const BlockName name{tenant, block_id};
    for (int attempt = 0; !ids.empty() && attempt < kAttempts; ++attempt) {
      const auto blocks = Blocks(tenant);
      if (shelf_.list().Find(name) == nullptr && !traces_.IsReplaced(name)) break;
      for (const BlockPtr& block : *blocks) {
        if (block->name.id != block_id) MayHold(*block, ids[0]);  // makes its traces known
      }
      WEFT_ASSIGN_OR_RETURN(std::vector<bool> others,
                            traces_.MayBeInOthers(tenant, hashes, RawIdOf(block_id)));
      if (Blocks(tenant) == blocks) return others;
    }
    return std::vector<bool>(ids.size(), true);
  });
}

Result<block::RowSource::JoinedSummary> BlockStore::SummarizeTrace(const model::TenantId& tenant,
                                                                   model::TraceId id) const {
  return block::WithRenewal<JoinedSummary>(*this, [&] { return SummarizeOnce(tenant, id); });
}

Result<block::RowSource::JoinedSummary> BlockStore::SummarizeOnce(const model::TenantId& tenant,
                                                                  model::TraceId id) const {
  JoinedSummary joined;
  WEFT_ASSIGN_OR_RETURN(const BlockVector blocks, BlocksWith(tenant, id));
  for (const BlockPtr& block : blocks) {
    WEFT_ASSIGN_OR_RETURN(const auto opened, OpenOrSetAside(*block));
    if (opened == nullptr) continue;
    auto summary = opened->Summary(id, block->deleted);
    if (!summary.ok()) return InBlock(summary.error(), *block);
    if (summary->span_count == 0) continue;
    joined.summary = std::move(summary).value();
    ++joined.fragments;
  }
  if (joined.fragments <= 1) return joined;
  // Parts can't be added up: what is an orphan in one may have its parent in the other, and a span
  // that was sent again counts once.
  WEFT_ASSIGN_OR_RETURN(const Fragments fragments, FindFragments(tenant, id));
  joined.summary = block::SummarizeSpans(fragments.spans);
  joined.summary.flags |= block::kTraceFragment;
  return joined;
}

}  // namespace weft::store
