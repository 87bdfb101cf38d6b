#include "model/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>

namespace weft::model {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

bool IsContinuation(std::string_view text, size_t i) {
  return i < text.size() && (static_cast<uint8_t>(text[i]) & 0xc0) == 0x80;
}

// The length of the UTF-8 sequence at `i`, whose first byte is not ASCII; 0 when it is none
// (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
size_t SequenceLength(std::string_view text, size_t i) {
  const auto first = static_cast<uint8_t>(text[i]);
  const auto second = i + 1 < text.size() ? static_cast<uint8_t>(text[i + 1]) : uint8_t{0};
  if (!IsContinuation(text, i + 1)) return 0;
  if (first >= 0xc2 && first <= 0xdf) return 2;
  if (!IsContinuation(text, i + 2)) return 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool overlong = first == 0xe0 && second < 0xa0;
    const bool surrogate = first == 0xed && second >= 0xa0;
    return overlong || surrogate ? 0 : 3;
  }
  if (!IsContinuation(text, i + 3) || first < 0xf0 || first > 0xf4) return 0;
  const bool overlong = first == 0xf0 && second < 0x90;
  const bool too_large = first == 0xf4 && second >= 0x90;
  return overlong || too_large ? 0 : 4;
}

void AppendEscape(uint8_t c, std::string* out) {
  switch (c) {
    case '"': *out += "\\\""; return;
    case '\\': *out += "\\\\"; return;
    case '\n': *out += "\\n"; return;
    case '\r': *out += "\\r"; return;
    case '\t': *out += "\\t"; return;
    default: break;
  }
  constexpr char kDigits[] = "0123456789abcdef";
  *out += "\\u00";
  out->push_back(kDigits[c >> 4]);
  out->push_back(kDigits[c & 15]);
}

bool IsPlain(uint8_t c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

}  // namespace

void JsonWriter::String(std::string_view text) {
  Separate();
  out_.push_back('"');
  size_t i = 0;
  while (i < text.size()) {
    const size_t plain = i;
    while (i < text.size() && IsPlain(static_cast<uint8_t>(text[i]))) ++i;
    out_.append(text, plain, i - plain);
    if (i == text.size()) break;
    const auto c = static_cast<uint8_t>(text[i]);
    if (c < 0x80) {
      AppendEscape(c, &out_);
      ++i;
      continue;
    }
    const size_t length = SequenceLength(text, i);
    out_ += length == 0 ? kReplacement : text.substr(i, length);
    i += length == 0 ? 1 : length;
  }
  out_.push_back('"');
}

void JsonWriter::Double(double value) {
  if (std::isnan(value)) return Raw("\"NaN\"");
  if (std::isinf(value)) return Raw(value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  Raw({text.data(), static_cast<size_t>(end - text.data())});
}

void JsonWriter::Base64(std::string_view bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  Separate();
  out_.push_back('"');
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t n = bytes.size() - i;
    const auto at = [&](size_t k) {
      return k < n ? uint32_t{static_cast<uint8_t>(bytes[i + k])} : 0u;
    };
    const uint32_t group = at(0) << 16 | at(1) << 8 | at(2);
    out_.push_back(kDigits[group >> 18]);
    out_.push_back(kDigits[group >> 12 & 63]);
    out_.push_back(n > 1 ? kDigits[group >> 6 & 63] : '=');
    out_.push_back(n > 2 ? kDigits[group & 63] : '=');
  }
  out_.push_back('"');
}

}  // namespace weft::model
