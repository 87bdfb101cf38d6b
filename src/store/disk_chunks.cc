#include "store/disk_chunks.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>

#include <xxhash.h>

#include "base/log.h"

namespace weft::store {
namespace {

constexpr std::string_view kSuffix = ".chunks";
constexpr size_t kDigits = 20;
constexpr uint32_t kMagic = 0x31434657;
constexpr size_t kNameBytesMax = 4096;

struct Header {
  uint32_t magic = kMagic;
  uint32_t name_bytes = 0;
  uint64_t number = 0;
  uint32_t chunk_bytes = 0;
  uint32_t zero = 0;
  uint64_t hash = 0;

  size_t record_bytes() const { return sizeof(Header) + name_bytes + chunk_bytes; }
  bool IsOne() const {
    return magic == kMagic && zero == 0 && name_bytes > 0 && name_bytes <= kNameBytesMax &&
           chunk_bytes <= DiskChunks::kChunkBytes;
  }
};
static_assert(sizeof(Header) == 32);

uint64_t HashOf(std::string_view name, uint64_t number, std::string_view chunk) {
  const uint64_t seed = XXH3_64bits_withSeed(name.data(), name.size(), number);
  return XXH3_64bits_withSeed(chunk.data(), chunk.size(), seed);
}

std::pair<uint64_t, uint64_t> KeyOf(std::string_view name, uint64_t number) {
  const XXH128_hash_t hash = XXH3_128bits_withSeed(name.data(), name.size(), number);
  return {hash.high64, hash.low64};
}

std::string MakeRecord(std::string_view name, uint64_t number, std::string_view chunk) {
  const Header header{.name_bytes = static_cast<uint32_t>(name.size()),
                      .number = number,
                      .chunk_bytes = static_cast<uint32_t>(chunk.size()),
                      .hash = HashOf(name, number, chunk)};
  std::string record(reinterpret_cast<const char*>(&header), sizeof(header));
  record.append(name).append(chunk);
  return record;
}

// The chunk of a record, if it is the one that is looked for.
std::optional<std::string> ChunkOf(std::string_view record, std::string_view name,
                                   uint64_t number) {
  Header header;
  if (record.size() < sizeof(header)) return std::nullopt;
  std::memcpy(&header, record.data(), sizeof(header));
  if (!header.IsOne() || header.record_bytes() != record.size()) return std::nullopt;
  const std::string_view chunk = record.substr(sizeof(header) + header.name_bytes);
  if (record.substr(sizeof(header), header.name_bytes) != name || header.number != number ||
      header.hash != HashOf(name, number, chunk)) {
    return std::nullopt;
  }
  return std::string(chunk);
}

std::optional<uint64_t> NumberOf(std::string_view file) {
  uint64_t number = 0;
  if (file.size() != kDigits + kSuffix.size() || !file.ends_with(kSuffix)) return std::nullopt;
  const auto [end, error] = std::from_chars(file.data(), file.data() + kDigits, number);
  if (error != std::errc() || end != file.data() + kDigits) return std::nullopt;
  return number;
}

}  // namespace

DiskChunks::DiskChunks(Env& env, DiskChunksOptions options, MetricRegistry& metrics)
    : env_(env),
      options_(std::move(options)),
      hits_(metrics.GetCounter("weft_store_disk_cache_hits_total",
                               "Chunks of objects found in the cache on disk.", {})),
      write_failures_(metrics.GetCounter("weft_store_disk_cache_write_failures_total",
                                         "Segments of the cache on disk that could not be "
                                         "written.",
                                         {})) {
  const MutexLock lock(mutex_);
  segments_.push_back({.number = 1, .pending = std::make_shared<std::string>()});
}

DiskChunks::~DiskChunks() {
  std::shared_ptr<std::string> rest;
  uint64_t number;
  {
    const MutexLock lock(mutex_);
    rest = segments_.back().pending;
    number = segments_.back().number;
  }
  if (!rest->empty()) Write(number, *rest);
}

uint64_t DiskChunks::bytes() const {
  const MutexLock lock(mutex_);
  return bytes_;
}

std::string DiskChunks::PathOf(uint64_t segment) const {
  const std::string digits = std::to_string(segment);
  return options_.folder + "/" + std::string(kDigits - digits.size(), '0') + digits +
         std::string(kSuffix);
}

Error DiskChunks::Load() {
  WEFT_RETURN_IF_ERROR(env_.CreateFolder(options_.folder));
  WEFT_ASSIGN_OR_RETURN(const auto files, env_.ListFolder(options_.folder));
  for (const FileInfo& file : files) {
    const auto number = NumberOf(file.name);
    if (file.is_directory || !number) continue;
    const Error error = LoadSegment(*number, file.size_bytes);
    if (error.ok()) continue;
    LogWarn("a file of the cache can't be read and is removed",
            {{"file", options_.folder + "/" + file.name}, {"error", error.message()}});
    WEFT_RETURN_IF_ERROR(env_.RemoveFile(options_.folder + "/" + file.name));
  }
  MakeRoom(0);
  return Error::Ok();
}

// Only the heads of the records: that a chunk is whole is seen when it is used.
Error DiskChunks::LoadSegment(uint64_t number, uint64_t size_bytes) {
  WEFT_ASSIGN_OR_RETURN(const auto file, env_.NewReadableFile(PathOf(number)));
  size_bytes = std::min(size_bytes, file->size_bytes());
  Segment segment{.number = number, .bytes = size_bytes};
  std::vector<Place> places;
  for (uint64_t offset = 0; offset + sizeof(Header) <= size_bytes;) {
    Header header;
    WEFT_RETURN_IF_ERROR(file->ReadAt(offset, sizeof(header), reinterpret_cast<char*>(&header)));
    if (!header.IsOne() || header.record_bytes() > size_bytes - offset || offset > UINT32_MAX) {
      break;
    }
    std::string name(header.name_bytes, '\0');
    WEFT_RETURN_IF_ERROR(file->ReadAt(offset + sizeof(header), name.size(), name.data()));
    segment.keys.push_back(KeyOf(name, header.number));
    places.push_back(
        {number, static_cast<uint32_t>(offset), static_cast<uint32_t>(header.record_bytes())});
    offset += header.record_bytes();
  }
  const MutexLock lock(mutex_);
  for (size_t i = 0; i < places.size(); ++i) index_[segment.keys[i]] = places[i];
  bytes_ += segment.bytes;
  segments_.back().number = std::max(segments_.back().number, number + 1);
  segments_.insert(segments_.end() - 1, std::move(segment));
  return Error::Ok();
}

DiskChunks::Segment* DiskChunks::FindSegment(uint64_t number) {
  const auto it =
      std::lower_bound(segments_.begin(), segments_.end(), number,
                       [](const Segment& segment, uint64_t n) { return segment.number < n; });
  return it == segments_.end() || it->number != number ? nullptr : &*it;
}

bool DiskChunks::IsOld(uint64_t segment) const {
  return segments_.size() >= 4 && segment < segments_[segments_.size() / 4].number;
}

DiskChunks::Chunk DiskChunks::Find(const std::string& object, uint64_t number) {
  const std::string name = NameOf(object);
  const Key key = KeyOf(name, number);
  Place place;
  std::shared_ptr<std::string> pending;
  bool is_old;
  std::string record;
  {
    const MutexLock lock(mutex_);
    const auto it = index_.find(key);
    if (it == index_.end()) return nullptr;
    place = it->second;
    is_old = IsOld(place.segment);
    const Segment* const segment = FindSegment(place.segment);
    if (segment == nullptr) return nullptr;
    // What is being filled grows: its bytes are taken under the lock.
    if (segment->pending) record = segment->pending->substr(place.offset, place.record_bytes);
  }
  if (record.empty()) {
    record.resize(place.record_bytes);
    const auto file = env_.NewReadableFile(PathOf(place.segment));
    if (!file.ok() || !(*file)->ReadAt(place.offset, record.size(), record.data()).ok()) {
      record.clear();
    }
  }
  std::optional<std::string> chunk = ChunkOf(record, name, number);
  if (!chunk) {
    const MutexLock lock(mutex_);
    const auto it = index_.find(key);
    if (it != index_.end() && it->second.segment == place.segment) index_.erase(it);
    return nullptr;
  }
  hits_.Add();
  if (is_old) Append(key, record);
  return std::make_shared<const std::string>(*std::move(chunk));
}

void DiskChunks::Keep(const std::string& object, uint64_t number, const Chunk& chunk) {
  const std::string name = NameOf(object);
  if (name.size() > kNameBytesMax || chunk->size() > kChunkBytes) return;
  Append(KeyOf(name, number), MakeRecord(name, number, *chunk));
}

void DiskChunks::Append(const Key& key, const std::string& record) {
  std::shared_ptr<std::string> full;
  uint64_t number = 0;
  {
    const MutexLock lock(mutex_);
    const auto known = index_.find(key);
    if (known != index_.end() && !IsOld(known->second.segment)) return;
    Segment& segment = segments_.back();
    index_[key] = {segment.number, static_cast<uint32_t>(segment.pending->size()),
                   static_cast<uint32_t>(record.size())};
    segment.keys.push_back(key);
    segment.pending->append(record);
    segment.bytes += record.size();
    bytes_ += record.size();
    if (segment.bytes >= options_.segment_bytes) {
      full = segment.pending;
      number = segment.number;
      segments_.push_back({.number = number + 1, .pending = std::make_shared<std::string>()});
    }
  }
  if (!full) return;
  MakeRoom(full->size());
  Write(number, *full);
}

void DiskChunks::Write(uint64_t number, const std::string& bytes) {
  const std::string path = PathOf(number);
  const auto write = [&]() -> Error {
    WEFT_ASSIGN_OR_RETURN(const auto file, env_.NewWritableFile(path));
    WEFT_RETURN_IF_ERROR(file->Append(bytes));
    return file->Close();
  };
  const Error error = write();
  if (!error.ok()) {
    write_failures_.Add();
    LogWarn("a file of the cache of the store could not be written; its content is fetched again",
            {{"file", path}, {"error", error.message()}});
    (void)env_.RemoveFile(path);  // what there is of it
  }
  const MutexLock lock(mutex_);
  if (!error.ok()) {
    Drop(number);
  } else if (Segment* const segment = FindSegment(number)) {
    if (&segments_.back() != segment) segment->pending = nullptr;
  }
}

void DiskChunks::MakeRoom(uint64_t bytes) {
  const auto free_bytes = env_.FreeDiskBytes(options_.folder);
  uint64_t wanted = free_bytes.ok() && *free_bytes < options_.free_bytes_min + bytes
                        ? options_.free_bytes_min + bytes - *free_bytes
                        : 0;
  while (true) {
    uint64_t oldest;
    {
      const MutexLock lock(mutex_);
      // What is not on the disk yet stays.
      if (segments_.front().pending) return;
      if (bytes_ <= options_.bytes_max && wanted == 0) return;
      oldest = segments_.front().number;
      wanted -= std::min(wanted, segments_.front().bytes);
      Drop(oldest);
    }
    if (const Error error = env_.RemoveFile(PathOf(oldest)); !error.ok()) {
      LogWarn("an old file of the cache of the store could not be removed",
              {{"file", PathOf(oldest)}, {"error", error.message()}});
    }
  }
}

void DiskChunks::Drop(uint64_t number) {
  Segment* const segment = FindSegment(number);
  if (segment == nullptr) return;
  for (const Key& key : segment->keys) {
    const auto it = index_.find(key);
    if (it != index_.end() && it->second.segment == number) index_.erase(it);
  }
  bytes_ -= segment->bytes;
  segments_.erase(segments_.begin() + (segment - &segments_.front()));
}

}  // namespace weft::store
