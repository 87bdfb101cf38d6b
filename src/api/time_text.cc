#include "api/time_text.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <limits>

namespace weft::api {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr std::string_view kForms =
    "a time is whole nanoseconds since 1970, RFC 3339 (2026-11-21T15:00:00Z) or relative (now, "
    "now-15m)";

struct Unit {
  std::string_view name;
  int64_t ns;
};
// Longer names first, so that "ms" is not taken for "m".
constexpr std::array<Unit, 7> kUnits = {{{"ns", 1},
                                         {"us", 1'000},
                                         {"ms", 1'000'000},
                                         {"s", kSecond},
                                         {"m", 60 * kSecond},
                                         {"h", 3600 * kSecond},
                                         {"d", 86400 * kSecond}}};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

Error Wrong(std::string_view text, std::string_view why) {
  return Error(ErrorCode::kInvalidArgument, "\"" + std::string(text.substr(0, 64)) + "\": " +
                                                std::string(why) + "; " + std::string(kForms));
}

// Takes exactly `count` digits off the front; -1 when they are not there.
int TakeDigits(std::string_view* text, size_t count) {
  if (text->size() < count) return -1;
  int value = 0;
  for (size_t i = 0; i < count; ++i) {
    if (!IsDigit((*text)[i])) return -1;
    value = value * 10 + ((*text)[i] - '0');
  }
  text->remove_prefix(count);
  return value;
}

bool Take(std::string_view* text, std::string_view choices) {
  if (text->empty() || choices.find(text->front()) == std::string_view::npos) return false;
  text->remove_prefix(1);
  return true;
}

// Days from 1970-01-01 in the Gregorian calendar; the year starts in March so that the leap day is
// its last.
int64_t DaysFromCivil(int year, int month, int day) {
  const int64_t y = month <= 2 ? year - 1 : year;
  const int64_t era = y / 400;
  const int64_t year_of_era = y - era * 400;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

struct Date {
  int year;
  int month;
  int day;
};

Date CivilFromDays(int64_t days) {
  days += 719468;
  const int64_t era = days / 146097;
  const int64_t day_of_era = days - era * 146097;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t shifted = (5 * day_of_year + 2) / 153;
  const int month = static_cast<int>(shifted < 10 ? shifted + 3 : shifted - 9);
  return {static_cast<int>(year_of_era + era * 400 + (month <= 2 ? 1 : 0)), month,
          static_cast<int>(day_of_year - (153 * shifted + 2) / 5 + 1)};
}

int DaysInMonth(int year, int month) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[month - 1];
}

// ".25" as ns; digits beyond the ninth are cut off. Nothing when the dot has no digit behind it.
std::optional<int64_t> TakeFraction(std::string_view* text) {
  if (!Take(text, ".")) return 0;
  int64_t value = 0;
  int64_t place = kSecond / 10;
  size_t digits = 0;
  while (digits < text->size() && IsDigit((*text)[digits])) {
    value += ((*text)[digits] - '0') * place;
    place /= 10;
    ++digits;
  }
  text->remove_prefix(digits);
  if (digits == 0) return std::nullopt;
  return value;
}

// "Z" or "+hh:mm" as seconds east of UTC.
std::optional<int64_t> TakeZone(std::string_view* text) {
  if (Take(text, "Zz")) return 0;
  const bool west = !text->empty() && text->front() == '-';
  if (!Take(text, "+-")) return std::nullopt;
  const int hours = TakeDigits(text, 2);
  const int minutes = Take(text, ":") ? TakeDigits(text, 2) : -1;
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return std::nullopt;
  return (west ? -1 : 1) * (hours * 3600 + minutes * 60);
}

Result<uint64_t> ParseRfc3339(std::string_view whole) {
  std::string_view text = whole;
  const int year = TakeDigits(&text, 4);
  const int month = Take(&text, "-") ? TakeDigits(&text, 2) : -1;
  const int day = Take(&text, "-") ? TakeDigits(&text, 2) : -1;
  if (year < 0 || month < 0 || day < 0 || !Take(&text, "Tt "))
    return Wrong(whole, "not a date and time");
  const int hour = TakeDigits(&text, 2);
  const int minute = Take(&text, ":") ? TakeDigits(&text, 2) : -1;
  const int second = Take(&text, ":") ? TakeDigits(&text, 2) : -1;
  if (hour < 0 || minute < 0 || second < 0) return Wrong(whole, "the time of day must be hh:mm:ss");
  const auto fraction = TakeFraction(&text);
  if (!fraction) return Wrong(whole, "no digits behind the decimal point");
  // A '+' that was not percent-encoded arrives as a space.
  if (!text.empty() && text.front() == ' ')
    return Wrong(whole, "write the + of the time zone as %2B in an address");
  const auto zone = TakeZone(&text);
  if (!zone || !text.empty())
    return Wrong(whole, "the time must end with Z or an offset such as +01:00");
  if (month < 1 || month > 12 || day < 1 || day > DaysInMonth(year, month))
    return Wrong(whole, "no such day");
  if (hour > 23 || minute > 59 || second > 60) return Wrong(whole, "no such time of day");
  const int64_t seconds =
      DaysFromCivil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - *zone;
  constexpr int64_t kSecondsMax =
      static_cast<int64_t>(std::numeric_limits<uint64_t>::max() / kSecond) - 1;
  if (seconds < 0 || seconds > kSecondsMax)
    return Wrong(whole, "only the years 1970 to 2554 are known");
  return static_cast<uint64_t>(seconds) * kSecond + static_cast<uint64_t>(*fraction);
}

Result<uint64_t> ParseRelative(std::string_view whole, int64_t now_ns) {
  const std::string_view offset = whole.substr(3);
  if (offset.empty()) return static_cast<uint64_t>(now_ns);
  if (offset[0] == ' ') return Wrong(whole, "write + as %2B in an address");
  if (offset[0] != '-' && offset[0] != '+') return Wrong(whole, "behind now only - or + may stand");
  const auto distance = ParseDuration(offset.substr(1));
  if (!distance)
    return Wrong(whole, "the distance needs numbers with units (ns us ms s m h d), as in now-15m");
  const auto now = static_cast<uint64_t>(now_ns);
  const auto ns = static_cast<uint64_t>(*distance);
  if (offset[0] == '+') return now + ns;  // both below 2^63
  return ns > now ? 0 : now - ns;
}

// Takes "1.5h" off the front of `text` and gives its ns.
std::optional<double> TakeQuantity(std::string_view* text) {
  size_t digits = 0;
  while (digits < text->size() && (IsDigit((*text)[digits]) || (*text)[digits] == '.')) ++digits;
  double number = 0;
  const auto [end, error] =
      std::from_chars(text->data(), text->data() + digits, number, std::chars_format::fixed);
  if (digits == 0 || error != std::errc() || end != text->data() + digits) return std::nullopt;
  text->remove_prefix(digits);
  for (const Unit& unit : kUnits) {
    if (!text->starts_with(unit.name)) continue;
    text->remove_prefix(unit.name.size());
    return number * static_cast<double>(unit.ns);
  }
  return std::nullopt;
}

}  // namespace

std::optional<int64_t> ParseDuration(std::string_view text) {
  double sum = 0;
  if (text.empty() || text.size() > 100) return std::nullopt;
  while (!text.empty()) {
    const auto ns = TakeQuantity(&text);
    if (!ns) return std::nullopt;
    sum += *ns;
  }
  if (!(sum < 9.2e18)) return std::nullopt;
  return static_cast<int64_t>(sum + 0.5);
}

Result<uint64_t> ParseTime(std::string_view text, int64_t now_ns) {
  if (text.empty()) return Wrong(text, "empty");
  if (text.starts_with("now")) return ParseRelative(text, now_ns);
  if (text.find_first_not_of("0123456789") != std::string_view::npos) return ParseRfc3339(text);
  uint64_t ns = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ns);
  if (error != std::errc()) return Wrong(text, "more than 2^64 nanoseconds");
  return ns;
}

std::string FormatTime(uint64_t time_ns, int digits) {
  const auto seconds = static_cast<int64_t>(time_ns / kSecond);
  const Date date = CivilFromDays(seconds / 86400);
  const auto of_day = static_cast<int>(seconds % 86400);
  std::array<char, 64> text;
  int n = std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%09d", date.year,
                        date.month, date.day, of_day / 3600, of_day / 60 % 60, of_day % 60,
                        static_cast<int>(time_ns % kSecond));
  n -= digits == 0 ? 10 : 9 - digits;
  return std::string(text.data(), static_cast<size_t>(n)) + "Z";
}

std::string FormatDuration(int64_t duration_ns) {
  const std::string sign = duration_ns < 0 ? "-" : "";
  const uint64_t ns =
      duration_ns < 0 ? 0 - static_cast<uint64_t>(duration_ns) : static_cast<uint64_t>(duration_ns);
  if (ns < 1000) return sign + std::to_string(ns) + " ns";
  if (ns >= uint64_t{60} * kSecond) {
    const uint64_t seconds = ns / kSecond;
    if (seconds >= 3600)
      return sign + std::to_string(seconds / 3600) + " h " + std::to_string(seconds / 60 % 60) +
             " m";
    return sign + std::to_string(seconds / 60) + " m " + std::to_string(seconds % 60) + " s";
  }
  const Unit& unit = ns >= static_cast<uint64_t>(kSecond) ? kUnits[3]
                     : ns >= 1'000'000                    ? kUnits[2]
                                                          : kUnits[1];
  std::array<char, 32> text;
  const double value = static_cast<double>(ns) / static_cast<double>(unit.ns);
  std::snprintf(text.data(), text.size(),
                value < 10    ? "%.2f"
                : value < 100 ? "%.1f"
                              : "%.0f",
                value);
  return sign + text.data() + " " + std::string(unit.name);
}

}  // namespace weft::api
