#include "api/tempo/metrics_request.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "api/tempo/go_duration.h"
#include "api/tempo/request.h"
#include "api/tempo/search_request.h"
#include "api/time_text.h"
#include "tempo.pb.h"

namespace weft::api::tempo {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;
constexpr uint64_t kMinuteNs = 60 * kSecondNs;
constexpr int64_t kSinceNs = static_cast<int64_t>(60 * kMinuteNs);
constexpr uint64_t kSamplesByDefault = 240;
constexpr uint64_t kShortStepNs = 50'000'000;
// 2^63 ns: the year 2262.
constexpr double kSecondsMax = 9.2e9;

Error Refuse(std::string why) { return {ErrorCode::kInvalidArgument, std::move(why)}; }

std::optional<double> ParseSeconds(std::string_view text) {
  double seconds = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, seconds);
  if (error != std::errc() || at != end || !(seconds >= 0) || seconds > kSecondsMax) return {};
  return seconds;
}

// Unix seconds up to ten digits, a fraction of seconds, ns, or RFC 3339.
Result<std::optional<uint64_t>> ReadTime(const net::HttpRequest& request, std::string_view name,
                                         int64_t now_ns) {
  const auto value = FindValue(request, name);
  if (!value) return std::optional<uint64_t>();
  const bool digits = std::all_of(value->begin(), value->end(),
                                  [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
  const bool seconds = digits && (value->size() <= 10 || value->find('.') != value->npos);
  if (seconds) {
    if (const auto number = ParseSeconds(*value)) {
      return std::optional(static_cast<uint64_t>(std::llround(*number * 1e9)));
    }
  } else if (const auto time = ParseTime(*value, now_ns); time.ok()) {
    return std::optional(*time);
  }
  return Refuse("invalid " + std::string(name) + ": \"" + std::string(value->substr(0, 100)) +
                "\" is no time in Unix seconds, ns or RFC 3339");
}

struct Bounds {
  uint64_t start_ns = 0;
  uint64_t end_ns = 0;
};

// What is not given ends now, and starts `since_ns` before the end.
Result<Bounds> MakeBounds(std::optional<uint64_t> start, std::optional<uint64_t> end,
                          int64_t since_ns, int64_t now_ns, int64_t range_max_ns) {
  Bounds out;
  out.end_ns = end.value_or(static_cast<uint64_t>(now_ns));
  const auto back = static_cast<uint64_t>(std::max<int64_t>(since_ns, 0));
  out.start_ns = start.value_or(out.end_ns - std::min(out.end_ns, back));
  // Also what would not fit into 64 bits with a step more.
  if (out.end_ns <= out.start_ns || out.end_ns > static_cast<uint64_t>(INT64_MAX)) {
    return Refuse("end must be greater than start");
  }
  if (range_max_ns != 0 && out.end_ns - out.start_ns > static_cast<uint64_t>(range_max_ns)) {
    return Refuse("metrics query time range exceeds the maximum allowed duration of " +
                  PrintGoDuration(range_max_ns));
  }
  return out;
}

Result<Bounds> ReadBounds(const net::HttpRequest& request, int64_t now_ns, int64_t range_max_ns) {
  WEFT_ASSIGN_OR_RETURN(const auto start, ReadTime(request, "start", now_ns));
  WEFT_ASSIGN_OR_RETURN(const auto end, ReadTime(request, "end", now_ns));
  WEFT_ASSIGN_OR_RETURN(const auto since, ReadDuration(request, "since"));
  return MakeBounds(start, end, since.value_or(kSinceNs), now_ns, range_max_ns);
}

std::optional<uint64_t> Given(uint64_t value) {
  return value == 0 ? std::nullopt : std::optional(value);
}

Error CheckQuery(std::string_view query) {
  if (query.empty()) return Refuse("compiling query: parse error : syntax error: unexpected $end");
  return CheckQuerySize(query);
}

Result<std::string> ReadQuery(const net::HttpRequest& request) {
  auto query = FindValue(request, "q");
  if (!query) query = FindValue(request, "query");
  WEFT_RETURN_IF_ERROR(CheckQuery(query.value_or("")));
  return std::string(*query);
}

Result<uint64_t> ReadStep(const net::HttpRequest& request, uint64_t length_ns) {
  const auto value = FindValue(request, "step");
  if (!value) return DefaultStepNs(length_ns);
  const auto seconds = ParseSeconds(*value);
  const auto duration = seconds ? std::optional(static_cast<int64_t>(std::llround(*seconds * 1e9)))
                                : ParseDuration(*value);
  const bool negative = value->starts_with('-');
  if (!duration && !negative)
    return Refuse("invalid step: \"" + std::string(value->substr(0, 100)) + "\"");
  if (negative || *duration <= 0) return Refuse("invalid step: step must be positive");
  return static_cast<uint64_t>(*duration);
}

}  // namespace

uint64_t DefaultStepNs(uint64_t length_ns) {
  const uint64_t even = length_ns / kSamplesByDefault;
  if (length_ns < kMinuteNs) return std::max(kShortStepNs, even / kShortStepNs * kShortStepNs);
  constexpr std::array<uint64_t, 5> kSteps = {60 * kMinuteNs, 5 * kMinuteNs, kMinuteNs,
                                              15 * kSecondNs, 5 * kSecondNs};
  for (const uint64_t step : kSteps) {
    if (step <= even) return step;
  }
  return kSecondNs;
}

Result<query::exec::TimeAxis> AlignedAxis(uint64_t start_ns, uint64_t end_ns, uint64_t step_ns) {
  const uint64_t first = std::max<uint64_t>(start_ns / step_ns, 1);
  const uint64_t last = std::max((end_ns - 1) / step_ns + 1, first);
  if (last - first >= query::exec::TimeAxis::kStepsMax) {
    const uint64_t fewest = (end_ns - start_ns) / (query::exec::TimeAxis::kStepsMax - 2) + 1;
    return Refuse("step of " + PrintGoDuration(static_cast<int64_t>(step_ns)) +
                  " is too small, minimum step for given range is " +
                  PrintGoDuration(static_cast<int64_t>(fewest)));
  }
  return query::exec::TimeAxis{first * step_ns, step_ns, static_cast<uint32_t>(last - first + 1)};
}

Result<MetricsQuestion> ReadRangeQuestion(const net::HttpRequest& request, int64_t now_ns,
                                          int64_t range_max_ns) {
  MetricsQuestion question;
  WEFT_ASSIGN_OR_RETURN(question.query, ReadQuery(request));
  WEFT_ASSIGN_OR_RETURN(const Bounds bounds, ReadBounds(request, now_ns, range_max_ns));
  WEFT_ASSIGN_OR_RETURN(const uint64_t step, ReadStep(request, bounds.end_ns - bounds.start_ns));
  WEFT_ASSIGN_OR_RETURN(question.axis, AlignedAxis(bounds.start_ns, bounds.end_ns, step));
  WEFT_ASSIGN_OR_RETURN(question.exemplars, ReadCount(request, "exemplars", kExemplarsMax));
  question.exemplars = std::min(question.exemplars, kExemplarsMax);
  WEFT_ASSIGN_OR_RETURN(question.lines_max, ReadCount(request, "maxSeries", 0));
  return question;
}

Result<MetricsQuestion> ReadInstantQuestion(const net::HttpRequest& request, int64_t now_ns,
                                            int64_t range_max_ns) {
  MetricsQuestion question;
  WEFT_ASSIGN_OR_RETURN(question.query, ReadQuery(request));
  WEFT_ASSIGN_OR_RETURN(const Bounds bounds, ReadBounds(request, now_ns, range_max_ns));
  question.axis = {bounds.end_ns, bounds.end_ns - bounds.start_ns, 1};
  return question;
}

Result<MetricsQuestion> ToQuestion(const tempopb::QueryRangeRequest& request, int64_t now_ns,
                                   int64_t range_max_ns) {
  WEFT_RETURN_IF_ERROR(CheckQuery(request.query()));
  WEFT_ASSIGN_OR_RETURN(
      const Bounds bounds,
      MakeBounds(Given(request.start()), Given(request.end()), kSinceNs, now_ns, range_max_ns));
  if (request.step() > static_cast<uint64_t>(INT64_MAX)) return Refuse("invalid step");
  const uint64_t step =
      Given(request.step()).value_or(DefaultStepNs(bounds.end_ns - bounds.start_ns));
  MetricsQuestion question;
  question.query = request.query();
  WEFT_ASSIGN_OR_RETURN(question.axis, AlignedAxis(bounds.start_ns, bounds.end_ns, step));
  const uint32_t exemplars = request.exemplars() == 0 ? kExemplarsMax : request.exemplars();
  question.exemplars = std::min(exemplars, kExemplarsMax);
  question.lines_max = request.maxseries();
  return question;
}

Result<MetricsQuestion> ToQuestion(const tempopb::QueryInstantRequest& request, int64_t now_ns,
                                   int64_t range_max_ns) {
  WEFT_RETURN_IF_ERROR(CheckQuery(request.query()));
  WEFT_ASSIGN_OR_RETURN(
      const Bounds bounds,
      MakeBounds(Given(request.start()), Given(request.end()), kSinceNs, now_ns, range_max_ns));
  MetricsQuestion question;
  question.query = request.query();
  question.axis = {bounds.end_ns, bounds.end_ns - bounds.start_ns, 1};
  return question;
}

}  // namespace weft::api::tempo
