// Grafana Tempo's HTTP API, so that Grafana's Tempo data source and scripts against Tempo are
// answered as by Tempo. docs/api/tempo.md lists every route with its state.
//
// Parameters that Tempo does not know are ignored, refusals are text/plain, JSON is that of jsonpb:
// no field that Tempo does not have. The tenant header may name several tenants ("a|b").
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/dialect.h"
#include "api/endpoint.h"
#include "api/tempo/tenants.h"
#include "base/env.h"
#include "block/row_source.h"
#include "net/http_message.h"
#include "net/http_router.h"
#include "query/exec/task_runner.h"

namespace weft::api::tempo {

struct TempoOptions {
  std::string path_prefix;                  // before each path of /api; "" or "/tempo"
  uint64_t trace_bytes_max = 128ULL << 20;  // of one trace in an answer
  int64_t range_max_ns = 0;                 // of a search; 0 does not limit
  bool strip_trace_ids = false;             // leading zeros of trace ids in search results
  std::vector<std::string> compat_tenants;  // see DialectOf
};

// What it answers from; everything must outlive it.
struct TempoParts {
  const block::RowSource* source = nullptr;
  const Env* env = nullptr;
  query::exec::TaskRunner* runner = nullptr;
  std::string version;                     // of weft
  std::string config_text;                 // see ApiParts
  std::function<std::string()> not_ready;  // see ApiParts
};

// Any thread.
class TempoApi {
 public:
  // Registers an endpoint that takes work at a path.
  using AddWork = std::function<void(std::string_view path, Endpoint endpoint)>;

  TempoApi(const TempoParts& parts, const TempoOptions& options);

  // Registers every path for `method`: those that answer at once on the router itself, the others
  // through `add`.
  void AddTo(net::HttpRouter* router, std::string_view method, const AddWork& add) const;

 private:
  using Handler = net::HttpResponse (TempoApi::*)(const Call&) const;

  using Route = std::pair<std::string_view, Handler>;

  // Those that take work: paths, without the prefix.
  static std::vector<Route> Routes();
  void AddSmall(net::HttpRouter* router, std::string_view method) const;
  // What Tempo has and weft has not: 404 with the reason.
  void AddNotThere(net::HttpRouter* router, std::string_view method) const;
  std::string EndpointsText() const;

  // How the query of a request is meant; a question that was read becomes one of that dialect.
  template <typename Question>
  Result<Question> WithDialect(Result<Question> question, const Call& call) const {
    if (!question.ok()) return question;
    WEFT_ASSIGN_OR_RETURN(question->dialect,
                          ReadDialect(call.request, call.tenant, options_.compat_tenants));
    return question;
  }

  net::HttpResponse TraceV1(const Call& call) const;
  net::HttpResponse TraceV2(const Call& call) const;
  net::HttpResponse TraceDiff(const Call& call) const;
  net::HttpResponse Search(const Call& call) const;
  net::HttpResponse MetricsRange(const Call& call) const;
  net::HttpResponse MetricsInstant(const Call& call) const;
  net::HttpResponse TagsV1(const Call& call) const;
  net::HttpResponse TagsV2(const Call& call) const;
  net::HttpResponse TagValuesV1(const Call& call) const;
  net::HttpResponse TagValuesV2(const Call& call) const;

  const TempoParts parts_;
  const TempoOptions options_;
  const JoinedTenants source_;
};

}  // namespace weft::api::tempo
