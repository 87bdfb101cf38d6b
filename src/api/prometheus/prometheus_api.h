// Prometheus' query API, over series that are counted from spans when somebody asks
// (query/prometheus/), so that Grafana's Prometheus data source works on weft.
// docs/api/prometheus.md lists every route and what of PromQL there is.
//
// Parameters come in the query string or in a form; unknown ones are ignored. Answers and refusals
// are those of Prometheus. The tenant header may name several tenants ("a|b").
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/endpoint.h"
#include "api/tempo/tenants.h"
#include "block/row_source.h"
#include "model/span_metrics.h"
#include "net/http_router.h"
#include "query/prometheus/evaluator.h"
#include "query/prometheus/span_series.h"

namespace weft::api::prometheus {

// What it answers from; everything must outlive it.
struct PrometheusParts {
  const block::RowSource* source = nullptr;
  const Env* env = nullptr;
  query::exec::TaskRunner* runner = nullptr;
  std::string version;                           // of weft
  std::vector<model::SpanDimension> dimensions;  // labels besides the intrinsic ones
};

// Any thread.
class PrometheusApi {
 public:
  // Registers an endpoint that takes work.
  using AddWork =
      std::function<void(std::string_view method, std::string_view path, Endpoint endpoint)>;

  explicit PrometheusApi(const PrometheusParts& parts);
  PrometheusApi(const PrometheusApi&) = delete;
  PrometheusApi& operator=(const PrometheusApi&) = delete;

  // Every path at the root and under /prometheus.
  void AddTo(net::HttpRouter* router, const AddWork& add) const;

 private:
  using Handler = net::HttpResponse (PrometheusApi::*)(const Call&) const;

  net::HttpResponse Query(const Call& call) const;
  net::HttpResponse QueryRange(const Call& call) const;
  net::HttpResponse QueryExemplars(const Call& call) const;
  net::HttpResponse Series(const Call& call) const;
  net::HttpResponse LabelNames(const Call& call) const;
  net::HttpResponse LabelValues(const Call& call) const;
  net::HttpResponse Metadata() const;
  net::HttpResponse BuildInfo() const;

  net::HttpResponse Run(const Call& call, std::string_view text,
                        const query::prometheus::Evaluation& when) const;
  // Of all selectors of the query together, by labels.
  Result<std::vector<query::prometheus::SeriesExemplars>> FindExemplars(
      const Call& call, const query::lang::promql::Node& query, int64_t start_ms,
      int64_t end_ms) const;
  // The labels of series that have a span in the range, of all selectors together.
  Result<std::vector<query::prometheus::Labels>> Find(
      const Call& call, const std::vector<std::string>& selectors) const;

  const std::string version_;
  const tempo::JoinedTenants source_;
  query::prometheus::SpanSeriesParts series_;
  const Env& env_;
};

}  // namespace weft::api::prometheus
