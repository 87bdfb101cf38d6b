#include "model/ids.h"

namespace weft::model {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<uint64_t> ParseHex64(std::string_view hex) {
  uint64_t v = 0;
  for (char c : hex) {
    const int digit = HexDigit(c);
    if (digit < 0) return std::nullopt;
    v = v << 4 | static_cast<uint64_t>(digit);
  }
  return v;
}

void AppendHex64(uint64_t v, std::string& out) {
  for (int shift = 60; shift >= 0; shift -= 4) out.push_back("0123456789abcdef"[v >> shift & 15]);
}

}  // namespace

std::optional<TraceId> TraceId::FromHex(std::string_view hex) {
  if (hex.empty() || hex.size() > 32) return std::nullopt;
  const size_t low_digits = hex.size() < 16 ? hex.size() : 16;
  const auto high = ParseHex64(hex.substr(0, hex.size() - low_digits));
  const auto low = ParseHex64(hex.substr(hex.size() - low_digits));
  if (!high || !low) return std::nullopt;
  return TraceId{*high, *low};
}

std::string TraceId::ToHex() const {
  std::string out;
  out.reserve(32);
  AppendHex64(high, out);
  AppendHex64(low, out);
  return out;
}

std::optional<SpanId> SpanId::FromHex(std::string_view hex) {
  if (hex.empty() || hex.size() > 16) return std::nullopt;
  const auto v = ParseHex64(hex);
  if (!v) return std::nullopt;
  return SpanId{*v};
}

std::string SpanId::ToHex() const {
  std::string out;
  out.reserve(16);
  AppendHex64(value, out);
  return out;
}

}  // namespace weft::model
