#include "app/setting_text.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <string_view>
#include <utility>

#include <unistd.h>

namespace weft::app {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

constexpr Unit kDurations[] = {{"ns", 1},   {"us", 1e3},   {"ms", 1e6},   {"s", 1e9},
                               {"m", 60e9}, {"h", 3600e9}, {"d", 86400e9}};
constexpr Unit kSizes[] = {{"", 1},
                           {"B", 1},
                           {"kB", 1e3},
                           {"MB", 1e6},
                           {"GB", 1e9},
                           {"TB", 1e12},
                           {"KiB", 1024.0},
                           {"MiB", 1048576.0},
                           {"GiB", 1073741824.0},
                           {"TiB", 1099511627776.0}};

// Takes a decimal number and the letters after it off the front of `text`; false when there is
// none.
bool TakeQuantity(std::string_view* text, double* number, std::string_view* unit) {
  size_t digits = 0;
  while (digits < text->size() &&
         ((*text)[digits] == '.' || ((*text)[digits] >= '0' && (*text)[digits] <= '9')))
    ++digits;
  if (digits == 0 || digits > 20) return false;
  const std::string digits_text(text->substr(0, digits));
  char* end = nullptr;
  *number = std::strtod(digits_text.c_str(), &end);
  if (*end != '\0') return false;
  size_t letters = digits;
  while (letters < text->size() &&
         !((*text)[letters] == '.' || ((*text)[letters] >= '0' && (*text)[letters] <= '9')))
    ++letters;
  *unit = text->substr(digits, letters - digits);
  text->remove_prefix(letters);
  return true;
}

template <size_t N>
const Unit* FindUnit(const Unit (&units)[N], std::string_view name) {
  const auto at = std::find_if(std::begin(units), std::end(units),
                               [&](const Unit& u) { return u.name == name; });
  return at == std::end(units) ? nullptr : at;
}

}  // namespace

Result<int64_t> ParseDuration(const std::string& text) {
  const Error wrong(ErrorCode::kInvalidArgument,
                    "'" + text + "' is no duration: write for example 250ms, 10s, 2m or 1h30m");
  std::string_view rest = text;
  double sum = 0;
  if (text == "0") return int64_t{0};
  if (rest.empty()) return wrong;
  while (!rest.empty()) {
    double number = 0;
    std::string_view unit;
    if (!TakeQuantity(&rest, &number, &unit)) return wrong;
    const Unit* known = FindUnit(kDurations, unit);
    if (known == nullptr) return wrong;
    sum += number * known->factor;
  }
  if (!(sum < 9e18)) return wrong;
  return static_cast<int64_t>(sum);
}

Result<uint64_t> ParseSize(const std::string& text, uint64_t whole_bytes) {
  const Error wrong(ErrorCode::kInvalidArgument,
                    "'" + text + "' is no size: write for example 64MiB or 1GB" +
                        (whole_bytes != 0 ? ", or 25%" : ""));
  std::string_view rest = text;
  double number = 0;
  std::string_view unit;
  if (!TakeQuantity(&rest, &number, &unit) || !rest.empty()) return wrong;
  if (unit == "%" && whole_bytes != 0) {
    if (number > 100) return wrong;
    return static_cast<uint64_t>(number / 100 * static_cast<double>(whole_bytes));
  }
  const Unit* known = FindUnit(kSizes, unit);
  if (known == nullptr || !(number * known->factor < 1e18)) return wrong;
  return static_cast<uint64_t>(number * known->factor);
}

Result<uint64_t> ParseCount(const std::string& text, uint64_t min, uint64_t max) {
  char* end = nullptr;
  const unsigned long long value = std::strtoull(text.c_str(), &end, 10);
  const bool is_number =
      !text.empty() && text[0] >= '0' && text[0] <= '9' && *end == '\0' && text.size() < 20;
  if (is_number && value >= min && value <= max) return static_cast<uint64_t>(value);
  return Error(ErrorCode::kInvalidArgument, "'" + text + "' is not a whole number from " +
                                                std::to_string(min) + " to " + std::to_string(max));
}

uint64_t MachineMemoryBytes() {
  uint64_t bytes = static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) *
                   static_cast<uint64_t>(sysconf(_SC_PAGE_SIZE));
  for (const char* path :
       {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    std::ifstream file(path);
    uint64_t limit = 0;
    if (file >> limit && limit > 0) bytes = std::min(bytes, limit);
  }
  return bytes;
}

}  // namespace weft::app
