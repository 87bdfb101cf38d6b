#include "base/utf8.h"

#include <algorithm>

namespace weft {

size_t Utf8CharacterBytes(std::string_view text) {
  const auto byte = [&](size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const auto is_tail = [&](size_t i) { return (byte(i) & 0xc0) == 0x80; };
  const unsigned first = byte(0);
  if (text.empty()) return 0;
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  if (first < 0xe0) return is_tail(1) ? 2 : 0;
  // The second byte's range keeps out overlong forms, surrogates and everything above U+10FFFF.
  const unsigned low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const unsigned high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (byte(1) < low || byte(1) > high || !is_tail(2)) return 0;
  if (first < 0xf0) return 3;
  return is_tail(3) ? 4 : 0;
}

std::string Utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t bytes = Utf8CharacterBytes(text);
    if (bytes > 0) out += text.substr(0, bytes);
    if (bytes == 0) out += "\xef\xbf\xbd";
    text.remove_prefix(std::max<size_t>(bytes, 1));
  }
  return out;
}

}  // namespace weft
