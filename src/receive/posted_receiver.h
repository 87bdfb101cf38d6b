// PostedReceiver: spans that are posted over HTTP in one body and answered by a status alone, as
// Zipkin's and Jaeger's clients do. What the body holds is a PostedFormat's matter.
//
// 202 says that all spans are durable. A request of which some spans were refused is answered with
// 400 and how many and why, after the others have been stored: it must not be sent again.
// docs/receivers.md lists every status.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/metrics.h"
#include "model/span_sink.h"
#include "net/http_server.h"
#include "receive/batch_builder.h"
#include "receive/rejected_spans.h"

namespace weft::receive {

// Called on several threads at once.
class PostedFormat {
 public:
  virtual ~PostedFormat() = default;
  // The label of metrics: "zipkin_http".
  virtual std::string protocol() const = 0;
  // kNotFound for a path that is not of this format, kUnsupported for a Content-Type that is not.
  virtual Error Check(const net::HttpRequestHead& head) const = 0;
  // Of a head that was checked. `batch` and `rejected` are empty; fails as a whole with
  // kInvalidArgument or kTooLarge.
  virtual Error Decode(const net::HttpRequestHead& head, std::string* body,
                       const DecodeLimits& limits, model::SpanBatch* batch,
                       RejectedSpans* rejected) const = 0;
};

struct PostedReceiverOptions {
  // As for OTLP/HTTP.
  std::vector<std::string> cors_origins = {"*"};
  DecodeLimits limits;
  // `name` (of the protocol) and `metrics` are filled in.
  net::HttpServerOptions server = {.io_threads = 1, .body_bytes_max = 64 << 20};
};

class PostedReceiver {
 public:
  // Listens on `address` ("127.0.0.1:9411"). Sink and registry outlive the receiver.
  static Result<std::unique_ptr<PostedReceiver>> Start(const std::string& address,
                                                       const PostedReceiverOptions& options,
                                                       std::unique_ptr<PostedFormat> format,
                                                       model::SpanSink* sink,
                                                       MetricRegistry* metrics);
  ~PostedReceiver();

  std::string bound_address() const;
  // As HttpServer::Stop: afterwards nothing is pushed to the sink. The sink must go on calling back
  // until this returns.
  void Stop(uint32_t grace_ms = 5'000);

 private:
  explicit PostedReceiver(std::unique_ptr<net::HttpServer> server);
  std::unique_ptr<net::HttpServer> server_;
};

}  // namespace weft::receive
