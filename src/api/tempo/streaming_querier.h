// tempopb.StreamingQuerier: Tempo's search, tags and metrics as streams of messages over gRPC.
//
// Answers of a search come as they are found: messages with the traces that are new, and at the end
// one whole answer; each in packets (packets.h). Names, values and metrics are one answer. What is
// asked, and what is answered, is that of the HTTP API. Refusals: INVALID_ARGUMENT with Tempo's
// text, UNAVAILABLE when too much waits.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "api/running_queries.h"
#include "api/tempo/search_run.h"
#include "api/tempo/tenants.h"
#include "api/worker_pool.h"
#include "base/env.h"
#include "base/error.h"
#include "base/fair_share.h"
#include "base/metrics.h"
#include "block/row_source.h"
#include "net/grpc_methods.h"
#include "query/exec/budget.h"
#include "query/exec/task_runner.h"

namespace weft::api::tempo {

struct StreamingOptions {
  int64_t time_ms = 30'000;              // for one call, its waiting included
  uint64_t memory_bytes = 256ULL << 20;  // for one query
  uint64_t read_bytes = 0;               // that one query may read of blocks; 0: no limit
  int64_t range_max_ns = 0;              // see TempoOptions
  bool strip_trace_ids = false;
  std::vector<std::string> compat_tenants;
  uint32_t calls_max = 256;  // at once; further ones are refused
};

// Who answers the questions, shared with the HTTP API.
struct StreamingWork {
  WorkerPool* pool = nullptr;
  RunningQueries* running = nullptr;
  FairShare* share = nullptr;
};

// Everything must outlive it.
struct StreamingParts {
  const block::RowSource* source = nullptr;
  const Env* env = nullptr;
  query::exec::TaskRunner* runner = nullptr;
  MetricRegistry* metrics = nullptr;
  StreamingWork work;
  std::function<std::string()> not_ready;  // see ApiParts
};

class StreamingQuerier : public net::GrpcMethods {
 public:
  // Takes one encoded message of the answer; false when nobody wants more.
  using Send = std::function<bool(const std::string& message)>;

  StreamingQuerier(const StreamingParts& parts, const StreamingOptions& options);

  bool Has(const std::string& method) const override;
  grpc::ServerGenericBidiReactor* Create(
      const grpc::GenericCallbackServerContext& context) override;

  // Answers one request of a method ("Search"): what a call does, on the caller's thread.
  Error Answer(std::string_view method, const model::TenantId& tenant, std::string_view request,
               const query::exec::Budget& budget, const Send& send) const;

 private:
  class Call;

  Error Search(const model::TenantId& tenant, std::string_view request,
               const query::exec::Budget& budget, const Send& send) const;
  Error Tags(bool v2, const model::TenantId& tenant, std::string_view request,
             const query::exec::Budget& budget, const Send& send) const;
  Error MetricsRange(const model::TenantId& tenant, std::string_view request,
                     const query::exec::Budget& budget, const Send& send) const;
  Error MetricsInstant(const model::TenantId& tenant, std::string_view request,
                       const query::exec::Budget& budget, const Send& send) const;
  Error TagValues(bool v2, const model::TenantId& tenant, std::string_view request,
                  const query::exec::Budget& budget, const Send& send) const;

  const StreamingParts parts_;
  const StreamingOptions options_;
  const JoinedTenants source_;
  std::atomic<uint32_t> calls_ = 0;
};

}  // namespace weft::api::tempo
