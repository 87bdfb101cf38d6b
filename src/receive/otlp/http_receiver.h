// OTLP/HTTP: POST /v1/traces, /v1/logs and /v1/metrics, in protobuf and JSON (OTLP specification,
// section OTLP/HTTP). docs/receivers.md lists every status it answers.
//
// It stores traces. Logs and metrics are answered with a partial success that rejects all of them,
// so that a sender does not try for ever.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/metrics.h"
#include "model/span_sink.h"
#include "net/http_server.h"
#include "receive/batch_builder.h"

namespace weft::receive::otlp {

struct HttpReceiverOptions {
  // Origins of pages whose browsers may send (CORS): "https://shop.example", or "*" for all. Empty:
  // none.
  std::vector<std::string> cors_origins = {"*"};
  DecodeLimits limits;
  // `name` and `metrics` are filled in. Bodies of 64 MiB, as the specification recommends.
  net::HttpServerOptions server = {.io_threads = 2, .body_bytes_max = 64 << 20};
};

class HttpReceiver {
 public:
  // Listens on `address` ("127.0.0.1:4318"). Sink and registry outlive the receiver.
  static Result<std::unique_ptr<HttpReceiver>> Start(const std::string& address,
                                                     const HttpReceiverOptions& options,
                                                     model::SpanSink* sink,
                                                     MetricRegistry* metrics);
  ~HttpReceiver();

  std::string bound_address() const;
  // As HttpServer::Stop: afterwards nothing is pushed to the sink. The sink must go on calling back
  // until this returns.
  void Stop(uint32_t grace_ms = 5'000);

 private:
  explicit HttpReceiver(std::unique_ptr<net::HttpServer> server);
  std::unique_ptr<net::HttpServer> server_;
};

}  // namespace weft::receive::otlp
