// UdpReceiver: spans that Jaeger's clients send to an agent, one call of Agent.emitBatch a datagram
// (jaeger-idl: agent.thrift).
//
// Nobody is answered: what can't be taken is counted, and lost. The tenant is always `default`.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/metrics.h"
#include "model/span_sink.h"
#include "net/datagram_server.h"
#include "receive/batch_builder.h"
#include "receive/thrift_reader.h"

namespace weft::receive::jaeger {

struct UdpReceiverOptions {
  ThriftProtocol protocol = ThriftProtocol::kCompact;
  DecodeLimits limits;
  // Datagrams that are not durable yet; further ones are refused as `unavailable`.
  uint32_t in_flight_max = 1000;
};

class UdpReceiver {
 public:
  // Listens on `address` ("127.0.0.1:6831"). Sink and registry outlive the receiver.
  static Result<std::unique_ptr<UdpReceiver>> Start(const std::string& address,
                                                    const UdpReceiverOptions& options,
                                                    model::SpanSink* sink, MetricRegistry* metrics);

  std::string bound_address() const { return server_->bound_address(); }
  // Takes what has arrived already; afterwards nothing is pushed to the sink.
  void Stop(uint32_t /*grace_ms*/ = 0) { server_->Stop(); }

 private:
  explicit UdpReceiver(std::unique_ptr<net::DatagramServer> server) : server_(std::move(server)) {}
  std::unique_ptr<net::DatagramServer> server_;
};

}  // namespace weft::receive::jaeger
