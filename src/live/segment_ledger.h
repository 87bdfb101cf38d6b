// Which WAL segments are still needed: those with a span that is not yet in a durable block.
// Thread-safe.
//
// Segments are opened in ascending order. One may be released when every span in it is settled and
// a later one has been opened, because then no more can come.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "live/wal_rows.h"
#include "model/span_sink.h"

namespace weft::live {

class SegmentLedger {
 public:
  // `rows` more spans of the segment wait for a block. 0 makes the segment known.
  void Open(uint64_t segment, uint64_t rows) WEFT_EXCLUDES(mutex_);
  // These spans are durable elsewhere now.
  void Settle(const std::vector<WalRow>& rows) WEFT_EXCLUDES(mutex_);
  // A block lies in the store with a wal_rows.bin that names these segments.
  void AddBlock(const model::TenantId& tenant, const std::string& block_id,
                std::vector<uint64_t> segments) WEFT_EXCLUDES(mutex_);

  // Whether no span of the segment waits for a block.
  bool IsSettled(uint64_t segment) const WEFT_EXCLUDES(mutex_);
  // Segments below `current` that nothing waits for any more; each is returned once, and again
  // when it is opened anew because it could not be removed.
  std::vector<uint64_t> TakeReleasable(uint64_t current) WEFT_EXCLUDES(mutex_);

  struct BlockRef {
    model::TenantId tenant;
    std::string block_id;
  };
  // Blocks whose wal_rows.bin names only segments that have been taken; each is returned once.
  std::vector<BlockRef> TakeUnneededBlocks() WEFT_EXCLUDES(mutex_);

 private:
  struct Block {
    BlockRef ref;
    std::vector<uint64_t> segments;
  };
  mutable Mutex mutex_;
  std::map<uint64_t, uint64_t> waiting_ WEFT_GUARDED_BY(mutex_);  // segment -> spans not settled
  std::vector<Block> blocks_ WEFT_GUARDED_BY(mutex_);
};

}  // namespace weft::live
