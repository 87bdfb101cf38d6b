#include "store/trace_table.h"

#include <algorithm>
#include <functional>
#include <utility>

#include <xxhash.h>

#include "base/checksum.h"
#include "store/byte_codec.h"

namespace weft::store {
namespace {

constexpr std::string_view kMagic = "WEFTTRT1";
constexpr uint64_t kFixedBytes = 24;
constexpr uint64_t kBlockBytes = 12;
constexpr uint64_t kBucketBytes = 8;
constexpr uint64_t kEntryBytes = 8;
constexpr uint32_t kBlockBits = 24;
constexpr uint32_t kBucketBitsMax = 20;
constexpr uint64_t kEntriesPerBucket = 1024;
// Smaller tables stay in memory as a whole.
constexpr uint64_t kSmallBytes = 64u << 10;

Error Damaged(const char* what) {
  return Error(ErrorCode::kCorrupt, std::string("the trace table is damaged: ") + what);
}

uint64_t BucketOf(uint64_t hash, uint32_t bits) {
  return bits == 0 ? 0 : hash >> (kTraceHashBits - bits);
}

uint64_t EntryAt(std::string_view entries, uint64_t i) {
  return ByteReader(entries.substr(i * kEntryBytes, kEntryBytes)).Fixed64();
}

int DigitOf(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

}  // namespace

RawBlockId RawIdOf(std::string_view block_id) {
  RawBlockId raw{};
  for (size_t i = 0; i < raw.size() && 2 * i + 1 < block_id.size(); ++i) {
    raw[i] = static_cast<uint8_t>(DigitOf(block_id[2 * i]) << 4 | DigitOf(block_id[2 * i + 1]));
  }
  return raw;
}

std::string BlockIdOf(const RawBlockId& raw) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string id;
  for (const uint8_t byte : raw) {
    id.push_back(kDigits[byte >> 4]);
    id.push_back(kDigits[byte & 15]);
  }
  return id;
}

uint64_t TraceHash(model::TraceId id) {
  std::array<char, 16> bytes;
  id.ToBytes(bytes.data());
  return XXH64(bytes.data(), bytes.size(), 0) >> (64 - kTraceHashBits);
}

std::string EncodeTraceTable(std::span<const RawBlockId> blocks,
                             std::vector<std::pair<uint64_t, uint32_t>> entries) {
  std::sort(entries.begin(), entries.end());
  entries.erase(std::unique(entries.begin(), entries.end()), entries.end());
  uint32_t bits = 0;
  while (bits < kBucketBitsMax && entries.size() >> bits > kEntriesPerBucket) ++bits;
  ByteWriter head;
  head.Raw(kMagic);
  head.Fixed32(static_cast<uint32_t>(blocks.size()));
  head.Fixed32(bits);
  head.Fixed64(entries.size());
  for (const RawBlockId& block : blocks) {
    head.Raw({reinterpret_cast<const char*>(block.data()), block.size()});
  }
  ByteWriter body;
  size_t next = 0;
  for (uint64_t bucket = 0; bucket < uint64_t{1} << bits; ++bucket) {
    const size_t begin = next;
    for (; next < entries.size() && BucketOf(entries[next].first, bits) == bucket; ++next) {
      body.Fixed64(entries[next].first << kBlockBits | entries[next].second);
    }
    const std::string_view written = std::string_view(body.bytes()).substr(begin * kEntryBytes);
    head.Fixed32(static_cast<uint32_t>(next - begin));
    head.Fixed32(Crc32c(written));
  }
  head.Fixed32(Crc32c(head.bytes()));
  return head.Take() + body.bytes();
}

Result<std::shared_ptr<const TraceTable>> TraceTable::Open(std::unique_ptr<ReadableFile> file) {
  std::shared_ptr<TraceTable> table(new TraceTable());
  const uint64_t size = file->size_bytes();
  if (size < kFixedBytes) return Damaged("it is too short");
  // One read brings the head of most, and the whole of a small one.
  std::string head(std::min(size, kSmallBytes), '\0');
  WEFT_RETURN_IF_ERROR(file->ReadAt(0, head.size(), head.data()));
  if (!head.starts_with(kMagic)) {
    return Error(ErrorCode::kUnsupported, "the trace table is of a later version of weft");
  }
  ByteReader fixed(std::string_view(head).substr(kMagic.size()));
  const uint64_t blocks = fixed.Fixed32();
  const uint32_t bits = fixed.Fixed32();
  if (blocks > kBlocksMax || bits > kBucketBitsMax) return Damaged("its sizes are impossible");
  const uint64_t head_bytes =
      kFixedBytes + blocks * kBlockBytes + (uint64_t{1} << bits) * kBucketBytes + 4;
  if (head_bytes > size) return Damaged("it is too short");
  if (head_bytes > head.size()) {
    const size_t have = head.size();
    head.resize(head_bytes);
    WEFT_RETURN_IF_ERROR(file->ReadAt(have, head_bytes - have, head.data() + have));
  }
  WEFT_RETURN_IF_ERROR(table->ReadHead(std::string_view(head).substr(0, head_bytes), size));
  if (head.size() == size) {
    table->entries_ = head.substr(head_bytes);
  } else {
    table->file_ = std::move(file);
  }
  return std::shared_ptr<const TraceTable>(std::move(table));
}

Error TraceTable::ReadHead(std::string_view head, uint64_t size_bytes) {
  ByteReader in(head.substr(kMagic.size()));
  head_bytes_ = head.size();
  const uint32_t blocks = in.Fixed32();
  bucket_bits_ = in.Fixed32();
  entry_count_ = in.Fixed64();
  blocks_.resize(blocks);
  for (RawBlockId& block : blocks_) {
    const std::string_view bytes = in.Raw(kBlockBytes);
    std::copy(bytes.begin(), bytes.end(), block.begin());
  }
  buckets_.resize(size_t{1} << bucket_bits_);
  uint64_t begin = 0;
  for (Bucket& bucket : buckets_) {
    bucket.begin = begin;
    bucket.count = in.Fixed32();
    bucket.crc32c = in.Fixed32();
    begin += bucket.count;
  }
  if (in.Fixed32() != Crc32c(head.substr(0, head.size() - 4))) return Damaged("its head");
  if (begin != entry_count_ || entry_count_ > (size_bytes - head_bytes_) / kEntryBytes ||
      head_bytes_ + entry_count_ * kEntryBytes != size_bytes) {
    return Damaged("its size");
  }
  // Whoever looks a block up among them relies on their order.
  if (std::adjacent_find(blocks_.begin(), blocks_.end(), std::greater_equal<>()) != blocks_.end()) {
    return Damaged("its blocks");
  }
  return Error::Ok();
}

uint64_t TraceTable::memory_bytes() const {
  return sizeof *this + entries_.capacity() + blocks_.capacity() * sizeof(RawBlockId) +
         buckets_.capacity() * sizeof(Bucket);
}

Result<std::string> TraceTable::ReadBucket(const Bucket& bucket) const {
  const uint64_t begin = bucket.begin * kEntryBytes;
  std::string bytes(uint64_t{bucket.count} * kEntryBytes, '\0');
  if (file_ == nullptr) {
    bytes = entries_.substr(begin, bytes.size());
  } else if (!bytes.empty()) {
    WEFT_RETURN_IF_ERROR(file_->ReadAt(head_bytes_ + begin, bytes.size(), bytes.data()));
  }
  if (Crc32c(bytes) != bucket.crc32c) return Damaged("a bucket");
  return bytes;
}

Error TraceTable::Find(uint64_t trace_hash, std::vector<RawBlockId>* found) const {
  const Bucket& bucket = buckets_[BucketOf(trace_hash, bucket_bits_)];
  if (bucket.count == 0) return Error::Ok();
  WEFT_ASSIGN_OR_RETURN(const std::string bytes, ReadBucket(bucket));
  uint64_t low = 0;
  uint64_t high = bucket.count;
  while (low < high) {
    const uint64_t middle = (low + high) / 2;
    if (EntryAt(bytes, middle) >> kBlockBits < trace_hash) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  for (; low < bucket.count; ++low) {
    const uint64_t entry = EntryAt(bytes, low);
    if (entry >> kBlockBits != trace_hash) break;
    const uint64_t block = entry & ((1u << kBlockBits) - 1);
    if (block >= blocks_.size()) return Damaged("an entry names no block");
    found->push_back(blocks_[block]);
  }
  return Error::Ok();
}

void TraceTable::WillReadAll() const {
  if (file_ == nullptr) return;
  const ByteRange all{head_bytes_, entry_count_ * kEntryBytes};
  file_->WillRead({&all, 1});
}

Error TraceTable::ForEach(const std::function<void(uint64_t, uint32_t)>& visit) const {
  WillReadAll();
  return ForEach(0, uint64_t{1} << kTraceHashBits, visit);
}

Error TraceTable::ForEach(uint64_t begin, uint64_t end,
                          const std::function<void(uint64_t, uint32_t)>& visit) const {
  if (begin >= end) return Error::Ok();
  const uint64_t last = std::min(BucketOf(end - 1, bucket_bits_) + 1, uint64_t{buckets_.size()});
  for (uint64_t b = BucketOf(begin, bucket_bits_); b < last; ++b) {
    WEFT_ASSIGN_OR_RETURN(const std::string bytes, ReadBucket(buckets_[b]));
    for (uint64_t i = 0; i < buckets_[b].count; ++i) {
      const uint64_t entry = EntryAt(bytes, i);
      const uint64_t hash = entry >> kBlockBits;
      const auto block = static_cast<uint32_t>(entry & ((1u << kBlockBits) - 1));
      if (block >= blocks_.size()) return Damaged("an entry names no block");
      if (hash >= begin && hash < end) visit(hash, block);
    }
  }
  return Error::Ok();
}

}  // namespace weft::store
