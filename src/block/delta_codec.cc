#include "block/delta_codec.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "block/hybrid_codec.h"

namespace weft::block {
namespace {

constexpr uint32_t kBlockValues = 128;
constexpr uint32_t kMiniblocks = 4;
constexpr uint32_t kMiniblockValues = kBlockValues / kMiniblocks;

uint64_t ZigZag(int64_t v) {
  return static_cast<uint64_t>(v) << 1 ^ static_cast<uint64_t>(v >> 63);
}
int64_t UnZigZag(uint64_t v) { return static_cast<int64_t>(v >> 1 ^ (~(v & 1) + 1)); }

// 32 values of `width` bits, the least significant bit first.
void PackMiniblock(const uint64_t* values, int width, std::string* out) {
  if (width == 0) return;
  const size_t begin = out->size();
  out->resize(begin + kMiniblockValues / 8 * width);
  char* to = out->data() + begin;
  unsigned __int128 pending = 0;
  int pending_bits = 0;
  for (uint32_t i = 0; i < kMiniblockValues; ++i) {
    pending |= static_cast<unsigned __int128>(values[i]) << pending_bits;
    pending_bits += width;
    while (pending_bits >= 32) {
      const uint32_t word = static_cast<uint32_t>(pending);
      std::memcpy(to, &word, 4);
      to += 4;
      pending >>= 32;
      pending_bits -= 32;
    }
  }
}

// One value of `width` bits at bit `bit`; the bytes reach at least that far.
uint64_t UnpackAt(std::string_view bytes, uint64_t bit, int width) {
  if (width == 0) return 0;
  const size_t at = bit / 8;
  uint64_t low = 0;
  std::memcpy(&low, bytes.data() + at, std::min<size_t>(8, bytes.size() - at));
  const int shift = bit % 8;
  uint64_t value = low >> shift;
  if (shift + width > 64) {
    value |= static_cast<uint64_t>(static_cast<uint8_t>(bytes[at + 8])) << (64 - shift);
  }
  return width == 64 ? value : value & ((uint64_t{1} << width) - 1);
}

struct DeltaHeader {
  uint64_t block_values = 0;
  uint64_t miniblocks = 0;
  uint64_t count = 0;
  uint64_t first = 0;

  uint64_t miniblock_values() const { return block_values / miniblocks; }
};

bool ReadHeader(std::string_view* bytes, DeltaHeader* header) {
  if (!ReadVarint(bytes, &header->block_values) || !ReadVarint(bytes, &header->miniblocks) ||
      !ReadVarint(bytes, &header->count) || !ReadVarint(bytes, &header->first)) {
    return false;
  }
  return header->block_values > 0 && header->block_values <= 1024 &&
         header->block_values % 128 == 0 && header->miniblocks > 0 &&
         header->block_values % header->miniblocks == 0 && header->miniblock_values() % 32 == 0;
}

}  // namespace

void AppendDelta(std::span<const int64_t> values, std::string* out) {
  AppendVarint(kBlockValues, out);
  AppendVarint(kMiniblocks, out);
  AppendVarint(values.size(), out);
  AppendVarint(ZigZag(values.empty() ? 0 : values[0]), out);
  uint64_t deltas[kBlockValues];
  for (size_t begin = 1; begin < values.size(); begin += kBlockValues) {
    const size_t count = std::min<size_t>(kBlockValues, values.size() - begin);
    int64_t smallest = INT64_MAX;
    for (size_t i = 0; i < count; ++i) {
      // Differences wrap around; so does their sum when they are read.
      deltas[i] =
          static_cast<uint64_t>(values[begin + i]) - static_cast<uint64_t>(values[begin + i - 1]);
      smallest = std::min(smallest, static_cast<int64_t>(deltas[i]));
    }
    for (size_t i = 0; i < count; ++i) deltas[i] -= static_cast<uint64_t>(smallest);
    std::fill(deltas + count, deltas + kBlockValues, 0);
    AppendVarint(ZigZag(smallest), out);
    const size_t used = (count + kMiniblockValues - 1) / kMiniblockValues;
    uint8_t widths[kMiniblocks] = {};
    for (size_t m = 0; m < used; ++m) {
      uint64_t all = 0;
      for (uint32_t i = 0; i < kMiniblockValues; ++i) all |= deltas[m * kMiniblockValues + i];
      widths[m] = static_cast<uint8_t>(std::bit_width(all));
    }
    out->append(reinterpret_cast<const char*>(widths), kMiniblocks);
    for (size_t m = 0; m < used; ++m) {
      PackMiniblock(deltas + m * kMiniblockValues, widths[m], out);
    }
  }
}

bool DecodeDelta(std::string_view bytes, uint32_t total, uint32_t count, int64_t* out) {
  DeltaHeader header;
  if (!ReadHeader(&bytes, &header) || header.count != total || count > total) return false;
  if (count == 0) return true;
  uint64_t value = static_cast<uint64_t>(UnZigZag(header.first));
  out[0] = static_cast<int64_t>(value);
  uint32_t done = 1;
  while (done < count) {
    uint64_t zigzag;
    if (!ReadVarint(&bytes, &zigzag) || bytes.size() < header.miniblocks) return false;
    const uint64_t smallest = static_cast<uint64_t>(UnZigZag(zigzag));
    const std::string_view widths = bytes.substr(0, header.miniblocks);
    bytes.remove_prefix(header.miniblocks);
    for (uint64_t m = 0; m < header.miniblocks && done < count; ++m) {
      const int width = static_cast<uint8_t>(widths[m]);
      const uint32_t take =
          static_cast<uint32_t>(std::min<uint64_t>(header.miniblock_values(), count - done));
      if (width > 64 || bytes.size() < (uint64_t{take} * width + 7) / 8) return false;
      for (uint32_t i = 0; i < take; ++i) {
        value += smallest + UnpackAt(bytes, uint64_t{i} * width, width);
        out[done++] = static_cast<int64_t>(value);
      }
      bytes.remove_prefix(std::min<uint64_t>(header.miniblock_values() / 8 * width, bytes.size()));
    }
  }
  return true;
}

}  // namespace weft::block
