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

  Result<BuiltBlock> Finish(int64_t now_ns, const block::BlockWriterOptions& options) {
    BuiltBlock built;
    built.stored_spans = input_.rows.size();
    built.duplicate_spans = duplicates_;
    std::string wal_rows = EncodeWalRows(&wal_rows_);
    built.wal_rows = std::move(wal_rows_);
    if (input_.rows.empty()) return built;
    block::BlockMeta meta;
    meta.id = job_.block_id;
    meta.tenant = job_.tenant;
    meta.created_ns = static_cast<uint64_t>(now_ns);
    meta.duplicate_count = duplicates_ + early_duplicates_;
    WEFT_ASSIGN_OR_RETURN(built.block, block::WriteBlock(input_, std::move(meta), options));
    built.block.auxiliary.push_back({std::string(kWalRowsFile), std::move(wal_rows)});
    return built;
  }

 private:
  void NoteWalRows(const LiveTrace& trace) {
    for (const RowAt& at : trace.rows) wal_rows_.push_back(at.chunk->origin[at.row]);
    wal_rows_.insert(wal_rows_.end(), trace.duplicates.begin(), trace.duplicates.end());
    early_duplicates_ += trace.duplicates.size();
  }

  Error LeaveOutStored(model::TraceId id, std::vector<RowAt>* rows) {
    const auto stored = stored_.FindTrace(job_.tenant, id);
    if (stored.error().code() == ErrorCode::kCorrupt) {
      // A damaged block must not keep new ones from being written: it does not heal by waiting.
      LogWarn("spans of a trace in a damaged block can't be recognised when they come again",
              {{"error", stored.error().message()}});
      return Error::Ok();
    }
    if (!stored.ok()) return stored.error();
    absl::flat_hash_set<uint64_t> hashes;
    for (uint32_t i = 0; i < stored->size(); ++i) hashes.insert(model::ContentHash(*stored, i));
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

Result<BuiltBlock> BuildBlock(const CutJob& job, const block::RowSource& stored,
                              EarlierTraces* earlier, int64_t now_ns,
                              const block::BlockWriterOptions& options) {
  Builder builder(job, stored, earlier);
  WEFT_RETURN_IF_ERROR(builder.LoadEarlier());
  for (const auto& trace : job.traces) WEFT_RETURN_IF_ERROR(builder.AddTrace(*trace));
  return builder.Finish(now_ns, options);
}

}  // namespace weft::live
