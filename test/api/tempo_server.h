// A server of the HTTP API over spans in memory or in blocks, and a client of its Tempo routes.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include <boost/json.hpp>

#include "api/api_server.h"
#include "base/metrics.h"
#include "block/row_source.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "query/exec/task_runner.h"
#include "test/corpus/corpus.h"

namespace weft::api {

// The spans of test/corpus/data/three_traces.spans: the data set of which Tempo's own answers are
// known. T1 begins at corpus::SpanSet::kEpochNs, T2 a second, T3 two seconds later.
corpus::SpanSet ThreeTraces();

// Some sources as one, each the spans of its tenant.
class TenantSource : public block::RowSource {
 public:
  std::map<model::TenantId, std::shared_ptr<const block::RowSource>> tenants;

  Result<std::vector<std::shared_ptr<const block::RowGroup>>> Snapshot(
      const model::TenantId& tenant, TimeRange range,
      const block::SnapshotOptions& options) const override;
  Result<model::SpanBatch> FindTrace(const model::TenantId& tenant,
                                     model::TraceId id) const override;
  Result<JoinedSummary> SummarizeTrace(const model::TenantId& tenant,
                                       model::TraceId id) const override;
};

class TempoServer {
 public:
  // What it answers from: `source` for the tenant "default".
  explicit TempoServer(std::shared_ptr<const block::RowSource> source,
                       const tempo::TempoOptions& options = {});
  ~TempoServer();

  net::HttpResponse Get(const std::string& target, const net::HttpHeaders& headers = {});
  net::HttpResponse GetAs(const std::string& target, std::string_view accept);
  // The JSON of an answer of 200; null, and a failed test, when it is another.
  boost::json::value GetJson(const std::string& target);
  // The text of a refusal with this status.
  std::string Refusal(const std::string& target, int status = 400,
                      const net::HttpHeaders& headers = {});

  net::HttpClient& client() { return *client_; }
  const std::string& address() const { return address_; }

  TenantSource sources;
  std::string not_ready;  // not to be changed while a request is under way

 private:
  MetricRegistry metrics_;
  query::exec::TaskRunner runner_{1};
  std::unique_ptr<ApiServer> api_;
  std::unique_ptr<net::HttpServer> server_;
  std::unique_ptr<net::HttpClient> client_;
  std::string address_;
};

}  // namespace weft::api
