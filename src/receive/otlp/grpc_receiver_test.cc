#include "receive/grpc_receiver.h"

#include <chrono>
#include <future>
#include <thread>

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "model/otlp_encode.h"
#include "receive/fake_span_sink.h"
#include "receive/otlp/grpc_format.h"
#include "receive/sample_batch.h"

namespace weft::receive::otlp {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kTraces = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
constexpr const char* kLogs = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
constexpr const char* kMetrics = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

struct RpcResult {
  grpc::Status status;
  std::string response;
};

grpc::ByteBuffer ToBuffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

std::string ToString(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok()) return {};
  std::string out;
  for (const grpc::Slice& slice : slices) {
    out.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return out;
}

class OtlpGrpcTest : public testing::Test {
 protected:
  void Start(const GrpcReceiverOptions& options = {}) {
    auto receiver =
        GrpcReceiver::Start("127.0.0.1:0", options, MakeGrpcFormat(), &sink_, &metrics_);
    ASSERT_TRUE(receiver.ok()) << receiver.error().message();
    receiver_ = std::move(*receiver);
    Connect(GRPC_COMPRESS_NONE);
  }
  void Connect(grpc_compression_algorithm compression) {
    grpc::ChannelArguments arguments;
    arguments.SetCompressionAlgorithm(compression);
    arguments.SetMaxSendMessageSize(-1);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    stub_ = std::make_unique<grpc::GenericStub>(grpc::CreateCustomChannel(
        receiver_->bound_address(), grpc::InsecureChannelCredentials(), arguments));
  }
  RpcResult Send(const std::string& method, const std::string& body,
                 const std::string& tenant = {}) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    if (!tenant.empty()) context.AddMetadata("x-scope-orgid", tenant);
    return Send(&context, method, body);
  }
  RpcResult Send(grpc::ClientContext* context, const std::string& method, const std::string& body) {
    const grpc::ByteBuffer request = ToBuffer(body);
    grpc::ByteBuffer response;
    std::promise<grpc::Status> done;
    stub_->UnaryCall(context, method, grpc::StubOptions(), &request, &response,
                     [&done](grpc::Status status) { done.set_value(std::move(status)); });
    RpcResult result{done.get_future().get(), {}};
    if (result.status.ok()) result.response = ToString(response);
    return result;
  }
  void ExpectAccountCloses() {
    EXPECT_EQ(metrics_.SumCounter("weft_received_spans_total"),
              sink_.accepted() + metrics_.SumCounter("weft_refused_spans_total"));
  }

  FakeSpanSink sink_;
  MetricRegistry metrics_;
  std::unique_ptr<GrpcReceiver> receiver_;
  std::unique_ptr<grpc::GenericStub> stub_;
};

TEST_F(OtlpGrpcTest, SpansArriveAndTheAnswerIsEmpty) {
  Start();
  const RpcResult result = Send(kTraces, model::EncodeOtlpProto(*MakeSampleBatch(1, 40)));
  EXPECT_TRUE(result.status.ok()) << result.status.error_message();
  EXPECT_EQ(result.response, "");
  const auto pushed = sink_.TakePushed();
  ASSERT_EQ(pushed.size(), 1u);
  EXPECT_EQ(pushed[0].tenant, "default");
  EXPECT_EQ(pushed[0].batch->size(), 40u);
  ExpectAccountCloses();
}

TEST_F(OtlpGrpcTest, EmptyRequestIsASuccess) {
  Start();
  EXPECT_TRUE(Send(kTraces, "").status.ok());
}

TEST_F(OtlpGrpcTest, CompressedMessagesArrive) {
  Start();
  const std::string body = model::EncodeOtlpProto(*MakeSampleBatch(2, 500));
  for (const auto compression : {GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
    Connect(compression);
    const RpcResult result = Send(kTraces, body);
    EXPECT_TRUE(result.status.ok()) << result.status.error_message();
  }
  EXPECT_EQ(sink_.accepted(), 1000u);
}

TEST_F(OtlpGrpcTest, BombsAreRefusedAtTheLimitAndNotToBeTriedAgain) {
  GrpcReceiverOptions options;
  options.message_bytes_max = 1 << 20;
  Start(options);
  Connect(GRPC_COMPRESS_GZIP);
  const RpcResult result = Send(kTraces, std::string(100 << 20, '\n'));
  EXPECT_EQ(result.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(result.status.error_details(), Not(HasSubstr("RetryInfo")));
}

TEST_F(OtlpGrpcTest, MessagesUpToTheLimitAreTakenAndLargerOnesRefused) {
  GrpcReceiverOptions options;
  options.message_bytes_max = 16 << 20;
  Start(options);
  // Larger than gRPC's own 4 MiB: one span with a long attribute.
  const std::string large(10 << 20, 'x');
  model::SpanBatch batch;
  BatchBuilder builder({}, &batch);
  batch.resources.schema_url = batch.resources.dropped_attributes = {0};
  batch.resources.attribute_end = {0};
  batch.scopes.name = batch.scopes.version = batch.scopes.schema_url = {0};
  batch.scopes.dropped_attributes = batch.scopes.attribute_end = {0};
  batch.attributes.Add(builder.Text("k"), model::ValueType::kString, builder.Text(large));
  SpanFields fields;
  fields.trace_id = {1, 1};
  fields.span_id = {1};
  builder.CommitSpan(fields, 0, 0);
  EXPECT_TRUE(Send(kTraces, model::EncodeOtlpProto(batch)).status.ok());
  EXPECT_EQ(Send(kTraces, std::string(17 << 20, 'x')).status.error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(sink_.accepted(), 1u);
}

TEST_F(OtlpGrpcTest, MalformedMessagesAreInvalidArgumentWithBadRequest) {
  Start();
  const RpcResult result = Send(kTraces, "\x0a\xff");
  EXPECT_EQ(result.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(result.status.error_details(), HasSubstr("google.rpc.BadRequest"));
  EXPECT_EQ(metrics_.SumCounter("weft_received_spans_total"), 0u);
}

TEST_F(OtlpGrpcTest, OverloadCarriesRetryInfo) {
  Start();
  const std::string body = model::EncodeOtlpProto(*MakeSampleBatch(3, 10));
  sink_.FailAdmit(Error(ErrorCode::kUnavailable, "memory is full", 2500));
  const RpcResult busy = Send(kTraces, body);
  EXPECT_EQ(busy.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(busy.status.error_details(), HasSubstr("google.rpc.RetryInfo"));
  sink_.FailAdmit(Error(ErrorCode::kResourceExhausted, "rate of the tenant", 1000));
  const RpcResult quota = Send(kTraces, body);
  EXPECT_EQ(quota.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(quota.status.error_details(), HasSubstr("google.rpc.RetryInfo"));
}

TEST_F(OtlpGrpcTest, WhatTheSinkRefusesIsCounted) {
  Start();
  sink_.FailPush(Error(ErrorCode::kUnavailable, "the disk is full", 1000));
  const RpcResult result = Send(kTraces, model::EncodeOtlpProto(*MakeSampleBatch(4, 10)));
  EXPECT_EQ(result.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(metrics_.SumCounter("weft_refused_spans_total"), 10u);
  ExpectAccountCloses();
}

TEST_F(OtlpGrpcTest, TenantsComeAsMetadata) {
  Start();
  const std::string body = model::EncodeOtlpProto(*MakeSampleBatch(5, 1));
  EXPECT_TRUE(Send(kTraces, body, "team-a").status.ok());
  EXPECT_EQ(sink_.TakePushed().at(0).tenant, "team-a");
  EXPECT_EQ(Send(kTraces, body, "no/slash").status.error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(OtlpGrpcTest, LogsAndMetricsAreToldThatTheyAreNotStored) {
  Start();
  // resource_logs { scope_logs { log_records {} log_records {} } }
  const RpcResult logs = Send(kLogs, std::string("\x0a\x06\x12\x04\x12\x00\x12\x00", 8));
  EXPECT_TRUE(logs.status.ok()) << logs.status.error_message();
  EXPECT_EQ(logs.response.substr(2, 2), "\x08\x02");
  EXPECT_THAT(logs.response, HasSubstr("does not store logs yet"));
  EXPECT_EQ(Send(kMetrics, "").response, "");
}

TEST_F(OtlpGrpcTest, UnknownMethodsAreUnimplemented) {
  Start();
  EXPECT_EQ(Send("/grpc.health.v1.Health/Check", "").status.error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(OtlpGrpcTest, TooManyCallsAtOnceAreTurnedAway) {
  GrpcReceiverOptions options;
  options.calls_max = 1;
  Start(options);
  sink_.Hold();
  const std::string body = model::EncodeOtlpProto(*MakeSampleBatch(6, 2));
  auto first = std::async(std::launch::async, [&] { return Send(kTraces, body); });
  while (sink_.held() == 0) std::this_thread::yield();
  const RpcResult second = Send(kTraces, body);
  EXPECT_EQ(second.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(second.status.error_details(), HasSubstr("google.rpc.RetryInfo"));
  sink_.Release(Error::Ok());
  EXPECT_TRUE(first.get().status.ok());
}

TEST_F(OtlpGrpcTest, ClientThatGivesUpLeavesTheAccountClosed) {
  Start();
  sink_.Hold();
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(200));
  const std::string body = model::EncodeOtlpProto(*MakeSampleBatch(7, 3));
  EXPECT_EQ(Send(&context, kTraces, body).status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  while (sink_.held() == 0) std::this_thread::yield();
  sink_.Release(Error::Ok());
  ExpectAccountCloses();
}

TEST_F(OtlpGrpcTest, StopCancelsWhatExceedsTheGrace) {
  Start();
  sink_.Hold();
  const std::string body = model::EncodeOtlpProto(*MakeSampleBatch(8, 3));
  auto call = std::async(std::launch::async, [&] { return Send(kTraces, body); });
  while (sink_.held() == 0) std::this_thread::yield();
  receiver_->Stop(50);
  EXPECT_FALSE(call.get().status.ok());
  receiver_.reset();
  sink_.Release(Error(ErrorCode::kCancelled, "stopped"));
  EXPECT_EQ(metrics_.SumCounter("weft_refused_spans_total"), 3u);
}

TEST_F(OtlpGrpcTest, MessageThatNeverComesEndsAtTheTimeout) {
  GrpcReceiverOptions options;
  options.read_timeout_ms = 100;
  Start(options);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  grpc::CompletionQueue queue;
  const auto call = stub_->PrepareCall(&context, kTraces, &queue);
  call->StartCall(nullptr);
  grpc::Status status;
  call->Finish(&status, &status);
  void* tag = nullptr;
  bool ok = false;
  while (tag != &status) ASSERT_TRUE(queue.Next(&tag, &ok));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_THAT(status.error_message(), HasSubstr("too long"));
  queue.Shutdown();
  while (queue.Next(&tag, &ok)) {
  }
}

TEST_F(OtlpGrpcTest, PortInUseIsAClearError) {
  Start();
  const auto second =
      GrpcReceiver::Start(receiver_->bound_address(), {}, MakeGrpcFormat(), &sink_, &metrics_);
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(second.error().message(), HasSubstr(receiver_->bound_address()));
}

}  // namespace
}  // namespace weft::receive::otlp
