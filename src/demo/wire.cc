#include "demo/wire.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace weft::demo {
namespace {

enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kLength = 2, kFixed32 = 5 };

constexpr size_t kVarintMax = 10;

size_t VarintLength(uint64_t value) { return (std::bit_width(value | 1) + 6) / 7; }

char* PutVarint(char* to, uint64_t value) {
  while (value >= 0x80) {
    *to++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *to++ = static_cast<char>(value);
  return to;
}

char* PutTag(char* to, uint32_t field, WireType type) { return PutVarint(to, field << 3 | type); }

char* PutBytes(char* to, std::string_view value) {
  std::memcpy(to, value.data(), value.size());
  return to + value.size();
}

template <typename T>
char* PutLittleEndian(char* to, T value) {
  static_assert(std::endian::native == std::endian::little);
  std::memcpy(to, &value, sizeof value);
  return to + sizeof value;
}

// The length of a field with a one-byte tag and a length.
size_t FieldLength(size_t content) { return 1 + VarintLength(content) + content; }

}  // namespace

char* WireBuffer::Reserve(size_t n) {
  if (capacity_ - size_ < n) Grow(n);
  return data_.get() + size_;
}

void WireBuffer::Grow(size_t n) {
  const size_t capacity = std::max<size_t>({capacity_ * 2, size_ + n, 1024});
  auto data = std::make_unique_for_overwrite<char[]>(capacity);
  if (size_ != 0) std::memcpy(data.get(), data_.get(), size_);
  data_ = std::move(data);
  capacity_ = capacity;
}

void WireBuffer::Varint(uint32_t field, uint64_t value) {
  char* begin = Reserve(2 * kVarintMax);
  size_ += PutVarint(PutTag(begin, field, kVarint), value) - begin;
}

void WireBuffer::Fixed64(uint32_t field, uint64_t value) {
  char* begin = Reserve(kVarintMax + 8);
  size_ += PutLittleEndian(PutTag(begin, field, WireType::kFixed64), value) - begin;
}

void WireBuffer::Fixed32(uint32_t field, uint32_t value) {
  char* begin = Reserve(kVarintMax + 4);
  size_ += PutLittleEndian(PutTag(begin, field, WireType::kFixed32), value) - begin;
}

void WireBuffer::Bytes(uint32_t field, std::string_view value) {
  char* begin = Reserve(2 * kVarintMax + value.size());
  char* to = PutVarint(PutTag(begin, field, kLength), value.size());
  size_ += PutBytes(to, value) - begin;
}

void WireBuffer::Id64(uint32_t field, uint64_t id) {
  char* begin = Reserve(2 * kVarintMax + 8);
  char* to = PutVarint(PutTag(begin, field, kLength), 8);
  size_ += PutLittleEndian(to, __builtin_bswap64(id)) - begin;
}

void WireBuffer::Id128(uint32_t field, uint64_t high, uint64_t low) {
  char* begin = Reserve(2 * kVarintMax + 16);
  char* to = PutVarint(PutTag(begin, field, kLength), 16);
  to = PutLittleEndian(to, __builtin_bswap64(high));
  size_ += PutLittleEndian(to, __builtin_bswap64(low)) - begin;
}

// KeyValue { key = 1, value = 2 AnyValue }
char* WireBuffer::AttributeHead(uint32_t field, std::string_view key, size_t value_length) {
  const size_t content = FieldLength(key.size()) + FieldLength(value_length);
  char* to = Reserve(4 * kVarintMax + content);
  to = PutVarint(PutTag(to, field, kLength), content);
  to = PutVarint(PutTag(to, 1, kLength), key.size());
  to = PutBytes(to, key);
  return PutVarint(PutTag(to, 2, kLength), value_length);
}

// AnyValue { string_value = 1, bool_value = 2, int_value = 3, double_value = 4, array_value = 5 }
void WireBuffer::Attribute(uint32_t field, std::string_view key, std::string_view value) {
  char* to = AttributeHead(field, key, FieldLength(value.size()));
  to = PutVarint(PutTag(to, 1, kLength), value.size());
  size_ = PutBytes(to, value) - data_.get();
}

void WireBuffer::Attribute(uint32_t field, std::string_view key, int64_t value) {
  char* to = AttributeHead(field, key, 1 + VarintLength(static_cast<uint64_t>(value)));
  size_ = PutVarint(PutTag(to, 3, kVarint), static_cast<uint64_t>(value)) - data_.get();
}

void WireBuffer::Attribute(uint32_t field, std::string_view key, double value) {
  char* to = AttributeHead(field, key, 9);
  size_ = PutLittleEndian(PutTag(to, 4, WireType::kFixed64), value) - data_.get();
}

void WireBuffer::Attribute(uint32_t field, std::string_view key, bool value) {
  char* to = AttributeHead(field, key, 2);
  size_ = PutVarint(PutTag(to, 2, kVarint), value ? 1 : 0) - data_.get();
}

void WireBuffer::Attribute(uint32_t field, std::string_view key,
                           std::initializer_list<std::string_view> values) {
  size_t array = 0;
  for (std::string_view v : values) array += FieldLength(FieldLength(v.size()));
  char* to = AttributeHead(field, key, FieldLength(array));
  to = PutVarint(PutTag(to, 5, kLength), array);
  for (std::string_view v : values) {
    to = PutVarint(PutTag(to, 1, kLength), FieldLength(v.size()));
    to = PutVarint(PutTag(to, 1, kLength), v.size());
    to = PutBytes(to, v);
  }
  size_ = to - data_.get();
}

void WireBuffer::Append(std::string_view raw) {
  char* to = Reserve(raw.size());
  size_ += PutBytes(to, raw) - to;
}

}  // namespace weft::demo
