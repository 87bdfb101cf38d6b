// ProtoWriter: protobuf messages, written field by field into a string.
//
// Scalars are written as given: leave out zeros yourself where proto3 does. Lengths are minimal
// varints: a message is written behind one byte, and moved when its length needs more. One thread.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace weft::model {

// Bytes of a varint.
inline size_t VarintBytes(uint64_t value) {
  return value < 0x80 ? 1 : static_cast<size_t>(std::bit_width(value) + 6) / 7;
}

class ProtoWriter {
 public:
  // Appends to `out`, which outlives this.
  explicit ProtoWriter(std::string* out) : out_(*out) {}

  void Varint(uint32_t field, uint64_t value) {
    RawVarint(uint64_t{field} << 3);
    RawVarint(value);
  }
  void Fixed64(uint32_t field, uint64_t value) {
    RawVarint(uint64_t{field} << 3 | 1);
    RawFixed(value);
  }
  void Double(uint32_t field, double value) { Fixed64(field, std::bit_cast<uint64_t>(value)); }
  void Bytes(uint32_t field, std::string_view bytes) {
    RawVarint(uint64_t{field} << 3 | 2);
    RawVarint(bytes.size());
    out_ += bytes;
  }
  void Fixed32(uint32_t field, uint32_t value) {
    RawVarint(uint64_t{field} << 3 | 5);
    RawFixed(value);
  }

  // A message as a field: what is written between Begin and End(what Begin gave) is its content.
  size_t Begin(uint32_t field) {
    RawVarint(uint64_t{field} << 3 | 2);
    out_.push_back('\0');
    return out_.size();
  }
  void End(size_t begun) {
    uint64_t size = out_.size() - begun;
    if (size >= 0x80) out_.insert(begun, VarintBytes(size) - 1, '\0');
    for (size_t at = begun - 1;; ++at) {
      out_[at] = static_cast<char>(size >= 0x80 ? (size & 0x7f) | 0x80 : size);
      size >>= 7;
      if (size == 0) return;
    }
  }

 private:
  void RawVarint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_.push_back(static_cast<char>(value | 0x80));
    out_.push_back(static_cast<char>(value));
  }
  template <typename T>
  void RawFixed(T value) {
    static_assert(std::endian::native == std::endian::little);
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    out_.append(bytes, sizeof value);
  }

  std::string& out_;
};

// How many bytes a ProtoWriter would have written.
class ProtoSizer {
 public:
  void Varint(uint32_t field, uint64_t value) { bytes_ += TagBytes(field) + VarintBytes(value); }
  void Fixed64(uint32_t field, uint64_t) { bytes_ += TagBytes(field) + 8; }
  void Double(uint32_t field, double) { bytes_ += TagBytes(field) + 8; }
  void Fixed32(uint32_t field, uint32_t) { bytes_ += TagBytes(field) + 4; }
  void Bytes(uint32_t field, std::string_view bytes) {
    bytes_ += TagBytes(field) + VarintBytes(bytes.size()) + bytes.size();
  }
  size_t Begin(uint32_t field) {
    bytes_ += TagBytes(field);
    return bytes_;
  }
  void End(size_t begun) { bytes_ += VarintBytes(bytes_ - begun); }

  size_t bytes() const { return bytes_; }

 private:
  static size_t TagBytes(uint32_t field) { return VarintBytes(uint64_t{field} << 3); }

  size_t bytes_ = 0;
};

}  // namespace weft::model
