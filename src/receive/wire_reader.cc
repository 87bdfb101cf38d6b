#include "receive/wire_reader.h"

#include <array>

namespace weft::receive {
namespace {

constexpr uint32_t kVarint = 0;
constexpr uint32_t kFixed64 = 1;
constexpr uint32_t kBytes = 2;
constexpr uint32_t kGroupStart = 3;
constexpr uint32_t kGroupEnd = 4;
constexpr uint32_t kFixed32 = 5;
constexpr size_t kGroupDepthMax = 100;

}  // namespace

uint64_t WireReader::LongVarint() {
  uint64_t value = 0;
  for (uint32_t shift = 0; shift < 70 && at_ != end_; shift += 7) {
    const auto byte = static_cast<uint8_t>(*at_++);
    if (shift < 64) value |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
  Fail();
  return 0;
}

void WireReader::Skip() {
  switch (tag_ & 7) {
    case kVarint: Varint(); return;
    case kFixed64: Fixed64(); return;
    case kBytes: Bytes(); return;
    case kFixed32: Fixed32(); return;
    case kGroupStart: SkipGroup(); return;
    default: Fail();
  }
}

// Groups are gone from protobuf, but an unknown field may still be one; its end names its field.
void WireReader::SkipGroup() {
  std::array<uint32_t, kGroupDepthMax> open;
  open[0] = tag_ >> 3;
  size_t depth = 1;
  while (depth > 0 && Next()) {
    const uint32_t type = tag_ & 7;
    if (type == kGroupStart) {
      if (depth == kGroupDepthMax) break;
      open[depth++] = tag_ >> 3;
    } else if (type == kGroupEnd) {
      if (open[--depth] != tag_ >> 3) break;
      if (depth == 0) return;
    } else {
      Skip();
    }
  }
  Fail();
}

}  // namespace weft::receive
