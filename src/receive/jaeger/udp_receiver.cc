#include "receive/jaeger/udp_receiver.h"

#include <atomic>
#include <utility>

#include "model/tenant.h"
#include "receive/intake.h"
#include "receive/jaeger/decode.h"
#include "receive/rpc_status.h"

namespace weft::receive::jaeger {
namespace {

std::string ProtocolName(ThriftProtocol protocol) {
  return protocol == ThriftProtocol::kCompact ? "jaeger_compact" : "jaeger_binary";
}

// Outlives the receiver while a sink still owes an answer.
class Agent : public std::enable_shared_from_this<Agent> {
 public:
  Agent(const UdpReceiverOptions& options, model::SpanSink* sink, MetricRegistry* metrics)
      : options_(options), intake_(ProtocolName(options.protocol), sink, metrics) {}

  void Take(std::string_view datagram);

 private:
  // As there is no answer, only what it would have been.
  void Count(const Error& outcome) {
    intake_.CountRequest(std::string(RpcCodeName(RpcCodeOf(outcome))));
  }
  Error Admit(uint64_t bytes) {
    if (in_flight_.load() >= options_.in_flight_max) {
      return {ErrorCode::kUnavailable, "too many datagrams at once"};
    }
    return intake_.Admit(tenant_, bytes);
  }

  const UdpReceiverOptions options_;
  const model::TenantId tenant_{model::kDefaultTenant};
  Intake intake_;
  std::atomic<uint32_t> in_flight_{0};
};

void Agent::Take(std::string_view datagram) {
  intake_.CountBytes(datagram.size());
  auto batch = std::make_unique<model::SpanBatch>();
  RejectedSpans rejected;
  const Error error =
      DecodeThriftCall(datagram, options_.protocol, options_.limits, batch.get(), &rejected);
  if (!error.ok()) return Count(error);
  if (const Error admitted = Admit(datagram.size()); !admitted.ok()) {
    intake_.Refuse(tenant_, batch->size() + rejected.total(), admitted);
    return Count(admitted);
  }
  ++in_flight_;
  Error outcome = RefusedInPart(rejected, batch->size());
  intake_.Take(tenant_, std::move(batch), rejected,
               [self = shared_from_this(), outcome = std::move(outcome)](const Error& pushed) {
                 --self->in_flight_;
                 self->Count(pushed.ok() ? outcome : pushed);
               });
}

}  // namespace

Result<std::unique_ptr<UdpReceiver>> UdpReceiver::Start(const std::string& address,
                                                        const UdpReceiverOptions& options,
                                                        model::SpanSink* sink,
                                                        MetricRegistry* metrics) {
  net::DatagramServerOptions server_options;
  server_options.name = ProtocolName(options.protocol);
  server_options.metrics = metrics;
  auto agent = std::make_shared<Agent>(options, sink, metrics);
  WEFT_ASSIGN_OR_RETURN(auto server, net::DatagramServer::Start(address, server_options,
                                                                [agent](std::string_view datagram) {
                                                                  agent->Take(datagram);
                                                                }));
  return std::unique_ptr<UdpReceiver>(new UdpReceiver(std::move(server)));
}

}  // namespace weft::receive::jaeger
