// Parquet's DELTA_BINARY_PACKED encoding of 64-bit integers (parquet-format, Encodings.md, "Delta
// Encoding"): blocks of 128 differences, each block its smallest difference and four miniblocks of
// 32 numbers packed to the width that the miniblock needs. All functions are pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace weft::block {

void AppendDelta(std::span<const int64_t> values, std::string* out);

// Decodes the first `count` values of a sequence of `total`; false when the bytes end too early,
// break the format or hold another number of values. Blocks of up to 1024 values are accepted.
[[nodiscard]] bool DecodeDelta(std::string_view bytes, uint32_t total, uint32_t count,
                               int64_t* out);

}  // namespace weft::block
