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
  if (bit_width == 8) {
    for (size_t i = 0; i < values.size(); ++i) to[i] = static_cast<char>(values[i]);
    out->resize(begin + groups * bit_width);
    return;
  }
  if (bit_width == 16) {
    for (size_t i = 0; i < values.size(); ++i) {
      const uint16_t value = static_cast<uint16_t>(values[i]);
      std::memcpy(to + 2 * i, &value, 2);
    }
    out->resize(begin + groups * bit_width);
    return;
  }
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

// Reads packed values [skip, skip + count), which the bytes reach.
void UnpackValues(std::string_view bytes, int bit_width, uint64_t skip, uint32_t count,
                  uint32_t* out) {
  if (bit_width == 8) {
    const auto* from = reinterpret_cast<const uint8_t*>(bytes.data()) + skip;
    std::copy_n(from, count, out);
    return;
  }
  if (bit_width == 16) {
    for (uint32_t i = 0; i < count; ++i) {
      uint16_t value;
      std::memcpy(&value, bytes.data() + 2 * (skip + i), 2);
      out[i] = value;
    }
    return;
  }
  const uint64_t mask = (uint64_t{1} << bit_width) - 1;
  uint32_t i = 0;
  // A word may be loaded from wherever 8 bytes are left.
  const uint64_t safe_bits = bytes.size() < 8 ? 0 : (bytes.size() - 8) * 8 + 1;
  uint64_t bit = skip * bit_width;
  for (; i < count && bit < safe_bits; ++i, bit += bit_width) {
    uint64_t word;
    std::memcpy(&word, bytes.data() + bit / 8, 8);
    out[i] = static_cast<uint32_t>(word >> (bit % 8) & mask);
  }
  for (; i < count; ++i, bit += bit_width) {
    uint64_t word = 0;
    const size_t at = bit / 8;
    std::memcpy(&word, bytes.data() + at, std::min<size_t>(8, bytes.size() - at));
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

// Up to 64 bits of `bytes` from bit `begin`; those past the end are zero.
uint64_t LoadBits(std::string_view bytes, uint64_t begin, uint32_t bits) {
  const size_t at = begin / 8;
  uint64_t word = 0;
  std::memcpy(&word, bytes.data() + at, std::min<size_t>(8, bytes.size() - at));
  word >>= begin % 8;
  if (begin % 8 + bits > 64) {
    word |= static_cast<uint64_t>(static_cast<uint8_t>(bytes[at + 8])) << (64 - begin % 8);
  }
  return bits == 64 ? word : word & ((uint64_t{1} << bits) - 1);
}

uint32_t CountBits(std::string_view bytes, uint64_t begin, uint64_t end) {
  uint32_t ones = 0;
  for (uint64_t i = begin; i < end; i += 64) {
    ones +=
        std::popcount(LoadBits(bytes, i, static_cast<uint32_t>(std::min<uint64_t>(64, end - i))));
  }
  return ones;
}

// Copies bits [from, from + count) of `bytes` to bit `begin` of the bitmap; counts the ones.
uint32_t CopyBits(std::string_view bytes, uint64_t from, uint32_t count, uint64_t begin,
                  uint64_t* bitmap) {
  uint32_t ones = 0;
  for (uint32_t i = 0; i < count; i += 64) {
    const uint32_t bits = std::min(64u, count - i);
    const uint64_t word = LoadBits(bytes, from + i, bits);
    ones += std::popcount(word);
    const uint64_t to = begin + i;
    bitmap[to / 64] |= word << (to % 64);
    if (to % 64 + bits > 64) bitmap[to / 64 + 1] |= word >> (64 - to % 64);
  }
  return ones;
}

// One run, cut to the values that are asked for.
struct Run {
  bool packed = false;
  uint64_t skip = 0;  // values of the run before the first one wanted
  uint32_t take = 0;  // values wanted
  uint32_t value = 0;
  std::string_view bytes;  // of a packed run, at least as far as the values wanted
};

// Walks over the runs of a sequence.
class RunReader {
 public:
  RunReader(std::string_view bytes, int bit_width, uint32_t skip, uint32_t count)
      : bytes_(bytes), bit_width_(bit_width), skip_(skip), left_(count) {}

  bool done() const { return left_ == 0 && skip_ == 0; }

  // The next run; false when the bytes break the format. A run that is skipped as a whole has
  // take 0 and all of itself in `skip`.
  bool Next(Run* run) {
    uint64_t header;
    if (!ReadVarint(&bytes_, &header)) return false;
    run->packed = (header & 1) != 0;
    uint64_t length = header >> 1;
    if (length == 0) return false;
    const uint64_t wanted = uint64_t{skip_} + left_;
    if (run->packed) length = length > wanted ? wanted : length * 8;
    run->skip = std::min<uint64_t>(skip_, length);
    run->take = static_cast<uint32_t>(std::min<uint64_t>(left_, length - run->skip));
    skip_ -= static_cast<uint32_t>(run->skip);
    left_ -= run->take;
    return run->packed ? TakePacked(header >> 1, run) : TakeValue(run);
  }

 private:
  bool TakePacked(uint64_t groups, Run* run) {
    const uint64_t need = ((run->skip + run->take) * bit_width_ + 7) / 8;
    if (bytes_.size() < need) return false;
    // The last group of a page may be cut short by its writer.
    const uint64_t all = groups > bytes_.size() ? bytes_.size() : groups * bit_width_;
    run->bytes = bytes_.substr(0, all);
    bytes_.remove_prefix(run->bytes.size());
    return true;
  }
  bool TakeValue(Run* run) {
    const size_t size = (bit_width_ + 7) / 8;
    if (bytes_.size() < size) return false;
    run->value = 0;
    std::memcpy(&run->value, bytes_.data(), size);
    bytes_.remove_prefix(size);
    return bit_width_ == 32 || run->value >> bit_width_ == 0;
  }

  std::string_view bytes_;
  int bit_width_;
  uint32_t skip_;
  uint32_t left_;
};

}  // namespace

int BitWidthOf(uint32_t max) { return std::max(1, static_cast<int>(std::bit_width(max))); }

int CodeWidthOf(uint32_t max) {
  const int bits = BitWidthOf(max);
  if (bits <= 2 || bits > 16) return bits;
  return bits <= 8 ? 8 : 16;
}

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

bool DecodeHybrid(std::string_view bytes, int bit_width, uint32_t skip, uint32_t count,
                  uint32_t* out) {
  if (bit_width < 0 || bit_width > 32) return false;
  RunReader runs(bytes, bit_width, skip, count);
  Run run;
  while (count > 0 && !runs.done()) {
    if (!runs.Next(&run)) return false;
    if (run.packed) {
      UnpackValues(run.bytes, bit_width, run.skip, run.take, out);
    } else {
      std::fill_n(out, run.take, run.value);
    }
    out += run.take;
  }
  return true;
}

bool DecodeLevels(std::string_view bytes, uint32_t skip, uint32_t count, uint32_t begin,
                  uint64_t* bitmap, LevelCounts* counts) {
  *counts = {};
  RunReader runs(bytes, 1, skip, count);
  Run run;
  uint64_t to = begin;
  while (!runs.done()) {
    if (!runs.Next(&run)) return false;
    if (run.packed) {
      counts->skipped_ones += CountBits(run.bytes, 0, run.skip);
      counts->ones += CopyBits(run.bytes, run.skip, run.take, to, bitmap);
    } else if (run.value == 1) {
      counts->skipped_ones += static_cast<uint32_t>(run.skip);
      counts->ones += run.take;
      SetBits(bitmap, to, run.take);
    }
    to += run.take;
  }
  return true;
}

}  // namespace weft::block
