#include "query/prometheus/traceql_series.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <set>

#include "query/exec/series.h"
#include "query/lang/traceql/compile.h"
#include "query/prometheus/evaluator.h"

namespace weft::query::prometheus {
namespace {

using lang::promql::Matcher;

constexpr uint64_t kMsNs = 1'000'000;
constexpr int64_t kInstantStepMs = kLookBackMs;

// What the selector says besides which series it wants.
struct Question {
  std::string query;
  std::optional<int64_t> step_ms;
  std::vector<Matcher> others;
};

Result<Question> ReadQuestion(const SelectRequest& request) {
  Question out;
  bool has_query = false;
  for (const Matcher& matcher : request.matchers) {
    if (matcher.label == lang::promql::kNameLabel) continue;
    if (matcher.label != "query" && matcher.label != "step") {
      out.others.push_back(matcher);
      continue;
    }
    if (matcher.op != Matcher::Op::kEqual) {
      return Error(ErrorCode::kInvalidArgument,
                   "traceql{} takes " + matcher.label + "=\"...\", no other operator");
    }
    if (matcher.label == "query") {
      has_query = true;
      out.query = matcher.value;
      continue;
    }
    out.step_ms = lang::promql::ParseDurationMs(matcher.value);
    if (!out.step_ms || *out.step_ms < 1000) {
      return Error(ErrorCode::kInvalidArgument,
                   "the step of traceql{} must be a duration of at least 1s, such as 1m");
    }
  }
  if (has_query) return out;
  return Error(
      ErrorCode::kInvalidArgument,
      "traceql{} needs a query: traceql{query=\"{} | rate() by (resource.service.name)\"}");
}

struct Grid {
  int64_t first_ms = 0;
  int64_t step_ms = 0;
  int64_t count = 0;
};

Grid GridOf(const Question& question, const SelectRequest& request) {
  Grid out;
  const bool own = question.step_ms.has_value() || request.is_range;
  if (!own) {
    out.first_ms = request.start_ms - request.offset_ms;
    out.step_ms = request.step_ms == 0 ? kInstantStepMs : request.step_ms;
    out.count = (request.end_ms - request.start_ms) / out.step_ms + 1;
    return out;
  }
  out.step_ms = question.step_ms.value_or(kSampleIntervalMs);
  // From the last one at or before what is asked for.
  const int64_t first = std::max<int64_t>(request.first_ms() / out.step_ms, 1);
  const int64_t last = std::max(request.last_ms() / out.step_ms, first);
  out.first_ms = first * out.step_ms;
  out.count = last - first + 1;
  return out;
}

class TraceqlSeries : public SampleSeries {
 public:
  TraceqlSeries(Labels labels, std::vector<double> values, Grid grid)
      : labels_(std::move(labels)), values_(std::move(values)), grid_(grid) {}

  const Labels& labels() const override { return labels_; }

  void Read(int64_t from_ms, int64_t to_ms, std::vector<Point>* out) const override {
    for (size_t i = 0; i < values_.size(); ++i) {
      const int64_t time_ms = grid_.first_ms + static_cast<int64_t>(i) * grid_.step_ms;
      if (time_ms < from_ms || time_ms > to_ms || std::isnan(values_[i])) continue;
      out->push_back({time_ms, values_[i]});
    }
  }

  // A sample holds until the next one.
  bool ReadLast(int64_t from_ms, int64_t to_ms, Point* out) const override {
    if (to_ms < grid_.first_ms) return false;
    const int64_t at = (to_ms - grid_.first_ms) / grid_.step_ms;
    const int64_t time_ms = grid_.first_ms + at * grid_.step_ms;
    if (at >= static_cast<int64_t>(values_.size()) || time_ms < from_ms) return false;
    const double value = values_[static_cast<size_t>(at)];
    if (std::isnan(value)) return false;
    *out = {time_ms, value};
    return true;
  }

 private:
  const Labels labels_;
  const std::vector<double> values_;
  const Grid grid_;
};

// The text of a label: numbers as they are, durations in seconds.
std::string TextOf(const exec::FoundValue& value) {
  static constexpr std::array<std::string_view, 3> kStatuses{"unset", "ok", "error"};
  static constexpr std::array<std::string_view, 6> kKinds{"unspecified", "internal", "server",
                                                          "client",      "producer", "consumer"};
  const auto named = [&](const auto& names) {
    const bool known = value.number >= 0 && value.number < static_cast<int64_t>(names.size());
    return std::string(names[known ? static_cast<size_t>(value.number) : 0]);
  };
  if (value.type == model::ValueType::kBool) return value.number != 0 ? "true" : "false";
  if (value.type == model::ValueType::kString) return model::LabelValue(value.text);
  if (value.type == model::ValueType::kDouble) return model::LabelValue(value.real);
  if (value.type != model::ValueType::kInt) return "";
  switch (value.meaning) {
    case plan::Meaning::kStatus: return named(kStatuses);
    case plan::Meaning::kKind: return named(kKinds);
    case plan::Meaning::kDuration:
      return model::LabelValue(static_cast<double>(value.number) / 1e9);
    case plan::Meaning::kPlain: break;
  }
  return std::to_string(value.number);
}

Labels LabelsOf(const exec::MetricLine& line) {
  Labels out{{std::string(lang::promql::kNameLabel), std::string(kTraceqlName)}};
  for (const exec::FoundValue& value : line.labels) {
    if (value.name == lang::promql::kNameLabel) continue;
    const std::string name = model::LabelName(value.name);
    if (prometheus::ValueOf(out, name).empty()) SetLabel(&out, name, TextOf(value));
  }
  return out;
}

}  // namespace

bool AsksTraceql(const SelectRequest& request) {
  return std::ranges::any_of(request.matchers, [](const Matcher& matcher) {
    return matcher.label == lang::promql::kNameLabel && matcher.op == Matcher::Op::kEqual &&
           matcher.value == kTraceqlName;
  });
}

Result<std::vector<std::unique_ptr<SampleSeries>>> SelectTraceql(const SpanSeriesParts& parts,
                                                                 const model::TenantId& tenant,
                                                                 const SelectRequest& request,
                                                                 const exec::Budget& budget) {
  WEFT_ASSIGN_OR_RETURN(const Question question, ReadQuestion(request));
  const auto expression = lang::traceql::CompileMetrics(question.query);
  if (!expression.ok()) {
    return Error(expression.error().error.code(), "traceql: " + expression.error().ToString());
  }
  const Grid grid = GridOf(question, request);
  std::vector<std::unique_ptr<SampleSeries>> out;
  if (grid.first_ms < grid.step_ms) return out;
  if (grid.count > exec::TimeAxis::kStepsMax) {
    return Error(ErrorCode::kInvalidArgument,
                 "traceql{} has " + std::to_string(grid.count) + " steps; at most " +
                     std::to_string(exec::TimeAxis::kStepsMax) + ": ask for a longer step");
  }
  const exec::SeriesQuery query{
      tenant,
      {static_cast<uint64_t>(grid.first_ms) * kMsNs, static_cast<uint64_t>(grid.step_ms) * kMsNs,
       static_cast<uint32_t>(grid.count)},
      0,
      0};
  const exec::MetricExecutor executor(*parts.source, *parts.env, *parts.runner);
  WEFT_ASSIGN_OR_RETURN(exec::MetricAnswer answer, executor.Run(*expression, query, budget));
  if (!answer.complete) return Error(ErrorCode::kUnavailable, answer.reason);
  std::set<Labels> seen;
  for (exec::MetricLine& line : answer.lines) {
    Labels labels = LabelsOf(line);
    if (!MatchesAll(question.others, labels)) continue;
    if (!seen.insert(labels).second) {
      return Error(ErrorCode::kInvalidArgument,
                   "traceql: two series have the labels " + Print(labels) +
                       " once their names are those that Prometheus allows: group by other fields");
    }
    out.push_back(std::make_unique<TraceqlSeries>(std::move(labels), std::move(line.values), grid));
  }
  return out;
}

}  // namespace weft::query::prometheus
