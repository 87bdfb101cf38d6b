// Jaeger's gRPC method on a real server, by a plain gRPC client.

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "model/proto_writer.h"
#include "receive/fake_span_sink.h"
#include "receive/grpc_receiver.h"
#include "receive/jaeger/format.h"

namespace weft::receive::jaeger {
namespace {

using testing::HasSubstr;

constexpr const char* kMethod = "/jaeger.api_v2.CollectorService/PostSpans";

// A request of one span for each of these span ids; 0 is none.
std::string Request(const std::vector<char>& span_ids) {
  std::string bytes;
  model::ProtoWriter to(&bytes);
  const size_t batch = to.Begin(1);
  for (const char id : span_ids) {
    const size_t span = to.Begin(1);
    to.Bytes(1, std::string(15, '\0') + '\1');
    to.Bytes(2, std::string(7, '\0') + id);
    to.End(span);
  }
  to.End(batch);
  return bytes;
}

class JaegerGrpcTest : public testing::Test {
 protected:
  void SetUp() override {
    auto receiver = GrpcReceiver::Start("127.0.0.1:0", {}, MakeGrpcFormat(), &sink_, &metrics_);
    ASSERT_TRUE(receiver.ok()) << receiver.error().message();
    receiver_ = std::move(*receiver);
    channel_ = grpc::CreateChannel(receiver_->bound_address(), grpc::InsecureChannelCredentials());
  }

  grpc::Status Send(const std::string& request, const char* method = kMethod,
                    grpc_compression_algorithm compression = GRPC_COMPRESS_NONE) {
    grpc::GenericStub stub(channel_);
    grpc::ClientContext context;
    context.set_compression_algorithm(compression);
    const grpc::Slice slice(request);
    grpc::ByteBuffer message(&slice, 1);
    grpc::ByteBuffer response;
    grpc::CompletionQueue queue;
    auto call = stub.PrepareUnaryCall(&context, method, message, &queue);
    grpc::Status status;
    call->StartCall();
    call->Finish(&response, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    queue.Shutdown();
    if (status.ok()) {
      EXPECT_EQ(response.Length(), 0u) << "PostSpansResponse has no fields";
    }
    return status;
  }

  FakeSpanSink sink_;
  MetricRegistry metrics_;
  std::unique_ptr<GrpcReceiver> receiver_;
  std::shared_ptr<grpc::Channel> channel_;
};

TEST_F(JaegerGrpcTest, SpansAreAcceptedPlainAndCompressed) {
  EXPECT_TRUE(Send(Request({1, 2})).ok());
  EXPECT_TRUE(Send(Request(std::vector<char>(200, 3)), kMethod, GRPC_COMPRESS_GZIP).ok());
  EXPECT_TRUE(Send("").ok());
  EXPECT_EQ(sink_.accepted(), 202u);
}

TEST_F(JaegerGrpcTest, RefusedSpansAreToldAndTheOthersKept) {
  const grpc::Status status = Send(Request({1, 0, 2}));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(),
              HasSubstr("1 with an invalid span_id (8 bytes, not all zero); the other 2 of"));
  EXPECT_EQ(sink_.accepted(), 2u);
  EXPECT_EQ(metrics_.SumCounter("weft_received_spans_total"),
            sink_.accepted() + metrics_.SumCounter("weft_refused_spans_total"));
}

TEST_F(JaegerGrpcTest, OtherMethodsAndBytesAreRefused) {
  EXPECT_EQ(Send("\x0a\x05", kMethod).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Send("", "/opentelemetry.proto.collector.trace.v1.TraceService/Export").error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
  sink_.FailPush(Error(ErrorCode::kUnavailable, "the disk is full", 1000));
  EXPECT_EQ(Send(Request({1, 0})).error_code(), grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace weft::receive::jaeger
