#include "block/hybrid_codec.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace weft::block {
namespace {

// Appends values bit by bit, eight at a time; the last group is filled up with zeros.
void AppendPacked(std::span<const uint32_t> values, int bit_width, std::string* out) {
  const size_t groups = (values.size() + 7) / 8;
  AppendVarint(groups << 1 | 1, out);
  const size_t begin = out->size();
  // The accumulator is stored as whole words: room for one beyond the end.
  out->resize(begin + groups * bit_width + 8);
  char* to = out->data() + begin;
  uint64_t pending = 0;
  int pending_bits = 0;
  for (const uint32_t value : values) {
    pending |= uint64_t{value} << pending_bits;
    pending_bits += bit_width;
    if (pending_bits >= 32) {
      std::memcpy(to, &pending, 4);
      to += 4;
      pending >>= 32;
      pending_bits -= 32;
    }
  }
  std::memcpy(to, &pending, 8);
  out->resize(begin + groups * bit_width);
}

void AppendRun(uint32_t value, size_t count, int bit_width, std::string* out) {
  AppendVarint(count << 1, out);
  out->append(reinterpret_cast<const char*>(&value), (bit_width + 7) / 8);
}

// 64 bits of the bitmap from bit `begin`; bits past `end` are undefined.
uint64_t BitsAt(const uint64_t* bitmap, uint32_t begin, uint32_t end) {
  const uint32_t word = begin / 64;
  const uint32_t shift = begin % 64;
  uint64_t bits = bitmap[word] >> shift;
  if (shift != 0 && (word + 1) * uint64_t{64} < end) bits |= bitmap[word + 1] << (64 - shift);
  return bits;
}

// Reads packed values; `bytes` may end before the last group of a page does.
void UnpackValues(std::string_view bytes, int bit_width, uint32_t count, uint32_t* out) {
  const uint64_t mask = (uint64_t{1} << bit_width) - 1;
  uint32_t i = 0;
  // A word may be loaded from wherever 8 bytes are left.
  const uint64_t safe_bits = bytes.size() < 8 ? 0 : (bytes.size() - 8) * 8;
  uint64_t bit = 0;
  for (; i < count && bit <= safe_bits; ++i, bit += bit_width) {
    uint64_t word;
    std::memcpy(&word, bytes.data() + bit / 8, 8);
    out[i] = static_cast<uint32_t>(word >> (bit % 8) & mask);
  }
  for (; i < count; ++i, bit += bit_width) {
    uint64_t word = 0;
    const size_t at = bit / 8;
    if (at < bytes.size()) {
      std::memcpy(&word, bytes.data() + at, std::min<size_t>(8, bytes.size() - at));
    }
    out[i] = static_cast<uint32_t>(word >> (bit % 8) & mask);
  }
}

void SetBits(uint64_t* bitmap, uint64_t begin, uint64_t count) {
  for (uint64_t i = begin; i < begin + count;) {
    if (i % 64 == 0 && i + 64 <= begin + count) {
      bitmap[i / 64] = ~uint64_t{0};
      i += 64;
    } else {
      bitmap[i / 64] |= uint64_t{1} << (i % 64);
      ++i;
    }
  }
}

// Copies `count` bits of `bytes` to bit `begin` of the bitmap; returns how many are set.
uint32_t CopyBits(std::string_view bytes, uint32_t count, uint64_t begin, uint64_t* bitmap) {
  uint32_t ones = 0;
  for (uint32_t i = 0; i < count; i += 64) {
    uint64_t word = 0;
    const size_t at = i / 8;
    std::memcpy(&word, bytes.data() + at, std::min<size_t>(8, bytes.size() - at));
    const uint32_t bits = std::min(64u, count - i);
    if (bits < 64) word &= (uint64_t{1} << bits) - 1;
    ones += std::popcount(word);
    const uint64_t to = begin + i;
    bitmap[to / 64] |= word << (to % 64);
    if (to % 64 + bits > 64) bitmap[to / 64 + 1] |= word >> (64 - to % 64);
  }
  return ones;
}

}  // namespace

int BitWidthOf(uint32_t max) { return std::max(1, static_cast<int>(std::bit_width(max))); }

void AppendVarint(uint64_t value, std::string* out) {
  while (value >= 0x80) {
    out->push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out->push_back(static_cast<char>(value));
}

bool ReadVarint(std::string_view* bytes, uint64_t* value) {
  uint64_t result = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (bytes->empty()) return false;
    const uint8_t byte = static_cast<uint8_t>(bytes->front());
    bytes->remove_prefix(1);
    result |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) {
      *value = result;
      return true;
    }
  }
  return false;
}

// 1. Find runs of equal values. 2. A run that is shorter as a run than packed (and at least 8 long)
// is cut out, after lending the packed values before it what fills their last group. 3. Everything
// between such runs is packed.
void AppendHybrid(std::span<const uint32_t> values, int bit_width, std::string* out) {
  const size_t run_min = std::max(8, 64 / bit_width);
  size_t packed_begin = 0;
  for (size_t i = 0; i < values.size();) {
    const uint32_t value = values[i];
    size_t end = i + 1;
    while (end < values.size() && values[end] == value) ++end;
    const size_t fill = (8 - (i - packed_begin) % 8) % 8;
    if (end - i >= run_min + fill) {
      if (i + fill > packed_begin) {
        AppendPacked(values.subspan(packed_begin, i + fill - packed_begin), bit_width, out);
      }
      AppendRun(value, end - i - fill, bit_width, out);
      packed_begin = end;
    }
    i = end;
  }
  if (packed_begin < values.size()) AppendPacked(values.subspan(packed_begin), bit_width, out);
}

void AppendLevels(const uint64_t* bitmap, uint32_t begin, uint32_t count, uint32_t ones,
                  std::string* out) {
  if (ones == count || ones == 0) {
    AppendRun(ones == 0 ? 0 : 1, count, 1, out);
    return;
  }
  const uint32_t bytes = (count + 7) / 8;
  AppendVarint(uint64_t{bytes} << 1 | 1, out);
  const size_t at = out->size();
  out->resize(at + (count + 63) / 64 * 8);
  for (uint32_t i = 0; i < count; i += 64) {
    uint64_t word = BitsAt(bitmap, begin + i, begin + count);
    if (count - i < 64) word &= (uint64_t{1} << (count - i)) - 1;
    std::memcpy(out->data() + at + i / 8, &word, 8);
  }
  out->resize(at + bytes);
}

bool DecodeHybrid(std::string_view bytes, int bit_width, uint32_t count, uint32_t* out) {
  if (bit_width < 0 || bit_width > 32) return false;
  const size_t value_bytes = (bit_width + 7) / 8;
  uint32_t done = 0;
  while (done < count) {
    uint64_t header;
    if (!ReadVarint(&bytes, &header)) return false;
    const uint64_t length = header >> 1;
    if (length == 0) return false;
    const uint32_t left = count - done;
    if (header & 1) {
      const uint32_t take = length >= left ? left : std::min<uint64_t>(left, length * 8);
      const size_t need = (uint64_t{take} * bit_width + 7) / 8;
      if (bytes.size() < need) return false;
      UnpackValues(bytes, bit_width, take, out + done);
      done += take;
      // The last group of a page may be cut short by its writer.
      const uint64_t run_bytes = length > bytes.size() ? bytes.size() : length * bit_width;
      bytes.remove_prefix(std::min<uint64_t>(run_bytes, bytes.size()));
    } else {
      if (bytes.size() < value_bytes) return false;
      uint32_t value = 0;
      std::memcpy(&value, bytes.data(), value_bytes);
      bytes.remove_prefix(value_bytes);
      if (bit_width < 32 && value >> bit_width != 0) return false;
      const uint32_t take = static_cast<uint32_t>(std::min<uint64_t>(left, length));
      std::fill_n(out + done, take, value);
      done += take;
    }
  }
  return true;
}

bool DecodeLevels(std::string_view bytes, uint32_t count, uint32_t begin, uint64_t* bitmap,
                  uint32_t* ones) {
  *ones = 0;
  uint32_t done = 0;
  while (done < count) {
    uint64_t header;
    if (!ReadVarint(&bytes, &header)) return false;
    const uint64_t length = header >> 1;
    if (length == 0) return false;
    const uint32_t left = count - done;
    if (header & 1) {
      const uint32_t take = length >= left ? left : std::min<uint64_t>(left, length * 8);
      if (bytes.size() < (take + 7) / 8) return false;
      *ones += CopyBits(bytes, take, uint64_t{begin} + done, bitmap);
      done += take;
      bytes.remove_prefix(std::min<uint64_t>(length, bytes.size()));
    } else {
      if (bytes.empty() || static_cast<uint8_t>(bytes[0]) > 1) return false;
      const uint32_t take = static_cast<uint32_t>(std::min<uint64_t>(left, length));
      if (bytes[0] == 1) {
        SetBits(bitmap, uint64_t{begin} + done, take);
        *ones += take;
      }
      done += take;
      bytes.remove_prefix(1);
    }
  }
  return true;
}

}  // namespace weft::block
