// ChunkCache: pieces of objects in memory, for a store where every read is a request over a
// network.
//
// A reader of Parquet asks for many small ranges that lie close together. Here an object is cut
// into chunks of kChunkBytes; a small read fetches the chunks that it touches and that are not
// here, in one request, and the next small reads beside it cost none. The least recently used
// chunks go when there are more bytes than allowed. Objects must not change; what is deleted is
// forgotten by time.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/mutex.h"

namespace weft::store {

// Any thread. Two threads that miss the same chunk at the same time both fetch it.
class ChunkCache {
 public:
  static constexpr uint64_t kChunkBytes = 128 << 10;

  // Reads `length` bytes at `offset` of the object itself.
  using Fetch = std::function<Error(uint64_t offset, size_t length, char* out)>;

  explicit ChunkCache(uint64_t bytes_max) : bytes_max_(bytes_max) {}

  // As ReadableFile::ReadAt of the object `name` of `size_bytes`, which `offset + length` must not
  // pass. At most one fetch; reads of more than kChunkBytes go past the cache.
  Error Read(const std::string& name, uint64_t size_bytes, uint64_t offset, size_t length,
             const Fetch& fetch, char* out) WEFT_EXCLUDES(mutex_);
  // Drops what is here of all objects whose names begin so.
  void Forget(const std::string& prefix) WEFT_EXCLUDES(mutex_);

 private:
  using Key = std::pair<std::string, uint64_t>;  // object, number of the chunk
  using Chunk = std::shared_ptr<const std::string>;
  struct Entry {
    Key key;
    Chunk bytes;
  };

  Chunk Find(const Key& key) WEFT_EXCLUDES(mutex_);
  void Keep(const Key& key, Chunk chunk) WEFT_EXCLUDES(mutex_);

  const uint64_t bytes_max_;
  Mutex mutex_;
  uint64_t bytes_ WEFT_GUARDED_BY(mutex_) = 0;
  std::list<Entry> entries_ WEFT_GUARDED_BY(mutex_);  // most recently used first
  std::map<Key, std::list<Entry>::iterator> index_ WEFT_GUARDED_BY(mutex_);
};

}  // namespace weft::store
