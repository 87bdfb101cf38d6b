#include "api/tempo/go_duration.h"

#include <string_view>

namespace weft::api::tempo {
namespace {

constexpr uint64_t kUs = 1'000;
constexpr uint64_t kMs = 1'000'000;
constexpr uint64_t kSecond = 1'000'000'000;

// `ns` in units of `unit_ns`, with as many decimals as it needs.
std::string Decimal(uint64_t ns, uint64_t unit_ns, std::string_view unit) {
  std::string text = std::to_string(ns / unit_ns);
  if (const uint64_t rest = ns % unit_ns; rest != 0) {
    std::string digits = std::to_string(unit_ns + rest).substr(1);
    digits.erase(digits.find_last_not_of('0') + 1);
    text += "." + digits;
  }
  return text.append(unit);
}

}  // namespace

std::string PrintGoDuration(int64_t ns) {
  const uint64_t size = ns < 0 ? 0 - static_cast<uint64_t>(ns) : static_cast<uint64_t>(ns);
  const std::string sign = ns < 0 ? "-" : "";
  if (size == 0) return "0s";
  if (size < kUs) return sign + Decimal(size, 1, "ns");
  if (size < kMs) return sign + Decimal(size, kUs, "µs");
  if (size < kSecond) return sign + Decimal(size, kMs, "ms");
  std::string text = Decimal(size % (60 * kSecond), kSecond, "s");
  const uint64_t minutes = size / (60 * kSecond);
  if (minutes > 0) text.insert(0, std::to_string(minutes % 60) + "m");
  if (minutes >= 60) text.insert(0, std::to_string(minutes / 60) + "h");
  return sign + text;
}

}  // namespace weft::api::tempo
