// Times and durations as people and programs write them in requests.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace weft::api {

// A time in ns since 1970-01-01 UTC, from any of
// - whole nanoseconds: "1763737200000000000"
// - RFC 3339: "2026-11-21T15:00:00Z", "2026-11-21T16:00:00.25+01:00" (years 1970 to 2554)
// - relative to `now_ns`: "now", "now-15m", "now-1h30m", "now+5s" (never before 1970)
// kInvalidArgument says which of these was nearly met and what is wrong with it.
Result<uint64_t> ParseTime(std::string_view text, int64_t now_ns);

// "15m", "1h30m", "1.5s", "200ms" in ns; units ns us ms s m h d. Nothing for anything else, and
// beyond 2^63 ns.
std::optional<int64_t> ParseDuration(std::string_view text);

// "2026-11-21T15:00:00.123456789Z"; fractions are cut to `digits` (0, 3, 6 or 9).
std::string FormatTime(uint64_t time_ns, int digits = 9);

// Two to four significant digits and a unit: "850 ns", "1.24 ms", "2.5 s", "3 m 20 s".
std::string FormatDuration(int64_t duration_ns);

}  // namespace weft::api
