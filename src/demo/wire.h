// Writes OTLP protobuf by hand: enough of the wire format for spans, and nothing else. Field
// numbers are those of opentelemetry/proto/{common,trace}/v1.
//
// One thread at a time. Bytes only grow until Clear.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string_view>

namespace weft::demo {

class WireBuffer {
 public:
  std::string_view bytes() const { return {data_.get(), size_}; }
  void Clear() { size_ = 0; }

  // Fields: `field` is the protobuf field number, 1 to 15 unless noted.
  void Varint(uint32_t field, uint64_t value);
  void Fixed64(uint32_t field, uint64_t value);
  void Fixed32(uint32_t field, uint32_t value);  // field up to 2047
  void Bytes(uint32_t field, std::string_view value);
  // Eight or sixteen bytes, most significant first, as ids are written.
  void Id64(uint32_t field, uint64_t id);
  void Id128(uint32_t field, uint64_t high, uint64_t low);

  // KeyValue messages in a repeated field.
  void Attribute(uint32_t field, std::string_view key, std::string_view value);
  void Attribute(uint32_t field, std::string_view key, const char* value) {
    Attribute(field, key, std::string_view(value));
  }
  void Attribute(uint32_t field, std::string_view key, int64_t value);
  void Attribute(uint32_t field, std::string_view key, double value);
  void Attribute(uint32_t field, std::string_view key, bool value);
  void Attribute(uint32_t field, std::string_view key,
                 std::initializer_list<std::string_view> values);

  void Append(std::string_view raw);

 private:
  // Room for `n` more bytes; where to write them.
  char* Reserve(size_t n);
  void Grow(size_t n);
  // The head of a KeyValue whose AnyValue has `value_length` bytes; the caller appends those.
  char* AttributeHead(uint32_t field, std::string_view key, size_t value_length);

  std::unique_ptr<char[]> data_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace weft::demo
