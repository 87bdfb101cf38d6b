// Durations as Prometheus writes them.
#include <array>
#include <charconv>
#include <optional>

#include "query/lang/promql/tree.h"

namespace weft::query::lang::promql {
namespace {

struct Unit {
  std::string_view name;
  int64_t ms;
};
constexpr std::array<Unit, 7> kUnits{{{"y", 365 * 86'400'000LL},
                                      {"w", 7 * 86'400'000LL},
                                      {"d", 86'400'000},
                                      {"h", 3'600'000},
                                      {"m", 60'000},
                                      {"s", 1000},
                                      {"ms", 1}}};
constexpr int64_t kDurationMsMax = 100 * 365 * 86'400'000LL;

}  // namespace

std::optional<int64_t> ParseDurationMs(std::string_view text) {
  int64_t sum_ms = 0;
  size_t next_unit = 0;
  if (text.empty()) return {};
  while (!text.empty()) {
    int64_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc() || count < 0) return {};
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    const size_t letters = std::min(text.find_first_of("0123456789"), text.size());
    const std::string_view name = text.substr(0, letters);
    text.remove_prefix(letters);
    while (next_unit < kUnits.size() && kUnits[next_unit].name != name) ++next_unit;
    if (next_unit == kUnits.size()) return {};
    const int64_t unit_ms = kUnits[next_unit++].ms;
    if (count > kDurationMsMax / unit_ms) return {};
    sum_ms += count * unit_ms;
    if (sum_ms > kDurationMsMax) return {};
  }
  return sum_ms;
}

std::string PrintDurationMs(int64_t duration_ms) {
  if (duration_ms == 0) return "0s";
  std::string out = duration_ms < 0 ? "-" : "";
  int64_t left_ms = duration_ms < 0 ? -duration_ms : duration_ms;
  for (const Unit& unit : kUnits) {
    if (left_ms >= unit.ms) out += std::to_string(left_ms / unit.ms) + std::string(unit.name);
    left_ms %= unit.ms;
  }
  return out;
}

}  // namespace weft::query::lang::promql
