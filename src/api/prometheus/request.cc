#include "api/prometheus/request.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "api/time_text.h"
#include "net/url.h"
#include "query/lang/promql/tree.h"

namespace weft::api::prometheus {
namespace {

// The year 2262.
constexpr double kSecondsMax = 9.2e9;
constexpr int64_t kFoundMs = 3'600'000;

Error Refuse(std::string_view name, std::string_view why) {
  return {ErrorCode::kInvalidArgument,
          "invalid parameter \"" + std::string(name) + "\": " + std::string(why)};
}

std::string Quoted(std::string_view value) {
  return "\"" + std::string(value.substr(0, 100)) + "\"";
}

std::optional<double> ParseSeconds(std::string_view text) {
  double seconds = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, seconds);
  if (error != std::errc() || at != end || !(std::abs(seconds) <= kSecondsMax)) return {};
  return seconds;
}

int64_t ToMs(double seconds) { return std::llround(seconds * 1000); }

Result<int64_t> ReadStep(const net::HttpParameters& parameters) {
  const std::string text = TextOf(parameters, "step");
  const auto seconds = ParseSeconds(text);
  const auto step_ms =
      seconds ? std::optional(ToMs(*seconds)) : query::lang::promql::ParseDurationMs(text);
  if (!step_ms) {
    return Refuse("step", "cannot parse " + Quoted(text) + " to a valid duration");
  }
  if (*step_ms > 0) return *step_ms;
  return Refuse("step",
                "zero or negative query resolution step widths are not accepted. Try a positive "
                "integer");
}

}  // namespace

Result<net::HttpParameters> ReadParameters(const net::HttpRequest& request) {
  net::HttpParameters out = request.query;
  const std::string_view type = request.headers.Get("content-type");
  const std::string_view kForm = "application/x-www-form-urlencoded";
  if (request.body.empty() || !net::EqualsIgnoringCase(type.substr(0, kForm.size()), kForm)) {
    return out;
  }
  auto form = net::ParseQuery(request.body);
  if (!form) return Error(ErrorCode::kInvalidArgument, "error parsing form values");
  out.insert(out.end(), form->begin(), form->end());
  return out;
}

std::string TextOf(const net::HttpParameters& parameters, std::string_view name) {
  return std::string(net::FindParameter(parameters, name).value_or(""));
}

std::vector<std::string> AllOf(const net::HttpParameters& parameters, std::string_view name) {
  std::vector<std::string> out;
  for (const auto& [key, value] : parameters) {
    if (key == name) out.push_back(value);
  }
  return out;
}

Result<int64_t> ReadTime(const net::HttpParameters& parameters, std::string_view name,
                         std::optional<int64_t> otherwise_ms) {
  const std::string text = TextOf(parameters, name);
  if (text.empty() && otherwise_ms) return *otherwise_ms;
  if (const auto seconds = ParseSeconds(text)) return ToMs(*seconds);
  if (text.find('T') != std::string::npos) {
    if (const auto time = ParseTime(text, 0); time.ok()) {
      return static_cast<int64_t>(*time / 1'000'000);
    }
  }
  return Refuse(name, "cannot parse " + Quoted(text) + " to a valid timestamp");
}

Result<query::prometheus::Evaluation> ReadInstant(const net::HttpParameters& parameters,
                                                  int64_t now_ms) {
  WEFT_ASSIGN_OR_RETURN(const int64_t time_ms, ReadTime(parameters, "time", now_ms));
  return query::prometheus::Evaluation{time_ms, time_ms, 0};
}

Result<query::prometheus::Evaluation> ReadRange(const net::HttpParameters& parameters) {
  query::prometheus::Evaluation when;
  WEFT_ASSIGN_OR_RETURN(when.start_ms, ReadTime(parameters, "start", {}));
  WEFT_ASSIGN_OR_RETURN(when.end_ms, ReadTime(parameters, "end", {}));
  if (when.end_ms < when.start_ms) {
    return Refuse("end", "end timestamp must not be before start time");
  }
  WEFT_ASSIGN_OR_RETURN(when.step_ms, ReadStep(parameters));
  if ((when.end_ms - when.start_ms) / when.step_ms <= query::prometheus::kStepsMax) return when;
  return Error(ErrorCode::kInvalidArgument,
               "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the "
               "query resolution (?step=XX)");
}

Result<Found> ReadBounds(const net::HttpParameters& parameters, int64_t now_ms) {
  Found out;
  WEFT_ASSIGN_OR_RETURN(out.end_ms, ReadTime(parameters, "end", now_ms));
  WEFT_ASSIGN_OR_RETURN(out.start_ms, ReadTime(parameters, "start", out.end_ms - kFoundMs));
  if (out.start_ms <= out.end_ms) return out;
  return Refuse("end", "end timestamp must not be before start time");
}

Result<size_t> ReadLimit(const net::HttpParameters& parameters) {
  const std::string text = TextOf(parameters, "limit");
  size_t limit = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, limit);
  if (text.empty() || (error == std::errc() && at == end)) return limit;
  return Refuse("limit", Quoted(text) + " is no whole number");
}

}  // namespace weft::api::prometheus
