// HttpIntake: what every receiver over HTTP does beside its wire format - it reads who sends, asks
// whether the body may come, lets browsers send (CORS) and keeps the account of answers.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/metrics.h"
#include "model/span_sink.h"
#include "net/http_message.h"
#include "net/http_server.h"
#include "receive/intake.h"
#include "receive/rejected_spans.h"

namespace weft::receive {

// The value of Content-Type without its parameters.
std::string_view MediaTypeOf(const net::HttpRequestHead& head);
// OTLP's mapping, for all: a failure of the disk is 503, the sender keeps the spans and tries
// again.
int ReceiverStatusOf(const Error& error);

// Any thread.
class HttpIntake {
 public:
  // `protocol` as for Intake. `cors_origins`: pages whose browsers may send, "*" for all. Sink and
  // registry outlive this.
  HttpIntake(std::string protocol, std::vector<std::string> cors_origins, model::SpanSink* sink,
             MetricRegistry* metrics)
      : cors_origins_(std::move(cors_origins)), intake_(std::move(protocol), sink, metrics) {}

  // Reads the tenant and asks the sink; from then on `plan` asks again as the body grows.
  Error Admit(const net::HttpRequestHead& head, net::HttpBodyPlan* plan);
  // Of a request that was admitted.
  static model::TenantId TenantOf(const net::HttpRequestHead& head);
  // As Intake::Take.
  void Take(const model::TenantId& tenant, std::unique_ptr<model::SpanBatch> batch,
            const RejectedSpans& rejected, std::function<void(Error)> done) {
    intake_.Take(tenant, std::move(batch), rejected, std::move(done));
  }
  void CountBytes(uint64_t bytes) { intake_.CountBytes(bytes); }

  // The answer to OPTIONS; is not counted.
  net::HttpResponse Preflight(const net::HttpRequestHead& head) const;
  // To be called with every answer: counts it, and adds what browsers ask for.
  net::HttpResponse Counted(const net::HttpRequestHead& head, net::HttpResponse response);

 private:
  void AddCors(const net::HttpRequestHead& head, net::HttpResponse* response) const;

  const std::vector<std::string> cors_origins_;
  Intake intake_;
};

}  // namespace weft::receive
