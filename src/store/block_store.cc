#include "store/block_store.h"

#include <algorithm>
#include <utility>

#include "block/trace_summary.h"

namespace weft::store {
namespace {

// Whether a span of the block starts in the range, as far as meta.json knows: finer than the
// block's own range where row groups lie apart.
bool MayTouch(const block::BlockMeta& meta, TimeRange range) {
  if (!range.Touches(meta.first_start_ns, meta.last_start_ns)) return false;
  if (meta.row_groups.empty()) return true;
  return std::any_of(meta.row_groups.begin(), meta.row_groups.end(),
                     [&](const block::RowGroupMeta& group) {
                       return range.Touches(group.first_start_ns, group.last_start_ns);
                     });
}

// Whether an error says that the block itself is bad, and not that the disk is busy or failing.
bool IsDamage(const Error& error) {
  return error.code() == ErrorCode::kCorrupt || error.code() == ErrorCode::kUnsupported ||
         error.code() == ErrorCode::kNotFound;
}

Error InBlock(const Error& error, const CatalogBlock& block) {
  return error.WithContext("block " + FolderOf(block.name));
}

}  // namespace

Result<std::unique_ptr<BlockStore>> BlockStore::Open(ObjectStore& objects,
                                                     BlockStoreOptions options,
                                                     MetricRegistry& metrics) {
  std::unique_ptr<BlockStore> store(new BlockStore(objects, options, metrics));
  WEFT_RETURN_IF_ERROR(store->shelf_.Load(options.remove_unfinished));
  return store;
}

BlockStore::BlockStore(ObjectStore& objects, const BlockStoreOptions& options,
                       MetricRegistry& metrics)
    : shelf_(objects, metrics),
      open_(objects, {options.open_blocks_max, options.open_files_max, options.cache_bytes_max},
            metrics) {}

Error BlockStore::WriteBlock(block::EncodedBlock block) { return shelf_.Write(block); }

Result<std::vector<block::BlockSink::AuxiliaryFile>> BlockStore::ReadAuxiliary(
    std::string_view name) const {
  return shelf_.ReadAuxiliary(name);
}

Error BlockStore::RemoveAuxiliary(const model::TenantId& tenant, const std::string& block_id,
                                  std::string_view name) {
  return shelf_.RemoveAuxiliary({tenant, block_id}, name);
}

void BlockStore::RemoveRetired(int64_t until_ns) {
  for (const BlockName& name : shelf_.RemoveRetired(until_ns)) open_.Forget(name);
}

Error BlockStore::DeleteBlock(const BlockName& name) {
  const Error error = shelf_.Delete(name);
  open_.Forget(name);
  return error;
}

Result<std::shared_ptr<const block::Block>> BlockStore::OpenOrSetAside(
    const CatalogBlock& block) const {
  auto opened = open_.Get(block);
  if (opened.ok() || !IsDamage(opened.error())) {
    return opened.ok() ? std::move(opened) : InBlock(opened.error(), block);
  }
  open_.Forget(block.name);
  // Gone from the list: it was deleted, and this query began before.
  if (shelf_.list().Find(block.name) != nullptr) shelf_.SetAside(block.name, opened.error());
  return std::shared_ptr<const block::Block>();
}

Result<std::vector<std::shared_ptr<const block::RowGroup>>> BlockStore::Snapshot(
    const model::TenantId& tenant, TimeRange range, const block::SnapshotOptions&) const {
  std::vector<std::shared_ptr<const block::RowGroup>> groups;
  const auto blocks = Blocks(tenant);  // the list may be replaced meanwhile
  for (const BlockPtr& block : *blocks) {
    if (!MayTouch(block->meta, range)) continue;
    WEFT_ASSIGN_OR_RETURN(const auto opened, OpenOrSetAside(*block));
    if (opened == nullptr) continue;
    auto found = opened->RowGroups(range, block->deleted);
    if (!found.ok()) return InBlock(found.error(), *block);
    std::move(found->begin(), found->end(), std::back_inserter(groups));
  }
  return groups;
}

Result<BlockStore::Fragments> BlockStore::FindFragments(const model::TenantId& tenant,
                                                        model::TraceId id) const {
  std::vector<model::SpanBatch> batches;
  const auto blocks = Blocks(tenant);  // the list may be replaced meanwhile
  for (const BlockPtr& block : *blocks) {
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
  WEFT_ASSIGN_OR_RETURN(Fragments fragments, FindFragments(tenant, id));
  return std::move(fragments.spans);
}

Result<block::RowSource::JoinedSummary> BlockStore::SummarizeTrace(const model::TenantId& tenant,
                                                                   model::TraceId id) const {
  JoinedSummary joined;
  const auto blocks = Blocks(tenant);  // the list may be replaced meanwhile
  for (const BlockPtr& block : *blocks) {
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
