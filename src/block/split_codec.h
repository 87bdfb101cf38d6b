// Parquet's BYTE_STREAM_SPLIT encoding of 64-bit numbers (parquet-format, Encodings.md, "Byte
// Stream Split"): first the lowest byte of every number, then the next byte of every number, and so
// on. Nothing gets smaller by it, but a compressor then sees bytes of one kind side by side: the
// high ones, mostly zeros, cost next to nothing. All functions are pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace weft::block {

void AppendSplit(std::span<const uint64_t> values, std::string* out);

// Decodes values [skip, skip + count); false when the bytes do not hold that many, or are no whole
// number of values.
// `out` has room for `count` numbers of 8 bytes.
[[nodiscard]] bool DecodeSplit(std::string_view bytes, uint32_t skip, uint32_t count, void* out);

}  // namespace weft::block
