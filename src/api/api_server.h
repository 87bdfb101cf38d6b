// The main HTTP port: every path of proto/openapi.yaml, and the UI.
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

#include "api/static_files.h"
#include "api/worker_pool.h"
#include "base/env.h"
#include "base/error.h"
#include "base/metrics.h"
#include "block/row_source.h"
#include "block/usage.h"
#include "net/http_router.h"
#include "query/exec/budget.h"
#include "query/exec/span_deleter.h"
#include "query/exec/task_runner.h"

namespace weft::api {

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
  int threads = 2;                       // requests that are worked on at once
  size_t queue_max = 64;                 // requests that wait for a thread; further ones get 503
  int64_t time_ms = 30'000;              // for one request, its waiting included
  uint64_t memory_bytes = 256ULL << 20;  // for one query
};

// What the server answers from; everything must outlive it. The functions may be called on any
// thread.
struct ApiParts {
  const block::RowSource* source = nullptr;
  const Env* env = nullptr;
  MetricRegistry* metrics = nullptr;
  query::exec::TaskRunner* runner = nullptr;
  // Cuts and writes everything live; returns when that is durable.
  std::function<Result<FlushReport>()> flush;
  std::function<StatusReport(const model::TenantId&)> status;
  // Of the tenant's blocks whose latest span starts in the range.
  std::function<Result<std::vector<block::UsageRow>>(const model::TenantId&, TimeRange,
                                                     block::UsageBy, const query::exec::Budget&)>
      usage;
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

  // Finishes what is running and answers the rest with 503. To be called after the HTTP server has
  // stopped accepting.
  void Stop();

 private:
  // What a handler needs to know besides the request.
  struct Call {
    const net::HttpRequest& request;
    model::TenantId tenant;
    query::exec::Budget budget;
  };
  using Handler = net::HttpResponse (ApiServer::*)(const Call&);
  struct EndpointMetrics;

  void AddWork(net::HttpRouter* router, std::string_view method, std::string_view path,
               Handler handler);
  // Runs on a worker.
  net::HttpResponse Work(Handler handler, const net::HttpRequest& request, int64_t received_ns);
  void AddSmall(net::HttpRouter* router);

  net::HttpResponse Services(const Call& call);
  net::HttpResponse Operations(const Call& call);
  net::HttpResponse OperationSeries(const Call& call);
  net::HttpResponse Attributes(const Call& call);
  net::HttpResponse AttributeValues(const Call& call);
  net::HttpResponse Search(const Call& call);
  net::HttpResponse Trace(const Call& call);
  net::HttpResponse Status(const Call& call);
  net::HttpResponse Flush(const Call& call);
  net::HttpResponse Usage(const Call& call);
  net::HttpResponse Delete(const Call& call);
  net::HttpResponse Deletions(const Call& call);
  net::HttpResponse Deletion(const Call& call);

  const ApiParts parts_;
  const StaticFiles files_;
  const ApiOptions options_;
  std::atomic<bool> stopping_ = false;
  WorkerPool pool_;
};

}  // namespace weft::api
