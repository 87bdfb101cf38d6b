// The server's own log: one line per event on standard error, as text or JSON.
//
//   LogWarn("wal segment closed after a failed sync", {{"segment", 7}, {"error",
//   error.message()}});
//
// An event is a fixed sentence; what varies goes into fields. Never log a span's content: no names,
// attribute values or messages of spans. Any thread; a line is written whole. SetUpLog is called
// once, by app/, before the first thread starts; until then the level is info and the format text.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.h"

namespace weft {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarn, kError, kOff };
enum class LogFormat : uint8_t { kText, kJson };

struct LogField {
  using Value = std::variant<std::string_view, int64_t, uint64_t, double, bool>;

  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(std::string_view(v)) {}
  LogField(std::string_view k, bool v) : key(k), value(v) {}
  LogField(std::string_view k, double v) : key(k), value(v) {}
  LogField(std::string_view k, std::signed_integral auto v)
      : key(k), value(static_cast<int64_t>(v)) {}
  LogField(std::string_view k, std::unsigned_integral auto v)
      : key(k), value(static_cast<uint64_t>(v)) {}

  std::string_view key;
  Value value;
};
using LogFields = std::initializer_list<LogField>;

void SetUpLog(LogLevel level, LogFormat format);
// "debug", "info", "warn", "error", "off"; "text", "json".
Result<LogLevel> ParseLogLevel(std::string_view name);
Result<LogFormat> ParseLogFormat(std::string_view name);

void Log(LogLevel level, std::string_view event, LogFields fields);
inline void LogDebug(std::string_view e, LogFields f = {}) { Log(LogLevel::kDebug, e, f); }
inline void LogInfo(std::string_view e, LogFields f = {}) { Log(LogLevel::kInfo, e, f); }
inline void LogWarn(std::string_view e, LogFields f = {}) { Log(LogLevel::kWarn, e, f); }
inline void LogError(std::string_view e, LogFields f = {}) { Log(LogLevel::kError, e, f); }

// The line without time and level, for tests: `event key=value` or `"event":"...","key":value`.
std::string FormatLogEvent(LogFormat format, std::string_view event, LogFields fields);

}  // namespace weft
