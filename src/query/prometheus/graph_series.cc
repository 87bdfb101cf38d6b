#include "query/prometheus/graph_series.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>

#include "query/insight/service_graph.h"
#include "query/prometheus/counted_series.h"

namespace weft::query::prometheus {
namespace {

using insight::GraphEdge;
using insight::StepCounts;

constexpr uint64_t kMsNs = 1'000'000;
// Samples in a window, for rates.
constexpr int64_t kInWindow = 4;

// Calls over edges that have the same labels.
struct Calls {
  std::map<int64_t, StepCounts> steps;  // by interval
};

void Add(const StepCounts& from, StepCounts* to) {
  to->requests += from.requests;
  to->failed += from.failed;
  to->client_sum_ns += from.client_sum_ns;
  to->server_sum_ns += from.server_sum_ns;
  const auto add = [](const std::vector<uint64_t>& counts, std::vector<uint64_t>* sums) {
    if (sums->size() < counts.size()) sums->resize(counts.size());
    for (size_t i = 0; i < counts.size(); ++i) (*sums)[i] += counts[i];
  };
  add(from.client, &to->client);
  add(from.server, &to->server);
}

class GraphSelection {
 public:
  GraphSelection(const SelectRequest& request, int64_t now_ms) : request_(request) {
    grid_.interval_ms = kSampleIntervalMs;
    const int64_t length_ms = std::min(request.last_ms(), now_ms) - request.first_ms();
    const int64_t enough = (length_ms / kGraphIntervals + kSampleIntervalMs) / kSampleIntervalMs;
    const int64_t in_window = request.window_ms / (kInWindow * kSampleIntervalMs);
    grid_.interval_ms *= std::max<int64_t>(1, std::min(enough, in_window));
    grid_.first =
        std::max<int64_t>(1, (request.first_ms() + grid_.interval_ms - 1) / grid_.interval_ms);
    grid_.last = std::min(request.last_ms(), now_ms) / grid_.interval_ms;
  }

  bool wanted() const {
    if (grid_.last < grid_.first) return false;
    const bool other_labels = std::ranges::any_of(request_.matchers, [](const auto& matcher) {
      return std::ranges::find(kLabels, matcher.label) == kLabels.end() && !matcher.Matches("");
    });
    if (other_labels) return false;
    return std::ranges::any_of(kNames, [this](std::string_view name) { return Wants(name); });
  }

  // The first interval that is counted: also those that say whether a series is still there.
  int64_t first_counted() const {
    return std::max<int64_t>(1, grid_.first - kSeriesAliveMs / grid_.interval_ms);
  }
  int64_t count() const { return grid_.last - first_counted() + 1; }

  insight::GraphSteps Steps() const {
    insight::GraphSteps steps;
    const auto interval_ns = static_cast<uint64_t>(grid_.interval_ms) * kMsNs;
    steps.axis = {static_cast<uint64_t>(first_counted()) * interval_ns, interval_ns,
                  static_cast<uint32_t>(count())};
    for (uint32_t i = 0; i < model::kGraphLatencyBounds.count; ++i) {
      steps.bounds_ns.push_back(static_cast<int64_t>(model::kGraphLatencyBounds.first_ns << i));
    }
    return steps;
  }

  std::vector<std::unique_ptr<SampleSeries>> SeriesOf(const insight::ServiceGraph& graph) {
    std::map<Labels, Calls> by_labels;
    for (const GraphEdge& edge : graph.edges) {
      Labels labels{{"client", model::LabelValue(edge.client.name)},
                    {"connection_type", std::string(ConnectionName(edge.connection))},
                    {"server", model::LabelValue(edge.server.name)}};
      Normalize(&labels);
      Calls& calls = by_labels[std::move(labels)];
      for (size_t i = 0; i < edge.counts.steps.size(); ++i) {
        if (edge.counts.steps[i].requests == 0 && edge.counts.steps[i].server.empty()) continue;
        AddStep(edge, edge.counts.steps[i],
                &calls.steps[first_counted() + static_cast<int64_t>(i)]);
      }
    }
    for (const auto& [labels, calls] : by_labels) {
      if (!calls.steps.empty()) AddSeries(labels, calls);
    }
    return std::move(series_);
  }

 private:
  static constexpr std::array<std::string_view, 5> kLabels{lang::promql::kNameLabel, "client",
                                                           "server", "connection_type", "le"};
  static constexpr std::array<std::string_view, 8> kNames{
      model::kGraphRequests,
      model::kGraphFailed,
      "traces_service_graph_request_server_seconds_bucket",
      "traces_service_graph_request_server_seconds_sum",
      "traces_service_graph_request_server_seconds_count",
      "traces_service_graph_request_client_seconds_bucket",
      "traces_service_graph_request_client_seconds_sum",
      "traces_service_graph_request_client_seconds_count"};

  bool Wants(std::string_view name) const { return MayHaveName(request_, name); }

  // What sends no spans is as slow as its clients say.
  static void AddStep(const GraphEdge& edge, const StepCounts& step, StepCounts* sums) {
    StepCounts shown = step;
    if (edge.server.kind != insight::NodeKind::kService) {
      shown.server = step.client;
      shown.server_sum_ns = step.client_sum_ns;
    }
    Add(shown, sums);
  }

  void AddSeries(const Labels& labels, const Calls& calls) {
    std::vector<int64_t> intervals;
    for (const auto& [interval, step] : calls.steps) intervals.push_back(interval);
    intervals_ = std::make_shared<const std::vector<int64_t>>(std::move(intervals));
    Make(labels, model::kGraphRequests, calls, [](const StepCounts& s) { return s.requests; });
    Make(labels, model::kGraphFailed, calls, [](const StepCounts& s) { return s.failed; });
    AddHistogram(labels, model::kGraphServer, calls, &StepCounts::server,
                 &StepCounts::server_sum_ns);
    AddHistogram(labels, model::kGraphClient, calls, &StepCounts::client,
                 &StepCounts::client_sum_ns);
  }

  void AddHistogram(const Labels& labels, std::string_view family, const Calls& calls,
                    std::vector<uint64_t> StepCounts::* buckets, int64_t StepCounts::* sum_ns) {
    const std::string name(family);
    const auto up_to = [buckets](const StepCounts& step, size_t last) {
      const std::vector<uint64_t>& counts = step.*buckets;
      uint64_t sum = 0;
      for (size_t i = 0; i < counts.size() && i <= last; ++i) sum += counts[i];
      return sum;
    };
    const auto all = [&](const StepCounts& step) { return up_to(step, SIZE_MAX); };
    // A side of which nothing is known has no durations.
    if (std::ranges::none_of(calls.steps, [&](const auto& step) { return all(step.second) > 0; })) {
      return;
    }
    for (uint32_t bucket = 0; bucket <= model::kGraphLatencyBounds.count; ++bucket) {
      Labels with_bound = labels;
      SetLabel(&with_bound, "le", model::kGraphLatencyBounds.Text(bucket));
      Make(std::move(with_bound), name + "_bucket", calls,
           [&](const StepCounts& step) { return up_to(step, bucket); });
    }
    Make(labels, name + "_count", calls, all);
    Make(labels, name + "_sum", calls,
         [sum_ns](const StepCounts& step) { return static_cast<double>(step.*sum_ns) / 1e9; });
  }

  template <typename ValueOfStep>
  void Make(Labels labels, std::string_view name, const Calls& calls, ValueOfStep value) {
    if (!Wants(name)) return;
    SetLabel(&labels, lang::promql::kNameLabel, name);
    if (!MatchesAll(request_.matchers, labels)) return;
    std::vector<double> sums;
    double sum = 0;
    for (const auto& [interval, step] : calls.steps) {
      sum += static_cast<double>(value(step));
      sums.push_back(sum);
    }
    series_.push_back(
        std::make_unique<CountedSeries>(std::move(labels), intervals_, std::move(sums), grid_));
  }

  const SelectRequest& request_;
  CountedSeries::Grid grid_;
  Intervals intervals_;  // of the edge at hand
  std::vector<std::unique_ptr<SampleSeries>> series_;
};

}  // namespace

Result<std::vector<std::unique_ptr<SampleSeries>>> SelectGraph(const SpanSeriesParts& parts,
                                                               const model::TenantId& tenant,
                                                               const SelectRequest& request,
                                                               int64_t now_ms,
                                                               const exec::Budget& budget) {
  GraphSelection selection(request, now_ms);
  if (!selection.wanted()) return std::vector<std::unique_ptr<SampleSeries>>();
  if (selection.count() > exec::TimeAxis::kStepsMax) {
    return Error(ErrorCode::kInvalidArgument,
                 "the service graph would have " + std::to_string(selection.count()) +
                     " samples; at most " + std::to_string(exec::TimeAxis::kStepsMax) +
                     ": ask for a shorter range or a longer window");
  }
  insight::CallQuery query;
  query.tenant = tenant;
  query.steps = selection.Steps();
  query.range = query.steps->axis.range();
  const insight::CallSurveyor surveyor(*parts.source, *parts.env, *parts.runner);
  WEFT_ASSIGN_OR_RETURN(const insight::ServiceGraph graph,
                        MakeServiceGraph(surveyor, query, budget));
  if (!graph.complete) {
    return Error(ErrorCode::kUnavailable, graph.reason + ": ask for a shorter range");
  }
  return selection.SeriesOf(graph);
}

}  // namespace weft::query::prometheus
