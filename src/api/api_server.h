// The main HTTP port: every path of proto/openapi.yaml, Tempo's among them (tempo/tempo_api.h), and
// the UI.
//
// What takes time (searches, traces, catalogues, flush) runs on the server's own threads, never on
// those that serve sockets; it is refused with 503 when too much waits already, ends when the
// client has gone away, and has a budget of time and memory. Any thread may call what is registered
// on the router.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/endpoint.h"
#include "api/prometheus/prometheus_api.h"
#include "api/running_queries.h"
#include "api/static_files.h"
#include "api/tempo/tempo_api.h"
#include "api/worker_pool.h"
#include "base/env.h"
#include "base/error.h"
#include "base/fair_share.h"
#include "base/metrics.h"
#include "block/row_source.h"
#include "block/usage.h"
#include "generate/series_store.h"
#include "net/http_router.h"
#include "query/exec/budget.h"
#include "query/exec/span_deleter.h"
#include "query/exec/task_runner.h"

namespace weft::net {
class GrpcMethods;
}

namespace weft::api {
namespace tempo {
class StreamingQuerier;
}

struct FlushReport {
  uint64_t spans = 0;   // written
  uint64_t blocks = 0;  // made
};

struct StatusReport {
  std::string version;
  uint64_t start_ns = 0;      // of the process
  uint64_t live_spans = 0;    // durable in the WAL and not yet in a block
  uint64_t stored_spans = 0;  // in blocks
  uint64_t blocks = 0;
  uint64_t bytes = 0;  // of all files of all blocks
  std::optional<uint64_t> oldest_ns;
  std::optional<uint64_t> newest_ns;
};

struct ApiOptions {
  int threads = 2;                       // that work at once; twice as many requests share them
  size_t queue_max = 64;                 // of a tenant; further requests that wait get 503
  int64_t time_ms = 30'000;              // for one request, its waiting included
  uint64_t memory_bytes = 256ULL << 20;  // for one query
  uint64_t read_bytes = 0;               // that one query may read of blocks; 0: no limit
  tempo::TempoOptions tempo;
};

// What the server answers from; everything must outlive it. The functions may be called on any
// thread.
struct ApiParts {
  const block::RowSource* source = nullptr;
  const Env* env = nullptr;
  MetricRegistry* metrics = nullptr;
  query::exec::TaskRunner* runner = nullptr;
  std::string version;      // of weft
  std::string config_text;  // the settings as YAML, without secrets; shown to everyone
  // Cuts and writes everything live; returns when that is durable.
  std::function<Result<FlushReport>()> flush;
  std::function<StatusReport(const model::TenantId&)> status;
  // Of the tenant's blocks whose latest span starts in the range.
  std::function<Result<std::vector<block::UsageRow>>(const model::TenantId&, TimeRange,
                                                     block::UsageBy, const query::exec::Budget&)>
      usage;
  // What is counted of spans on arrival; null where nothing is.
  const generate::SeriesStore* generated = nullptr;
  // Labels of the series that are made of spans, besides the intrinsic ones.
  std::vector<model::SpanDimension> dimensions;
  // Asked only while not_ready is empty; never null then.
  std::function<query::exec::SpanDeleter*()> deleter;
  // Empty when spans are taken and questions answered, else why not yet ("replaying the WAL, 40 %
  // done").
  std::function<std::string()> not_ready;
};

class ApiServer {
 public:
  // What net::HttpServerOptions::head_bytes_max must be at least: a query of 128 KiB,
  // percent-encoded, fits.
  static constexpr uint32_t kHeadBytesMax = 512 << 10;
  // And what body_bytes_max may be: no endpoint takes more.
  static constexpr uint64_t kBodyBytesMax = 1 << 20;

  ApiServer(ApiParts parts, StaticFiles files, const ApiOptions& options);
  ~ApiServer();  // Stop()
  ApiServer(const ApiServer&) = delete;
  ApiServer& operator=(const ApiServer&) = delete;

  // Registers every path. Once, before the HTTP server starts; the router's handlers may be called
  // until the HTTP server has stopped, and this object must live as long.
  void AddTo(net::HttpRouter* router);

  // Tempo's streaming API, for a gRPC server, which must have stopped before Stop().
  net::GrpcMethods* grpc_methods();

  // Finishes what is running and answers the rest with 503. To be called after the HTTP server has
  // stopped accepting.
  void Stop();

 private:
  using Handler = net::HttpResponse (ApiServer::*)(const Call&);
  struct EndpointMetrics;

  void AddWork(net::HttpRouter* router, std::string_view method, std::string_view path,
               Handler handler);
  void AddWork(net::HttpRouter* router, std::string_view method, std::string_view path,
               Endpoint endpoint);
  struct Task;
  Error Register(const Endpoint& endpoint, Task* task);
  void Answer(const Endpoint& endpoint, Task* task, EndpointMetrics* metrics,
              const net::HttpRespond& respond);
  net::HttpResponse Work(const Endpoint& endpoint, const Task& task, query::exec::Profile* profile);
  void AddSmall(net::HttpRouter* router);
  void AddTempo(net::HttpRouter* router);

  net::HttpResponse Services(const Call& call);
  net::HttpResponse Operations(const Call& call);
  net::HttpResponse OperationSeries(const Call& call);
  net::HttpResponse ServiceGraph(const Call& call);
  net::HttpResponse Propagation(const Call& call);
  net::HttpResponse CriticalPath(const Call& call);
  net::HttpResponse Comparison(const Call& call);
  net::HttpResponse Attributes(const Call& call);
  net::HttpResponse AttributeValues(const Call& call);
  net::HttpResponse Search(const Call& call);
  net::HttpResponse Trace(const Call& call);
  net::HttpResponse TraceDiff(const Call& call);
  net::HttpResponse Status(const Call& call);
  net::HttpResponse Flush(const Call& call);
  net::HttpResponse Usage(const Call& call);
  net::HttpResponse Generated(const Call& call);
  net::HttpResponse Delete(const Call& call);
  net::HttpResponse Deletions(const Call& call);
  net::HttpResponse Deletion(const Call& call);
  net::HttpResponse Queries(const net::HttpRequest& request) const;
  net::HttpResponse CancelQuery(const net::HttpRequest& request);

  const ApiParts parts_;
  const StaticFiles files_;
  const ApiOptions options_;
  const tempo::TempoApi tempo_;
  const prometheus::PrometheusApi prometheus_;
  std::atomic<bool> stopping_ = false;
  RunningQueries running_;
  FairShare share_;
  WorkerPool pool_;
  const std::unique_ptr<tempo::StreamingQuerier> streaming_;
};

}  // namespace weft::api
