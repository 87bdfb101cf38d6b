// DiskChunks: pieces of objects on the disk of this machine, for a store on another one; what a
// server has read before it restarted need not be fetched again.
//
// Chunks are appended to segments, files of about 8 MiB, <20 digits>.chunks, each written at once.
// The oldest segment goes when there are more bytes than allowed, or when the disk is nearly full;
// what is read from the oldest quarter is appended anew, so that what is used stays.
// A segment is a sequence of records (little-endian): u32 magic "WFC1", u32 bytes of the name, u64
// number of the chunk, u32 bytes of the chunk, u32 zero, u64 XXH3 of name, number and chunk; name;
// chunk. Nothing is synced: what a power cut has torn does not match its checksum and is no hit. A
// disk that fails costs time and no answer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "base/env.h"
#include "base/metrics.h"
#include "base/mutex.h"

namespace weft::store {

struct DiskChunksOptions {
  std::string folder;  // of its own
  // The store's name: chunks of another store in the same folder are no hits.
  std::string store;
  uint64_t bytes_max = 0;
  uint64_t segment_bytes = 8 << 20;
  uint64_t free_bytes_min = 1 << 30;  // left to others on the disk
};

// Any thread.
class DiskChunks {
 public:
  static constexpr uint64_t kChunkBytes = 128 << 10;
  using Chunk = std::shared_ptr<const std::string>;

  // `env` and `metrics` must outlive it.
  DiskChunks(Env& env, DiskChunksOptions options, MetricRegistry& metrics);
  ~DiskChunks();  // writes what is not yet on the disk

  // Takes over what an earlier life has left. First, once.
  Error Load() WEFT_EXCLUDES(mutex_);

  // Null when it is not here.
  Chunk Find(const std::string& object, uint64_t number) WEFT_EXCLUDES(mutex_);
  // Of at most kChunkBytes. May write a segment.
  void Keep(const std::string& object, uint64_t number, const Chunk& chunk) WEFT_EXCLUDES(mutex_);

  uint64_t bytes() const WEFT_EXCLUDES(mutex_);

 private:
  using Key = std::pair<uint64_t, uint64_t>;  // hash of object and number
  struct Place {
    uint64_t segment = 0;
    uint32_t offset = 0;
    uint32_t record_bytes = 0;
  };
  struct Segment {
    uint64_t number = 0;
    uint64_t bytes = 0;
    std::vector<Key> keys;
    std::shared_ptr<std::string> pending;  // its bytes while it is not on the disk
  };

  std::string NameOf(const std::string& object) const { return options_.store + "|" + object; }
  std::string PathOf(uint64_t segment) const;
  Error LoadSegment(uint64_t number, uint64_t size_bytes) WEFT_EXCLUDES(mutex_);
  Segment* FindSegment(uint64_t number) WEFT_REQUIRES(mutex_);
  bool IsOld(uint64_t segment) const WEFT_REQUIRES(mutex_);
  void Append(const Key& key, const std::string& record) WEFT_EXCLUDES(mutex_);
  void Write(uint64_t number, const std::string& bytes) WEFT_EXCLUDES(mutex_);
  void MakeRoom(uint64_t bytes) WEFT_EXCLUDES(mutex_);
  // Takes the segment out of the index; its file is removed by the caller.
  void Drop(uint64_t number) WEFT_REQUIRES(mutex_);

  Env& env_;
  const DiskChunksOptions options_;
  Counter& hits_;
  Counter& write_failures_;

  mutable Mutex mutex_;
  std::vector<Segment> segments_ WEFT_GUARDED_BY(mutex_);  // the last one is being filled
  absl::flat_hash_map<Key, Place> index_ WEFT_GUARDED_BY(mutex_);
  uint64_t bytes_ WEFT_GUARDED_BY(mutex_) = 0;
};

}  // namespace weft::store
