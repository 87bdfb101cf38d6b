// TraceTable: which of many blocks may hold a trace, in one object that never changes.
//
// The object is the list of its blocks and one sorted list of (hash of a trace id, block), cut into
// buckets of about a thousand by the hash's first bits: finding a trace reads one bucket of some
// 8 kB, whatever the number of blocks. The head (blocks, and size and checksum of each bucket) is
// in memory while the table is open.
//
//   "WEFTTRT1", u32 blocks, u32 bucket bits, u64 entries
//   per block: 12 bytes of its id
//   per bucket: u32 entries, u32 CRC-32C of them
//   u32 CRC-32C of all of the above
//   entries: u64, 40 bits of hash above 24 bits of block number, ascending; all little-endian
//
// Thread rule: any thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/env.h"
#include "base/error.h"
#include "model/ids.h"

namespace weft::store {

// A block id without its hexadecimal clothes.
using RawBlockId = std::array<uint8_t, 12>;
RawBlockId RawIdOf(std::string_view block_id);
std::string BlockIdOf(const RawBlockId& raw);

// Stored: never changes.
constexpr uint32_t kTraceHashBits = 40;
uint64_t TraceHash(model::TraceId id);

class TraceTable {
 public:
  static constexpr uint64_t kEntriesMax = 2u << 20;
  static constexpr uint32_t kBlocksMax = 1u << 24;

  // Reads the head, and all of a small table. kCorrupt when it is not what was written.
  static Result<std::shared_ptr<const TraceTable>> Open(std::unique_ptr<ReadableFile> file);

  // Ascending, each once.
  const std::vector<RawBlockId>& blocks() const { return blocks_; }
  uint64_t entry_count() const { return entry_count_; }
  uint64_t memory_bytes() const;

  // Adds the blocks that may hold the trace. At most one read.
  Error Find(uint64_t trace_hash, std::vector<RawBlockId>* found) const;
  // Calls visit(hash, number of the block) for each entry, ascending by hash.
  Error ForEach(const std::function<void(uint64_t, uint32_t)>& visit) const;
  // The same of hashes from `begin` to before `end`.
  Error ForEach(uint64_t begin, uint64_t end,
                const std::function<void(uint64_t, uint32_t)>& visit) const;
  // All entries are wanted soon, in pieces.
  void WillReadAll() const;

 private:
  struct Bucket {
    uint64_t begin = 0;  // of its first entry
    uint32_t count = 0;
    uint32_t crc32c = 0;
  };

  TraceTable() = default;
  Error ReadHead(std::string_view head, uint64_t size_bytes);
  Result<std::string> ReadBucket(const Bucket& bucket) const;

  std::unique_ptr<ReadableFile> file_;
  std::string entries_;  // of a small table
  uint64_t head_bytes_ = 0;
  uint32_t bucket_bits_ = 0;
  uint64_t entry_count_ = 0;
  std::vector<RawBlockId> blocks_;
  std::vector<Bucket> buckets_;
};

// Makes the object. `blocks` ascend, each once; `entries` are (hash, number of the block), in any
// order.
std::string EncodeTraceTable(std::span<const RawBlockId> blocks,
                             std::vector<std::pair<uint64_t, uint32_t>> entries);

}  // namespace weft::store
