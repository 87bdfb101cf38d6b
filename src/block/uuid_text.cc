#include "block/uuid_text.h"

#include <array>
#include <cstdint>

namespace weft::block {
namespace {

constexpr size_t kTextSize = 36;

bool IsDash(size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

// The value of each lower-case hex digit, -1 for anything else.
constexpr std::array<int8_t, 256> kHexValues = [] {
  std::array<int8_t, 256> values{};
  values.fill(-1);
  for (int i = 0; i < 10; ++i) values['0' + i] = static_cast<int8_t>(i);
  for (int i = 0; i < 6; ++i) values['a' + i] = static_cast<int8_t>(10 + i);
  return values;
}();

int HexValue(char c) { return kHexValues[static_cast<uint8_t>(c)]; }

}  // namespace

bool IsUuidText(std::string_view text) {
  if (text.size() != kTextSize) return false;
  for (size_t i = 0; i < kTextSize; ++i) {
    if (IsDash(i) ? text[i] != '-' : HexValue(text[i]) < 0) return false;
  }
  return true;
}

void AppendUuidBytes(std::string_view text, std::string* out) {
  for (size_t i = 0; i < kTextSize; i += 2) {
    if (IsDash(i)) ++i;
    out->push_back(static_cast<char>(HexValue(text[i]) << 4 | HexValue(text[i + 1])));
  }
}

void AppendUuidText(std::string_view sixteen_bytes, std::string* out) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::array<char, kTextSize> text;
  char* at = text.data();
  for (size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *at++ = '-';
    const uint8_t byte = static_cast<uint8_t>(sixteen_bytes[i]);
    *at++ = kHex[byte >> 4];
    *at++ = kHex[byte & 15];
  }
  out->append(text.data(), text.size());
}

}  // namespace weft::block
