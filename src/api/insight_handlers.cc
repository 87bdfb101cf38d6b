// What is found out about many traces at once: the service graph, broken propagation, critical
// paths.

#include <optional>
#include <utility>

#include "api/answers.h"
#include "api/api_server.h"
#include "api/json_writer.h"
#include "api/parameters.h"
#include "query/exec/span_describer.h"
#include "query/insight/propagation.h"
#include "query/insight/service_graph.h"
#include "query/insight/trace_paths.h"
#include "query/lang/traceql/compile.h"

namespace weft::api {
namespace {

using query::exec::LatencyHistogram;
using query::insight::CallCounts;
using query::insight::CallQuery;
using query::insight::CallSurveyor;
using query::insight::DurationSummary;
using query::insight::Finding;
using query::insight::FindingKind;
using query::insight::GraphEdge;
using query::insight::GraphNode;
using query::insight::NodeName;
using query::insight::PathAnswer;
using query::insight::PathGroup;
using query::insight::PathRequest;

constexpr size_t kQueryBytesMax = 128 << 10;

// The calls that a request asks for, or the answer that refuses it.
std::optional<net::HttpResponse> ReadCalls(const Call& call, int64_t now_ns, CallQuery* calls) {
  const auto parameters = Parameters::Read(call.request.query, {"q", "start", "end"});
  if (!parameters.ok()) return AnswerError(parameters.error());
  const auto text = parameters->Text("q", kQueryBytesMax);
  if (!text.ok()) return AnswerError(text.error());
  const auto range = parameters->Range(now_ns);
  if (!range.ok()) return AnswerError(range.error());
  auto plan = query::lang::traceql::Compile(text->value_or("{}"));
  if (!plan.ok()) return AnswerQueryError(plan.error());
  calls->tenant = call.tenant;
  calls->range = *range;
  calls->spans = std::move(*plan);
  return std::nullopt;
}

struct PropagationParameters {
  CallQuery calls;
  std::optional<std::string> service;
};

Result<PropagationParameters> ReadPropagation(const Call& call, int64_t now_ns) {
  WEFT_ASSIGN_OR_RETURN(const Parameters parameters,
                        Parameters::Read(call.request.query, {"service", "start", "end"}));
  PropagationParameters out;
  WEFT_ASSIGN_OR_RETURN(const auto service, parameters.Text("service"));
  WEFT_ASSIGN_OR_RETURN(out.calls.range, parameters.Range(now_ns));
  if (service) out.service = std::string(*service);
  out.calls.tenant = call.tenant;
  return out;
}

void WriteQuantiles(const LatencyHistogram& durations, JsonWriter* json) {
  json->BeginObject();
  json->UintField("count", durations.count());
  json->Int64Field("p50Ns", durations.Quantile(0.5));
  json->Int64Field("p95Ns", durations.Quantile(0.95));
  json->Int64Field("p99Ns", durations.Quantile(0.99));
  json->EndObject();
}

void WriteName(const NodeName& name, JsonWriter* json) {
  json->Field("name", name.name);
  json->Field("kind", NodeKindName(name.kind));
  if (!name.system.empty()) json->Field("system", name.system);
}

void WriteEnd(std::string_view end, const NodeName& name, JsonWriter* json) {
  json->Key(end);
  json->BeginObject();
  WriteName(name, json);
  json->EndObject();
}

void WriteCounts(const CallCounts& counts, JsonWriter* json) {
  json->UintField("requests", counts.requests);
  json->UintField("errors", counts.errors);
  json->UintField("failed", counts.failed);
  json->UintField("torn", counts.torn);
  json->UintField("unanswered", counts.unanswered);
}

void WriteNode(const GraphNode& node, JsonWriter* json) {
  json->BeginObject();
  WriteName(node.name, json);
  json->UintField("requests", node.counts.requests);
  json->UintField("errors", node.counts.errors);
  json->Key("durations");
  WriteQuantiles(node.counts.server, json);
  json->EndObject();
}

void WriteEdge(const GraphEdge& edge, JsonWriter* json) {
  json->BeginObject();
  WriteEnd("client", edge.client, json);
  WriteEnd("server", edge.server, json);
  json->Field("connection", ConnectionName(edge.connection));
  if (!edge.via.empty()) json->Field("via", edge.via);
  WriteCounts(edge.counts, json);
  json->Key("clientDurations");
  WriteQuantiles(edge.counts.client, json);
  json->Key("serverDurations");
  WriteQuantiles(edge.counts.server, json);
  json->Field("exampleTraceId", edge.counts.example.ToHex());
  json->EndObject();
}

void WriteText(std::string_view name, const std::string& text, JsonWriter* json) {
  if (!text.empty()) json->Field(name, text);
}

void WriteExample(std::string_view name, const model::TraceId& id, JsonWriter* json) {
  if (id.valid()) json->Field(name, id.ToHex());
}

void WriteFinding(const Finding& finding, JsonWriter* json) {
  json->BeginObject();
  json->Field("kind", FindingKindName(finding.kind));
  WriteText("client", finding.client, json);
  json->Field("server", finding.server);
  WriteText("clientLibrary", finding.client_library, json);
  WriteText("serverLibrary", finding.server_library, json);
  WriteText("queue", finding.queue, json);
  json->Field("culprit", CulpritName(finding.culprit));
  json->UintField("count", finding.count);
  if (finding.of != 0) json->UintField("of", finding.of);
  WriteExample("clientTraceId", finding.client_example, json);
  WriteExample("serverTraceId", finding.server_example, json);
  if (finding.kind == FindingKind::kClockSkew)
    json->Key("offsetNs"), json->Int64Text(finding.offset_ns);
  WriteText("host", finding.host, json);
  json->Field("what", finding.what);
  json->Field("advice", finding.advice);
  json->EndObject();
}

struct PathParameters {
  std::string_view query;
  PathRequest request;
};

Result<PathParameters> ReadPath(const Call& call, int64_t now_ns) {
  WEFT_ASSIGN_OR_RETURN(const Parameters parameters,
                        Parameters::Read(call.request.query, {"q", "start", "end", "limit"}));
  PathParameters out;
  WEFT_ASSIGN_OR_RETURN(const auto text, parameters.Text("q", kQueryBytesMax));
  WEFT_ASSIGN_OR_RETURN(out.request.range, parameters.Range(now_ns));
  WEFT_ASSIGN_OR_RETURN(out.request.limit, parameters.Whole("limit", 100, 1, 10'000));
  out.query = text.value_or("{} | critical_path()");
  out.request.tenant = call.tenant;
  return out;
}

void WriteInt(std::string_view name, int64_t value, JsonWriter* json) {
  json->Key(name), json->Int64Text(value);
}

void WriteGroup(const PathGroup& group, JsonWriter* json) {
  json->BeginObject();
  json->Key("labels");
  json->BeginArray();
  for (const query::exec::FoundValue& label : group.labels) WriteValue(label, json);
  json->EndArray();
  WriteInt("ownNs", group.own_ns, json);
  json->UintField("spans", group.spans);
  json->UintField("traces", group.traces);
  json->EndObject();
}

void WriteSummary(std::string_view name, const DurationSummary& summary, JsonWriter* json) {
  json->Key(name);
  json->BeginObject();
  WriteInt("meanNs", summary.mean_ns, json);
  WriteInt("p50Ns", summary.p50_ns, json);
  WriteInt("p95Ns", summary.p95_ns, json);
  WriteInt("p99Ns", summary.p99_ns, json);
  json->EndObject();
}

void WriteWhatIf(const PathAnswer& answer, JsonWriter* json) {
  json->Key("whatIf");
  json->BeginObject();
  json->Key("factor"), json->Double(answer.factor);
  json->UintField("changedSpans", answer.changed_spans);
  json->UintField("changedRoots", answer.changed_roots);
  WriteSummary("before", answer.before, json);
  WriteSummary("after", answer.after, json);
  json->EndObject();
}

}  // namespace

net::HttpResponse ApiServer::ServiceGraph(const Call& call) {
  CallQuery calls;
  if (auto refusal = ReadCalls(call, parts_.env->NowNs(), &calls)) return *std::move(refusal);
  const auto graph = query::insight::MakeServiceGraph(
      CallSurveyor(*parts_.source, *parts_.env, *parts_.runner), calls, call.budget);
  if (!graph.ok()) return AnswerInsightError(graph.error());
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  json.Key("nodes");
  json.BeginArray();
  for (const GraphNode& node : graph->nodes) WriteNode(node, &json);
  json.EndArray();
  json.Key("edges");
  json.BeginArray();
  for (const GraphEdge& edge : graph->edges) WriteEdge(edge, &json);
  json.EndArray();
  json.BoolField("complete", graph->complete);
  if (!graph->reason.empty()) json.Field("reason", graph->reason);
  WriteStats(graph->stats, &json);
  json.EndObject();
  return AnswerJson(std::move(text));
}

net::HttpResponse ApiServer::Propagation(const Call& call) {
  const auto asked = ReadPropagation(call, parts_.env->NowNs());
  if (!asked.ok()) return AnswerError(asked.error());
  const auto report = query::insight::FindBrokenPropagation(
      CallSurveyor(*parts_.source, *parts_.env, *parts_.runner), asked->calls, asked->service,
      call.budget);
  if (!report.ok()) return AnswerInsightError(report.error());
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  json.Key("findings");
  json.BeginArray();
  for (const Finding& finding : report->findings) WriteFinding(finding, &json);
  json.EndArray();
  json.UintField("calls", report->calls);
  json.BoolField("complete", report->complete);
  if (!report->reason.empty()) json.Field("reason", report->reason);
  WriteStats(report->stats, &json);
  json.EndObject();
  return AnswerJson(std::move(text));
}

net::HttpResponse ApiServer::CriticalPath(const Call& call) {
  const auto asked = ReadPath(call, parts_.env->NowNs());
  if (!asked.ok()) return AnswerError(asked.error());
  const auto query = query::lang::traceql::CompilePath(asked->query);
  if (!query.ok()) return AnswerQueryError(query.error());
  const auto answer = query::insight::PathExecutor(*parts_.source, *parts_.env, *parts_.runner)
                          .Run(*query, asked->request, call.budget);
  if (!answer.ok()) return AnswerInsightError(answer.error());
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  json.UintField("traces", answer->traces);
  json.UintField("roots", answer->roots);
  WriteInt("totalNs", answer->total_ns, &json);
  if (answer->kind == query::plan::PathQuery::Kind::kWhatIf) {
    WriteWhatIf(*answer, &json);
  } else {
    json.Key("groups");
    json.BeginArray();
    for (const PathGroup& group : answer->groups) WriteGroup(group, &json);
    json.EndArray();
    json.UintField("groupCount", answer->group_count);
  }
  json.BoolField("complete", answer->complete);
  if (!answer->reason.empty()) json.Field("reason", answer->reason);
  WriteStats(answer->stats, &json);
  json.EndObject();
  return AnswerJson(std::move(text));
}

}  // namespace weft::api
