// OTLP/gRPC: opentelemetry.proto.collector.{trace,logs,metrics}.v1.*Service/Export (OTLP
// specification, section OTLP/gRPC). docs/receivers.md lists every status it answers.
//
// Messages are taken as bytes and decoded by weft, also when they are compressed: gRPC would
// decompress without a limit. It stores traces; logs and metrics get a partial success, as over
// HTTP.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/metrics.h"
#include "model/span_sink.h"
#include "receive/batch_builder.h"

namespace weft::receive::otlp {

struct GrpcReceiverOptions {
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

}  // namespace weft::receive::otlp
