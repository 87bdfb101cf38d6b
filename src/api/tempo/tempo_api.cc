// Routes, and the endpoints that answer at once.

#include "api/tempo/tempo_api.h"

#include <utility>

#include "api/json_writer.h"
#include "api/tempo/answers.h"

namespace weft::api::tempo {
namespace {

// Whose API this is, for clients that offer more to newer versions.
constexpr std::string_view kTempoVersion = "3.0.0";

constexpr std::string_view kDiffPath = "/api/v2/traces/diff";

net::HttpResponse MethodNotAllowed(std::string_view allowed) {
  net::HttpResponse response = AnswerText("method not allowed, expected " + std::string(allowed));
  response.status = 405;
  response.headers.Set("Allow", allowed);
  return response;
}

std::string BuildInfo(const std::string& version) {
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  json.Field("version", kTempoVersion);
  json.Field("revision", "weft " + version);
  for (const std::string_view name : {"branch", "buildUser", "buildDate", "goVersion"})
    json.Field(name, "");
  json.EndObject();
  return text;
}

std::string VersionText(const std::string& version) {
  return "weft " + version + ", with the API of Tempo " + std::string(kTempoVersion) + "\n";
}

std::string ServicesText(const std::string& not_ready) {
  return "weft: " + (not_ready.empty() ? "Running" : "Starting (" + not_ready + ")") + "\n";
}

}  // namespace

TempoApi::TempoApi(const TempoParts& parts, const TempoOptions& options)
    : parts_(parts), options_(options), source_(*parts_.source) {}

std::vector<TempoApi::Route> TempoApi::Routes() {
  return {{"/api/traces/{traceID}", &TempoApi::TraceV1},
          {"/api/v2/traces/{traceID}", &TempoApi::TraceV2},
          {"/api/search", &TempoApi::Search},
          {"/api/metrics/query_range", &TempoApi::MetricsRange},
          {"/api/metrics/query", &TempoApi::MetricsInstant},
          {"/api/search/tags", &TempoApi::TagsV1},
          {"/api/v2/search/tags", &TempoApi::TagsV2},
          {"/api/search/tag/{tag}/values", &TempoApi::TagValuesV1},
          {"/api/v2/search/tag/{tag}/values", &TempoApi::TagValuesV2}};
}

void TempoApi::AddTo(net::HttpRouter* router, std::string_view method, const AddWork& add) const {
  const auto add_handler = [&](std::string_view path, Handler handler) {
    Endpoint endpoint;
    endpoint.answer = [this, handler](const Call& call) { return (this->*handler)(call); };
    endpoint.refuse = AnswerError;
    endpoint.read_tenant = ReadTenants;
    add(options_.path_prefix + std::string(path), std::move(endpoint));
  };
  for (const auto& [path, handler] : Routes()) add_handler(path, handler);
  // The only one that takes a body, and one method.
  if (method == "POST") {
    add_handler(kDiffPath, &TempoApi::TraceDiff);
  } else {
    // Not the trace with the id "diff".
    router->Add(method, options_.path_prefix + std::string(kDiffPath),
                [](const net::HttpRequest&, const net::HttpRespond& respond) {
                  respond(MethodNotAllowed("POST"));
                });
  }
  AddSmall(router, method);
  AddNotThere(router, method);
  // As Tempo, which knows these methods, but only where overrides are enabled.
  if (method == "POST") {
    for (const std::string_view other : {"PATCH", "DELETE"}) AddNotThere(router, other);
  }
}

// Those of /api stand under the prefix, the pages for operators do not.
void TempoApi::AddSmall(net::HttpRouter* router, std::string_view method) const {
  const auto add = [&](const std::string& path, const std::function<net::HttpResponse()>& answer) {
    router->Add(method, path, [answer](const net::HttpRequest&, const net::HttpRespond& respond) {
      respond(answer());
    });
  };
  const std::string& prefix = options_.path_prefix;
  add(prefix + "/api/echo", [] { return AnswerText("echo"); });
  add(prefix + "/api/status/buildinfo",
      [this] { return Answer(AnswerForm::kJson, BuildInfo(parts_.version)); });
  add("/status/version", [this] { return AnswerText(VersionText(parts_.version)); });
  add("/status/services", [this] { return AnswerText(ServicesText(parts_.not_ready())); });
  add("/status/config", [this] { return AnswerText(parts_.config_text); });
  add("/status/endpoints", [this] { return AnswerText(EndpointsText()); });
  add("/status", [this] {
    return AnswerText(VersionText(parts_.version) + "\n" + ServicesText(parts_.not_ready()) + "\n" +
                      EndpointsText());
  });
}

void TempoApi::AddNotThere(net::HttpRouter* router, std::string_view method) const {
  const auto add = [&](const std::string& path, std::string_view why) {
    router->Add(method, path, [why](const net::HttpRequest&, const net::HttpRespond& respond) {
      net::HttpResponse response = AnswerText(std::string(why) + "\n");
      response.status = 404;
      respond(std::move(response));
    });
  };
  const std::string& prefix = options_.path_prefix;
  constexpr std::string_view kNoOverrides =
      "weft has no overrides by tenant: its settings hold for all, /status/config shows them";
  add(prefix + "/api/overrides", "user-configurable overrides are not enabled: weft has none");
  add(prefix + "/api/mcp", "the MCP server is not enabled: weft has none");
  if (method != "GET" && method != "POST") return;
  add("/status/overrides", kNoOverrides);
  add("/status/overrides/{tenant}", kNoOverrides);
  add("/status/runtime_config", kNoOverrides);
  add("/status/usage-stats", "weft reports its usage to nobody");
  add("/usage_metrics",
      "cost attribution is not enabled: /api/v1/usage tells whose the stored bytes are");
}

std::string TempoApi::EndpointsText() const {
  std::string text;
  for (const auto& [path, handler] : Routes())
    text += options_.path_prefix + std::string(path) + "\n";
  for (const std::string_view path :
       {kDiffPath, std::string_view("/api/echo"), std::string_view("/api/status/buildinfo")})
    text += options_.path_prefix + std::string(path) + "\n";
  for (const std::string_view path : {"/ready", "/metrics", "/status", "/status/version",
                                      "/status/services", "/status/endpoints", "/status/config"})
    text += std::string(path) + "\n";
  return text;
}

}  // namespace weft::api::tempo
