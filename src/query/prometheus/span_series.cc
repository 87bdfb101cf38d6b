#include "query/prometheus/span_series.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "query/exec/series.h"
#include "query/exec/span_counts.h"
#include "query/plan/plan.h"
#include "query/prometheus/counted_series.h"
#include "query/prometheus/graph_series.h"
#include "query/prometheus/traceql_series.h"

namespace weft::query::prometheus {
namespace {

using exec::SpanCell;
using exec::SpanLine;
using lang::promql::Matcher;
using plan::Field;
using plan::LabelField;
using plan::Meaning;
using plan::Predicate;
using plan::Property;

constexpr uint64_t kMsNs = 1'000'000;
constexpr std::string_view kLatencyBucket = "traces_spanmetrics_latency_bucket";
constexpr std::string_view kLatencySum = "traces_spanmetrics_latency_sum";
constexpr std::string_view kLatencyCount = "traces_spanmetrics_latency_count";
constexpr std::array<std::string_view, 4> kNames{model::kCallsTotal, kLatencyBucket, kLatencySum,
                                                 kLatencyCount};
constexpr uint8_t kKinds = 6;
constexpr uint8_t kStatuses = 3;

Field ServiceField() { return Field::Attribute(block::Scope::kResource, "service.name"); }

// The spans that a matcher leaves, as far as columns say; null where that is not known.
std::optional<Predicate> TextPredicate(const Field& field, const Matcher& matcher) {
  const bool positive = matcher.op == Matcher::Op::kEqual || matcher.op == Matcher::Op::kMatch;
  // A span without the label has the value "". Long values are cut in labels.
  if (!positive || matcher.Matches("") || matcher.value.size() > 1000) return {};
  if (matcher.op == Matcher::Op::kEqual) {
    return Predicate::Comparison(plan::Compare::kEqual, plan::Expression::OfField(field),
                                 plan::Expression::Constant(plan::Value::String(matcher.value)));
  }
  // What a regex leaves of cut values and of broken texts is asked of labels.
  return {};
}

// Of a property that is a number with a text for each of its first values; others are 0 in labels.
template <typename TextOf>
std::optional<Predicate> NumberPredicate(Property property, uint8_t count, TextOf text_of,
                                         const Matcher& matcher) {
  if (matcher.Matches(text_of(0))) return {};
  std::vector<Predicate> any;
  for (uint8_t number = 1; number < count; ++number) {
    if (!matcher.Matches(text_of(number))) continue;
    any.push_back(Predicate::Comparison(plan::Compare::kEqual,
                                        plan::Expression::OfField(Field::Of(property)),
                                        plan::Expression::Constant(plan::Value::Int(number))));
  }
  return any.empty() ? Predicate::Constant(false) : Predicate::Or(std::move(any));
}

std::optional<Predicate> PredicateOf(const Matcher& matcher) {
  if (matcher.label == model::kServiceLabel) return TextPredicate(ServiceField(), matcher);
  if (matcher.label == model::kSpanNameLabel) {
    return TextPredicate(Field::Of(Property::kName), matcher);
  }
  if (matcher.label == model::kSpanKindLabel) {
    return NumberPredicate(Property::kKind, kKinds, model::SpanKindText, matcher);
  }
  if (matcher.label == model::kStatusCodeLabel) {
    return NumberPredicate(Property::kStatus, kStatuses, model::StatusCodeText, matcher);
  }
  return {};
}

Predicate FilterOf(std::span<const Matcher> matchers) {
  std::vector<Predicate> all;
  for (const Matcher& matcher : matchers) {
    if (auto predicate = PredicateOf(matcher)) all.push_back(std::move(*predicate));
  }
  return all.empty() ? Predicate::Constant(true) : Predicate::And(std::move(all));
}

// What the series' labels are, but for their names and bounds.
std::vector<LabelField> LabelFields(const std::vector<model::SpanDimension>& dimensions) {
  std::vector<LabelField> by{
      {ServiceField(), Meaning::kPlain, std::string(model::kServiceLabel)},
      {Field::Of(Property::kName), Meaning::kPlain, std::string(model::kSpanNameLabel)},
      {Field::Of(Property::kKind), Meaning::kKind, std::string(model::kSpanKindLabel)},
      {Field::Of(Property::kStatus), Meaning::kStatus, std::string(model::kStatusCodeLabel)}};
  for (const model::SpanDimension& dimension : dimensions)
    by.push_back({Field::Unscoped(dimension.key), Meaning::kPlain, dimension.label});
  return by;
}

std::string TextOf(const LabelField& by, const plan::Value& value) {
  const auto number = static_cast<uint8_t>(std::clamp<int64_t>(value.number, 0, 255));
  if (by.meaning == Meaning::kKind) return std::string(model::SpanKindText(number));
  if (by.meaning == Meaning::kStatus) return std::string(model::StatusCodeText(number));
  switch (value.type) {
    case plan::Value::Type::kString: return model::LabelValue(value.text);
    case plan::Value::Type::kInt: return std::to_string(value.number);
    case plan::Value::Type::kBool: return value.number != 0 ? "true" : "false";
    case plan::Value::Type::kDouble: return model::LabelValue(value.real);
    case plan::Value::Type::kNil: break;
  }
  return "";
}

// Of values of `by`, one each.
Labels LabelsOf(const std::vector<LabelField>& by, const std::vector<plan::Value>& values) {
  Labels labels;
  for (size_t i = 0; i < by.size(); ++i) {
    // A service's name is a text.
    const bool other =
        by[i].name == model::kServiceLabel && values[i].type != plan::Value::Type::kString;
    if (!other) labels.emplace_back(by[i].name, TextOf(by[i], values[i]));
  }
  Normalize(&labels);
  return labels;
}

// The spans of some labels by interval.
struct Counted {
  std::vector<int64_t> intervals;
  std::vector<SpanCell> cells;  // by interval, then bucket
};

// Combinations of values that are one combination of labels come together.
std::map<Labels, Counted> ByLabels(std::vector<SpanLine> lines, const std::vector<LabelField>& by) {
  std::map<Labels, Counted> out;
  for (SpanLine& line : lines) {
    std::vector<SpanCell>& cells = out[LabelsOf(by, line.labels)].cells;
    cells.insert(cells.end(), line.cells.begin(), line.cells.end());
    line.cells = {};
  }
  for (auto& [labels, counted] : out) {
    std::ranges::sort(counted.cells, [](const SpanCell& a, const SpanCell& b) {
      return std::pair(a.interval, a.bucket) < std::pair(b.interval, b.bucket);
    });
    for (const SpanCell& cell : counted.cells) {
      const auto interval = static_cast<int64_t>(cell.interval);
      if (counted.intervals.empty() || counted.intervals.back() != interval) {
        counted.intervals.push_back(interval);
      }
    }
  }
  return out;
}

// The sum after each interval of what `value` says of a cell.
template <typename ValueOfCell>
std::vector<double> SumsOf(const Counted& counted, ValueOfCell value) {
  std::vector<double> sums;
  unsigned __int128 sum = 0;
  uint64_t interval = 0;
  for (const SpanCell& cell : counted.cells) {
    sum += value(cell);
    if (!sums.empty() && cell.interval == interval) {
      sums.back() = static_cast<double>(sum);
    } else {
      sums.push_back(static_cast<double>(sum));
    }
    interval = cell.interval;
  }
  return sums;
}

// A hundredth of the range for each step, which holds one exemplar of each line.
exec::TimeAxis AxisOf(int64_t start_ms, int64_t end_ms) {
  const auto length = static_cast<uint64_t>(end_ms - start_ms) + 1;
  const uint64_t step_ms = length / kExemplarsMax + 1;
  exec::TimeAxis axis;
  axis.step_ns = step_ms * kMsNs;
  // A step does not hold the moment at which it begins.
  axis.first_ns = static_cast<uint64_t>(start_ms) * kMsNs - 1 + axis.step_ns;
  axis.count = static_cast<uint32_t>((length + step_ms - 1) / step_ms);
  return axis;
}

// The values of labels by the names that the metric gave them; nil where it gave none.
std::vector<plan::Value> ValuesOf(const std::vector<LabelField>& by, const exec::MetricLine& line) {
  std::vector<plan::Value> out;
  for (const LabelField& label : by) {
    const auto found = std::ranges::find(line.labels, label.name, &exec::FoundValue::name);
    plan::Value& value = out.emplace_back();
    if (found == line.labels.end()) continue;
    switch (found->type) {
      case model::ValueType::kInt: value = plan::Value::Int(found->number); break;
      case model::ValueType::kBool: value = plan::Value::Bool(found->number != 0); break;
      case model::ValueType::kDouble: value = plan::Value::Double(found->real); break;
      case model::ValueType::kString: value = plan::Value::String(found->text); break;
      default: break;
    }
  }
  return out;
}

class Selection {
 public:
  Selection(const SelectRequest& request, int64_t now_ms) : request_(request) {
    for (const std::string_view name : kNames) {
      if (MayHaveName(request, name)) names_.push_back(name);
    }
    first_ = std::max<int64_t>(1, (request.first_ms() + kSampleIntervalMs - 1) / kSampleIntervalMs);
    last_ = std::min(request.last_ms(), now_ms) / kSampleIntervalMs;
  }

  bool empty() const { return names_.empty() || last_ < first_; }

  exec::SpanCountsQuery Query(const model::TenantId& tenant,
                              const std::vector<model::SpanDimension>& dimensions) const {
    exec::SpanCountsQuery query;
    query.tenant = tenant;
    query.filter = FilterOf(request_.matchers);
    query.by = LabelFields(dimensions);
    query.interval_ns = static_cast<uint64_t>(kSampleIntervalMs) * kMsNs;
    // Also those that say whether a series is still there.
    query.first = static_cast<uint64_t>(
        std::max<int64_t>(1, first_ - kSeriesAliveMs / kSampleIntervalMs + 1));
    query.last = static_cast<uint64_t>(last_);
    if (Wants(kLatencyBucket)) query.bounds = model::kSpanLatencyBounds;
    return query;
  }

  Error Add(const Labels& labels, Counted counted) {
    const auto intervals =
        std::make_shared<const std::vector<int64_t>>(std::move(counted.intervals));
    const auto count = [](const SpanCell& cell) { return cell.count; };
    if (Wants(model::kCallsTotal))
      Make(labels, model::kCallsTotal, intervals, SumsOf(counted, count));
    if (Wants(kLatencyCount)) Make(labels, kLatencyCount, intervals, SumsOf(counted, count));
    if (Wants(kLatencySum)) {
      std::vector<double> sums =
          SumsOf(counted, [](const SpanCell& cell) { return cell.total_ns; });
      for (double& sum : sums) sum /= 1e9;
      Make(labels, kLatencySum, intervals, std::move(sums));
    }
    if (Wants(kLatencyBucket)) AddBuckets(labels, counted, intervals);
    if (series_.size() <= kSelectedSeriesMax) return Error::Ok();
    return {ErrorCode::kTooLarge, "a selector matches more than " +
                                      std::to_string(kSelectedSeriesMax) +
                                      " series: ask for fewer, such as those of one service"};
  }

  std::vector<std::unique_ptr<SampleSeries>> Take() { return std::move(series_); }

 private:
  bool Wants(std::string_view name) const {
    return std::ranges::find(names_, name) != names_.end();
  }

  void AddBuckets(const Labels& labels, const Counted& counted, const Intervals& intervals) {
    const model::LatencyBounds& bounds = model::kSpanLatencyBounds;
    for (uint32_t bucket = 0; bucket <= bounds.count; ++bucket) {
      Labels with_bound = labels;
      SetLabel(&with_bound, "le", bounds.Text(bucket));
      // The intervals are those of all buckets.
      std::vector<double> sums = SumsOf(counted, [bucket](const SpanCell& cell) {
        return cell.bucket <= bucket ? cell.count : 0;
      });
      Make(std::move(with_bound), kLatencyBucket, intervals, std::move(sums));
    }
  }

  void Make(Labels labels, std::string_view name, Intervals intervals, std::vector<double> sums) {
    SetLabel(&labels, lang::promql::kNameLabel, name);
    if (!MatchesAll(request_.matchers, labels)) return;
    series_.push_back(
        std::make_unique<CountedSeries>(std::move(labels), std::move(intervals), std::move(sums),
                                        CountedSeries::Grid{kSampleIntervalMs, first_, last_}));
  }

  const SelectRequest& request_;
  std::vector<std::string_view> names_;
  int64_t first_ = 0;  // samples
  int64_t last_ = 0;
  std::vector<std::unique_ptr<SampleSeries>> series_;
};

}  // namespace

SpanSeriesSource::SpanSeriesSource(const SpanSeriesParts& parts, model::TenantId tenant,
                                   const exec::Budget& budget)
    : parts_(parts), tenant_(std::move(tenant)), budget_(budget), clock_(budget, *parts.env) {}

exec::Budget SpanSeriesSource::Left() const {
  exec::Budget left = budget_;
  if (left.time_ms > 0) {
    left.time_ms = std::max<int64_t>(1, left.time_ms - clock_.elapsed_ns() / 1'000'000);
  }
  return left;
}

Result<std::vector<std::unique_ptr<SampleSeries>>> SpanSeriesSource::Select(
    const SelectRequest& request) {
  const exec::Budget left = Left();
  if (AsksTraceql(request)) return SelectTraceql(parts_, tenant_, request, left);
  const int64_t now_ms = parts_.env->NowNs() / static_cast<int64_t>(kMsNs);
  WEFT_ASSIGN_OR_RETURN(std::vector<std::unique_ptr<SampleSeries>> found,
                        SelectGraph(parts_, tenant_, request, now_ms, left));
  Selection selection(request, now_ms);
  if (selection.empty()) return found;
  const exec::SpanCountsQuery query = selection.Query(tenant_, parts_.dimensions);
  WEFT_ASSIGN_OR_RETURN(std::vector<SpanLine> lines,
                        exec::CountSpans(*parts_.source, *parts_.env, *parts_.runner, query, left));
  for (auto& [labels, counted] : ByLabels(std::move(lines), query.by)) {
    WEFT_RETURN_IF_ERROR(selection.Add(labels, std::move(counted)));
  }
  for (auto& series : selection.Take()) found.push_back(std::move(series));
  return found;
}

Result<std::vector<SeriesExemplars>> SpanSeriesSource::Exemplars(std::span<const Matcher> matchers,
                                                                 int64_t start_ms, int64_t end_ms) {
  SelectRequest request;
  request.matchers = matchers;
  start_ms = std::max<int64_t>(start_ms, 1);
  end_ms = std::min(end_ms, parts_.env->NowNs() / static_cast<int64_t>(kMsNs));
  if (!MayHaveName(request, kLatencyBucket) || start_ms > end_ms)
    return std::vector<SeriesExemplars>();
  plan::SeriesExpression expression;
  expression.spans = plan::Plan::Filter(FilterOf(matchers));
  expression.metric.kind = plan::Metric::Kind::kMax;
  expression.metric.of = Field::Of(Property::kDuration);
  expression.metric.meaning = Meaning::kDuration;
  expression.metric.by = LabelFields(parts_.dimensions);
  exec::SeriesQuery query;
  query.tenant = tenant_;
  query.axis = AxisOf(start_ms, end_ms);
  query.exemplars = kExemplarsMax;
  const exec::MetricExecutor executor(*parts_.source, *parts_.env, *parts_.runner);
  WEFT_ASSIGN_OR_RETURN(const exec::MetricAnswer answer, executor.Run(expression, query, Left()));
  if (!answer.complete) return Error(ErrorCode::kUnavailable, answer.reason);
  std::map<Labels, std::vector<SeriesExemplars::Exemplar>> found;
  for (const exec::MetricLine& line : answer.lines) {
    const Labels labels = LabelsOf(expression.metric.by, ValuesOf(expression.metric.by, line));
    for (const exec::Exemplar& exemplar : line.exemplars) {
      const auto time_ms = static_cast<int64_t>(exemplar.start_ns / kMsNs);
      if (time_ms < start_ms || time_ms > end_ms) continue;
      Labels with_bound = labels;
      SetLabel(&with_bound, lang::promql::kNameLabel, kLatencyBucket);
      const auto duration_ns = static_cast<int64_t>(std::llround(exemplar.value * 1e9));
      const model::LatencyBounds& bounds = model::kSpanLatencyBounds;
      SetLabel(&with_bound, "le", bounds.Text(bounds.BucketOf(duration_ns)));
      if (!MatchesAll(matchers, with_bound)) continue;
      found[std::move(with_bound)].push_back({exemplar.trace_id, time_ms, exemplar.value});
    }
  }
  std::vector<SeriesExemplars> out;
  for (auto& [labels, exemplars] : found) {
    std::ranges::sort(exemplars, [](const auto& a, const auto& b) {
      return std::tie(a.time_ms, a.trace_id) < std::tie(b.time_ms, b.trace_id);
    });
    out.push_back({labels, std::move(exemplars)});
  }
  return out;
}

std::span<const SeriesName> KnownFamilies() {
  static constexpr std::array<SeriesName, 6> kFamilies{
      {{model::kCallsTotal, "counter", "Spans."},
       {model::kLatency, "histogram", "Duration of spans in seconds."},
       {model::kGraphRequests, "counter", "Calls between services."},
       {model::kGraphFailed, "counter", "Calls of which either side has failed."},
       {model::kGraphServer, "histogram", "Duration of calls in seconds as their servers saw it."},
       {model::kGraphClient, "histogram",
        "Duration of calls in seconds as their clients saw it."}}};
  return kFamilies;
}

}  // namespace weft::query::prometheus
