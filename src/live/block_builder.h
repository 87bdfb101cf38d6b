// Cut traces become a block.
//
// 1. Each trace's spans become rows in preorder; exact duplicates are left out.
// 2. Of a trace that has been written before (a fragment), by this process or an earlier one, spans
// that a stored block already holds are left out too.
// 3. The rows are encoded; which WAL rows they were goes beside the block (wal_rows.h).
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "block/block.h"
#include "block/row_source.h"
#include "live/chunk.h"
#include "live/earlier_traces.h"

namespace weft::live {

struct BuiltBlock {
  block::EncodedBlock block;     // no files when nothing was left to store
  std::vector<WalRow> wal_rows;  // settled once the block is durable, sorted
  uint64_t stored_spans = 0;
  uint64_t duplicate_spans = 0;  // left out here (not those that were left out on arrival)
};

// Steps 1 and 2.
struct PreparedBlock {
  block::BlockInput input;  // points into the job's chunks
  block::BlockMeta meta;
  std::vector<WalRow> wal_rows;
  uint64_t duplicate_spans = 0;
};
Result<PreparedBlock> PrepareBlock(const CutJob& job, const block::RowSource& stored,
                                   EarlierTraces* earlier, int64_t now_ns);

// `stored` answers for blocks. One thread at a time (for `earlier`); uses no lock of the shard.
Result<BuiltBlock> BuildBlock(const CutJob& job, const block::RowSource& stored,
                              EarlierTraces* earlier, int64_t now_ns,
                              const block::BlockWriterOptions& options);

}  // namespace weft::live
