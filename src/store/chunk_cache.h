// ChunkCache: pieces of objects in memory, for a store where every read is a request over a
// network.
//
// A reader of Parquet asks for many small ranges that lie close together. Here an object is cut
// into chunks of kChunkBytes, and a read asks for the chunks that it touches and that are neither
// here, nor on their way to somebody else, nor on the disk (disk_chunks.h): a request for each
// stretch of them. The least recently used chunks go when there are more bytes than allowed.
// Objects must not change; what is deleted is forgotten by time.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/env.h"
#include "base/error.h"
#include "base/mutex.h"
#include "store/disk_chunks.h"
#include "store/range_request.h"

namespace weft::store {

// An object of a store on another machine.
struct RemoteObject {
  std::string name;
  uint64_t size_bytes = 0;
  RangeStart start;
};

// Any thread.
class ChunkCache {
 public:
  static constexpr uint64_t kChunkBytes = DiskChunks::kChunkBytes;
  // Stretches that are asked for ahead of time are joined when so little lies between them: a
  // request costs more than these bytes.
  static constexpr uint64_t kGapBytes = 1 << 20;
  // Of one request, and of all that one Prefetch makes.
  static constexpr uint64_t kRequestBytesMax = 16 << 20;
  static constexpr uint64_t kPrefetchBytesMax = 32 << 20;

  // `disk` may be null; it and `pace` must outlive all requests.
  ChunkCache(uint64_t bytes_max, RequestPace* pace, DiskChunks* disk)
      : bytes_max_(bytes_max), pace_(pace), disk_(disk) {}

  // As ReadableFile::ReadAt of the object, whose end `offset + length` must not pass. Of a read of
  // more than kChunkBytes nothing stays in memory.
  Error Read(const RemoteObject& object, uint64_t offset, size_t length, char* out)
      WEFT_EXCLUDES(mutex_);
  // Begins to fetch what will be read soon, and returns. What lies between the ranges may come
  // along. Ranges must lie inside the object; some are left out when they are too much for the
  // memory.
  void Prefetch(const RemoteObject& object, std::span<const ByteRange> ranges)
      WEFT_EXCLUDES(mutex_);
  // Drops what is here of all objects whose names begin so.
  void Forget(const std::string& prefix) WEFT_EXCLUDES(mutex_);

 private:
  using Key = std::pair<std::string, uint64_t>;  // object, number of the chunk
  using Chunk = std::shared_ptr<const std::string>;
  using Request = std::shared_ptr<RangeRequest>;
  struct Entry {
    Key key;
    Chunk bytes;
  };
  // Where a chunk is: one of both, or neither.
  struct Place {
    Chunk chunk;
    Request request;

    bool known() const { return chunk != nullptr || request != nullptr; }
  };
  struct Chunks {  // [first, end)
    uint64_t first = 0;
    uint64_t end = 0;
  };

  // With `keep`, what the disk has comes to memory.
  std::vector<Place> Find(const RemoteObject& object, Chunks chunks, bool keep)
      WEFT_EXCLUDES(mutex_);
  Place FindOne(const Key& key) WEFT_REQUIRES(mutex_);
  // Makes requests for those of the chunks whose place is not known.
  void Ask(const RemoteObject& object, Chunks chunks, bool keep, std::vector<Place>* places)
      WEFT_EXCLUDES(mutex_);
  void Begin(const RemoteObject& object, Chunks chunks, bool keep, const Request& request)
      WEFT_EXCLUDES(mutex_);
  void Arrive(const RemoteObject& object, Chunks chunks, bool keep, const RangeRequest* request,
              const Result<std::string>& bytes) WEFT_EXCLUDES(mutex_);
  void Keep(const Key& key, Chunk chunk) WEFT_REQUIRES(mutex_);

  const uint64_t bytes_max_;
  RequestPace* const pace_;
  DiskChunks* const disk_;
  Mutex mutex_;
  uint64_t bytes_ WEFT_GUARDED_BY(mutex_) = 0;
  std::list<Entry> entries_ WEFT_GUARDED_BY(mutex_);  // most recently used first
  std::map<Key, std::list<Entry>::iterator> index_ WEFT_GUARDED_BY(mutex_);
  std::map<Key, Request> coming_ WEFT_GUARDED_BY(mutex_);
};

}  // namespace weft::store
