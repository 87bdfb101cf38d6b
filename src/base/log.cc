#include "base/log.h"

#include <atomic>
#include <cmath>
#include <memory>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace weft {
namespace {

std::atomic<LogFormat> g_format{LogFormat::kText};

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return spdlog::level::debug;
    case LogLevel::kInfo: return spdlog::level::info;
    case LogLevel::kWarn: return spdlog::level::warn;
    case LogLevel::kError: return spdlog::level::err;
    case LogLevel::kOff: return spdlog::level::off;
  }
  return spdlog::level::info;
}

void SetPattern(spdlog::logger& logger, LogFormat format) {
  constexpr auto kUtc = spdlog::pattern_time_type::utc;
  if (format == LogFormat::kJson) {
    logger.set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})", kUtc);
  } else {
    logger.set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", kUtc);
  }
}

// Never destroyed: threads may log while the process ends.
spdlog::logger& Logger() {
  static auto* logger = [] {
    auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    auto* made = new spdlog::logger("weft", std::move(sink));
    made->set_level(spdlog::level::info);
    SetPattern(*made, LogFormat::kText);
    return made;
  }();
  return *logger;
}

void AppendEscaped(std::string* out, std::string_view text) {
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      *out += {'\\', c};
    } else if (c == '\n') {
      *out += "\\n";
    } else if (u < 0x20 || u == 0x7f) {
      *out += fmt::format("\\u{:04x}", u);
    } else {
      *out += c;
    }
  }
}

void AppendQuoted(std::string* out, std::string_view text) {
  *out += '"';
  AppendEscaped(out, text);
  *out += '"';
}

// Whether a value can stand in a text line without quotes.
bool IsPlain(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (u <= 0x20 || u == 0x7f || c == '"' || c == '\\' || c == '=') return false;
  }
  return true;
}

struct ValueAppender {
  std::string* out;
  LogFormat format;

  void operator()(std::string_view v) const {
    if (format == LogFormat::kText && IsPlain(v)) {
      *out += v;
    } else {
      AppendQuoted(out, v);
    }
  }
  void operator()(bool v) const { *out += v ? "true" : "false"; }
  void operator()(double v) const {
    // JSON has no word for what is not a finite number.
    *out += format == LogFormat::kJson && !std::isfinite(v) ? "null" : fmt::format("{}", v);
  }
  void operator()(int64_t v) const { *out += fmt::format("{}", v); }
  void operator()(uint64_t v) const { *out += fmt::format("{}", v); }
};

}  // namespace

void SetUpLog(LogLevel level, LogFormat format) {
  g_format = format;
  SetPattern(Logger(), format);
  Logger().set_level(SpdlogLevel(level));
}

Result<LogLevel> ParseLogLevel(std::string_view name) {
  if (name == "debug") return LogLevel::kDebug;
  if (name == "info") return LogLevel::kInfo;
  if (name == "warn") return LogLevel::kWarn;
  if (name == "error") return LogLevel::kError;
  if (name == "off") return LogLevel::kOff;
  return Error(ErrorCode::kInvalidArgument, "log level must be debug, info, warn, error or off");
}

Result<LogFormat> ParseLogFormat(std::string_view name) {
  if (name == "text") return LogFormat::kText;
  if (name == "json") return LogFormat::kJson;
  return Error(ErrorCode::kInvalidArgument, "log format must be text or json");
}

std::string FormatLogEvent(LogFormat format, std::string_view event, LogFields fields) {
  std::string line;
  if (format == LogFormat::kText) {
    AppendEscaped(&line, event);
  } else {
    line += R"("event":)";
    AppendQuoted(&line, event);
  }
  for (const LogField& field : fields) {
    if (format == LogFormat::kText) {
      line += ' ';
      line += field.key;
      line += '=';
    } else {
      line += ',';
      AppendQuoted(&line, field.key);
      line += ':';
    }
    std::visit(ValueAppender{&line, format}, field.value);
  }
  return line;
}

void Log(LogLevel level, std::string_view event, LogFields fields) {
  const auto spdlog_level = SpdlogLevel(level);
  if (!Logger().should_log(spdlog_level)) return;
  const std::string line = FormatLogEvent(g_format, event, fields);
  Logger().log(spdlog_level, spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace weft
