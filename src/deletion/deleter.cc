#include "deletion/deleter.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/log.h"
#include "block/merge.h"
#include "query/exec/group_filter.h"

namespace weft::deletion {

using block::RowSet;
using block::RowSetPtr;
using query::exec::Bitmap;
using query::exec::DeletionCounts;
using query::exec::DeletionRequest;
using store::CatalogBlock;

namespace {

constexpr uint32_t kRetryMs = 2000;
// Of one deletion: what its record may name, see store::kDeletionBytesMax.
constexpr uint64_t kRunsMax = 4'000'000;

// Lets one in.
class OneAtATime {
 public:
  explicit OneAtATime(std::atomic<bool>& taken) : taken_(taken), is_in_(!taken.exchange(true)) {}
  ~OneAtATime() {
    if (is_in_) taken_ = false;
  }
  OneAtATime(const OneAtATime&) = delete;
  OneAtATime& operator=(const OneAtATime&) = delete;
  bool is_in() const { return is_in_; }

 private:
  std::atomic<bool>& taken_;
  const bool is_in_;
};

Error Busy() {
  return {ErrorCode::kUnavailable, "another deletion is being worked on: try again when it is done",
          kRetryMs};
}

bool IsCancelled(const DeletionRequest& request) {
  return request.cancelled != nullptr && request.cancelled->load(std::memory_order_relaxed);
}

bool MayTouch(const CatalogBlock& block, const DeletionRequest& request) {
  return !request.predicate ||
         request.range.Touches(block.meta.first_start_ns, block.meta.last_start_ns);
}

// The rows of a row group on which the predicate is true.
Result<Bitmap> Matches(const block::RowGroup& group, const DeletionRequest& request,
                       query::exec::TraceJoiner* joiner) {
  query::exec::GroupColumns columns(group);
  WEFT_ASSIGN_OR_RETURN(Bitmap rows, query::exec::RowsInRange(&columns, request.range));
  if (!rows.Any()) return rows;
  return query::exec::GroupFilter(&columns, joiner).Filter(*request.predicate, rows);
}

}  // namespace

struct Deleter::Selection {
  std::shared_ptr<const block::Block> block;
  block::RowSetBuilder matched_builder;
  block::RowSetBuilder traces_builder;
  RowSet matched;  // rows to delete
  RowSet traces;   // all rows of the traces that these are in
  uint64_t trace_count = 0;

  // Whether any of these traces keeps a span.
  bool leaves_rest() const { return matched.row_count() < traces.row_count(); }
  void AddTrace(uint64_t trace_first, uint64_t trace_rows) {
    traces_builder.Add(trace_first, trace_rows);
    ++trace_count;
  }
  void Finish() {
    matched = matched_builder.Finish();
    traces = traces_builder.Finish();
  }
};

struct Deleter::Draft {
  block::Deletion deletion;
  std::vector<CatalogBlock> rests;  // written, and not yet visible
  uint64_t runs = 0;                // of rows, in all parts
};

Deleter::Deleter(Env& env, DeleterOptions options, store::BlockStore& store,
                 std::function<Error()> flush)
    : env_(env), options_(options), store_(store), flush_(std::move(flush)) {}

Error Deleter::SelectByPredicate(const DeletionRequest& request, const CatalogBlock& block,
                                 Selection* selection) const {
  query::exec::TraceJoiner joiner(store_, request.tenant);
  for (uint32_t g = 0; g < selection->block->row_group_count(); ++g) {
    if (IsCancelled(request)) return {ErrorCode::kCancelled, "the client has gone away"};
    const block::RowGroupMeta& meta = block.meta.row_groups[g];
    if (!request.range.Touches(meta.first_start_ns, meta.last_start_ns)) continue;
    const auto& rows = selection->block->table(block::Scope::kSpan).row_groups()[g];
    const auto group = selection->block->OpenRowGroup(g, block.deleted);
    WEFT_ASSIGN_OR_RETURN(const Bitmap matched, Matches(*group, request, &joiner));
    if (!matched.Any()) continue;
    WEFT_ASSIGN_OR_RETURN(const auto traces, selection->block->TracesOf(g, nullptr));
    WEFT_RETURN_IF_ERROR(group->LoadTraces());
    const std::vector<uint32_t>& trace_of_row = group->trace_of_row();
    uint32_t last_trace = UINT32_MAX;
    matched.ForEach([&](uint32_t row) {
      selection->matched_builder.Add(rows.first_row + row, 1);
      const uint32_t trace = trace_of_row[row];
      if (trace == last_trace) return;
      last_trace = trace;
      selection->AddTrace(rows.first_row + traces->first_row[trace], traces->row_count[trace]);
    });
  }
  return Error::Ok();
}

Error Deleter::SelectTraces(const DeletionRequest& request, const CatalogBlock& block,
                            Selection* selection) const {
  std::vector<RowSet::Run> runs;
  for (const model::TraceId id : request.trace_ids) {
    WEFT_ASSIGN_OR_RETURN(const auto found, selection->block->RowsOfTrace(id, block.deleted));
    runs.insert(runs.end(), found.begin(), found.end());
  }
  std::sort(runs.begin(), runs.end(),
            [](const RowSet::Run& a, const RowSet::Run& b) { return a.first < b.first; });
  runs.erase(std::unique(runs.begin(), runs.end()), runs.end());  // an id that was given twice
  for (const RowSet::Run& run : runs) {
    selection->matched_builder.Add(run.first, run.count);
    selection->AddTrace(run.first, run.count);
  }
  return Error::Ok();
}

Result<Deleter::Selection> Deleter::Select(const DeletionRequest& request,
                                           const CatalogBlock& block) const {
  Selection selection;
  WEFT_ASSIGN_OR_RETURN(selection.block, store_.OpenForReading(block, options_.cache_bytes));
  WEFT_RETURN_IF_ERROR(request.predicate ? SelectByPredicate(request, block, &selection)
                                         : SelectTraces(request, block, &selection));
  selection.Finish();
  return selection;
}

// The spans that the touched traces keep, as a block of their own.
Error Deleter::WriteRest(const CatalogBlock& block, const Selection& selection, Draft* draft) {
  const uint64_t rows = block.meta.span_count;
  const RowSet others = selection.traces.Complement(rows);
  const auto left_out = std::make_shared<const RowSet>(RowSet::Union(others, selection.matched));
  block::BlockMeta meta;
  meta.id = block::NewBlockId(env_.NowNs(), env_.RandomU64());
  meta.tenant = block.name.tenant;
  meta.created_ns = static_cast<uint64_t>(env_.NowNs());
  meta.level = block.meta.level;
  meta.deletion = draft->deletion.id;
  const std::vector<std::shared_ptr<const block::Block>> inputs{selection.block};
  const std::vector<RowSetPtr> rows_left_out{left_out};
  WEFT_ASSIGN_OR_RETURN(block::EncodedBlock rest,
                        block::MergeBlocks(inputs, std::move(meta), options_.block, rows_left_out));
  rest.meta.duplicate_count = 0;  // they stay with the block that they were found for
  WEFT_ASSIGN_OR_RETURN(CatalogBlock entry, store_.PutForDeletion(rest));
  draft->rests.push_back(std::move(entry));
  return Error::Ok();
}

Error Deleter::AddBlock(const CatalogBlock& block, Selection selection, bool dry_run,
                        Draft* draft) {
  if (selection.matched.empty()) return Error::Ok();
  block::Deletion& deletion = draft->deletion;
  deletion.span_count += selection.matched.row_count();
  deletion.trace_count += selection.trace_count;
  ++deletion.block_count;
  if (dry_run) return Error::Ok();
  if (selection.leaves_rest()) WEFT_RETURN_IF_ERROR(WriteRest(block, selection, draft));
  draft->runs += selection.traces.runs().size();
  if (draft->runs > kRunsMax) {
    return {ErrorCode::kTooLarge,
            "this deletes from too many traces at once: delete in several ranges of time"};
  }
  deletion.parts.push_back({block.name.id, std::move(selection.traces)});
  return Error::Ok();
}

Error Deleter::Prepare(const DeletionRequest& request, bool dry_run, Draft* draft) {
  block::Deletion& deletion = draft->deletion;
  deletion.id = block::NewBlockId(env_.NowNs(), env_.RandomU64());
  deletion.tenant = request.tenant;
  deletion.created_ns = static_cast<uint64_t>(env_.NowNs());
  deletion.requested_by = request.requested_by;
  deletion.query = request.query;
  deletion.trace_id_count = request.trace_ids.size();
  deletion.range = request.range;
  for (const auto& damaged : store_.damaged()) {
    deletion.unreadable_blocks += damaged.name.tenant == request.tenant ? 1 : 0;
  }
  const auto blocks = store_.Blocks(request.tenant);
  for (const store::BlockPtr& block : *blocks) {
    if (IsCancelled(request)) return {ErrorCode::kCancelled, "the client has gone away"};
    if (!MayTouch(*block, request)) continue;
    auto selection = Select(request, *block);
    Error error = selection.error();
    if (error.ok()) error = AddBlock(*block, std::move(selection).value(), dry_run, draft);
    if (!error.ok()) return error.WithContext("block " + store::FolderOf(block->name));
  }
  return Error::Ok();
}

Result<Deleter::DeletionPtr> Deleter::Delete(const DeletionRequest& request) {
  const OneAtATime turn(running_);
  if (!turn.is_in()) return Busy();
  WEFT_RETURN_IF_ERROR(flush_());
  const MutexLock lock(store_.rewriting());
  WEFT_RETURN_IF_ERROR(store_.RemoveExpired(request.tenant));
  Draft draft;
  if (Error error = Prepare(request, /*dry_run=*/false, &draft); !error.ok()) {
    store_.AbandonDeletion(draft.rests);
    return error;
  }
  if (draft.deletion.span_count == 0) {
    return Error(ErrorCode::kNotFound,
                 "tenant " + request.tenant + " has no span that this would delete");
  }
  WEFT_RETURN_IF_ERROR(store_.CommitDeletion(draft.deletion, std::move(draft.rests)));
  LogInfo("spans were deleted", {{"tenant", request.tenant},
                                 {"deletion", draft.deletion.id},
                                 {"spans", draft.deletion.span_count},
                                 {"traces", draft.deletion.trace_count},
                                 {"blocks", draft.deletion.block_count}});
  return store_.deletions().Find(request.tenant, draft.deletion.id);
}

Result<DeletionCounts> Deleter::Count(const DeletionRequest& request) {
  const OneAtATime turn(running_);
  if (!turn.is_in()) return Busy();
  WEFT_RETURN_IF_ERROR(flush_());
  const MutexLock lock(store_.rewriting());
  Draft draft;
  WEFT_RETURN_IF_ERROR(Prepare(request, /*dry_run=*/true, &draft));
  return DeletionCounts{draft.deletion.span_count, draft.deletion.trace_count,
                        draft.deletion.block_count, draft.deletion.unreadable_blocks};
}

std::vector<Deleter::DeletionPtr> Deleter::List(const model::TenantId& tenant) const {
  return store_.deletions().List(tenant);
}

Deleter::DeletionPtr Deleter::Find(const model::TenantId& tenant, std::string_view id) const {
  return store_.deletions().Find(tenant, id);
}

}  // namespace weft::deletion
