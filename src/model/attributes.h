// Attributes in long form: one (key, type, value) triple after another, as structure of arrays.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "model/string_table.h"

namespace weft::model {

// The types of OTLP's AnyValue (opentelemetry.proto.common.v1). The numbers are stored: they never
// change meaning.
enum class ValueType : uint8_t {
  kEmpty = 0,   // no value was set
  kString = 1,  // value: Code of the text (UTF-8 as received)
  kInt = 2,     // value: int64
  kDouble = 3,  // value: the bits of the double
  kBool = 4,    // value: 0 or 1
  kBytes = 5,   // value: Code of the bytes
  kArray = 6,   // value: NestedRange; the elements' keys are 0
  kKvList = 7,  // value: NestedRange
};

// "string", "int", ... as the API writes them.
const char* ValueTypeName(ValueType type);

// Where the elements of an array or kvlist stand in SpanBatch::nested.
struct NestedRange {
  uint32_t begin = 0;
  uint32_t count = 0;

  uint64_t Pack() const { return uint64_t{begin} << 32 | count; }
  static NestedRange Unpack(uint64_t value) {
    return {static_cast<uint32_t>(value >> 32), static_cast<uint32_t>(value)};
  }
};

struct Attribute {
  Code key = 0;
  ValueType type = ValueType::kEmpty;
  uint64_t value = 0;

  int64_t as_int() const { return static_cast<int64_t>(value); }
  double as_double() const { return std::bit_cast<double>(value); }
  bool as_bool() const { return value != 0; }
  Code as_code() const { return static_cast<Code>(value); }
  NestedRange as_nested() const { return NestedRange::Unpack(value); }
};

// A growing list of attributes: 12 bytes each.
class AttributeArray {
 public:
  uint32_t size() const { return static_cast<uint32_t>(keys_.size()); }
  Attribute operator[](uint32_t i) const {
    return {keys_[i] >> 3, static_cast<ValueType>(keys_[i] & 7), values_[i]};
  }
  Code key(uint32_t i) const { return keys_[i] >> 3; }
  ValueType type(uint32_t i) const { return static_cast<ValueType>(keys_[i] & 7); }
  uint64_t value(uint32_t i) const { return values_[i]; }
  // Key and type in one number, `key << 3 | type`: what a column is chosen by.
  uint32_t key_type(uint32_t i) const { return keys_[i]; }

  void Add(Code key, ValueType type, uint64_t value) {
    keys_.push_back(key << 3 | static_cast<uint32_t>(type));
    values_.push_back(value);
  }
  void Add(const Attribute& a) { Add(a.key, a.type, a.value); }
  // Drops everything from `size` on.
  void Truncate(uint32_t size) {
    keys_.resize(size);
    values_.resize(size);
  }
  void Clear() { Truncate(0); }
  size_t bytes() const { return 4 * keys_.capacity() + 8 * values_.capacity(); }

  // The two arrays, for code that stores or restores them whole.
  std::vector<uint32_t>& keys() { return keys_; }
  std::vector<uint64_t>& values() { return values_; }
  const std::vector<uint32_t>& keys() const { return keys_; }
  const std::vector<uint64_t>& values() const { return values_; }

 private:
  std::vector<uint32_t> keys_;  // key code << 3 | ValueType
  std::vector<uint64_t> values_;
};

}  // namespace weft::model
