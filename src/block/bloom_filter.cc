// A filter is an array of blocks of 256 bits, which are eight words of 32.
//
// 1. The upper half of a value's hash chooses the block.
// 2. The lower half, multiplied by eight odd numbers, chooses a bit of each of its words.
// 3. A value is perhaps here when all eight bits are set: one cache line is looked at.
#include "block/bloom_filter.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include <xxhash.h>

#include "block/hybrid_codec.h"
#include "block/text_escape.h"
#include "block/uuid_text.h"

namespace weft::block {
namespace {

constexpr uint32_t kBlockBytes = 32;
constexpr uint64_t kBitsPerValueMin = 6;
// What the format allows.
constexpr uint64_t kBytesMax = 128u << 20;

constexpr uint32_t kSalts[] = {0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d,
                               0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31};

// BloomFilterHeader in Thrift's compact protocol: field 1, the size, then the only algorithm, hash
// and compression there are, each a union of one empty struct.
constexpr char kHeaderBegin = 0x15;
constexpr std::string_view kHeaderEnd("\x1c\x1c\0\0\x1c\x1c\0\0\x1c\x1c\0\0\0", 13);

std::string HeaderOf(uint64_t bytes) {
  std::string header(1, kHeaderBegin);
  AppendVarint(bytes << 1, &header);  // zigzag
  return header.append(kHeaderEnd);
}

uint32_t BitOf(uint64_t hash, uint32_t word) {
  return uint32_t{1} << (static_cast<uint32_t>(hash) * kSalts[word] >> 27);
}

}  // namespace

uint64_t BloomFilter::BytesFor(uint64_t value_count) {
  const uint64_t bytes = std::bit_ceil(std::max<uint64_t>(value_count * kBitsPerValueMin / 8, 1));
  return std::clamp<uint64_t>(bytes, kBlockBytes, kBytesMax);
}

uint64_t BloomFilter::StoredBytesFor(uint64_t value_count) {
  const uint64_t bytes = BytesFor(value_count);
  return HeaderOf(bytes).size() + bytes;
}

BloomFilter::BloomFilter(uint64_t value_count)
    : words_(BytesFor(value_count) / sizeof(uint32_t), 0) {}

uint64_t BloomFilter::Hash(std::string_view plain_value) {
  return XXH64(plain_value.data(), plain_value.size(), 0);
}

uint64_t BloomFilter::HashOfInt64(int64_t value) { return XXH64(&value, sizeof(value), 0); }

size_t BloomFilter::FirstWordOf(uint64_t hash) const {
  const uint64_t blocks = words_.size() / kWordsPerBlock;
  return ((hash >> 32) * blocks >> 32) * kWordsPerBlock;
}

void BloomFilter::Add(uint64_t hash) {
  uint32_t* block = words_.data() + FirstWordOf(hash);
  for (uint32_t i = 0; i < kWordsPerBlock; ++i) block[i] |= BitOf(hash, i);
}

bool BloomFilter::MayHave(uint64_t hash) const {
  const uint32_t* block = words_.data() + FirstWordOf(hash);
  bool all = true;
  for (uint32_t i = 0; i < kWordsPerBlock; ++i) all &= (block[i] & BitOf(hash, i)) != 0;
  return all;
}

// Block i of the smaller filter has the values of blocks 2i and 2i + 1.
void BloomFilter::Shrink() {
  // Of the bits with 6 of them a value: 1 - (1 - 1/32) ^ (256 / 6).
  constexpr double kFullMax = 0.742;
  uint64_t ones = 0;
  for (const uint32_t word : words_) ones += static_cast<uint64_t>(std::popcount(word));
  double full = static_cast<double>(ones) / (static_cast<double>(words_.size()) * 32);
  while (words_.size() > kWordsPerBlock && 1 - (1 - full) * (1 - full) <= kFullMax) {
    const size_t blocks = words_.size() / kWordsPerBlock / 2;
    for (size_t i = 0; i < blocks * kWordsPerBlock; ++i) {
      const size_t from = i / kWordsPerBlock * 2 * kWordsPerBlock + i % kWordsPerBlock;
      words_[i] = words_[from] | words_[from + kWordsPerBlock];
    }
    words_.resize(blocks * kWordsPerBlock);
    full = 1 - (1 - full) * (1 - full);
  }
}

void BloomFilter::AppendTo(std::string* out) const {
  out->append(HeaderOf(bytes()));
  out->append(reinterpret_cast<const char*>(words_.data()), bytes());
}

std::optional<BloomFilter> BloomFilter::Read(std::string_view bytes) {
  // The header is shorter than the smallest filter, and the size is a power of two.
  const uint64_t size = std::bit_floor(bytes.size());
  if (size < kBlockBytes || size > kBytesMax) return std::nullopt;
  const std::string header = HeaderOf(size);
  if (bytes.size() != header.size() + size || !bytes.starts_with(header)) return std::nullopt;
  bytes.remove_prefix(header.size());
  BloomFilter filter;
  filter.words_.resize(size / sizeof(uint32_t));
  std::memcpy(filter.words_.data(), bytes.data(), size);
  return filter;
}

std::optional<uint64_t> HashOfWanted(ColumnKind kind, const WantedValue& value) {
  if (kind == ColumnKind::kInt64 && value.type == model::ValueType::kInt) {
    return BloomFilter::HashOfInt64(value.number);
  }
  if (value.type != model::ValueType::kString) return std::nullopt;
  std::string stored;
  if (kind == ColumnKind::kUuid) {
    if (!IsUuidText(value.text)) return std::nullopt;
    AppendUuidBytes(value.text, &stored);
    return BloomFilter::Hash(stored);
  }
  if (kind == ColumnKind::kId16 && value.text.size() == 16) return BloomFilter::Hash(value.text);
  if (kind != ColumnKind::kString) return std::nullopt;
  return BloomFilter::Hash(AppendEscapedText(value.text, &stored) ? stored : value.text);
}

}  // namespace weft::block
