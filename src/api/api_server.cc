#include "api/api_server.h"

#include <algorithm>
#include <utility>

#include "api/answers.h"
#include "model/tenant.h"

namespace weft::api {
namespace {

constexpr int64_t kMs = 1'000'000;
constexpr uint32_t kRetryAfterMs = 1'000;

net::HttpResponse Busy(const std::string& why) {
  return AnswerError(Error(ErrorCode::kUnavailable, why, kRetryAfterMs));
}

}  // namespace

// The numbers of one endpoint. The registry keeps counters for ever, so they may be looked up once
// and kept.
struct ApiServer::EndpointMetrics {
  EndpointMetrics(MetricRegistry& registry, const std::string& path)
      : registry(registry),
        path(path),
        microseconds(registry.GetCounter("weft_api_work_microseconds_total",
                                         "Time spent on answers of the query API.",
                                         {{"endpoint", path}})) {}

  void Count(int status, int64_t work_ns) {
    registry
        .GetCounter("weft_api_requests_total", "Requests to the query API by endpoint and status.",
                    {{"endpoint", path}, {"status", std::to_string(status)}})
        .Add();
    microseconds.Add(static_cast<uint64_t>(work_ns / 1000));
  }

  MetricRegistry& registry;
  const std::string path;
  Counter& microseconds;
};

ApiServer::ApiServer(ApiParts parts, StaticFiles files, const ApiOptions& options)
    : parts_(std::move(parts)),
      files_(std::move(files)),
      options_(options),
      pool_(options.threads, options.queue_max) {
  parts_.metrics->AddGaugeFunction("weft_api_queued_requests",
                                   "Requests that wait for a thread of the query API.", {},
                                   [this] { return static_cast<double>(pool_.queued()); });
}

ApiServer::~ApiServer() { Stop(); }

void ApiServer::Stop() {
  stopping_ = true;
  pool_.Stop();
}

void ApiServer::AddTo(net::HttpRouter* router) {
  AddWork(router, "GET", "/api/v1/services", &ApiServer::Services);
  AddWork(router, "GET", "/api/v1/operations", &ApiServer::Operations);
  AddWork(router, "GET", "/api/v1/attributes", &ApiServer::Attributes);
  AddWork(router, "GET", "/api/v1/attribute-values", &ApiServer::AttributeValues);
  AddWork(router, "GET", "/api/v1/search", &ApiServer::Search);
  AddWork(router, "GET", "/api/v1/traces/{traceId}", &ApiServer::Trace);
  AddWork(router, "GET", "/api/v1/status", &ApiServer::Status);
  AddWork(router, "GET", "/api/v1/usage", &ApiServer::Usage);
  AddWork(router, "POST", "/api/v1/deletions", &ApiServer::Delete);
  AddWork(router, "GET", "/api/v1/deletions", &ApiServer::Deletions);
  AddWork(router, "GET", "/api/v1/deletions/{deletionId}", &ApiServer::Deletion);
  AddWork(router, "POST", "/flush", &ApiServer::Flush);
  AddSmall(router);
}

void ApiServer::AddWork(net::HttpRouter* router, std::string_view method, std::string_view path,
                        Handler handler) {
  auto metrics = std::make_shared<EndpointMetrics>(*parts_.metrics, std::string(path));
  router->Add(method, path,
              [this, handler, metrics](net::HttpRequest received, const net::HttpRespond& respond) {
                auto request = std::make_shared<net::HttpRequest>(std::move(received));
                const int64_t received_ns = parts_.env->MonotonicNs();
                const bool queued =
                    pool_.TryRun([this, handler, metrics, request, respond, received_ns] {
                      const int64_t begin_ns = parts_.env->MonotonicNs();
                      net::HttpResponse response = Work(handler, *request, received_ns);
                      const int status = response.status;
                      respond(std::move(response));  // compresses, too
                      metrics->Count(status, parts_.env->MonotonicNs() - begin_ns);
                    });
                if (queued) return;
                metrics->Count(503, 0);
                respond(Busy("too many requests are waiting; try again"));
              });
}

net::HttpResponse ApiServer::Work(Handler handler, const net::HttpRequest& request,
                                  int64_t received_ns) {
  if (stopping_) return Busy("the server is stopping");
  if (request.client_gone())
    return AnswerError(Error(ErrorCode::kCancelled, "the client went away"));
  if (const std::string why = parts_.not_ready(); !why.empty()) return Busy("not ready: " + why);
  auto tenant = model::ParseTenant(request.headers.Get(model::kTenantHeader));
  if (!tenant.ok()) return AnswerError(tenant.error());
  Call call{request, std::move(*tenant), {}};
  call.budget.time_ms = options_.time_ms - (parts_.env->MonotonicNs() - received_ns) / kMs;
  call.budget.memory_bytes = options_.memory_bytes;
  call.budget.cancelled = request.gone.get();
  if (call.budget.time_ms <= 0)
    return Busy("the request waited longer than it may take; try again");
  return (this->*handler)(call);
}

// Endpoints that answer at once, on the thread that serves the socket.
void ApiServer::AddSmall(net::HttpRouter* router) {
  router->Add("GET", "/metrics", [this](const net::HttpRequest&, const net::HttpRespond& respond) {
    net::HttpResponse response = net::HttpResponse::Text(200, parts_.metrics->RenderPrometheus());
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    respond(std::move(response));
  });
  router->Add("GET", "/ready", [this](const net::HttpRequest&, const net::HttpRespond& respond) {
    const std::string why = parts_.not_ready();
    respond(net::HttpResponse::Text(why.empty() ? 200 : 503, (why.empty() ? "ready" : why) + "\n"));
  });
  router->Add(
      "GET", "/{path...}",
      [this](const net::HttpRequest& request, const net::HttpRespond& respond) {
        auto answer = files_.Answer(request);
        respond(answer ? std::move(*answer)
                       : AnswerError(Error(ErrorCode::kNotFound,
                                           "there is nothing at " + request.path.substr(0, 200))));
      });
}

}  // namespace weft::api
