#include "receive/jaeger/udp_receiver.h"

#include <chrono>
#include <thread>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/address.h"
#include "receive/fake_span_sink.h"
#include "receive/thrift_writer.h"

namespace weft::receive::jaeger {
namespace {

using testing::HasSubstr;

std::string Call(ThriftProtocol protocol, int64_t span_id) {
  ThriftWriter writer(protocol);
  writer.Oneway("emitBatch").Struct([&](ThriftWriter& arguments) {
    arguments.Struct(1, [&](ThriftWriter& batch) {
      batch.List(2, 1).Struct([&](ThriftWriter& span) { span.I64(1, 1).I64(3, span_id); });
    });
  });
  return writer.bytes();
}

class JaegerUdpTest : public testing::Test {
 protected:
  void Start(const UdpReceiverOptions& options) {
    auto receiver = UdpReceiver::Start("127.0.0.1:0", options, &sink_, &metrics_);
    ASSERT_TRUE(receiver.ok()) << receiver.error().message();
    receiver_ = std::move(*receiver);
  }
  void Send(const std::string& datagram) {
    const auto to = net::ParseHostPort(receiver_->bound_address());
    const int client = socket(AF_INET, SOCK_DGRAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(to->port);
    inet_pton(AF_INET, to->host.c_str(), &address.sin_addr);
    EXPECT_EQ(sendto(client, datagram.data(), datagram.size(), 0,
                     reinterpret_cast<const sockaddr*>(&address), sizeof address),
              static_cast<ssize_t>(datagram.size()));
    close(client);
  }
  uint64_t Counted(std::string_view sample) {
    const std::string text = metrics_.RenderPrometheus();
    const size_t at = text.find(sample);
    return at == std::string::npos ? 0 : std::stoull(text.substr(at + sample.size()));
  }
  void WaitFor(std::string_view sample, uint64_t value) {
    for (int i = 0; i < 5000 && Counted(sample) < value; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT_EQ(Counted(sample), value) << sample;
  }
  void ExpectAccountCloses() {
    EXPECT_EQ(metrics_.SumCounter("weft_received_spans_total"),
              sink_.accepted() + metrics_.SumCounter("weft_refused_spans_total"));
  }

  FakeSpanSink sink_;
  MetricRegistry metrics_;
  std::unique_ptr<UdpReceiver> receiver_;
};

TEST_F(JaegerUdpTest, BothProtocolsAreTaken) {
  for (const ThriftProtocol protocol : {ThriftProtocol::kCompact, ThriftProtocol::kBinary}) {
    Start({.protocol = protocol});
    for (int64_t id = 1; id <= 50; ++id) Send(Call(protocol, id));
    receiver_->Stop();  // takes what has arrived
  }
  EXPECT_EQ(sink_.accepted(), 100u);
  EXPECT_EQ(sink_.TakePushed().front().tenant, "default");
  EXPECT_EQ(Counted("weft_udp_datagrams_total{server=\"jaeger_compact\"} "), 50u);
  ExpectAccountCloses();
}

TEST_F(JaegerUdpTest, WhatCannotBeTakenIsCountedByReason) {
  Start({});
  Send("");
  Send("no Thrift");
  Send(Call(ThriftProtocol::kBinary, 1));
  Send(Call(ThriftProtocol::kCompact, 0));
  constexpr const char* kInvalid =
      "weft_receive_requests_total{protocol=\"jaeger_compact\",code=\"INVALID_ARGUMENT\"} ";
  WaitFor(kInvalid, 4);
  sink_.FailAdmit(Error(ErrorCode::kUnavailable, "starting", 1000));
  Send(Call(ThriftProtocol::kCompact, 2));
  WaitFor("weft_receive_requests_total{protocol=\"jaeger_compact\",code=\"UNAVAILABLE\"} ", 1);
  receiver_->Stop();
  EXPECT_EQ(sink_.accepted(), 0u);
  EXPECT_EQ(metrics_.SumCounter("weft_refused_spans_total"), 2u);
  ExpectAccountCloses();
}

TEST_F(JaegerUdpTest, WhatIsNotDurableYetIsBounded) {
  sink_.Hold();
  Start({.in_flight_max = 3});
  for (int64_t id = 1; id <= 5; ++id) Send(Call(ThriftProtocol::kCompact, id));
  receiver_->Stop();
  EXPECT_EQ(sink_.held(), 3u);
  EXPECT_EQ(metrics_.SumCounter("weft_refused_spans_total"), 2u);
  receiver_.reset();
  sink_.Release(Error::Ok());
  ExpectAccountCloses();
}

TEST_F(JaegerUdpTest, APortThatIsTakenIsNamed) {
  Start({});
  const auto second = UdpReceiver::Start(receiver_->bound_address(), {}, &sink_, &metrics_);
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(second.error().message(),
              HasSubstr("cannot listen on " + receiver_->bound_address() + " (UDP): "));
}

}  // namespace
}  // namespace weft::receive::jaeger
