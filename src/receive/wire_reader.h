// WireReader: one pass over a protobuf message, field by field, without copies or exceptions.
//
//   WireReader reader(bytes);
//   while (reader.Next()) {
//     switch (reader.tag()) {
//       case BytesTag(5): name = reader.Bytes(); break;
//       default: reader.Skip();
//     }
//   }
//   if (!reader.ok()) malformed;
//
// A tag joins field number and wire type, so a field of an unexpected type falls to `default` and
// is skipped like an unknown one. After each Next() exactly one read or Skip() follows. Reads after
// a failure give zeros. Bytes() points into the input.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace weft::receive {

constexpr uint32_t VarintTag(uint32_t field) { return field << 3; }
constexpr uint32_t Fixed64Tag(uint32_t field) { return field << 3 | 1; }
constexpr uint32_t BytesTag(uint32_t field) { return field << 3 | 2; }
constexpr uint32_t Fixed32Tag(uint32_t field) { return field << 3 | 5; }

class WireReader {
 public:
  explicit WireReader(std::string_view bytes)
      : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  // Moves to the next field; false at the end and after a failure.
  bool Next() {
    if (at_ == end_) return false;
    const uint64_t tag = Varint();
    if (tag > 0xffffffffu || tag < 8) return Fail();  // field numbers begin at 1
    tag_ = static_cast<uint32_t>(tag);
    return ok_;
  }
  uint32_t tag() const { return tag_; }
  bool ok() const { return ok_; }

  uint64_t Varint() {
    if (at_ != end_ && static_cast<uint8_t>(*at_) < 0x80) return static_cast<uint8_t>(*at_++);
    return LongVarint();
  }
  uint64_t Fixed64() { return Fixed<uint64_t>(); }
  uint32_t Fixed32() { return Fixed<uint32_t>(); }
  double Double() { return std::bit_cast<double>(Fixed64()); }
  std::string_view Bytes() {
    const uint64_t size = Varint();
    if (size > static_cast<uint64_t>(end_ - at_)) {
      Fail();
      return {};
    }
    const std::string_view bytes(at_, size);
    at_ += size;
    return bytes;
  }
  void Skip();

 private:
  template <typename T>
  T Fixed() {
    static_assert(std::endian::native == std::endian::little);
    T value{};
    if (static_cast<size_t>(end_ - at_) < sizeof value) {
      Fail();
      return 0;
    }
    std::memcpy(&value, at_, sizeof value);
    at_ += sizeof value;
    return value;
  }
  bool Fail() {
    ok_ = false;
    at_ = end_;
    return false;
  }
  uint64_t LongVarint();
  void SkipGroup();

  const char* at_;
  const char* end_;
  uint32_t tag_ = 0;
  bool ok_ = true;
};

}  // namespace weft::receive
