// A writer of Thrift's two protocols, for tests: what ThriftReader reads. The caller keeps to the
// order of fields; Thrift(...).Struct([&](auto& t) { t.I64(1, 7); }).
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include "receive/thrift_reader.h"

namespace weft::receive {

class ThriftWriter {
 public:
  explicit ThriftWriter(ThriftProtocol protocol) : protocol_(protocol) {}

  const std::string& bytes() const { return bytes_; }

  ThriftWriter& I16(int16_t id, int16_t v) { return Number(id, ThriftType::kI16, v, 2); }
  ThriftWriter& I32(int16_t id, int32_t v) { return Number(id, ThriftType::kI32, v, 4); }
  ThriftWriter& I64(int16_t id, int64_t v) { return Number(id, ThriftType::kI64, v, 8); }
  ThriftWriter& Bool(int16_t id, bool v) {
    Field(id, ThriftType::kBool, v);
    if (binary()) bytes_.push_back(v ? 1 : 0);
    return *this;
  }
  ThriftWriter& Double(int16_t id, double v) {
    Field(id, ThriftType::kDouble);
    const auto bits = std::bit_cast<uint64_t>(v);
    BigEndian(binary() ? bits : __builtin_bswap64(bits), 8);
    return *this;
  }
  ThriftWriter& Text(int16_t id, std::string_view v) {
    Field(id, ThriftType::kString);
    Bytes(v);
    return *this;
  }
  template <typename Write>
  ThriftWriter& Struct(int16_t id, const Write& write) {
    Field(id, ThriftType::kStruct);
    return Struct(write);
  }
  // A struct that is no field: an element, or the whole message.
  template <typename Write>
  ThriftWriter& Struct(const Write& write) {
    const int16_t outer = last_;
    last_ = 0;
    write(*this);
    bytes_.push_back(0);
    last_ = outer;
    return *this;
  }
  // The head of a list of structs; `count` of them must follow.
  ThriftWriter& List(int16_t id, uint32_t count) {
    Field(id, ThriftType::kList);
    return List(count);
  }
  ThriftWriter& List(uint32_t count) {
    if (binary()) {
      bytes_.push_back(static_cast<char>(ThriftType::kStruct));
      BigEndian(count, 4);
    } else if (count < 15) {
      bytes_.push_back(static_cast<char>(count << 4 | 12));
    } else {
      bytes_.push_back(static_cast<char>(0xfc));
      Varint(count);
    }
    return *this;
  }
  // The envelope of a call that wants no answer.
  ThriftWriter& Oneway(std::string_view method) {
    if (binary()) {
      BigEndian(0x80010004, 4);
      Bytes(method);
      BigEndian(7, 4);
    } else {
      bytes_ += "\x82\x81";
      Varint(7);
      Bytes(method);
    }
    return *this;
  }

 private:
  bool binary() const { return protocol_ == ThriftProtocol::kBinary; }

  void Field(int16_t id, ThriftType type, bool truth = false) {
    if (binary()) {
      bytes_.push_back(static_cast<char>(type));
      BigEndian(static_cast<uint16_t>(id), 2);
      return;
    }
    const int number = CompactNumber(type, truth);
    const int step = id - last_;
    if (step > 0 && step < 16) {
      bytes_.push_back(static_cast<char>(step << 4 | number));
    } else {
      bytes_.push_back(static_cast<char>(number));
      Varint(Zigzag(id));
    }
    last_ = id;
  }
  static int CompactNumber(ThriftType type, bool truth) {
    switch (type) {
      case ThriftType::kBool: return truth ? 1 : 2;
      case ThriftType::kI16: return 4;
      case ThriftType::kI32: return 5;
      case ThriftType::kI64: return 6;
      case ThriftType::kDouble: return 7;
      case ThriftType::kString: return 8;
      case ThriftType::kList: return 9;
      default: return 12;
    }
  }
  ThriftWriter& Number(int16_t id, ThriftType type, int64_t v, uint32_t width) {
    Field(id, type);
    if (binary()) {
      BigEndian(static_cast<uint64_t>(v), width);
    } else {
      Varint(Zigzag(v));
    }
    return *this;
  }
  static uint64_t Zigzag(int64_t v) {
    return static_cast<uint64_t>(v) << 1 ^ static_cast<uint64_t>(v >> 63);
  }
  void BigEndian(uint64_t v, uint32_t width) {
    for (uint32_t i = width; i > 0; --i) bytes_.push_back(static_cast<char>(v >> (8 * (i - 1))));
  }
  void Varint(uint64_t v) {
    for (; v >= 0x80; v >>= 7) bytes_.push_back(static_cast<char>(v | 0x80));
    bytes_.push_back(static_cast<char>(v));
  }
  void Bytes(std::string_view v) {
    if (binary()) {
      BigEndian(v.size(), 4);
    } else {
      Varint(v.size());
    }
    bytes_ += v;
  }

  const ThriftProtocol protocol_;
  std::string bytes_;
  int16_t last_ = 0;
};

}  // namespace weft::receive
