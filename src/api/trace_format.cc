#include "api/trace_format.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

namespace weft::api {
namespace {

constexpr std::array<std::pair<std::string_view, TraceFormat>, 5> kTypes = {{
    {"application/json", TraceFormat::kOtlpJson},
    {"application/x-protobuf", TraceFormat::kOtlpProtobuf},
    {"application/protobuf", TraceFormat::kOtlpProtobuf},
    {"application/vnd.weft.columns+json", TraceFormat::kColumns},
    {"*/*", TraceFormat::kOtlpJson},
}};

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Takes what stands before the next `separator` off the front.
std::string_view TakeUntil(char separator, std::string_view* text) {
  const size_t at = std::min(text->find(separator), text->size());
  const std::string_view piece = text->substr(0, at);
  text->remove_prefix(std::min(at + 1, text->size()));
  return Trim(piece);
}

// The weight among the parameters of an item: 1 when it is missing or unreadable.
double WeightOf(std::string_view parameters) {
  while (!parameters.empty()) {
    const std::string_view parameter = TakeUntil(';', &parameters);
    if (!parameter.starts_with("q=")) continue;
    return std::clamp(std::strtod(std::string(parameter.substr(2)).c_str(), nullptr), 0.0, 1.0);
  }
  return 1;
}

std::optional<TraceFormat> FormatOf(std::string_view type) {
  for (const auto& [name, format] : kTypes) {
    if (type == name) return format;
  }
  return std::nullopt;
}

}  // namespace

TraceFormat ChooseTraceFormat(std::string_view accept) {
  TraceFormat best = TraceFormat::kOtlpJson;
  double best_weight = 0;
  while (!accept.empty()) {
    std::string_view item = TakeUntil(',', &accept);
    const auto format = FormatOf(TakeUntil(';', &item));
    const double weight = WeightOf(item);
    if (!format || weight <= best_weight) continue;
    best = *format;
    best_weight = weight;
  }
  return best;
}

std::string_view ContentTypeOf(TraceFormat format) {
  switch (format) {
    case TraceFormat::kOtlpJson: return "application/json";
    case TraceFormat::kOtlpProtobuf: return "application/x-protobuf";
    case TraceFormat::kColumns: return "application/vnd.weft.columns+json";
  }
  return "application/json";
}

}  // namespace weft::api
