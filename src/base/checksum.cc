#include "base/checksum.h"

#include <algorithm>
#include <limits>

#include <isa-l/crc.h>

namespace weft {

uint32_t Crc32c(std::string_view bytes) { return Crc32cExtend(0, bytes); }

uint32_t Crc32cExtend(uint32_t crc, std::string_view bytes) {
  // ISA-L computes the bare polynomial: the inversions at both ends are ours, and so is the cut
  // into pieces that an int can count.
  uint32_t state = ~crc;
  while (!bytes.empty()) {
    const size_t piece = std::min<size_t>(bytes.size(), std::numeric_limits<int>::max());
    auto* data = reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data()));
    state = crc32_iscsi(data, static_cast<int>(piece), state);
    bytes.remove_prefix(piece);
  }
  return ~state;
}

}  // namespace weft
