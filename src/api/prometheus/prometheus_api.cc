#include "api/prometheus/prometheus_api.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "api/prometheus/answers.h"
#include "api/prometheus/request.h"
#include "query/lang/promql/tree.h"

namespace weft::api::prometheus {
namespace {

using query::lang::promql::kNameLabel;
using query::prometheus::Labels;
using query::prometheus::SeriesExemplars;

// Whose API this is, for clients that offer more to newer versions.
constexpr std::string_view kPrometheusVersion = "2.42.0";
constexpr std::array<std::string_view, 2> kPrefixes{"", "/prometheus"};
constexpr size_t kSelectorsMax = 100;

int64_t NowMs(const Env& env) { return env.NowNs() / 1'000'000; }

// Selectors of what has each value of a label, as far as possible once.
std::vector<std::string> AnySeriesWith(std::string_view label) {
  if (label == "le") {
    return {std::string(model::kLatency) + "_bucket", std::string(model::kGraphServer) + "_bucket"};
  }
  const bool of_graph = label == "client" || label == "server" || label == "connection_type";
  return {std::string(of_graph ? model::kGraphRequests : model::kCallsTotal)};
}

std::vector<std::string> KnownNames() {
  std::vector<std::string> out;
  for (const auto& family : query::prometheus::KnownFamilies()) {
    const std::string name(family.family);
    if (family.type == "histogram") {
      for (const char* part : {"_bucket", "_count", "_sum"}) out.push_back(name + part);
    } else {
      out.push_back(name);
    }
  }
  std::ranges::sort(out);
  return out;
}

net::HttpResponse AnswerTexts(const std::set<std::string>& texts, size_t limit) {
  const size_t count = limit == 0 ? texts.size() : std::min(limit, texts.size());
  return AnswerData(
      [&](JsonWriter* json) {
        json->BeginArray();
        auto next = texts.begin();
        for (size_t i = 0; i < count; ++i) json->String(*next++);
        json->EndArray();
      },
      count < texts.size() ? "results truncated due to limit" : "");
}

void WriteExemplars(const SeriesExemplars& series, JsonWriter* json) {
  json->BeginObject();
  json->Key("seriesLabels");
  json->BeginObject();
  for (const auto& [name, value] : series.labels) json->Field(name, value);
  json->EndObject();
  json->Key("exemplars");
  json->BeginArray();
  for (const SeriesExemplars::Exemplar& exemplar : series.exemplars) {
    json->BeginObject();
    json->Key("labels");
    json->BeginObject();
    json->Field("traceID", exemplar.trace_id.ToHex());
    json->EndObject();
    json->Field("value", PrintNumber(exemplar.value));
    json->Key("timestamp"), json->Double(static_cast<double>(exemplar.time_ms) / 1000);
    json->EndObject();
  }
  json->EndArray();
  json->EndObject();
}

net::HttpResponse AnswerParseError(const query::QueryError& error) {
  return AnswerError(
      Error(error.error.code(), "invalid parameter \"query\": " + std::to_string(error.line) + ":" +
                                    std::to_string(error.column) +
                                    ": parse error: " + error.error.message()));
}

// The selectors of a query, as far as it is deep at most kNestingMax.
void CollectSelectors(const query::lang::promql::Node& node,
                      std::vector<const query::lang::promql::Node*>* out) {
  if (node.kind == query::lang::promql::NodeKind::kSelector) out->push_back(&node);
  for (const auto& child : node.children) CollectSelectors(*child, out);
}

}  // namespace

PrometheusApi::PrometheusApi(const PrometheusParts& parts)
    : version_(parts.version),
      source_(*parts.source),
      series_{&source_, parts.env, parts.runner, parts.dimensions},
      env_(*parts.env) {}

void PrometheusApi::AddTo(net::HttpRouter* router, const AddWork& add) const {
  struct Route {
    std::string_view path;
    Handler handler;
    bool also_post;
  };
  static constexpr std::array<Route, 6> kRoutes{{
      {"/api/v1/query", &PrometheusApi::Query, true},
      {"/api/v1/query_range", &PrometheusApi::QueryRange, true},
      {"/api/v1/query_exemplars", &PrometheusApi::QueryExemplars, true},
      {"/api/v1/series", &PrometheusApi::Series, true},
      {"/api/v1/labels", &PrometheusApi::LabelNames, true},
      {"/api/v1/label/{name}/values", &PrometheusApi::LabelValues, false},
  }};
  for (const std::string_view prefix : kPrefixes) {
    for (const Route& route : kRoutes) {
      Endpoint endpoint;
      endpoint.answer = [this, handler = route.handler](const Call& call) {
        return (this->*handler)(call);
      };
      endpoint.refuse = AnswerError;
      endpoint.read_tenant = tempo::ReadTenants;
      const std::string path = std::string(prefix) + std::string(route.path);
      add("GET", path, endpoint);
      if (route.also_post) add("POST", path, endpoint);
    }
    const auto small = [&](std::string_view path,
                           net::HttpResponse (PrometheusApi::*answer)() const) {
      router->Add("GET", std::string(prefix) + std::string(path),
                  [this, answer](const net::HttpRequest&, const net::HttpRespond& respond) {
                    respond((this->*answer)());
                  });
    };
    small("/api/v1/metadata", &PrometheusApi::Metadata);
    small("/api/v1/status/buildinfo", &PrometheusApi::BuildInfo);
  }
}

net::HttpResponse PrometheusApi::Run(const Call& call, std::string_view text,
                                     const query::prometheus::Evaluation& when) const {
  const auto query = query::lang::promql::Parse(text);
  if (!query.ok()) return AnswerParseError(query.error());
  query::prometheus::SpanSeriesSource source(series_, call.tenant, call.budget);
  const auto answer = query::prometheus::Evaluate(**query, when, &source, env_, call.budget);
  return answer.ok() ? AnswerEvaluated(*answer, when) : AnswerExecutionError(answer.error());
}

net::HttpResponse PrometheusApi::Query(const Call& call) const {
  const auto parameters = ReadParameters(call.request);
  if (!parameters.ok()) return AnswerError(parameters.error());
  const auto when = ReadInstant(*parameters, NowMs(env_));
  if (!when.ok()) return AnswerError(when.error());
  return Run(call, TextOf(*parameters, "query"), *when);
}

net::HttpResponse PrometheusApi::QueryRange(const Call& call) const {
  const auto parameters = ReadParameters(call.request);
  if (!parameters.ok()) return AnswerError(parameters.error());
  const auto when = ReadRange(*parameters);
  if (!when.ok()) return AnswerError(when.error());
  return Run(call, TextOf(*parameters, "query"), *when);
}

Result<std::vector<SeriesExemplars>> PrometheusApi::FindExemplars(
    const Call& call, const query::lang::promql::Node& query, int64_t start_ms,
    int64_t end_ms) const {
  std::vector<const query::lang::promql::Node*> selectors;
  CollectSelectors(query, &selectors);
  if (selectors.size() > kSelectorsMax) {
    return Error(ErrorCode::kInvalidArgument,
                 "more than " + std::to_string(kSelectorsMax) + " selectors");
  }
  query::prometheus::SpanSeriesSource source(series_, call.tenant, call.budget);
  std::map<Labels, SeriesExemplars> found;
  for (const query::lang::promql::Node* selector : selectors) {
    WEFT_ASSIGN_OR_RETURN(std::vector<SeriesExemplars> series,
                          source.Exemplars(selector->matchers, start_ms, end_ms));
    for (SeriesExemplars& one : series) found.try_emplace(one.labels, std::move(one));
  }
  std::vector<SeriesExemplars> out;
  for (auto& [labels, series] : found) out.push_back(std::move(series));
  return out;
}

net::HttpResponse PrometheusApi::QueryExemplars(const Call& call) const {
  const auto parameters = ReadParameters(call.request);
  if (!parameters.ok()) return AnswerError(parameters.error());
  const auto bounds = ReadBounds(*parameters, NowMs(env_));
  if (!bounds.ok()) return AnswerError(bounds.error());
  const auto query = query::lang::promql::Parse(TextOf(*parameters, "query"));
  if (!query.ok()) return AnswerParseError(query.error());
  const auto found = FindExemplars(call, **query, bounds->start_ms, bounds->end_ms);
  if (!found.ok()) return AnswerExecutionError(found.error());
  return AnswerData([&](JsonWriter* json) {
    json->BeginArray();
    for (const SeriesExemplars& series : *found) WriteExemplars(series, json);
    json->EndArray();
  });
}

Result<std::vector<Labels>> PrometheusApi::Find(const Call& call,
                                                const std::vector<std::string>& selectors) const {
  WEFT_ASSIGN_OR_RETURN(const net::HttpParameters parameters, ReadParameters(call.request));
  WEFT_ASSIGN_OR_RETURN(const Found bounds, ReadBounds(parameters, NowMs(env_)));
  if (selectors.size() > kSelectorsMax) {
    return Error(ErrorCode::kInvalidArgument,
                 "more than " + std::to_string(kSelectorsMax) + " match[]");
  }
  query::prometheus::SpanSeriesSource source(series_, call.tenant, call.budget);
  std::set<Labels> found;
  for (const std::string& selector : selectors) {
    const auto matchers = query::lang::promql::ParseMatchers(selector);
    if (!matchers.ok()) {
      return Error(ErrorCode::kInvalidArgument,
                   "invalid parameter \"match[]\": " + matchers.error().ToString());
    }
    query::prometheus::SelectRequest request;
    request.matchers = *matchers;
    request.start_ms = request.end_ms = bounds.end_ms;
    request.window_ms = bounds.end_ms - bounds.start_ms;
    request.is_range = true;
    WEFT_ASSIGN_OR_RETURN(const auto series, source.Select(request));
    for (const auto& one : series) found.insert(one->labels());
  }
  return std::vector<Labels>(found.begin(), found.end());
}

net::HttpResponse PrometheusApi::Series(const Call& call) const {
  const auto parameters = ReadParameters(call.request);
  if (!parameters.ok()) return AnswerError(parameters.error());
  const std::vector<std::string> selectors = AllOf(*parameters, "match[]");
  if (selectors.empty()) {
    return AnswerError(Error(ErrorCode::kInvalidArgument, "no match[] parameter provided"));
  }
  const auto limit = ReadLimit(*parameters);
  if (!limit.ok()) return AnswerError(limit.error());
  const auto found = Find(call, selectors);
  if (!found.ok()) return AnswerError(found.error());
  const size_t count = *limit == 0 ? found->size() : std::min(*limit, found->size());
  return AnswerData(
      [&](JsonWriter* json) {
        json->BeginArray();
        for (size_t i = 0; i < count; ++i) {
          json->BeginObject();
          for (const auto& [name, value] : (*found)[i]) json->Field(name, value);
          json->EndObject();
        }
        json->EndArray();
      },
      count < found->size() ? "results truncated due to limit" : "");
}

net::HttpResponse PrometheusApi::LabelNames(const Call& call) const {
  const auto parameters = ReadParameters(call.request);
  if (!parameters.ok()) return AnswerError(parameters.error());
  const auto limit = ReadLimit(*parameters);
  if (!limit.ok()) return AnswerError(limit.error());
  const std::vector<std::string> selectors = AllOf(*parameters, "match[]");
  std::set<std::string> names;
  if (selectors.empty()) {
    // Those that there may be.
    for (const std::string_view name : {kNameLabel, model::kServiceLabel, model::kSpanNameLabel,
                                        model::kSpanKindLabel, model::kStatusCodeLabel}) {
      names.emplace(name);
    }
    for (const char* name : {"le", "client", "server", "connection_type"}) names.insert(name);
    for (const auto& dimension : series_.dimensions) names.insert(dimension.label);
    return AnswerTexts(names, *limit);
  }
  const auto found = Find(call, selectors);
  if (!found.ok()) return AnswerError(found.error());
  for (const Labels& labels : *found) {
    for (const auto& [name, value] : labels) names.insert(name);
  }
  return AnswerTexts(names, *limit);
}

net::HttpResponse PrometheusApi::LabelValues(const Call& call) const {
  const auto parameters = ReadParameters(call.request);
  if (!parameters.ok()) return AnswerError(parameters.error());
  const auto limit = ReadLimit(*parameters);
  if (!limit.ok()) return AnswerError(limit.error());
  const std::string_view name = call.request.PathParameter("name");
  std::vector<std::string> selectors = AllOf(*parameters, "match[]");
  std::set<std::string> values;
  if (selectors.empty() && name == kNameLabel) {
    for (const std::string& known : KnownNames()) values.insert(known);
    return AnswerTexts(values, *limit);
  }
  if (selectors.empty()) {
    selectors = AnySeriesWith(name);
  }
  const auto found = Find(call, selectors);
  if (!found.ok()) return AnswerError(found.error());
  for (const Labels& labels : *found) {
    const std::string_view value = query::prometheus::ValueOf(labels, name);
    if (!value.empty()) values.emplace(value);
  }
  return AnswerTexts(values, *limit);
}

net::HttpResponse PrometheusApi::Metadata() const {
  return AnswerData([](JsonWriter* json) {
    json->BeginObject();
    for (const auto& family : query::prometheus::KnownFamilies()) {
      json->Key(family.family);
      json->BeginArray();
      json->BeginObject();
      json->Field("type", family.type);
      json->Field("help", family.help);
      json->Field("unit", "");
      json->EndObject();
      json->EndArray();
    }
    json->EndObject();
  });
}

net::HttpResponse PrometheusApi::BuildInfo() const {
  return AnswerData([this](JsonWriter* json) {
    json->BeginObject();
    json->Field("version", kPrometheusVersion);
    json->Field("revision", "weft " + version_);
    for (const std::string_view name : {"branch", "buildUser", "buildDate", "goVersion"}) {
      json->Field(name, "");
    }
    json->EndObject();
  });
}

}  // namespace weft::api::prometheus
