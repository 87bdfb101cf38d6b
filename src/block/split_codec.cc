#include "block/split_codec.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

namespace weft::block {
namespace {

constexpr size_t kBytes = sizeof(uint64_t);
// Numbers that are put together at a time: they stay in the fastest memory.
constexpr uint32_t kStretch = 256;

}  // namespace

void AppendSplit(std::span<const uint64_t> values, std::string* out) {
  const size_t begin = out->size();
  out->resize(begin + values.size() * kBytes);
  for (size_t byte = 0; byte < kBytes; ++byte) {
    char* to = out->data() + begin + byte * values.size();
    for (size_t i = 0; i < values.size(); ++i) to[i] = static_cast<char>(values[i] >> (8 * byte));
  }
}

bool DecodeSplit(std::string_view bytes, uint32_t skip, uint32_t count, void* out) {
  const size_t values = bytes.size() / kBytes;
  if (bytes.size() % kBytes != 0 || count > values || skip > values - count) return false;
  std::array<uint64_t, kStretch> numbers;
  for (uint32_t done = 0; done < count; done += kStretch) {
    const uint32_t take = std::min(kStretch, count - done);
    std::fill_n(numbers.begin(), take, 0);
    for (size_t byte = 0; byte < kBytes; ++byte) {
      const char* from = bytes.data() + byte * values + skip + done;
      for (uint32_t i = 0; i < take; ++i) {
        numbers[i] |= uint64_t{static_cast<uint8_t>(from[i])} << (8 * byte);
      }
    }
    std::memcpy(static_cast<char*>(out) + done * kBytes, numbers.data(), take * kBytes);
  }
  return true;
}

}  // namespace weft::block
