#include "store/chunk_cache.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace weft::store {

Error ChunkCache::Read(const std::string& name, uint64_t size_bytes, uint64_t offset, size_t length,
                       const Fetch& fetch, char* out) {
  if (length == 0) return Error::Ok();
  if (length > kChunkBytes) return fetch(offset, length, out);
  // A read of at most a chunk touches one or two.
  const uint64_t first = offset / kChunkBytes;
  const uint64_t last = (offset + length - 1) / kChunkBytes;
  std::vector<Chunk> chunks;
  for (uint64_t i = first; i <= last; ++i) chunks.push_back(Find({name, i}));
  const auto missing = std::find(chunks.begin(), chunks.end(), nullptr);
  if (missing != chunks.end()) {
    // From the first that is missing to the last: one request, even if one of them is here.
    const uint64_t from = first + static_cast<uint64_t>(missing - chunks.begin());
    const uint64_t begin = from * kChunkBytes;
    const uint64_t end = std::min((last + 1) * kChunkBytes, size_bytes);
    std::string bytes(end - begin, '\0');
    WEFT_RETURN_IF_ERROR(fetch(begin, bytes.size(), bytes.data()));
    for (uint64_t i = from; i <= last; ++i) {
      auto chunk =
          std::make_shared<const std::string>(bytes.substr((i - from) * kChunkBytes, kChunkBytes));
      chunks[i - first] = chunk;
      Keep({name, i}, std::move(chunk));
    }
  }
  for (uint64_t i = first; i <= last; ++i) {
    const std::string& chunk = *chunks[i - first];
    const uint64_t begin = std::max(offset, i * kChunkBytes);
    const uint64_t end = std::min(offset + length, (i + 1) * kChunkBytes);
    std::memcpy(out + (begin - offset), chunk.data() + (begin - i * kChunkBytes), end - begin);
  }
  return Error::Ok();
}

void ChunkCache::Forget(const std::string& prefix) {
  const MutexLock lock(mutex_);
  auto it = index_.lower_bound({prefix, 0});
  while (it != index_.end() && it->first.first.starts_with(prefix)) {
    bytes_ -= it->second->bytes->size();
    entries_.erase(it->second);
    it = index_.erase(it);
  }
}

ChunkCache::Chunk ChunkCache::Find(const Key& key) {
  const MutexLock lock(mutex_);
  const auto it = index_.find(key);
  if (it == index_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, it->second);
  return it->second->bytes;
}

void ChunkCache::Keep(const Key& key, Chunk chunk) {
  const MutexLock lock(mutex_);
  if (index_.contains(key)) return;
  bytes_ += chunk->size();
  entries_.push_front({key, std::move(chunk)});
  index_[key] = entries_.begin();
  while (bytes_ > bytes_max_ && !entries_.empty()) {
    bytes_ -= entries_.back().bytes->size();
    index_.erase(entries_.back().key);
    entries_.pop_back();
  }
}

}  // namespace weft::store
