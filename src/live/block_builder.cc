#include "live/block_builder.h"

#include <algorithm>

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include "base/log.h"
#include "model/preorder.h"

namespace weft::live {
namespace {

class Builder {
 public:
  Builder(const CutJob& job, const block::RowSource& stored, EarlierTraces* earlier)
      : job_(job), stored_(stored), earlier_(*earlier) {
    for (const std::shared_ptr<Chunk>& chunk : job.chunks) {
      batch_of_[chunk.get()] = static_cast<uint32_t>(input_.batches.size());
      input_.batches.push_back(chunk->batch.get());
    }
  }

  Error LoadEarlier() {
    uint64_t first_ns = UINT64_MAX, last_ns = 0;
    for (const auto& trace : job_.traces) {
      for (const RowAt& at : trace->rows) {
        first_ns = std::min(first_ns, at.chunk->batch->start_ns[at.row]);
        last_ns = std::max(last_ns, at.chunk->batch->start_ns[at.row]);
      }
    }
    return first_ns > last_ns ? Error::Ok() : earlier_.Load(job_.tenant, first_ns, last_ns);
  }

  Error AddTrace(const LiveTrace& trace) {
    NoteWalRows(trace);
    const bool fragment = trace.fragment || earlier_.MayHold(job_.tenant, trace.id);
    std::vector<RowAt> rows(trace.rows.begin(), trace.rows.end());
    if (fragment) WEFT_RETURN_IF_ERROR(LeaveOutStored(trace.id, &rows));
    if (rows.empty()) return Error::Ok();
    tree_.clear();
    for (const RowAt& at : rows) {
      const model::SpanBatch& b = *at.chunk->batch;
      tree_.push_back({b.span_id[at.row], b.parent_span_id[at.row], b.start_ns[at.row],
                       b.end_ns[at.row], b.kind[at.row]});
    }
    const model::Preorder& preorder = preorder_.Build(
        tree_, [&](uint32_t i) { return model::ContentHash(*rows[i].chunk->batch, rows[i].row); });
    duplicates_ += preorder.duplicates.size();
    const uint32_t flags = fragment ? uint32_t{block::kTraceFragment} : 0;
    input_.traces.push_back(
        {trace.id, static_cast<uint32_t>(input_.rows.size()), preorder.size(), flags});
    for (uint32_t i : preorder.input)
      input_.rows.push_back({batch_of_[rows[i].chunk], rows[i].row});
    input_.parent.insert(input_.parent.end(), preorder.parent.begin(), preorder.parent.end());
    input_.subtree_size.insert(input_.subtree_size.end(), preorder.subtree_size.begin(),
                               preorder.subtree_size.end());
    input_.marks.insert(input_.marks.end(), preorder.marks.begin(), preorder.marks.end());
    return Error::Ok();
  }

  PreparedBlock Finish(int64_t now_ns) {
    PreparedBlock prepared;
    prepared.meta.id = job_.block_id;
    prepared.meta.tenant = job_.tenant;
    prepared.meta.created_ns = static_cast<uint64_t>(now_ns);
    prepared.meta.duplicate_count = duplicates_ + early_duplicates_;
    prepared.input = std::move(input_);
    prepared.wal_rows = std::move(wal_rows_);
    prepared.duplicate_spans = duplicates_;
    return prepared;
  }

 private:
  void NoteWalRows(const LiveTrace& trace) {
    for (const RowAt& at : trace.rows) wal_rows_.push_back(at.chunk->origin[at.row]);
    wal_rows_.insert(wal_rows_.end(), trace.duplicates.begin(), trace.duplicates.end());
    early_duplicates_ += trace.duplicates.size();
  }

  Error LeaveOutStored(model::TraceId id, std::vector<RowAt>* rows) {
    Error error = LeaveOutThose(id, rows);
    if (error.code() != ErrorCode::kCorrupt) return error;
    // A damaged block must not keep new ones from being written: it does not heal by waiting.
    LogWarn("spans of a trace in a damaged block can't be recognised when they come again",
            {{"error", error.message()}});
    return Error::Ok();
  }

  // Late spans are common where memory is short and traces are cut early; spans that came twice are
  // not. So only the ids are read of most.
  Error LeaveOutThose(model::TraceId id, std::vector<RowAt>* rows) {
    WEFT_ASSIGN_OR_RETURN(const std::vector<model::SpanId> ids, stored_.SpanIdsOf(job_.tenant, id));
    absl::flat_hash_set<uint64_t> known;
    for (const model::SpanId span : ids) known.insert(span.value);
    const bool any = std::any_of(rows->begin(), rows->end(), [&](const RowAt& at) {
      return known.contains(at.chunk->batch->span_id[at.row].value);
    });
    if (!any) return Error::Ok();
    WEFT_ASSIGN_OR_RETURN(const model::SpanBatch stored, stored_.FindTrace(job_.tenant, id));
    absl::flat_hash_set<uint64_t> hashes;
    for (uint32_t i = 0; i < stored.size(); ++i) {
      // Others may be gone after a restart, or have come meanwhile.
      if (!known.contains(stored.span_id[i].value)) continue;
      hashes.insert(model::ContentHash(stored, i));
    }
    duplicates_ += std::erase_if(*rows, [&](const RowAt& at) {
      return hashes.contains(model::ContentHash(*at.chunk->batch, at.row));
    });
    return Error::Ok();
  }

  const CutJob& job_;
  const block::RowSource& stored_;
  EarlierTraces& earlier_;
  block::BlockInput input_;
  absl::flat_hash_map<Chunk*, uint32_t> batch_of_;
  std::vector<WalRow> wal_rows_;
  uint64_t duplicates_ = 0;
  uint64_t early_duplicates_ = 0;
  std::vector<model::TreeSpan> tree_;
  model::PreorderBuilder preorder_;
};

}  // namespace

Result<PreparedBlock> PrepareBlock(const CutJob& job, const block::RowSource& stored,
                                   EarlierTraces* earlier, int64_t now_ns) {
  Builder builder(job, stored, earlier);
  WEFT_RETURN_IF_ERROR(builder.LoadEarlier());
  for (const auto& trace : job.traces) WEFT_RETURN_IF_ERROR(builder.AddTrace(*trace));
  return builder.Finish(now_ns);
}

Result<BuiltBlock> BuildBlock(const CutJob& job, const block::RowSource& stored,
                              EarlierTraces* earlier, int64_t now_ns,
                              const block::BlockWriterOptions& options) {
  WEFT_ASSIGN_OR_RETURN(PreparedBlock prepared, PrepareBlock(job, stored, earlier, now_ns));
  BuiltBlock built;
  built.stored_spans = prepared.input.rows.size();
  built.duplicate_spans = prepared.duplicate_spans;
  std::string wal_rows = EncodeWalRows(&prepared.wal_rows);
  built.wal_rows = std::move(prepared.wal_rows);
  if (prepared.input.rows.empty()) return built;
  WEFT_ASSIGN_OR_RETURN(built.block,
                        block::WriteBlock(prepared.input, std::move(prepared.meta), options));
  built.block.auxiliary.push_back({std::string(kWalRowsFile), std::move(wal_rows)});
  return built;
}

}  // namespace weft::live
