// Checksums of stored bytes.
#pragma once

#include <cstdint>
#include <string_view>

namespace weft {

// CRC-32C (Castagnoli, RFC 3720) of `bytes`, in hardware where the machine has it.
uint32_t Crc32c(std::string_view bytes);
// The checksum of A+B from that of A.
uint32_t Crc32cExtend(uint32_t crc, std::string_view bytes);

}  // namespace weft
