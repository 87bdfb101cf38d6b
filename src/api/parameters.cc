#include "api/parameters.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "api/time_text.h"
#include "query/lang/nearest_name.h"

namespace weft::api {
namespace {

Error Refuse(std::string_view name, const std::string& why) {
  return Error(ErrorCode::kInvalidArgument,
               "parameter `" + std::string(name.substr(0, 64)) + "`: " + why);
}

std::string Join(std::span<const std::string_view> names) {
  std::string text;
  for (const std::string_view name : names) text.append(text.empty() ? "" : ", ").append(name);
  return text;
}

Error UnknownName(std::string_view name, std::span<const std::string_view> known) {
  const std::string hint = query::lang::DidYouMean(name, known);
  if (!hint.empty()) return Refuse(name, "unknown" + hint);
  if (known.empty()) return Refuse(name, "unknown; this endpoint takes none");
  return Refuse(name, "unknown; this endpoint takes " + Join(known));
}

}  // namespace

Result<Parameters> Parameters::Read(const net::HttpParameters& query,
                                    std::initializer_list<std::string_view> known) {
  const std::span<const std::string_view> names(known.begin(), known.size());
  for (size_t i = 0; i < query.size(); ++i) {
    const std::string_view name = query[i].first;
    const bool is_known =
        name == kExplainParameter || std::find(names.begin(), names.end(), name) != names.end();
    if (!is_known) return UnknownName(name, names);
    for (size_t j = 0; j < i; ++j) {
      if (query[j].first == name) return Refuse(name, "given twice");
    }
  }
  return Parameters(query);
}

Result<std::optional<std::string_view>> Parameters::Text(std::string_view name,
                                                         size_t bytes_max) const {
  const auto value = net::FindParameter(*query_, name);
  if (value && value->size() > bytes_max) {
    return Refuse(name, "longer than " + std::to_string(bytes_max) + " bytes");
  }
  return value;
}

Result<uint32_t> Parameters::Whole(std::string_view name, uint32_t otherwise, uint32_t min,
                                   uint32_t max) const {
  const auto value = net::FindParameter(*query_, name);
  if (!value) return otherwise;
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), number);
  if (error != std::errc() || end != value->data() + value->size() || number < min ||
      number > max) {
    return Refuse(
        name, "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max));
  }
  return number;
}

Result<std::optional<std::string_view>> Parameters::OneOf(
    std::string_view name, std::span<const std::string_view> choices) const {
  const auto value = net::FindParameter(*query_, name);
  if (!value) return std::optional<std::string_view>();
  const auto found = std::find(choices.begin(), choices.end(), *value);
  if (found == choices.end()) return Refuse(name, "must be one of " + Join(choices));
  return std::optional<std::string_view>(*found);
}

Result<uint64_t> Parameters::Time(std::string_view name, uint64_t otherwise, int64_t now_ns) const {
  const auto value = net::FindParameter(*query_, name);
  if (!value) return otherwise;
  auto time = ParseTime(*value, now_ns);
  if (!time.ok()) return Refuse(name, time.error().message());
  return time;
}

Result<TimeRange> Parameters::Range(int64_t now_ns) const {
  TimeRange range;
  WEFT_ASSIGN_OR_RETURN(range.start_ns, Time("start", range.start_ns, now_ns));
  WEFT_ASSIGN_OR_RETURN(range.end_ns, Time("end", range.end_ns, now_ns));
  if (range.start_ns > range.end_ns) return Refuse("start", "is after `end`");
  return range;
}

}  // namespace weft::api
