#include "block/text_escape.h"

#include <cstdint>
#include <cstring>

namespace weft::block {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";
constexpr char kHexDigits[] = "0123456789abcdef";

bool IsAscii(std::string_view text) {
  uint64_t all = 0;
  size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    uint64_t word;
    std::memcpy(&word, text.data() + i, 8);
    all |= word;
  }
  for (; i < text.size(); ++i) all |= static_cast<uint8_t>(text[i]);
  return (all & 0x8080808080808080ULL) == 0;
}

bool IsContinuation(std::string_view text, size_t i) {
  return i < text.size() && (static_cast<uint8_t>(text[i]) & 0xc0) == 0x80;
}

// Bytes of the valid UTF-8 character at the front of `text`; 0 when there is none (RFC 3629: no
// overlong forms, no surrogates, nothing above U+10FFFF).
size_t CharacterBytes(std::string_view text) {
  const uint8_t first = static_cast<uint8_t>(text[0]);
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4 || !IsContinuation(text, 1)) return 0;
  if (first < 0xe0) return 2;
  const uint8_t second = static_cast<uint8_t>(text[1]);
  if (!IsContinuation(text, 2)) return 0;
  if (first < 0xf0) {
    const bool overlong = first == 0xe0 && second < 0xa0;
    const bool surrogate = first == 0xed && second >= 0xa0;
    return overlong || surrogate ? 0 : 3;
  }
  if (!IsContinuation(text, 3)) return 0;
  const bool overlong = first == 0xf0 && second < 0x90;
  const bool too_large = first == 0xf4 && second >= 0x90;
  return overlong || too_large ? 0 : 4;
}

// The first byte that has to be escaped.
size_t FirstToEscape(std::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    const size_t bytes = CharacterBytes(text.substr(i));
    if (bytes == 0 || text.substr(i, bytes) == kReplacement) break;
    i += bytes;
  }
  return i;
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

bool AppendEscapedText(std::string_view text, std::string* out) {
  if (IsAscii(text)) return false;
  size_t i = FirstToEscape(text);
  if (i == text.size()) return false;
  out->append(text.substr(0, i));
  while (i < text.size()) {
    const size_t bytes = CharacterBytes(text.substr(i));
    if (bytes == 0) {
      const uint8_t byte = static_cast<uint8_t>(text[i]);
      out->append(kReplacement);
      out->push_back(kHexDigits[byte >> 4]);
      out->push_back(kHexDigits[byte & 15]);
      i += 1;
      continue;
    }
    const std::string_view character = text.substr(i, bytes);
    if (character == kReplacement) out->append(kReplacement);
    out->append(character);
    i += bytes;
  }
  return true;
}

bool AppendUnescapedText(std::string_view stored, std::string* out) {
  size_t at = stored.find(kReplacement);
  if (at == std::string_view::npos) return false;
  size_t done = 0;
  while (at != std::string_view::npos) {
    out->append(stored.substr(done, at - done));
    done = at + kReplacement.size();
    const std::string_view rest = stored.substr(done);
    const int high = rest.size() >= 2 ? HexValue(rest[0]) : -1;
    const int low = rest.size() >= 2 ? HexValue(rest[1]) : -1;
    if (high >= 0 && low >= 0) {
      out->push_back(static_cast<char>(high << 4 | low));
      done += 2;
    } else {
      out->append(kReplacement);
      if (rest.starts_with(kReplacement)) done += kReplacement.size();
    }
    at = stored.find(kReplacement, done);
  }
  out->append(stored.substr(done));
  return true;
}

}  // namespace weft::block
