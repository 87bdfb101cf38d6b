#include "api/tempo/request.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "api/time_text.h"

namespace weft::api::tempo {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;
constexpr size_t kHexDigitsMax = 32;
constexpr size_t kShownBytesMax = 100;

bool IsHexDigit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

Error Refuse(std::string_view name, const std::string& why) {
  return {ErrorCode::kInvalidArgument, "invalid " + std::string(name) + ": " + why};
}

// The value as a message shows it.
std::string Quoted(std::string_view value) {
  return "\"" + std::string(value.substr(0, kShownBytesMax)) + "\"";
}

// Unix seconds that fit into 32 bits, as in Tempo's messages.
Result<std::optional<uint32_t>> ReadSeconds(const net::HttpRequest& request,
                                            std::string_view name) {
  const auto value = FindValue(request, name);
  if (!value) return std::optional<uint32_t>();
  uint32_t seconds = 0;
  const char* const end = value->data() + value->size();
  const auto [at, error] = std::from_chars(value->data(), end, seconds);
  if (error == std::errc() && at == end) return std::optional<uint32_t>(seconds);
  return Refuse(name, Quoted(*value) + " is not a time in Unix seconds");
}

}  // namespace

std::optional<std::string_view> FindValue(const net::HttpRequest& request, std::string_view name) {
  const auto value = request.Query(name);
  return value && !value->empty() ? value : std::nullopt;
}

Result<model::TraceId> ReadTraceId(std::string_view text) {
  const auto wrong = std::find_if_not(text.begin(), text.end(), IsHexDigit);
  if (wrong != text.end()) {
    return Error(ErrorCode::kInvalidArgument,
                 "trace IDs can only contain hex characters: invalid character '" +
                     std::string(1, *wrong) + "' at position " +
                     std::to_string(wrong - text.begin() + 1));
  }
  if (text.size() > kHexDigitsMax) {
    return Error(ErrorCode::kInvalidArgument, "trace IDs can't be larger than 128 bits");
  }
  const auto id = model::TraceId::FromHex(text);
  if (!id) return Error(ErrorCode::kInvalidArgument, "please provide a traceID");
  return *id;
}

Result<uint32_t> ReadCount(const net::HttpRequest& request, std::string_view name,
                           uint32_t otherwise) {
  const auto value = FindValue(request, name);
  if (!value) return otherwise;
  uint32_t count = 0;
  const char* const end = value->data() + value->size();
  const auto [at, error] = std::from_chars(value->data(), end, count);
  if (error == std::errc() && at == end) return count;
  return Refuse(name, Quoted(*value) + " is not a whole number");
}

Result<bool> ReadBool(const net::HttpRequest& request, std::string_view name) {
  const auto value = FindValue(request, name);
  if (!value) return false;
  constexpr std::array<std::string_view, 6> kTrue = {"1", "t", "T", "true", "TRUE", "True"};
  constexpr std::array<std::string_view, 6> kFalse = {"0", "f", "F", "false", "FALSE", "False"};
  if (std::find(kTrue.begin(), kTrue.end(), *value) != kTrue.end()) return true;
  if (std::find(kFalse.begin(), kFalse.end(), *value) != kFalse.end()) return false;
  return Refuse(name, Quoted(*value) + " is neither true nor false");
}

Result<std::optional<int64_t>> ReadDuration(const net::HttpRequest& request,
                                            std::string_view name) {
  const auto value = FindValue(request, name);
  if (!value) return std::optional<int64_t>();
  const auto duration = ParseDuration(*value);
  if (!duration) return Refuse(name, "time: invalid duration " + Quoted(*value));
  return duration;
}

Result<TimeRange> MakeRange(std::optional<uint32_t> start, std::optional<uint32_t> end,
                            int64_t distance_ns, int64_t now_ns) {
  if (start && end && *start >= *end) {
    return Error(ErrorCode::kInvalidArgument,
                 "http parameter start must be before end. received start=" +
                     std::to_string(*start) + " end=" + std::to_string(*end));
  }
  TimeRange range;
  range.end_ns = static_cast<uint64_t>(now_ns) + 1;
  if (end) range.end_ns = *end * kSecondNs + 1;
  const auto distance = static_cast<uint64_t>(distance_ns);
  const bool unlimited = distance == 0 || distance > range.end_ns;
  range.start_ns = unlimited ? 0 : range.end_ns - distance;
  if (start) range.start_ns = *start * kSecondNs;
  range.end_ns = std::max(range.end_ns, range.start_ns);
  return range;
}

Result<TimeRange> ReadRange(const net::HttpRequest& request, int64_t now_ns, int64_t otherwise_ns) {
  WEFT_ASSIGN_OR_RETURN(const auto start, ReadSeconds(request, "start"));
  WEFT_ASSIGN_OR_RETURN(const auto end, ReadSeconds(request, "end"));
  WEFT_ASSIGN_OR_RETURN(const auto since, ReadDuration(request, "since"));
  return MakeRange(start, end, since.value_or(otherwise_ns), now_ns);
}

}  // namespace weft::api::tempo
