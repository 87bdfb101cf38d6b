// What live traces are made of: chunks of spans in order of arrival, and traces that point into
// them.
//
// A chunk belongs to one tenant of one shard and is guarded by the shard's mutex while it grows.
// Once sealed its batch never changes and may be read by anyone who holds the chunk; what blocks
// hold of it (`stored`) stays guarded.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/container/inlined_vector.h>

#include "block/batch_row_group.h"
#include "live/wal_rows.h"
#include "model/span_batch.h"
#include "model/span_sink.h"

namespace weft::live {

using RowBits = std::vector<uint64_t>;  // bit row%64 of word row/64

inline void SetBit(RowBits* bits, uint32_t row) {
  if (bits->size() <= row / 64) bits->resize(row / 64 + 1, 0);
  (*bits)[row / 64] |= uint64_t{1} << (row % 64);
}
inline void OrBits(RowBits* bits, const RowBits& more) {
  if (bits->size() < more.size()) bits->resize(more.size(), 0);
  for (size_t i = 0; i < more.size(); ++i) (*bits)[i] |= more[i];
}

struct Chunk {
  Chunk()
      : batch(std::make_shared<model::SpanBatch>()),
        appender(std::make_unique<model::BatchAppender>(batch.get())) {}

  bool sealed() const { return appender == nullptr; }

  std::shared_ptr<model::SpanBatch> batch;
  std::unique_ptr<model::BatchAppender> appender;  // none once sealed
  std::vector<WalRow> origin;                      // of each row
  // The columns that queries read: of the sealed batch, or of a copy of the first `columns_rows`
  // rows.
  std::shared_ptr<const block::BatchColumns> columns;
  uint32_t columns_rows = 0;

  // Rows that a block holds or, once it is written, will hold.
  struct Stored {
    std::string block_id;
    RowBits rows;
    bool released = false;  // the block is visible
  };
  std::vector<Stored> stored;
  uint32_t released_count = 0;
  // Where the last rows went when nearly all had been released: a query that still holds this chunk
  // learns there whether a block has them.
  struct Moved {
    std::shared_ptr<Chunk> to;
    std::vector<std::pair<uint32_t, uint32_t>> rows;  // here, there
  };
  Moved moved;
  size_t counted_bytes = 0;  // what the shard's byte count holds of this chunk
};

struct RowAt {
  Chunk* chunk = nullptr;
  uint32_t row = 0;
};

struct LiveTrace {
  model::TraceId id;
  absl::InlinedVector<RowAt, 4> rows;
  int64_t first_seen_ns = 0;  // monotonic
  int64_t last_seen_ns = 0;
  bool has_root = false;
  bool fragment = false;  // another part of the trace was written not long ago
  bool cut = false;       // waits for its block; takes late spans until that begins
  // Span ids seen, to find retries: a small Bloom filter, then a set for large traces.
  uint64_t id_bits = 0;
  std::unique_ptr<absl::flat_hash_set<uint64_t>> ids;
  std::vector<WalRow>
      duplicates;  // retries left out: the WAL holds them until this trace is written
};

// Traces on their way into one block. Immutable once made, but for what the chunks' own rules say.
struct CutJob {
  model::TenantId tenant;
  std::string block_id;
  std::vector<std::unique_ptr<LiveTrace>> traces;
  std::vector<std::shared_ptr<Chunk>> chunks;  // all that rows are in
  absl::flat_hash_map<model::TraceId, const LiveTrace*, model::TraceIdHash> by_id;
  uint64_t span_count = 0;
};

}  // namespace weft::live
