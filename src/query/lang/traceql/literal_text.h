// How numbers, durations and strings are written in TraceQL: read and printed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weft::query::lang::traceql {

// A run of digits, letters and dots that begins like a number.
struct Number {
  enum class Type : uint8_t { kInt, kFloat, kDuration } type = Type::kInt;
  uint64_t magnitude = 0;  // kInt; kDuration in ns; at most 2^63
  double number = 0;       // kFloat
};

// Reads the whole run ("12", "2.5", "1e3", "1h30m"); on failure nothing, and `*problem` says why.
std::optional<Number> ReadNumber(std::string_view run, std::string* problem);

// Reads a quoted string that begins at text[0] (a `"` with escapes as in Go, or a back quote
// without) and sets `*length` to its bytes with quotes. On failure nothing; `*problem` says why,
// `*length` where.
std::optional<std::string> ReadString(std::string_view text, uint32_t* length,
                                      std::string* problem);

std::string PrintString(std::string_view value);
std::string PrintFloat(double value);
std::string PrintDuration(int64_t ns);
// An attribute's key as it stands after its scope and dot, quoted where it must be.
std::string PrintKey(std::string_view key);

// Whether `c` may stand in an attribute's key without quotes.
bool IsKeyByte(char c);

}  // namespace weft::query::lang::traceql
