#include "query/lang/traceql/literal_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace weft::query::lang::traceql {
namespace {

constexpr uint64_t kMagnitudeMax = uint64_t{1} << 63;

struct Unit {
  std::string_view name;
  uint64_t ns;
};
constexpr uint64_t kSecond = 1'000'000'000;
constexpr std::array<Unit, 11> kUnits{{{"ns", 1},
                                       {"us", 1'000},
                                       {"\xc2\xb5s", 1'000},  // micro sign
                                       {"\xce\xbcs", 1'000},  // Greek mu
                                       {"ms", 1'000'000},
                                       {"s", kSecond},
                                       {"m", 60 * kSecond},
                                       {"h", 3600 * kSecond},
                                       {"d", 86400 * kSecond},
                                       {"w", 7 * 86400 * kSecond},
                                       {"y", 365 * 86400 * kSecond}}};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

size_t CountDigits(std::string_view s) {
  return std::find_if_not(s.begin(), s.end(), IsDigit) - s.begin();
}

std::optional<uint64_t> UnitNs(std::string_view name) {
  for (const Unit& unit : kUnits) {
    if (unit.name == name) return unit.ns;
  }
  return std::nullopt;
}

// whole.fraction units in ns, cut towards zero; nothing on overflow.
std::optional<uint64_t> Scale(std::string_view whole, std::string_view fraction, uint64_t unit) {
  unsigned __int128 total = 0;
  for (char c : whole) {
    total = total * 10 + static_cast<unsigned>(c - '0');
    if (total > kMagnitudeMax) return std::nullopt;
  }
  total *= unit;
  unsigned __int128 part = 0;
  unsigned __int128 scale = 1;
  for (char c : fraction.substr(0, 18)) {
    part = part * 10 + static_cast<unsigned>(c - '0');
    scale *= 10;
  }
  total += part * unit / scale;
  if (total > kMagnitudeMax) return std::nullopt;
  return static_cast<uint64_t>(total);
}

// "1h30m", "0.06s": numbers with units, one after another.
std::optional<uint64_t> ReadDuration(std::string_view run, std::string* problem) {
  uint64_t total = 0;
  while (!run.empty()) {
    const std::string_view whole = run.substr(0, CountDigits(run));
    run.remove_prefix(whole.size());
    std::string_view fraction;
    if (!run.empty() && run[0] == '.') {
      fraction = run.substr(1, CountDigits(run.substr(1)));
      run.remove_prefix(1 + fraction.size());
    }
    const auto unit_end =
        std::find_if(run.begin(), run.end(), [](char c) { return IsDigit(c) || c == '.'; });
    const std::string_view unit = run.substr(0, unit_end - run.begin());
    run.remove_prefix(unit.size());
    const auto ns = UnitNs(unit);
    if (!ns || (whole.empty() && fraction.empty())) {
      *problem = unit.empty()
                     ? "expected a number or a duration such as 1h30m"
                     : "unknown unit `" + std::string(unit) +
                           "`: durations are written in ns, us, ms, s, m, h, d, w or y, and there "
                           "are no byte sizes";
      return std::nullopt;
    }
    const auto part = Scale(whole, fraction, *ns);
    if (!part || *part > kMagnitudeMax - total) {
      *problem = "the duration is too long: at most 2^63 - 1 ns, about 292 years";
      return std::nullopt;
    }
    total += *part;
  }
  return total;
}

std::optional<uint64_t> ReadInt(std::string_view run, std::string* problem) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(run.data(), run.data() + run.size(), value);
  if (error == std::errc() && end == run.data() + run.size() && value <= kMagnitudeMax)
    return value;
  *problem = "the number does not fit 64 bits; write it as a float, for example 1e19";
  return std::nullopt;
}

bool LooksLikeFloat(std::string_view run) {
  return std::all_of(run.begin(), run.end(), [](char c) {
    return IsDigit(c) || c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-';
  });
}

void AppendUtf8(uint32_t c, std::string* out) {
  const auto byte = [out](uint32_t b) { out->push_back(static_cast<char>(b)); };
  if (c < 0x80) return byte(c);
  if (c < 0x800) {
    byte(0xc0 | c >> 6);
  } else if (c < 0x10000) {
    byte(0xe0 | c >> 12);
    byte(0x80 | (c >> 6 & 0x3f));
  } else {
    byte(0xf0 | c >> 18);
    byte(0x80 | (c >> 12 & 0x3f));
    byte(0x80 | (c >> 6 & 0x3f));
  }
  byte(0x80 | (c & 0x3f));
}

// The digits of \ooo, \xhh, \uhhhh and \Uhhhhhhhh.
struct NumericEscape {
  size_t digits;
  int base;
  bool is_code_point;
};
std::optional<NumericEscape> NumericEscapeOf(char c) {
  switch (c) {
    case 'x': return NumericEscape{2, 16, false};
    case 'u': return NumericEscape{4, 16, true};
    case 'U': return NumericEscape{8, 16, true};
    default: return std::nullopt;
  }
}

bool AppendNumericEscape(std::string_view digits, NumericEscape escape, std::string* out) {
  uint32_t value = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, escape.base);
  if (error != std::errc() || end != digits.data() + digits.size()) return false;
  if (digits.size() != escape.digits) return false;
  if (!escape.is_code_point) {
    if (value > 0xff) return false;
    out->push_back(static_cast<char>(value));
    return true;
  }
  if (value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return false;
  AppendUtf8(value, out);
  return true;
}

constexpr std::string_view kSimpleEscapes = "abfnrtv\\\"";
constexpr std::string_view kSimpleValues = "\a\b\f\n\r\t\v\\\"";

// Reads the escape after a backslash at text[*at]; false when it is none.
bool ReadEscape(std::string_view text, size_t* at, std::string* out) {
  if (*at >= text.size()) return false;
  const char c = text[*at];
  if (const size_t i = kSimpleEscapes.find(c); i != std::string_view::npos) {
    out->push_back(kSimpleValues[i]);
    ++*at;
    return true;
  }
  NumericEscape escape{3, 8, false};
  if (!IsDigit(c)) {
    const auto numeric = NumericEscapeOf(c);
    if (!numeric) return false;
    escape = *numeric;
    ++*at;
  }
  const std::string_view digits = text.substr(*at, escape.digits);
  *at += digits.size();
  return AppendNumericEscape(digits, escape, out);
}

}  // namespace

std::optional<Number> ReadNumber(std::string_view run, std::string* problem) {
  Number out;
  if (CountDigits(run) == run.size()) {
    const auto value = ReadInt(run, problem);
    if (!value) return std::nullopt;
    out.magnitude = *value;
    return out;
  }
  if (LooksLikeFloat(run)) {
    out.type = Number::Type::kFloat;
    const auto [end, error] = std::from_chars(run.data(), run.data() + run.size(), out.number);
    if (error == std::errc() && end == run.data() + run.size()) return out;
    *problem = error == std::errc::result_out_of_range
                   ? "the number is too large or too small for a float"
                   : "expected a number such as 12, 2.5 or 1e3";
    return std::nullopt;
  }
  out.type = Number::Type::kDuration;
  const auto ns = ReadDuration(run, problem);
  if (!ns) return std::nullopt;
  out.magnitude = *ns;
  return out;
}

std::optional<std::string> ReadString(std::string_view text, uint32_t* length,
                                      std::string* problem) {
  const char quote = text[0];
  std::string out;
  size_t at = 1;
  while (at < text.size() && text[at] != quote) {
    const size_t begin = at;
    const char c = text[at++];
    if (quote == '"' && c == '\n') break;
    if (quote == '"' && c == '\\' && !ReadEscape(text, &at, &out)) {
      *problem =
          "unknown escape `" +
          std::string(text.substr(begin, std::min<size_t>(at + 1, text.size()) - begin)) +
          "`: strings use \\n \\t \\\" \\\\ \\xhh \\uhhhh; a back-quoted string has no escapes";
      *length = static_cast<uint32_t>(begin);
      return std::nullopt;
    }
    if (quote != '"' || c != '\\') out.push_back(c);
  }
  if (at >= text.size() || text[at] != quote) {
    *problem = std::string("the string has no closing ") + (quote == '"' ? "\"" : "`");
    *length = 0;
    return std::nullopt;
  }
  *length = static_cast<uint32_t>(at + 1);
  return out;
}

std::string PrintString(std::string_view value) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (const size_t i = kSimpleValues.find(c); i != std::string_view::npos) {
      out += {'\\', kSimpleEscapes[i]};
    } else if (byte < 0x20 || byte == 0x7f) {
      out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string PrintFloat(double value) {
  std::array<char, 32> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  std::string out(buffer.data(), end);
  // What reads like a whole number would come back as one.
  if (out.find_first_of(".e") == std::string::npos) out += ".0";
  return out;
}

std::string PrintDuration(int64_t ns) {
  const bool negative = ns < 0;
  const uint64_t magnitude = negative ? 0 - static_cast<uint64_t>(ns) : static_cast<uint64_t>(ns);
  constexpr std::array<Unit, 6> kPrinted{{{"h", 3600 * kSecond},
                                          {"m", 60 * kSecond},
                                          {"s", kSecond},
                                          {"ms", 1'000'000},
                                          {"us", 1'000},
                                          {"ns", 1}}};
  std::string out = negative ? "-" : "";
  if (magnitude == 0) return "0s";
  for (const Unit& unit : kPrinted) {
    if (magnitude % unit.ns == 0)
      return out + std::to_string(magnitude / unit.ns) + std::string(unit.name);
  }
  return out;
}

bool IsKeyByte(char c) {
  constexpr std::string_view kStops = "{}()=~!<>&|^, \t\r\n\v\f\"";
  return kStops.find(c) == std::string_view::npos && c != '\0';
}

std::string PrintKey(std::string_view key) {
  const bool plain = !key.empty() && std::all_of(key.begin(), key.end(), IsKeyByte) &&
                     !IsDigit(key[0]) &&
                     key.back() != '.';  // which the lexer takes for a name cut short
  if (plain) return std::string(key);
  std::string out = "\"";
  for (char c : key) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

}  // namespace weft::query::lang::traceql
