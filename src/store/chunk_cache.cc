#include "store/chunk_cache.h"

#include <algorithm>
#include <cstring>

#include "base/read_account.h"

namespace weft::store {
namespace {

constexpr uint64_t kChunk = ChunkCache::kChunkBytes;

// Copies the part of a read [offset, offset + length) that lies in `bytes`, which begin at `begin`
// of the object.
void CopyPart(std::string_view bytes, uint64_t begin, uint64_t offset, size_t length, char* out) {
  const uint64_t from = std::max(offset, begin);
  const uint64_t to = std::min(offset + length, begin + bytes.size());
  if (from < to) std::memcpy(out + (from - offset), bytes.data() + (from - begin), to - from);
}

}  // namespace

Error ChunkCache::Read(const RemoteObject& object, uint64_t offset, size_t length, char* out) {
  if (length == 0) return Error::Ok();
  const Chunks chunks{offset / kChunk, (offset + length - 1) / kChunk + 1};
  const bool keep = length <= kChunk;
  std::vector<Place> places = Find(object, chunks, keep);
  const bool all_known =
      std::all_of(places.begin(), places.end(), [](const Place& place) { return place.known(); });
  if (!all_known) {
    Ask(object, chunks, keep, &places);
  } else if (ReadAccount* const account = ReadAccount::Current()) {
    account->hits += 1;
  }
  const RangeRequest* waited_for = nullptr;
  for (uint64_t i = chunks.first; i < chunks.end; ++i) {
    const Place& place = places[i - chunks.first];
    if (place.chunk) {
      CopyPart(*place.chunk, i * kChunk, offset, length, out);
    } else if (place.request.get() != waited_for) {
      WEFT_ASSIGN_OR_RETURN(const std::string* bytes, place.request->Wait());
      CopyPart(*bytes, place.request->offset(), offset, length, out);
      waited_for = place.request.get();
    }
  }
  return Error::Ok();
}

void ChunkCache::Prefetch(const RemoteObject& object, std::span<const ByteRange> ranges) {
  std::vector<Chunks> wanted;
  for (const ByteRange& range : ranges) {
    if (range.size > 0) {
      wanted.push_back({range.offset / kChunk, (range.offset + range.size - 1) / kChunk + 1});
    }
  }
  std::sort(wanted.begin(), wanted.end(),
            [](const Chunks& a, const Chunks& b) { return a.first < b.first; });
  uint64_t left = std::min(kPrefetchBytesMax, bytes_max_ / 2) / kChunk;
  for (size_t i = 0; i < wanted.size() && left > 0;) {
    Chunks stretch = wanted[i++];
    while (i < wanted.size() && wanted[i].first <= stretch.end + kGapBytes / kChunk &&
           wanted[i].end <= stretch.first + kRequestBytesMax / kChunk) {
      stretch.end = std::max(stretch.end, wanted[i++].end);
    }
    stretch.end =
        std::min({stretch.end, stretch.first + left, stretch.first + kRequestBytesMax / kChunk});
    left -= stretch.end - stretch.first;
    std::vector<Place> places = Find(object, stretch, true);
    Ask(object, stretch, true, &places);
  }
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

ChunkCache::Place ChunkCache::FindOne(const Key& key) {
  if (const auto it = index_.find(key); it != index_.end()) {
    entries_.splice(entries_.begin(), entries_, it->second);
    return {it->second->bytes, nullptr};
  }
  const auto it = coming_.find(key);
  return it == coming_.end() ? Place{} : Place{nullptr, it->second};
}

std::vector<ChunkCache::Place> ChunkCache::Find(const RemoteObject& object, Chunks chunks,
                                                bool keep) {
  std::vector<Place> places(chunks.end - chunks.first);
  {
    const MutexLock lock(mutex_);
    for (uint64_t i = 0; i < places.size(); ++i) {
      places[i] = FindOne({object.name, chunks.first + i});
    }
  }
  for (uint64_t i = 0; disk_ != nullptr && i < places.size(); ++i) {
    if (places[i].known()) continue;
    const Key key{object.name, chunks.first + i};
    places[i].chunk = disk_->Find(key.first, key.second);
    if (!places[i].chunk || !keep) continue;
    const MutexLock lock(mutex_);
    Keep(key, places[i].chunk);
  }
  return places;
}

void ChunkCache::Ask(const RemoteObject& object, Chunks chunks, bool keep,
                     std::vector<Place>* places) {
  std::vector<std::pair<Chunks, Request>> requests;
  {
    const MutexLock lock(mutex_);
    for (uint64_t i = chunks.first; i < chunks.end; ++i) {
      Place& place = (*places)[i - chunks.first];
      // Somebody else may have asked for it meanwhile.
      if (!place.known()) place = FindOne({object.name, i});
      if (place.known()) continue;
      const bool goes_on = !requests.empty() && requests.back().first.end == i;
      if (!goes_on) requests.push_back({{i, i}, nullptr});
      requests.back().first.end = i + 1;
    }
    for (auto& [stretch, request] : requests) {
      const uint64_t begin = stretch.first * kChunk;
      const uint64_t end = std::min(stretch.end * kChunk, object.size_bytes);
      request = std::make_shared<RangeRequest>(object.start, begin, end - begin, pace_);
      for (uint64_t i = stretch.first; i < stretch.end; ++i) {
        coming_[{object.name, i}] = request;
        (*places)[i - chunks.first].request = request;
      }
    }
  }
  for (const auto& [stretch, request] : requests) Begin(object, stretch, keep, request);
}

void ChunkCache::Begin(const RemoteObject& object, Chunks chunks, bool keep,
                       const Request& request) {
  if (ReadAccount* const account = ReadAccount::Current()) {
    account->requests += 1;
    account->bytes += request->length();
  }
  // Without the start: the request has it, and it would keep itself alive.
  const RemoteObject named{object.name, object.size_bytes, nullptr};
  request->Begin(
      [this, named, chunks, keep, asked = request.get()](const Result<std::string>& bytes) {
        Arrive(named, chunks, keep, asked, bytes);
      });
}

void ChunkCache::Arrive(const RemoteObject& object, Chunks chunks, bool keep,
                        const RangeRequest* request, const Result<std::string>& bytes) {
  const bool wanted = bytes.ok() && (keep || disk_ != nullptr);
  std::vector<Chunk> parts;
  for (uint64_t i = chunks.first; wanted && i < chunks.end; ++i) {
    parts.push_back(
        std::make_shared<const std::string>(bytes->substr((i - chunks.first) * kChunk, kChunk)));
    if (disk_ != nullptr) disk_->Keep(object.name, i, parts.back());
  }
  const MutexLock lock(mutex_);
  for (uint64_t i = chunks.first; i < chunks.end; ++i) {
    const Key key{object.name, i};
    if (const auto it = coming_.find(key); it != coming_.end() && it->second.get() == request) {
      coming_.erase(it);
    }
    if (keep && bytes.ok()) Keep(key, parts[i - chunks.first]);
  }
}

void ChunkCache::Keep(const Key& key, Chunk chunk) {
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
