#include "receive/thrift_reader.h"

#include <bit>
#include <cstring>

namespace weft::receive {
namespace {

constexpr uint32_t kBinaryVersion = 0x80010000;
constexpr uint8_t kCompactProtocolId = 0x82;
constexpr uint8_t kCompactVersion = 1;
constexpr uint32_t kCompactTrue = 1;
constexpr uint32_t kCompactFalse = 2;
// In the four bits of a list's header: the count follows.
constexpr uint64_t kLongList = 15;

}  // namespace

uint8_t ThriftReader::Byte() {
  if (at_ == end_) {
    Fail();
    return 0;
  }
  return static_cast<uint8_t>(*at_++);
}

uint64_t ThriftReader::BigEndian(uint32_t bytes) {
  if (Left() < bytes) {
    Fail();
    return 0;
  }
  uint64_t value = 0;
  for (uint32_t i = 0; i < bytes; ++i) value = value << 8 | static_cast<uint8_t>(at_[i]);
  at_ += bytes;
  return value;
}

uint64_t ThriftReader::Varint() {
  uint64_t value = 0;
  for (uint32_t shift = 0; shift < 70 && at_ != end_; shift += 7) {
    const auto byte = static_cast<uint8_t>(*at_++);
    if (shift < 64) value |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
  Fail();
  return 0;
}

// Signed, of 2, 4 or 8 bytes: callers cut it to their width.
int64_t ThriftReader::Integer(uint32_t bytes) {
  if (protocol_ == ThriftProtocol::kBinary) return static_cast<int64_t>(BigEndian(bytes));
  const uint64_t zigzag = Varint();
  return static_cast<int64_t>(zigzag >> 1 ^ (~(zigzag & 1) + 1));
}

// Of a text, a list or a map. Each of its elements takes a byte at least: a larger size is none.
uint64_t ThriftReader::Size() {
  const uint64_t size = protocol_ == ThriftProtocol::kBinary ? BigEndian(4) : Varint();
  if (size <= Left()) return size;
  Fail();
  return 0;
}

bool ThriftReader::Bool() {
  if (bool_in_type_ != 0) {
    const bool value = bool_in_type_ == kCompactTrue;
    bool_in_type_ = 0;
    return value;
  }
  const uint8_t byte = Byte();
  return protocol_ == ThriftProtocol::kBinary ? byte != 0 : byte == kCompactTrue;
}

double ThriftReader::Double() {
  const uint64_t bits = BigEndian(8);
  return std::bit_cast<double>(protocol_ == ThriftProtocol::kBinary ? bits
                                                                    : __builtin_bswap64(bits));
}

std::string_view ThriftReader::Bytes() {
  const uint64_t size = Size();
  const std::string_view bytes(at_, size);
  at_ += size;
  return bytes;
}

ThriftType ThriftReader::CompactType(uint32_t number) {
  switch (number) {
    case kCompactTrue:
    case kCompactFalse: return ThriftType::kBool;
    case 3: return ThriftType::kByte;
    case 4: return ThriftType::kI16;
    case 5: return ThriftType::kI32;
    case 6: return ThriftType::kI64;
    case 7: return ThriftType::kDouble;
    case 8: return ThriftType::kString;
    case 9: return ThriftType::kList;
    case 10: return ThriftType::kSet;
    case 11: return ThriftType::kMap;
    case 12: return ThriftType::kStruct;
    default: Fail(); return ThriftType::kStop;
  }
}

bool ThriftReader::NextField(uint32_t* tag) {
  bool_in_type_ = 0;
  const uint8_t head = Byte();
  if (!ok_ || head == 0) return false;
  if (protocol_ == ThriftProtocol::kBinary) {
    const auto id = static_cast<int16_t>(BigEndian(2));
    *tag = ThriftTag(id, static_cast<ThriftType>(head));
    return ok_;
  }
  const uint32_t step = head >> 4;
  const uint32_t number = head & 15;
  // The number of the field wraps as an int16 does.
  last_field_ = static_cast<int16_t>(step == 0 ? Integer(2) : last_field_ + static_cast<int>(step));
  const ThriftType type = CompactType(number);
  if (type == ThriftType::kBool) bool_in_type_ = static_cast<uint8_t>(number);
  *tag = ThriftTag(last_field_, type);
  return ok_;
}

bool ThriftReader::ListHeader(uint32_t* element_tag, uint64_t* count) {
  const uint8_t head = Byte();
  if (protocol_ == ThriftProtocol::kBinary) {
    *element_tag = ThriftTag(0, static_cast<ThriftType>(head));
    *count = Size();
    return ok_;
  }
  *count = head >> 4;
  if (*count == kLongList) *count = Size();
  if (*count > Left()) return Fail();
  *element_tag = ThriftTag(0, *count == 0 ? ThriftType::kStop : CompactType(head & 15));
  return ok_;
}

bool ThriftReader::Message(std::string_view* name, uint32_t* type) {
  if (protocol_ == ThriftProtocol::kCompact) {
    if (Byte() != kCompactProtocolId) return Fail();
    const uint8_t head = Byte();
    if ((head & 31) != kCompactVersion) return Fail();
    *type = head >> 5;
    Varint();  // the number of the call
    *name = Bytes();
    return ok_;
  }
  const bool strict = at_ != end_ && static_cast<uint8_t>(*at_) >= 0x80;
  if (strict) {
    const auto head = static_cast<uint32_t>(BigEndian(4));
    if ((head & 0xffff0000) != kBinaryVersion) return Fail();
    *type = head & 0xff;
    *name = Bytes();
  } else {
    *name = Bytes();
    *type = Byte();
  }
  BigEndian(4);  // the number of the call
  return ok_;
}

void ThriftReader::SkipType(ThriftType type) {
  switch (type) {
    case ThriftType::kBool: Bool(); return;
    case ThriftType::kByte: Byte(); return;
    case ThriftType::kDouble: BigEndian(8); return;
    case ThriftType::kI16: Integer(2); return;
    case ThriftType::kI32: Integer(4); return;
    case ThriftType::kI64: Integer(8); return;
    case ThriftType::kString: Bytes(); return;
    case ThriftType::kStruct: Struct([this](uint32_t tag) { Skip(tag); }); return;
    case ThriftType::kMap: SkipMap(); return;
    case ThriftType::kSet:
    case ThriftType::kList: List([this](uint32_t tag) { Skip(tag); }); return;
    default: Fail();
  }
}

void ThriftReader::SkipMap() {
  const Depth depth(this);
  ThriftType key = ThriftType::kStop;
  ThriftType value = ThriftType::kStop;
  uint64_t count = 0;
  if (protocol_ == ThriftProtocol::kBinary) {
    key = static_cast<ThriftType>(Byte());
    value = static_cast<ThriftType>(Byte());
    count = Size();
  } else {
    count = Size();
    if (count > 0) {
      const uint8_t types = Byte();
      key = CompactType(types >> 4);
      value = CompactType(types & 15);
    }
  }
  for (; ok_ && count > 0; --count) {
    SkipType(key);
    SkipType(value);
  }
}

}  // namespace weft::receive
