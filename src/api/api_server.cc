#include "api/api_server.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "api/answers.h"
#include "base/read_account.h"
#include "model/tenant.h"

namespace weft::api {
namespace {

constexpr int64_t kMs = 1'000'000;
constexpr uint32_t kRetryAfterMs = 1'000;

net::HttpResponse Busy(const std::string& why) {
  return AnswerError(Error(ErrorCode::kUnavailable, why, kRetryAfterMs));
}

// What an answer took, for the developer tools of browsers and for whoever looks at headers (W3C
// Server Timing).
std::string ServerTiming(int64_t took_ns, const ReadAccount& reads) {
  std::array<char, 32> milliseconds;
  std::snprintf(milliseconds.data(), milliseconds.size(), "%.3f",
                static_cast<double>(took_ns) / 1e6);
  return "total;dur=" + std::string(milliseconds.data()) +
         ", store;desc=\"requests=" + std::to_string(reads.requests) +
         " bytes=" + std::to_string(reads.bytes) + " hits=" + std::to_string(reads.hits) + "\"";
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
                                         {{"endpoint", path}})),
        store_requests(registry.GetCounter("weft_api_store_requests_total",
                                           "Requests to an object store for answers.",
                                           {{"endpoint", path}})),
        store_bytes(registry.GetCounter("weft_api_store_bytes_total",
                                        "Bytes asked of an object store for answers.",
                                        {{"endpoint", path}})),
        store_hits(registry.GetCounter(
            "weft_api_store_cache_hits_total",
            "Reads of objects for answers that made no request to the object store.",
            {{"endpoint", path}})) {}

  void CountReads(const ReadAccount& reads) {
    store_requests.Add(reads.requests);
    store_bytes.Add(reads.bytes);
    store_hits.Add(reads.hits);
  }

  void Count(int status) {
    registry
        .GetCounter("weft_api_requests_total", "Requests to the query API by endpoint and status.",
                    {{"endpoint", path}, {"status", std::to_string(status)}})
        .Add();
  }

  MetricRegistry& registry;
  const std::string path;
  Counter& microseconds;
  Counter& store_requests;
  Counter& store_bytes;
  Counter& store_hits;
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
  AddWork(router, "GET", "/api/v1/operation-series", &ApiServer::OperationSeries);
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
                      ReadAccount reads;
                      const ReadAccountScope scope(&reads);
                      net::HttpResponse response = Work(handler, *request, received_ns);
                      const int64_t took_ns = parts_.env->MonotonicNs() - received_ns;
                      response.headers.Add("server-timing", ServerTiming(took_ns, reads));
                      // First: who has the answer finds it counted.
                      metrics->Count(response.status);
                      metrics->CountReads(reads);
                      respond(std::move(response));  // compresses, too
                      const int64_t work_ns = parts_.env->MonotonicNs() - begin_ns;
                      metrics->microseconds.Add(static_cast<uint64_t>(work_ns / 1000));
                    });
                if (queued) return;
                metrics->Count(503);
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
