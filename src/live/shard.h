// A share of the live traces, by trace id: spans come in, traces that have gone quiet go out.
//
// 1. Merge: spans are appended to the tenant's open chunk and noted in their trace; a span already
// there (equal ids and content: a sender's
//    retry) is left out.
// 2. Cut: a trace is due when its root has ended and `root_grace` passed without news, or it was
// idle, or it is too old or too large.
//    A cut trace stays where it is and takes late spans.
// 3. TakeJob: when enough cut spans wait, or the first has waited long enough, they become a
// CutJob: the chunks they are in are sealed,
//    the traces leave the map; a span that comes later begins a fragment.
// 4. Release: the job's block is visible; its rows are marked, and a chunk with nothing else in it
// is freed. What little is left of a chunk, of traces that take long, moves to the open one, so
// that a few slow traces do not hold the memory of many.
//
// Merge and the cutting calls come from the shard's thread; everything else from any.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/time_range.h"
#include "block/row_source.h"
#include "live/chunk.h"
#include "model/span_batch.h"

namespace weft::live {

struct CutLimits {
  int64_t root_grace_ns = 3'000'000'000;
  int64_t idle_ns = 10'000'000'000;
  int64_t age_max_ns = 120'000'000'000;
  uint32_t trace_spans_max = 200'000;
  uint64_t block_spans = 131'072;          // a block is begun when so many cut spans wait
  int64_t block_age_ns = 300'000'000'000;  // or the first has waited so long
  uint32_t chunk_spans = 16'384;
};

// The rows of a chunk at one moment. Which of them to leave out is asked of Shard::ExcludedRows
// after the blocks have been listed.
struct ChunkView {
  std::shared_ptr<const Chunk> chunk;
  std::shared_ptr<const block::BatchColumns> columns;
  RowBits released;  // rows that visible blocks held at that moment
};

class Shard {
 public:
  using NewBlockId = std::function<std::string()>;

  Shard(CutLimits limits, NewBlockId new_block_id);

  // Takes the spans `rows` of a batch that the WAL holds as `segment`, `record`. Returns how many
  // were new.
  uint32_t Merge(const model::TenantId& tenant, const model::SpanBatch& batch,
                 const std::vector<uint32_t>& rows, uint64_t segment, uint32_t record,
                 int64_t now_ns) WEFT_EXCLUDES(mutex_);

  // Cuts every trace that is due; all of them with `all`.
  void Cut(int64_t now_ns, bool all) WEFT_EXCLUDES(mutex_);
  // The next job that is due, or none; with `all` whatever is cut.
  std::shared_ptr<CutJob> TakeJob(int64_t now_ns, bool all) WEFT_EXCLUDES(mutex_);
  // The job's block is visible: forgets its rows.
  void Release(const CutJob& job) WEFT_EXCLUDES(mutex_);

  // Live rows of a tenant that may start in `range`.
  std::vector<ChunkView> Snapshot(const model::TenantId& tenant, TimeRange range)
      WEFT_EXCLUDES(mutex_);
  // The rows of the view that a query must leave out when it also reads the blocks `visible`,
  // listed after the view was taken.
  RowBits ExcludedRows(const ChunkView& view, const absl::flat_hash_set<std::string>& visible) const
      WEFT_EXCLUDES(mutex_);
  // Sets live[i] where the trace ids[i] has live spans.
  void MarkLive(const model::TenantId& tenant, std::span<const model::TraceId> ids,
                std::vector<bool>* live) const WEFT_EXCLUDES(mutex_);
  // Appends the trace's live spans to `out`.
  void FindTrace(const model::TenantId& tenant, model::TraceId id, model::SpanBatch* out) const
      WEFT_EXCLUDES(mutex_);

  struct Counts {
    uint64_t spans = 0;   // merged and not released
    uint64_t traces = 0;  // not yet in a job
    uint64_t bytes = 0;   // memory of chunks, about
    uint64_t jobs = 0;    // taken and not released
  };
  Counts counts() const WEFT_EXCLUDES(mutex_);
  // Live spans by tenant.
  std::map<model::TenantId, uint64_t> SpansByTenant() const WEFT_EXCLUDES(mutex_);

 private:
  using TraceMap =
      absl::flat_hash_map<model::TraceId, std::unique_ptr<LiveTrace>, model::TraceIdHash>;
  struct Tenant {
    model::TenantId id;
    TraceMap traces;
    std::vector<std::shared_ptr<Chunk>> chunks;  // the last may be open
    std::vector<model::TraceId> cut;             // of traces with `cut` set
    uint64_t cut_spans = 0;
    int64_t first_cut_ns = 0;
    std::vector<std::shared_ptr<CutJob>> jobs;  // not released
    uint64_t spans = 0;
  };
  // When to look at a trace again.
  struct Due {
    int64_t at_ns;
    Tenant* tenant;
    model::TraceId id;
    bool operator>(const Due& other) const { return at_ns > other.at_ns; }
  };

  Tenant& TenantOf(const model::TenantId& id) WEFT_REQUIRES(mutex_);
  std::shared_ptr<Chunk> OpenChunk(Tenant* tenant) WEFT_REQUIRES(mutex_);
  void Seal(Chunk* chunk) WEFT_REQUIRES(mutex_);
  LiveTrace& TraceOf(Tenant* tenant, model::TraceId id, int64_t now_ns) WEFT_REQUIRES(mutex_);
  bool IsDuplicate(const LiveTrace& trace, const model::SpanBatch& batch, uint32_t row) const;
  void NoteSpanId(LiveTrace* trace, model::SpanId id);
  int64_t DueAt(const LiveTrace& trace) const;
  void CutTrace(Tenant* tenant, LiveTrace* trace, int64_t now_ns) WEFT_REQUIRES(mutex_);
  std::shared_ptr<CutJob> MakeJob(Tenant* tenant) WEFT_REQUIRES(mutex_);
  void MarkInFlight(CutJob* job) WEFT_REQUIRES(mutex_);
  void CountBytes(Chunk* chunk) WEFT_REQUIRES(mutex_);
  bool IsWorthMoving(const Chunk& chunk) const WEFT_REQUIRES(mutex_);
  void MoveRest(Tenant* tenant, Chunk* chunk) WEFT_REQUIRES(mutex_);
  static RowBits RowsInBlocks(const Chunk& chunk, const absl::flat_hash_set<std::string>& visible);

  const CutLimits limits_;
  const NewBlockId new_block_id_;

  mutable Mutex mutex_;
  std::map<model::TenantId, std::unique_ptr<Tenant>> tenants_ WEFT_GUARDED_BY(mutex_);
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_ WEFT_GUARDED_BY(mutex_);
  uint64_t bytes_ WEFT_GUARDED_BY(mutex_) = 0;
  // Hashes of the ids of traces written not long ago: two generations.
  absl::flat_hash_set<uint64_t> recent_ WEFT_GUARDED_BY(mutex_);
  absl::flat_hash_set<uint64_t> older_ WEFT_GUARDED_BY(mutex_);
};

}  // namespace weft::live
