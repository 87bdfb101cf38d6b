// GrpcReceiver: spans that are sent by unary gRPC calls. What a message holds, and what is
// answered, is a GrpcFormat's matter. docs/receivers.md lists every status.
//
// Messages are taken as bytes and decoded by weft, also when they are compressed: gRPC would
// decompress without a limit.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/metrics.h"
#include "model/span_sink.h"
#include "receive/batch_builder.h"
#include "receive/rejected_spans.h"

namespace weft::net {
class GrpcMethods;
}

namespace weft::receive {

// What is answered once the spans of a request are durable.
struct GrpcReply {
  Error error;  // of a request of which some spans were refused, where that is an error
  std::string response;
};

// Called on several threads at once.
class GrpcFormat {
 public:
  virtual ~GrpcFormat() = default;
  // The label of metrics: "otlp_grpc".
  virtual std::string protocol() const = 0;
  // Of a method "/package.Service/Method".
  virtual bool Has(std::string_view method) const = 0;
  // Decodes the message of a method that it has. Every request of it has one field, number 1: by
  // its first byte it is told from a compressed one. `batch` and `rejected` are empty; fails as a
  // whole with kInvalidArgument or kTooLarge.
  virtual Result<GrpcReply> Decode(std::string_view method, std::string_view bytes,
                                   const DecodeLimits& limits, model::SpanBatch* batch,
                                   RejectedSpans* rejected) const = 0;
};

struct GrpcReceiverOptions {
  // Answers methods that are not the format's on the same port; may be null, must outlive the
  // receiver.
  net::GrpcMethods* other_methods = nullptr;
  DecodeLimits limits;
  uint64_t message_bytes_max = 64 << 20;  // on the wire and decompressed: else RESOURCE_EXHAUSTED
  // What gRPC may hold for its connections; beyond, it closes some (grpc::ResourceQuota).
  uint64_t transport_bytes_max = 256 << 20;
  // Messages read and not yet answered, in bytes: else UNAVAILABLE with RetryInfo.
  uint64_t in_flight_bytes_max = 1024ULL << 20;
  uint32_t calls_max = 1024;  // at once: else UNAVAILABLE with RetryInfo
  uint32_t streams_per_connection_max = 256;
  uint32_t read_timeout_ms = 60'000;  // from the call's begin to the end of its message
};

class GrpcReceiver {
 public:
  // Listens on `address` ("127.0.0.1:4317"). Sink and registry outlive the receiver.
  static Result<std::unique_ptr<GrpcReceiver>> Start(const std::string& address,
                                                     const GrpcReceiverOptions& options,
                                                     std::unique_ptr<GrpcFormat> format,
                                                     model::SpanSink* sink,
                                                     MetricRegistry* metrics);
  ~GrpcReceiver();  // Stop(0)

  std::string bound_address() const;
  // Stops accepting, lets running calls finish for up to `grace_ms`, then cancels the rest:
  // afterwards nothing is pushed to the sink. May be called more than once.
  void Stop(uint32_t grace_ms = 5'000);

 private:
  class Impl;
  explicit GrpcReceiver(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace weft::receive
