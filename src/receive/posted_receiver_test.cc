#include "receive/posted_receiver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/compression.h"
#include "net/http_client.h"
#include "receive/fake_span_sink.h"
#include "receive/jaeger/format.h"
#include "receive/zipkin/format.h"

namespace weft::receive {
namespace {

using testing::HasSubstr;

constexpr const char* kJson = "application/json";
constexpr const char* kOneSpan =
    R"([{"traceId":"1","id":"2","timestamp":3,"localEndpoint":{"serviceName":"s"}}])";
constexpr const char* kHalfGood = R"([{"traceId":"1","id":"2"},{"traceId":"0","id":"2"}])";

class PostedReceiverTest : public testing::Test {
 protected:
  void Start(const PostedReceiverOptions& options = {}) {
    auto receiver =
        PostedReceiver::Start("127.0.0.1:0", options, zipkin::MakeFormat(), &sink_, &metrics_);
    ASSERT_TRUE(receiver.ok()) << receiver.error().message();
    receiver_ = std::move(*receiver);
    client_ = std::make_unique<net::HttpClient>(receiver_->bound_address());
  }
  net::HttpResponse Post(std::string_view path, std::string_view body,
                         std::string_view type = kJson, const net::HttpHeaders& headers = {}) {
    auto response = client_->Send("POST", path, body, type, headers);
    EXPECT_TRUE(response.ok()) << response.error().message();
    return response.ok() ? std::move(*response) : net::HttpResponse{};
  }
  void ExpectAccountCloses() {
    EXPECT_EQ(metrics_.SumCounter("weft_received_spans_total"),
              sink_.accepted() + metrics_.SumCounter("weft_refused_spans_total"));
  }

  FakeSpanSink sink_;
  MetricRegistry metrics_;
  std::unique_ptr<PostedReceiver> receiver_;
  std::unique_ptr<net::HttpClient> client_;
};

TEST_F(PostedReceiverTest, SpansAreAcceptedWith202AndNothingMore) {
  Start();
  const auto response = Post("/api/v2/spans", kOneSpan);
  EXPECT_EQ(response.status, 202);
  EXPECT_EQ(response.body, "");
  const auto pushed = sink_.TakePushed();
  ASSERT_EQ(pushed.size(), 1u);
  EXPECT_EQ(pushed[0].tenant, "default");
  EXPECT_EQ(pushed[0].batch->trace_id(0).ToHex(), "00000000000000000000000000000001");
  for (const char* body : {"", "[]"}) EXPECT_EQ(Post("/api/v2/spans", body).status, 202);
  ExpectAccountCloses();
}

TEST_F(PostedReceiverTest, TheContentTypeChoosesTheFormat) {
  Start();
  const std::string v1 =
      R"([{"traceId":"1","id":"2","binaryAnnotations":[{"key":"k","value":"v"}]}])";
  EXPECT_EQ(Post("/api/v1/spans", v1).status, 202);
  EXPECT_EQ(Post("/api/v2/spans", v1).status, 400);
  EXPECT_EQ(Post("/api/v2/spans", kOneSpan, "").status, 202) << "as Zipkin: JSON without a type";
  EXPECT_EQ(Post("/api/v2/spans", kOneSpan, "text/plain").status, 202);
  const std::string proto("\x0a\x14\x0a\x08\0\0\0\0\0\0\0\1\x1a\x08\0\0\0\0\0\0\0\2", 22);
  EXPECT_EQ(Post("/api/v2/spans", proto, "application/x-protobuf").status, 202);
  EXPECT_EQ(Post("/api/v2/spans", proto, "application/x-protobuf; charset=utf-8").status, 202);
  const std::string thrift("\x0c\0\0\0\1\x0a\0\1\0\0\0\0\0\0\0\1\x0a\0\4\0\0\0\0\0\0\0\2\0", 28);
  EXPECT_EQ(Post("/api/v1/spans", thrift, "application/x-thrift").status, 202);
  EXPECT_EQ(sink_.accepted(), 6u);
  EXPECT_THAT(Post("/api/v1/spans", proto, "application/x-protobuf").body,
              HasSubstr("goes to /api/v2/spans"));
  EXPECT_EQ(Post("/api/v2/spans", thrift, "application/x-thrift").status, 415);
}

TEST(PostedJaeger, TakesThriftAtItsOwnPath) {
  FakeSpanSink sink;
  MetricRegistry metrics;
  auto receiver =
      PostedReceiver::Start("127.0.0.1:0", {}, jaeger::MakePostedFormat(), &sink, &metrics);
  ASSERT_TRUE(receiver.ok()) << receiver.error().message();
  net::HttpClient client((*receiver)->bound_address());
  const auto status = [&](const char* path, std::string_view body, const char* type) {
    return client.Send("POST", path, body, type, {})->status;
  };
  // {2: [{1: 1, 3: 2}]}
  const std::string batch(
      "\x0f\0\2\x0c\0\0\0\1\x0a\0\1\0\0\0\0\0\0\0\1\x0a\0\3\0\0\0\0\0\0\0\2\0\0", 32);
  EXPECT_EQ(status("/api/traces?format=jaeger.thrift", batch, "application/x-thrift"), 202);
  EXPECT_EQ(status("/api/traces", batch, "application/vnd.apache.thrift.binary; v=1"), 202);
  EXPECT_EQ(sink.accepted(), 2u);
  EXPECT_EQ(status("/api/traces", batch, "application/json"), 415);
  EXPECT_EQ(status("/api/traces", "", "application/x-thrift"), 400);
  EXPECT_EQ(status("/api/v2/spans", batch, "application/x-thrift"), 404);
}

TEST_F(PostedReceiverTest, CompressedBodiesAreUnpacked) {
  Start();
  net::HttpHeaders gzip;
  gzip.Set("Content-Encoding", "gzip");
  const std::string packed = net::Compress(net::ContentCoding::kGzip, kOneSpan);
  EXPECT_EQ(Post("/api/v2/spans", packed, kJson, gzip).status, 202);
  EXPECT_EQ(Post("/api/v2/spans", "no gzip", kJson, gzip).status, 400);
}

TEST_F(PostedReceiverTest, RefusedSpansAreToldWithTheirReasonAndTheOthersKept) {
  Start();
  const auto response = Post("/api/v2/spans", kHalfGood);
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.body,
            "rejected spans: 1 with an invalid trace_id (16 bytes, not all zero); the other 1 of "
            "the request are stored: do not send it again\n");
  EXPECT_EQ(sink_.accepted(), 1u);
  EXPECT_EQ(metrics_.SumCounter("weft_refused_spans_total"), 1u);
  ExpectAccountCloses();
}

TEST_F(PostedReceiverTest, MethodsAndPathsToTheLetter) {
  Start();
  EXPECT_EQ(client_->Send("GET", "/api/v2/spans", "", "", {})->status, 405);
  EXPECT_EQ(client_->Send("GET", "/api/v2/spans", "", "", {})->headers.Get("Allow"),
            "POST, OPTIONS");
  const auto unknown = Post("/v1/traces", kOneSpan);
  EXPECT_EQ(unknown.status, 404);
  EXPECT_THAT(unknown.body, HasSubstr("/api/v2/spans and /api/v1/spans, not at /v1/traces"));
}

TEST_F(PostedReceiverTest, MalformedAndTooLargeBodies) {
  PostedReceiverOptions options;
  options.server.body_bytes_max = 1024;
  Start(options);
  EXPECT_EQ(Post("/api/v2/spans", "{").status, 400);
  EXPECT_EQ(Post("/api/v2/spans", "[" + std::string(2000, ' ') + "]").status, 413);
}

TEST_F(PostedReceiverTest, OverloadAndFailuresAskToComeBack) {
  Start();
  sink_.FailPush(Error(ErrorCode::kIo, "the disk is full", 2000));
  const auto failed = Post("/api/v2/spans", kHalfGood);
  EXPECT_EQ(failed.status, 503);
  EXPECT_EQ(failed.headers.Get("Retry-After"), "2");
  EXPECT_EQ(failed.body, "the disk is full\n");
  ExpectAccountCloses();
  sink_.FailAdmit(Error(ErrorCode::kResourceExhausted, "too fast", 1000));
  EXPECT_EQ(Post("/api/v2/spans", kOneSpan).status, 429);
}

TEST_F(PostedReceiverTest, TenantsAndBrowsersAsForOtlp) {
  Start();
  net::HttpHeaders headers;
  headers.Set("X-Scope-OrgID", "team-a");
  headers.Set("Origin", "https://shop.example");
  const auto response = Post("/api/v2/spans", kOneSpan, "text/plain", headers);
  EXPECT_EQ(response.headers.Get("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(sink_.TakePushed().at(0).tenant, "team-a");
  EXPECT_EQ(client_->Send("OPTIONS", "/api/v2/spans", "", "", headers)->status, 204);
  headers.Set("X-Scope-OrgID", "..");
  EXPECT_EQ(Post("/api/v2/spans", kOneSpan, kJson, headers).status, 400);
}

}  // namespace
}  // namespace weft::receive
