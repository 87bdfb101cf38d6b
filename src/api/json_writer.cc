#include "api/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>

#include "base/utf8.h"

namespace weft::api {
namespace {

constexpr uint64_t kExactMax = uint64_t{1} << 53;
constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

constexpr std::array<bool, 256> MakePlain() {
  std::array<bool, 256> plain{};
  for (int c = 0x20; c < 0x80; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}
// Bytes that go out as they are, one by one.
constexpr std::array<bool, 256> kPlain = MakePlain();

template <typename T>
std::string_view Print(T value, std::array<char, 32>* buffer) {
  const auto end = std::to_chars(buffer->data(), buffer->data() + buffer->size(), value).ptr;
  return {buffer->data(), static_cast<size_t>(end - buffer->data())};
}

void AppendControl(unsigned char c, std::string* out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  switch (c) {
    case '"': out->append("\\\""); return;
    case '\\': out->append("\\\\"); return;
    case '\n': out->append("\\n"); return;
    case '\r': out->append("\\r"); return;
    case '\t': out->append("\\t"); return;
    default:
      out->append("\\u00");
      out->push_back(kDigits[c >> 4]);
      out->push_back(kDigits[c & 15]);
  }
}

// How many bytes of a broken character are one error: its longest prefix that could have begun a
// good one, as browsers do.
size_t BrokenBytes(std::string_view text) {
  for (size_t n = std::min<size_t>(text.size(), 3); n > 1; --n) {
    // A prefix is good when some continuation completes it: try the lowest and the highest byte.
    for (const char filler : {'\x80', '\xbf'}) {
      std::string candidate(text.substr(0, n));
      candidate.resize(4, filler);
      if (Utf8CharacterBytes(candidate) > n) return n;
    }
  }
  return 1;
}

}  // namespace

void AppendJsonEscaped(std::string_view text, std::string* out) {
  while (!text.empty()) {
    size_t plain = 0;
    while (plain < text.size() && kPlain[static_cast<unsigned char>(text[plain])]) ++plain;
    out->append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) return;
    const auto c = static_cast<unsigned char>(text[0]);
    size_t used = 1;
    if (c < 0x80) {
      AppendControl(c, out);
    } else if (const size_t n = Utf8CharacterBytes(text); n > 0) {
      out->append(text.substr(0, n));
      used = n;
    } else {
      out->append(kReplacement);
      used = BrokenBytes(text);
    }
    text.remove_prefix(used);
  }
}

void JsonWriter::String(std::string_view text) {
  Comma();
  out_->push_back('"');
  AppendJsonEscaped(text, out_);
  out_->push_back('"');
}

void JsonWriter::Int(int64_t value) {
  std::array<char, 32> buffer;
  Word(Print(value, &buffer));
}

void JsonWriter::Uint(uint64_t value) {
  std::array<char, 32> buffer;
  Word(Print(value, &buffer));
}

void JsonWriter::Int64Text(int64_t value) {
  std::array<char, 32> buffer;
  const std::string_view digits = Print(value, &buffer);
  Comma();
  out_->append(1, '"').append(digits).append(1, '"');
}

void JsonWriter::Uint64Text(uint64_t value) {
  std::array<char, 32> buffer;
  const std::string_view digits = Print(value, &buffer);
  Comma();
  out_->append(1, '"').append(digits).append(1, '"');
}

void JsonWriter::SafeInt(int64_t value) {
  const uint64_t magnitude =
      value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  magnitude <= kExactMax ? Int(value) : Int64Text(value);
}

void JsonWriter::SafeUint(uint64_t value) { value <= kExactMax ? Uint(value) : Uint64Text(value); }

void JsonWriter::Double(double value) {
  if (std::isnan(value)) return String("NaN");
  if (std::isinf(value)) return String(value > 0 ? "Infinity" : "-Infinity");
  std::array<char, 32> buffer;
  Word(Print(value, &buffer));
}

void JsonWriter::Base64(std::string_view bytes) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  Comma();
  out_->push_back('"');
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t n = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j)
      group = group << 8 | (j < n ? static_cast<unsigned char>(bytes[i + j]) : 0);
    for (size_t j = 0; j < 4; ++j)
      out_->push_back(j <= n ? kAlphabet[group >> (18 - 6 * j) & 63] : '=');
  }
  out_->push_back('"');
}

}  // namespace weft::api
