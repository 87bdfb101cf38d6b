#include "api/api_server.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "api/answers.h"
#include "api/explanation.h"
#include "api/tempo/streaming_querier.h"
#include "base/read_account.h"
#include "model/tenant.h"
#include "query/exec/profile.h"

namespace weft::api {
namespace {

constexpr int64_t kMs = 1'000'000;
constexpr uint32_t kRetryAfterMs = 1'000;
// So that small questions get their turns while large ones have theirs. Each may use up its memory.
constexpr int kQueriesPerThread = 2;

Error Busy(const std::string& why) { return Error(ErrorCode::kUnavailable, why, kRetryAfterMs); }

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

std::unique_ptr<tempo::StreamingQuerier> MakeStreaming(const ApiParts& parts,
                                                       const ApiOptions& options,
                                                       const tempo::StreamingWork& work) {
  tempo::StreamingOptions streaming;
  streaming.time_ms = options.time_ms;
  streaming.memory_bytes = options.memory_bytes;
  streaming.read_bytes = options.read_bytes;
  streaming.range_max_ns = options.tempo.range_max_ns;
  streaming.strip_trace_ids = options.tempo.strip_trace_ids;
  streaming.compat_tenants = options.tempo.compat_tenants;
  return std::make_unique<tempo::StreamingQuerier>(
      tempo::StreamingParts{.source = parts.source,
                            .env = parts.env,
                            .runner = parts.runner,
                            .metrics = parts.metrics,
                            .work = work,
                            .not_ready = parts.not_ready},
      streaming);
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

// A request on its way through the pool.
struct ApiServer::Task {
  net::HttpRequest request;
  int64_t received_ns = 0;
  bool explain = false;
  std::shared_ptr<RunningQueries::Entry> query;
};

ApiServer::ApiServer(ApiParts parts, StaticFiles files, const ApiOptions& options)
    : parts_(std::move(parts)),
      files_(std::move(files)),
      options_(options),
      tempo_({.source = parts_.source,
              .env = parts_.env,
              .runner = parts_.runner,
              .version = parts_.version,
              .config_text = parts_.config_text,
              .not_ready = parts_.not_ready},
             options.tempo),
      prometheus_({.source = parts_.source,
                   .env = parts_.env,
                   .runner = parts_.runner,
                   .version = parts_.version,
                   .dimensions = parts_.dimensions}),
      running_(*parts_.env),
      share_(*parts_.env, static_cast<size_t>(std::max(1, options.threads))),
      pool_(kQueriesPerThread * std::max(1, options.threads), options.queue_max),
      streaming_(MakeStreaming(parts_, options_, {&pool_, &running_, &share_})) {
  parts_.metrics->AddGaugeFunction("weft_api_queued_requests",
                                   "Requests that wait for a thread of the query API.", {},
                                   [this] { return static_cast<double>(pool_.queued()); });
}

ApiServer::~ApiServer() { Stop(); }

net::GrpcMethods* ApiServer::grpc_methods() { return streaming_.get(); }

void ApiServer::Stop() {
  stopping_ = true;
  pool_.Stop();
}

void ApiServer::AddTo(net::HttpRouter* router) {
  AddWork(router, "GET", "/api/v1/services", &ApiServer::Services);
  AddWork(router, "GET", "/api/v1/operations", &ApiServer::Operations);
  AddWork(router, "GET", "/api/v1/operation-series", &ApiServer::OperationSeries);
  AddWork(router, "GET", "/api/v1/service-graph", &ApiServer::ServiceGraph);
  AddWork(router, "GET", "/api/v1/propagation", &ApiServer::Propagation);
  AddWork(router, "GET", "/api/v1/critical-path", &ApiServer::CriticalPath);
  AddWork(router, "GET", "/api/v1/comparison", &ApiServer::Comparison);
  AddWork(router, "GET", "/api/v1/attributes", &ApiServer::Attributes);
  AddWork(router, "GET", "/api/v1/attribute-values", &ApiServer::AttributeValues);
  AddWork(router, "GET", "/api/v1/search", &ApiServer::Search);
  AddWork(router, "GET", "/api/v1/traces/{traceId}", &ApiServer::Trace);
  AddWork(router, "GET", "/api/v1/trace-diff", &ApiServer::TraceDiff);
  AddWork(router, "GET", "/api/v1/status", &ApiServer::Status);
  AddWork(router, "GET", "/api/v1/usage", &ApiServer::Usage);
  AddWork(router, "POST", "/api/v1/deletions", &ApiServer::Delete);
  AddWork(router, "GET", "/api/v1/deletions", &ApiServer::Deletions);
  AddWork(router, "GET", "/api/v1/deletions/{deletionId}", &ApiServer::Deletion);
  AddWork(router, "POST", "/flush", &ApiServer::Flush);
  AddWork(router, "GET", "/metrics/generated", &ApiServer::Generated);
  AddTempo(router);
  prometheus_.AddTo(router, [&](std::string_view method, std::string_view path, Endpoint endpoint) {
    AddWork(router, method, path, std::move(endpoint));
  });
  AddSmall(router);
}

void ApiServer::AddTempo(net::HttpRouter* router) {
  // Tempo asks for no method: whoever sends its API a POST is answered.
  for (const std::string_view method : {"GET", "POST"}) {
    tempo_.AddTo(router, method, [&](std::string_view path, Endpoint endpoint) {
      AddWork(router, method, path, std::move(endpoint));
    });
  }
}

void ApiServer::AddWork(net::HttpRouter* router, std::string_view method, std::string_view path,
                        Handler handler) {
  Endpoint endpoint;
  endpoint.answer = [this, handler](const Call& call) { return (this->*handler)(call); };
  AddWork(router, method, path, std::move(endpoint));
}

void ApiServer::AddWork(net::HttpRouter* router, std::string_view method, std::string_view path,
                        Endpoint endpoint) {
  auto metrics = std::make_shared<EndpointMetrics>(*parts_.metrics, std::string(path));
  router->Add(method, path,
              [this, endpoint = std::move(endpoint), metrics](net::HttpRequest received,
                                                              const net::HttpRespond& respond) {
                const auto task = std::make_shared<Task>();
                task->request = std::move(received);
                task->received_ns = parts_.env->MonotonicNs();
                Error error = Register(endpoint, task.get());
                const auto answer = [this, endpoint, metrics, task, respond] {
                  Answer(endpoint, task.get(), metrics.get(), respond);
                };
                if (error.ok() && !pool_.TryRun(task->query->tenant(), answer)) {
                  error = Busy("too many requests are waiting; try again");
                }
                if (error.ok()) return;
                net::HttpResponse refusal = endpoint.refuse(error);
                metrics->Count(refusal.status);
                respond(std::move(refusal));
              });
}

// On the thread that serves the socket.
Error ApiServer::Register(const Endpoint& endpoint, Task* task) {
  WEFT_ASSIGN_OR_RETURN(task->explain, WantsExplanation(task->request));
  WEFT_ASSIGN_OR_RETURN(const model::TenantId tenant,
                        endpoint.read_tenant(task->request.headers.Get(model::kTenantHeader)));
  const std::string_view id = task->request.headers.Get(kQueryIdHeader);
  if (!id.empty() && !IsQueryId(id)) {
    return {ErrorCode::kInvalidArgument,
            std::string(kQueryIdHeader) + ": 1 to 64 letters, digits, '.', '_' and '-'"};
  }
  task->query = running_.Begin(tenant, task->request.path, id);
  for (const std::string_view name : {"q", "query"}) {
    if (const auto text = task->request.Query(name)) task->query->SetText(*text);
  }
  return Error::Ok();
}

// On a thread of the pool.
void ApiServer::Answer(const Endpoint& endpoint, Task* task, EndpointMetrics* metrics,
                       const net::HttpRespond& respond) {
  FairShare::Work share(&share_, task->query->tenant());
  const FairShare::Turn turn(&share);
  task->query->SetRunning();
  const int64_t begin_ns = parts_.env->MonotonicNs();
  ReadAccount reads;
  const ReadAccountScope scope(&reads);
  query::exec::Profile profile(*parts_.env);
  net::HttpResponse response = Work(endpoint, *task, task->explain ? &profile : nullptr);
  const int64_t took_ns = parts_.env->MonotonicNs() - task->received_ns;
  if (task->explain) {
    AddExplanation(profile, {begin_ns - task->received_ns, took_ns}, reads, &response);
  }
  response.headers.Add("server-timing", ServerTiming(took_ns, reads));
  response.headers.Add(kQueryIdHeader, task->query->id());
  // First: who has the answer finds it counted, and no longer running.
  metrics->Count(response.status);
  metrics->CountReads(reads);
  task->query.reset();
  respond(std::move(response));  // compresses, too
  const int64_t work_ns = parts_.env->MonotonicNs() - begin_ns;
  metrics->microseconds.Add(static_cast<uint64_t>(work_ns / 1000));
}

net::HttpResponse ApiServer::Work(const Endpoint& endpoint, const Task& task,
                                  query::exec::Profile* profile) {
  if (stopping_) return endpoint.refuse(Busy("the server is stopping"));
  if (task.request.client_gone())
    return endpoint.refuse(Error(ErrorCode::kCancelled, "the client went away"));
  if (task.query->cancelled())
    return endpoint.refuse(Error(ErrorCode::kCancelled, "the query was cancelled"));
  if (const std::string why = parts_.not_ready(); !why.empty())
    return endpoint.refuse(Busy("not ready: " + why));
  Call call{task.request, task.query->tenant(), {}};
  call.budget.time_ms = options_.time_ms - (parts_.env->MonotonicNs() - task.received_ns) / kMs;
  call.budget.memory_bytes = options_.memory_bytes;
  call.budget.read_bytes = options_.read_bytes;
  call.budget.client_gone = task.request.gone.get();
  call.budget.cancelled = &task.query->cancelled();
  call.budget.profile = profile;
  if (call.budget.time_ms <= 0)
    return endpoint.refuse(Busy("the request waited longer than it may take; try again"));
  return endpoint.answer(call);
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
  // Whoever wants to end a query must not have to wait for it.
  router->Add("GET", "/api/v1/queries",
              [this](const net::HttpRequest& request, const net::HttpRespond& respond) {
                respond(Queries(request));
              });
  router->Add("DELETE", "/api/v1/queries/{queryId}",
              [this](const net::HttpRequest& request, const net::HttpRespond& respond) {
                respond(CancelQuery(request));
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
