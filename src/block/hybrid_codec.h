// Parquet's RLE / bit-packed hybrid, the encoding of dictionary codes and definition levels
// (parquet-format, Encodings.md, "Run Length Encoding / Bit-Packing Hybrid").
//
// A sequence of runs. Each starts with a varint: an even one, 2*n, is followed by one value that
// repeats n times; an odd one, 2*g+1, by g groups of 8 values of `bit_width` bits, the least
// significant bit first. All functions are pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace weft::block {

// Bits that hold every number up to `max`; at least 1.
int BitWidthOf(uint32_t max);

// How many bits dictionary codes up to `max` are packed to: whole bytes, unless they are very few
// or very large. Codes that repeat then repeat as bytes, which a compressor finds (measured: a
// block gets 2 % smaller, although codes of 3 bits take 8), and bytes are packed and unpacked by
// copying.
int CodeWidthOf(uint32_t max);

// Appends `values`, each below 2^bit_width; 1 <= bit_width <= 32.
void AppendHybrid(std::span<const uint32_t> values, int bit_width, std::string* out);

// Appends bits [begin, begin + count) of a bitmap as definition levels of 0 and 1. `ones` is how
// many of them are set.
void AppendLevels(const uint64_t* bitmap, uint32_t begin, uint32_t count, uint32_t ones,
                  std::string* out);

// Decodes values [skip, skip + count); false when the bytes end too early or break the format.
// Values may be any number of `bit_width` bits: the caller checks them against its dictionary.
[[nodiscard]] bool DecodeHybrid(std::string_view bytes, int bit_width, uint32_t skip,
                                uint32_t count, uint32_t* out);

// Decodes definition levels [skip, skip + count) of 0 and 1 into bits [begin, begin + count) of a
// bitmap that is zero there. Counts the ones among them, and among those skipped.
struct LevelCounts {
  uint32_t skipped_ones = 0;
  uint32_t ones = 0;
};
[[nodiscard]] bool DecodeLevels(std::string_view bytes, uint32_t skip, uint32_t count,
                                uint32_t begin, uint64_t* bitmap, LevelCounts* counts);

// Varints of Parquet and Thrift.
void AppendVarint(uint64_t value, std::string* out);
[[nodiscard]] bool ReadVarint(std::string_view* bytes, uint64_t* value);

}  // namespace weft::block
