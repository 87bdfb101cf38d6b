#include "live/shard.h"

#include <algorithm>

namespace weft::live {
namespace {

// A snapshot of an open chunk copies it when it is smaller than this, else seals it.
constexpr uint32_t kCopiedRowsMax = 2048;
// Above this many spans a trace keeps its span ids in a set.
constexpr uint32_t kBloomSpansMax = 16;
// Of what a trace itself costs in memory: map entry, rows, timer.
constexpr uint64_t kTraceBytes = 256;
// Traces written not long ago that are remembered, twice: a span that comes later for one of them
// makes a fragment.
constexpr size_t kRecentMax = 1u << 17;

// A chunk of which at most this share is left is emptied.
constexpr uint32_t kMovedShare = 4;

uint64_t BloomBits(model::SpanId id) {
  const uint64_t h = model::MixBits(id.value);
  return uint64_t{1} << (h & 63) | uint64_t{1} << (h >> 6 & 63);
}

}  // namespace

Shard::Shard(CutLimits limits, NewBlockId new_block_id)
    : limits_(limits), new_block_id_(std::move(new_block_id)) {}

Shard::Tenant& Shard::TenantOf(const model::TenantId& id) {
  std::unique_ptr<Tenant>& tenant = tenants_[id];
  if (!tenant) {
    tenant = std::make_unique<Tenant>();
    tenant->id = id;
  }
  return *tenant;
}

std::shared_ptr<Chunk> Shard::OpenChunk(Tenant* tenant) {
  if (tenant->chunks.empty()) return tenant->chunks.emplace_back(std::make_shared<Chunk>());
  std::shared_ptr<Chunk> last = tenant->chunks.back();
  if (!last->sealed() && last->batch->size() < limits_.chunk_spans) return last;
  if (!last->sealed()) Seal(last.get());
  tenant->chunks.push_back(std::make_shared<Chunk>());
  tenant->chunks.back()->batch->ReserveLike(*last->batch);
  return tenant->chunks.back();
}

void Shard::Seal(Chunk* chunk) {
  if (chunk->sealed()) return;
  chunk->appender.reset();
  if (chunk->columns_rows != chunk->batch->size() || !chunk->columns) {
    chunk->columns = std::make_shared<block::BatchColumns>(chunk->batch);
    chunk->columns_rows = chunk->batch->size();
  }
  CountBytes(chunk);
}

void Shard::CountBytes(Chunk* chunk) {
  const size_t bytes = chunk->batch->bytes() + chunk->origin.capacity() * sizeof(WalRow);
  bytes_ += bytes - chunk->counted_bytes;
  chunk->counted_bytes = bytes;
}

LiveTrace& Shard::TraceOf(Tenant* tenant, model::TraceId id, int64_t now_ns) {
  std::unique_ptr<LiveTrace>& trace = tenant->traces[id];
  if (!trace) {
    trace = std::make_unique<LiveTrace>();
    trace->id = id;
    trace->first_seen_ns = now_ns;
    trace->last_seen_ns = now_ns;
    trace->fragment = recent_.contains(id.Hash()) || older_.contains(id.Hash());
    bytes_ += kTraceBytes;
    due_.push({now_ns + std::min(limits_.root_grace_ns, limits_.idle_ns), tenant, id});
  }
  return *trace;
}

bool Shard::IsDuplicate(const LiveTrace& trace, const model::SpanBatch& batch, uint32_t row) const {
  const model::SpanId id = batch.span_id[row];
  if (trace.ids ? !trace.ids->contains(id.value) : (trace.id_bits & BloomBits(id)) != BloomBits(id))
    return false;
  uint64_t hash = 0;
  for (const RowAt& at : trace.rows) {
    const model::SpanBatch& other = *at.chunk->batch;
    if (other.span_id[at.row] != id || other.start_ns[at.row] != batch.start_ns[row]) continue;
    if (hash == 0) hash = model::ContentHash(batch, row);
    if (model::ContentHash(other, at.row) == hash) return true;
  }
  return false;
}

void Shard::NoteSpanId(LiveTrace* trace, model::SpanId id) {
  trace->id_bits |= BloomBits(id);
  if (trace->ids) {
    trace->ids->insert(id.value);
  } else if (trace->rows.size() > kBloomSpansMax) {
    trace->ids = std::make_unique<absl::flat_hash_set<uint64_t>>();
    for (const RowAt& at : trace->rows) trace->ids->insert(at.chunk->batch->span_id[at.row].value);
  }
}

uint32_t Shard::Merge(const model::TenantId& tenant_id, const model::SpanBatch& batch,
                      const std::vector<uint32_t>& rows, uint64_t segment, uint32_t record,
                      int64_t now_ns) {
  MutexLock lock(mutex_);
  Tenant& tenant = TenantOf(tenant_id);
  const std::shared_ptr<Chunk> chunk = OpenChunk(&tenant);
  std::vector<LiveTrace*> traces(batch.traces.size(), nullptr);
  std::vector<uint32_t> kept;
  kept.reserve(rows.size());
  // Rows of the chunk are known before they are appended: one after another from its current size.
  uint32_t next_row = chunk->batch->size();
  // Spans of this very batch are not yet in the chunk, so that retries among them are looked for in
  // the batch itself.
  absl::flat_hash_map<uint64_t, uint32_t> own_ids;
  for (uint32_t row : rows) {
    LiveTrace*& trace = traces[batch.trace[row]];
    if (trace == nullptr) trace = &TraceOf(&tenant, batch.trace_id(row), now_ns);
    const auto [own, first_time] =
        own_ids.try_emplace(batch.span_id[row].value ^ batch.traces[batch.trace[row]].Hash(), row);
    const bool repeated =
        (!first_time && model::ContentHash(batch, own->second) == model::ContentHash(batch, row)) ||
        (first_time && IsDuplicate(*trace, batch, row));
    trace->last_seen_ns = now_ns;
    if (repeated) {
      trace->duplicates.push_back({segment, record, row});
      continue;
    }
    kept.push_back(row);
    chunk->origin.push_back({segment, record, row});
    if (!batch.parent_span_id[row].valid()) trace->has_root = true;
  }
  chunk->appender->Append(batch, kept);
  for (uint32_t row : kept) {
    LiveTrace* trace = traces[batch.trace[row]];
    trace->rows.push_back({chunk.get(), next_row++});
    NoteSpanId(trace, batch.span_id[row]);
    if (trace->cut) ++tenant.cut_spans;
    if (trace->rows.size() >= limits_.trace_spans_max) CutTrace(&tenant, trace, now_ns);
  }
  tenant.spans += kept.size();
  CountBytes(chunk.get());
  return static_cast<uint32_t>(kept.size());
}

int64_t Shard::DueAt(const LiveTrace& trace) const {
  const int64_t quiet =
      trace.last_seen_ns + (trace.has_root ? limits_.root_grace_ns : limits_.idle_ns);
  return std::min(quiet, trace.first_seen_ns + limits_.age_max_ns);
}

void Shard::CutTrace(Tenant* tenant, LiveTrace* trace, int64_t now_ns) {
  if (trace->cut) return;
  trace->cut = true;
  if (tenant->cut.empty()) tenant->first_cut_ns = now_ns;
  tenant->cut.push_back(trace->id);
  tenant->cut_spans += trace->rows.size();
}

void Shard::Cut(int64_t now_ns, bool all) {
  MutexLock lock(mutex_);
  while (!due_.empty() && (all || due_.top().at_ns <= now_ns)) {
    const Due due = due_.top();
    due_.pop();
    const auto at = due.tenant->traces.find(due.id);
    if (at == due.tenant->traces.end() || at->second->cut) continue;
    const int64_t due_at = DueAt(*at->second);
    if (all || due_at <= now_ns) {
      CutTrace(due.tenant, at->second.get(), now_ns);
    } else {
      due_.push({due_at, due.tenant, due.id});
    }
  }
}

std::shared_ptr<CutJob> Shard::TakeJob(int64_t now_ns, bool all) {
  MutexLock lock(mutex_);
  for (auto& [id, tenant] : tenants_) {
    if (tenant->cut.empty()) continue;
    if (all || tenant->cut_spans >= limits_.block_spans ||
        now_ns - tenant->first_cut_ns >= limits_.block_age_ns) {
      return MakeJob(tenant.get());
    }
  }
  return nullptr;
}

// At most about block_spans of the traces that wait, oldest first: blocks stay of one size however
// long the builder was busy.
std::shared_ptr<CutJob> Shard::MakeJob(Tenant* tenant) {
  auto job = std::make_shared<CutJob>();
  job->tenant = tenant->id;
  job->block_id = new_block_id_();
  size_t taken = 0;
  for (; taken < tenant->cut.size() && (taken == 0 || job->span_count < limits_.block_spans);
       ++taken) {
    const auto at = tenant->traces.find(tenant->cut[taken]);
    job->span_count += at->second->rows.size();
    job->by_id[at->first] = at->second.get();
    recent_.insert(at->first.Hash());
    job->traces.push_back(std::move(at->second));
    tenant->traces.erase(at);
    bytes_ -= kTraceBytes;
  }
  tenant->cut.erase(tenant->cut.begin(), tenant->cut.begin() + static_cast<ptrdiff_t>(taken));
  tenant->cut_spans -= job->span_count;
  if (!tenant->chunks.empty()) Seal(tenant->chunks.back().get());
  if (recent_.size() > kRecentMax) {
    older_ = std::move(recent_);
    recent_.clear();
  }
  MarkInFlight(job.get());
  tenant->jobs.push_back(job);
  return job;
}

void Shard::MarkInFlight(CutJob* job) {
  Tenant& tenant = TenantOf(job->tenant);
  absl::flat_hash_map<Chunk*, RowBits> rows;
  for (const auto& trace : job->traces) {
    for (const RowAt& at : trace->rows) SetBit(&rows[at.chunk], at.row);
  }
  for (const std::shared_ptr<Chunk>& chunk : tenant.chunks) {
    const auto at = rows.find(chunk.get());
    if (at == rows.end()) continue;
    chunk->stored.push_back({job->block_id, std::move(at->second), false});
    job->chunks.push_back(chunk);
  }
}

void Shard::Release(const CutJob& job) {
  MutexLock lock(mutex_);
  Tenant& tenant = TenantOf(job.tenant);
  for (const std::shared_ptr<Chunk>& chunk : job.chunks) {
    for (Chunk::Stored& stored : chunk->stored) {
      if (stored.block_id != job.block_id) continue;
      stored.released = true;
      for (uint64_t word : stored.rows)
        chunk->released_count += static_cast<uint32_t>(__builtin_popcountll(word));
    }
  }
  tenant.spans -= job.span_count;
  for (const std::shared_ptr<Chunk>& chunk : job.chunks) {
    if (IsWorthMoving(*chunk)) MoveRest(&tenant, chunk.get());
  }
  uint64_t freed_bytes = 0;
  std::erase_if(tenant.chunks, [&](const std::shared_ptr<Chunk>& chunk) {
    const bool done = chunk->sealed() &&
                      (chunk->released_count == chunk->batch->size() || chunk->moved.to != nullptr);
    if (done) freed_bytes += chunk->counted_bytes;
    return done;
  });
  bytes_ -= freed_bytes;
  std::erase_if(tenant.jobs, [&](const std::shared_ptr<CutJob>& j) { return j.get() == &job; });
}

// Nearly all of it is in visible blocks, and nothing of it is on its way into one.
bool Shard::IsWorthMoving(const Chunk& chunk) const {
  const uint32_t left = chunk.batch->size() - chunk.released_count;
  if (!chunk.sealed() || left == 0 || left * kMovedShare > chunk.batch->size()) return false;
  return std::all_of(chunk.stored.begin(), chunk.stored.end(),
                     [](const Chunk::Stored& stored) { return stored.released; });
}

void Shard::MoveRest(Tenant* tenant, Chunk* chunk) {
  const model::SpanBatch& batch = *chunk->batch;
  RowBits released(batch.size() / 64 + 1, 0);
  for (const Chunk::Stored& stored : chunk->stored) OrBits(&released, stored.rows);
  const std::shared_ptr<Chunk> to = OpenChunk(tenant);
  std::vector<uint32_t> rows;
  std::vector<uint32_t> new_row(batch.size());
  absl::flat_hash_set<LiveTrace*> traces;
  for (uint32_t row = 0; row < batch.size(); ++row) {
    if ((released[row / 64] >> (row % 64) & 1) != 0) continue;
    new_row[row] = to->batch->size() + static_cast<uint32_t>(rows.size());
    chunk->moved.rows.emplace_back(row, new_row[row]);
    rows.push_back(row);
    to->origin.push_back(chunk->origin[row]);
    // What is in no block and on its way into none is of a trace that takes spans.
    traces.insert(tenant->traces.find(batch.trace_id(row))->second.get());
  }
  for (LiveTrace* trace : traces) {
    for (RowAt& at : trace->rows) {
      if (at.chunk == chunk) at = {to.get(), new_row[at.row]};
    }
  }
  to->appender->Append(batch, rows);
  chunk->moved.to = to;
  CountBytes(to.get());
}

std::vector<ChunkView> Shard::Snapshot(const model::TenantId& tenant_id, TimeRange range) {
  MutexLock lock(mutex_);
  std::vector<ChunkView> views;
  const auto at = tenants_.find(tenant_id);
  if (at == tenants_.end()) return views;
  for (const std::shared_ptr<Chunk>& chunk : at->second->chunks) {
    if (chunk->batch->empty()) continue;
    if (!chunk->sealed() && chunk->columns_rows != chunk->batch->size()) {
      if (chunk->batch->size() >= kCopiedRowsMax) {
        Seal(chunk.get());
      } else {
        chunk->columns = std::make_shared<block::BatchColumns>(
            std::make_shared<model::SpanBatch>(*chunk->batch));
        chunk->columns_rows = chunk->batch->size();
      }
    }
    if (!range.Touches(chunk->columns->first_start_ns(), chunk->columns->last_start_ns())) continue;
    ChunkView view{chunk, chunk->columns, {}};
    for (const Chunk::Stored& stored : chunk->stored) {
      if (stored.released) OrBits(&view.released, stored.rows);
    }
    views.push_back(std::move(view));
  }
  return views;
}

RowBits Shard::ExcludedRows(const ChunkView& view,
                            const absl::flat_hash_set<std::string>& visible) const {
  MutexLock lock(mutex_);
  RowBits excluded = view.released;
  OrBits(&excluded, RowsInBlocks(*view.chunk, visible));
  return excluded;
}

RowBits Shard::RowsInBlocks(const Chunk& chunk, const absl::flat_hash_set<std::string>& visible) {
  RowBits rows;
  for (const Chunk::Stored& stored : chunk.stored) {
    if (visible.contains(stored.block_id)) OrBits(&rows, stored.rows);
  }
  if (chunk.moved.to == nullptr) return rows;
  const RowBits there = RowsInBlocks(*chunk.moved.to, visible);
  for (const auto& [row, moved_row] : chunk.moved.rows) {
    if (moved_row / 64 < there.size() && (there[moved_row / 64] >> (moved_row % 64) & 1) != 0) {
      SetBit(&rows, row);
    }
  }
  return rows;
}

void Shard::MarkLive(const model::TenantId& tenant_id, std::span<const model::TraceId> ids,
                     std::vector<bool>* live) const {
  MutexLock lock(mutex_);
  const auto tenant = tenants_.find(tenant_id);
  if (tenant == tenants_.end()) return;
  for (size_t i = 0; i < ids.size(); ++i) {
    const auto is_cut = [&](const auto& job) { return job->by_id.contains(ids[i]); };
    const auto& jobs = tenant->second->jobs;
    if (tenant->second->traces.contains(ids[i]) || std::any_of(jobs.begin(), jobs.end(), is_cut)) {
      (*live)[i] = true;
    }
  }
}

void Shard::FindTrace(const model::TenantId& tenant_id, model::TraceId id,
                      model::SpanBatch* out) const {
  MutexLock lock(mutex_);
  const auto tenant = tenants_.find(tenant_id);
  if (tenant == tenants_.end()) return;
  std::vector<const LiveTrace*> parts;
  if (const auto at = tenant->second->traces.find(id); at != tenant->second->traces.end())
    parts.push_back(at->second.get());
  for (const std::shared_ptr<CutJob>& job : tenant->second->jobs) {
    if (const auto at = job->by_id.find(id); at != job->by_id.end()) parts.push_back(at->second);
  }
  model::BatchAppender appender(out);
  std::vector<uint32_t> rows;
  for (const LiveTrace* part : parts) {
    for (size_t begin = 0; begin < part->rows.size();) {
      Chunk* chunk = part->rows[begin].chunk;
      rows.clear();
      for (; begin < part->rows.size() && part->rows[begin].chunk == chunk; ++begin)
        rows.push_back(part->rows[begin].row);
      appender.Append(*chunk->batch, rows);
    }
  }
}

Shard::Counts Shard::counts() const {
  MutexLock lock(mutex_);
  Counts counts;
  counts.bytes = bytes_;
  for (const auto& [id, tenant] : tenants_) {
    counts.spans += tenant->spans;
    counts.traces += tenant->traces.size();
    counts.jobs += tenant->jobs.size();
  }
  return counts;
}

std::map<model::TenantId, uint64_t> Shard::SpansByTenant() const {
  MutexLock lock(mutex_);
  std::map<model::TenantId, uint64_t> spans;
  for (const auto& [id, tenant] : tenants_) {
    if (tenant->spans != 0) spans[id] = tenant->spans;
  }
  return spans;
}

}  // namespace weft::live
