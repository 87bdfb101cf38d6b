#include "receive/otlp/http_receiver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/otlp_encode.h"
#include "model/proto_writer.h"
#include "net/compression.h"
#include "net/http_client.h"
#include "receive/fake_span_sink.h"
#include "receive/sample_batch.h"

namespace weft::receive::otlp {
namespace {

using testing::HasSubstr;

constexpr const char* kProto = "application/x-protobuf";
constexpr const char* kJson = "application/json";

// One good span, and one whose trace id is all zero.
constexpr const char* kHalfGoodJson = R"({"resourceSpans":[{"scopeSpans":[{"spans":[
  {"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"good"},
  {"traceId":"00000000000000000000000000000000","spanId":"eee19b7ec3c1b175","name":"bad"}]}]}]})";

class OtlpHttpTest : public testing::Test {
 protected:
  void Start(HttpReceiverOptions options = {}) {
    auto receiver = HttpReceiver::Start("127.0.0.1:0", options, &sink_, &metrics_);
    ASSERT_TRUE(receiver.ok()) << receiver.error().message();
    receiver_ = std::move(*receiver);
    client_ = std::make_unique<net::HttpClient>(receiver_->bound_address());
  }
  net::HttpResponse Post(std::string_view path, std::string_view body, std::string_view type,
                         const net::HttpHeaders& headers = {}) {
    auto response = client_->Send("POST", path, body, type, headers);
    EXPECT_TRUE(response.ok()) << response.error().message();
    return response.ok() ? std::move(*response) : net::HttpResponse{};
  }
  uint64_t Refused(std::string_view reason) {
    const std::string label = "reason=\"" + std::string(reason) + "\"";
    uint64_t sum = 0;
    const std::string text = metrics_.RenderPrometheus();
    for (size_t at = 0; (at = text.find("weft_refused_spans_total{", at)) != std::string::npos;) {
      const std::string line = text.substr(at, text.find('\n', at) - at);
      if (line.find(label) != std::string::npos) sum += std::stoull(line.substr(line.rfind(' ')));
      at += line.size();
    }
    return sum;
  }
  // What holds whenever no request is under way.
  void ExpectAccountCloses() {
    EXPECT_EQ(metrics_.SumCounter("weft_received_spans_total"),
              sink_.accepted() + metrics_.SumCounter("weft_refused_spans_total"));
  }

  FakeSpanSink sink_;
  MetricRegistry metrics_;
  std::unique_ptr<HttpReceiver> receiver_;
  std::unique_ptr<net::HttpClient> client_;
};

TEST_F(OtlpHttpTest, ProtobufIsAcceptedWithAnEmptyProtobufAnswer) {
  Start();
  const auto sent = MakeSampleBatch(1, 50);
  const auto response = Post("/v1/traces", model::EncodeOtlpProto(*sent), kProto);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, kProto);
  EXPECT_EQ(response.body, "");
  const auto pushed = sink_.TakePushed();
  ASSERT_EQ(pushed.size(), 1u);
  EXPECT_EQ(pushed[0].tenant, "default");
  EXPECT_EQ(pushed[0].batch->size(), 50u);
  ExpectAccountCloses();
}

TEST_F(OtlpHttpTest, JsonIsAnsweredInJson) {
  Start();
  const auto sent = MakeSampleBatch(2, 50);
  const auto response =
      Post("/v1/traces", model::EncodeOtlpJson(*sent), "application/json; charset=utf-8");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, kJson);
  EXPECT_EQ(response.body, "{}");
  EXPECT_EQ(sink_.accepted(), 50u);
}

TEST_F(OtlpHttpTest, EveryContentEncodingOfTheSpecificationAndMore) {
  Start();
  const std::string body = model::EncodeOtlpProto(*MakeSampleBatch(3, 200));
  for (const auto& [coding, name] :
       {std::pair(net::ContentCoding::kGzip, "gzip"), std::pair(net::ContentCoding::kZstd, "zstd"),
        std::pair(net::ContentCoding::kDeflate, "deflate")}) {
    net::HttpHeaders headers;
    headers.Set("Content-Encoding", name);
    EXPECT_EQ(Post("/v1/traces", net::Compress(coding, body), kProto, headers).status, 200) << name;
  }
  EXPECT_EQ(sink_.accepted(), 600u);
}

TEST_F(OtlpHttpTest, EmptyRequestIsASuccess) {
  Start();
  EXPECT_EQ(Post("/v1/traces", "", kProto).status, 200);
  EXPECT_EQ(Post("/v1/traces", "", kJson).body, "{}");
  EXPECT_EQ(Post("/v1/traces", "{}", kJson).body, "{}");
  EXPECT_TRUE(sink_.TakePushed().empty());
}

TEST_F(OtlpHttpTest, BadSpansAreRefusedAloneWithCountAndReason) {
  Start();
  const auto response = Post("/v1/traces", kHalfGoodJson, kJson);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body,
            R"x({"partialSuccess":{"rejectedSpans":"1","errorMessage":"rejected spans: 1 with an )x"
            R"x(invalid trace_id (16 bytes, not all zero)"}})x");
  EXPECT_EQ(sink_.accepted(), 1u);
  EXPECT_EQ(Refused("invalid_trace_id"), 1u);
  ExpectAccountCloses();
}

TEST_F(OtlpHttpTest, MalformedBodiesAre400InTheirOwnEncoding) {
  Start();
  const auto proto = Post("/v1/traces", "\x0a\xff\xff\xff\x7f", kProto);
  EXPECT_EQ(proto.status, 400);
  EXPECT_EQ(proto.content_type, kProto);
  EXPECT_EQ(proto.body.substr(0, 2), "\x08\x03") << "google.rpc.Status with INVALID_ARGUMENT";
  const auto json = Post("/v1/traces", "{\"resourceSpans\": 7}", kJson);
  EXPECT_EQ(json.status, 400);
  EXPECT_EQ(json.content_type, kJson);
  EXPECT_THAT(json.body, HasSubstr("\"code\":3,\"message\":\"the body is not OTLP in JSON: "
                                   "resourceSpans must be an array\""));
  EXPECT_THAT(json.body, HasSubstr("google.rpc.BadRequest"));
  net::HttpHeaders gzip;
  gzip.Set("Content-Encoding", "gzip");
  EXPECT_EQ(Post("/v1/traces", "not gzip", kProto, gzip).status, 400);
  EXPECT_EQ(metrics_.SumCounter("weft_received_spans_total"), 0u);
}

TEST_F(OtlpHttpTest, MethodsTypesAndPathsToTheLetter) {
  Start();
  const auto get = client_->Get("/v1/traces");
  EXPECT_EQ(get->status, 405);
  EXPECT_EQ(get->headers.Get("Allow"), "POST, OPTIONS");
  EXPECT_EQ(Post("/v1/traces", "x", "text/plain").status, 415);
  EXPECT_EQ(Post("/v1/traces", "x", "").status, 415);
  EXPECT_EQ(Post("/v1/nothing", "x", kProto).status, 404);
  net::HttpHeaders brotli;
  brotli.Set("Content-Encoding", "br");
  EXPECT_EQ(Post("/v1/traces", "x", kProto, brotli).status, 415);
}

TEST_F(OtlpHttpTest, TooLargeIs413WithAStatusBody) {
  HttpReceiverOptions options;
  options.server.body_bytes_max = 1 << 20;
  Start(options);
  net::HttpHeaders gzip;
  gzip.Set("Content-Encoding", "gzip");
  const std::string bomb = net::Compress(net::ContentCoding::kGzip, std::string(20 << 20, '\n'));
  const auto response = Post("/v1/traces", bomb, kProto, gzip);
  EXPECT_EQ(response.status, 413);
  EXPECT_EQ(response.content_type, kProto);
  EXPECT_EQ(response.body.substr(0, 2), "\x08\x08") << "RESOURCE_EXHAUSTED";
  EXPECT_THAT(response.body, testing::Not(HasSubstr("RetryInfo")));
}

TEST_F(OtlpHttpTest, OverloadIsToldBeforeTheBodyIsRead) {
  Start();
  sink_.FailAdmit(Error(ErrorCode::kUnavailable, "memory is full", 2500));
  const auto busy = Post("/v1/traces", model::EncodeOtlpProto(*MakeSampleBatch(1, 5)), kProto);
  EXPECT_EQ(busy.status, 503);
  EXPECT_EQ(busy.headers.Get("Retry-After"), "3");
  EXPECT_THAT(busy.body, HasSubstr("google.rpc.RetryInfo"));
  sink_.FailAdmit(Error(ErrorCode::kResourceExhausted, "rate of the tenant", 1000));
  const auto quota = Post("/v1/traces", "{}", kJson);
  EXPECT_EQ(quota.status, 429);
  EXPECT_THAT(quota.body, HasSubstr("\"retryDelay\":\"1"));
  EXPECT_TRUE(sink_.TakePushed().empty());
}

TEST_F(OtlpHttpTest, AdmissionIsAskedAgainWhileACompressedBodyGrows) {
  Start();
  sink_.FailAdmit(Error(ErrorCode::kUnavailable, "memory is full", 1000), 3 << 20);
  net::HttpHeaders gzip;
  gzip.Set("Content-Encoding", "gzip");
  const std::string small = net::Compress(net::ContentCoding::kGzip, std::string(8 << 20, '\n'));
  EXPECT_EQ(Post("/v1/traces", small, kProto, gzip).status, 503);
  EXPECT_LT(sink_.announced().front(), uint64_t{100'000});
}

TEST_F(OtlpHttpTest, WhatTheSinkRefusesIsCountedByReason) {
  Start();
  const std::string body = model::EncodeOtlpProto(*MakeSampleBatch(4, 30));
  sink_.FailPush(Error(ErrorCode::kUnavailable, "the disk is full", 1000));
  EXPECT_EQ(Post("/v1/traces", body, kProto).status, 503);
  EXPECT_EQ(Refused("unavailable"), 30u);
  sink_.FailPush(Error(ErrorCode::kIo, "sync failed"));
  EXPECT_EQ(Post("/v1/traces", body, kProto).status, 503);
  sink_.FailPush(Error(ErrorCode::kInternal, "a defect"));
  EXPECT_EQ(Post("/v1/traces", body, kProto).status, 500);
  sink_.FailPush(Error::Ok());
  EXPECT_EQ(Post("/v1/traces", body, kProto).status, 200);
  EXPECT_EQ(metrics_.SumCounter("weft_received_spans_total"), 120u);
  ExpectAccountCloses();
}

TEST_F(OtlpHttpTest, TenantsAreCarriedAndChecked) {
  Start();
  const std::string body = model::EncodeOtlpProto(*MakeSampleBatch(5, 1));
  net::HttpHeaders headers;
  headers.Set("x-scope-orgid", "team-a");
  EXPECT_EQ(Post("/v1/traces", body, kProto, headers).status, 200);
  EXPECT_EQ(sink_.TakePushed().at(0).tenant, "team-a");
  headers.Set("x-scope-orgid", "../../etc");
  EXPECT_EQ(Post("/v1/traces", body, kProto, headers).status, 400);
  EXPECT_TRUE(sink_.TakePushed().empty());
}

TEST_F(OtlpHttpTest, TenantNamesCannotFillTheRegistry) {
  Start();
  const std::string body = model::EncodeOtlpProto(*MakeSampleBatch(5, 1));
  for (int i = 0; i < 300; ++i) {
    net::HttpHeaders headers;
    headers.Set("X-Scope-OrgID", "tenant-" + std::to_string(i));
    ASSERT_EQ(Post("/v1/traces", body, kProto, headers).status, 200);
  }
  const std::string text = metrics_.RenderPrometheus();
  EXPECT_THAT(text, HasSubstr("tenant=\"other\"} 100"));
  EXPECT_EQ(text.find("tenant-250"), std::string::npos);
}

TEST_F(OtlpHttpTest, LogsAndMetricsAreToldThatTheyAreNotStored) {
  Start();
  const auto logs =
      Post("/v1/logs", R"({"resourceLogs":[{"scopeLogs":[{"logRecords":[{},{}]}]}]})", kJson);
  EXPECT_EQ(logs.status, 200);
  EXPECT_THAT(logs.body, HasSubstr("\"rejectedLogRecords\":\"2\""));
  EXPECT_THAT(logs.body, HasSubstr("does not store logs yet"));
  std::string metrics;
  model::ProtoWriter to(&metrics);
  const size_t resource = to.Begin(1);
  const size_t scope = to.Begin(2);
  const size_t metric = to.Begin(2);
  const size_t sum = to.Begin(7);
  for (int i = 0; i < 3; ++i) to.Bytes(1, "");
  to.End(sum);
  to.End(metric);
  to.End(scope);
  to.End(resource);
  const auto points = Post("/v1/metrics", metrics, kProto);
  EXPECT_EQ(points.status, 200);
  EXPECT_EQ(points.body.substr(2, 2), "\x08\x03") << "partial_success.rejected_data_points = 3";
  EXPECT_EQ(Post("/v1/logs", "", kProto).body, "");
  EXPECT_EQ(Post("/v1/logs", "\xff", kProto).status, 400);
}

TEST_F(OtlpHttpTest, BrowsersMaySendFromAnywhereByDefault) {
  Start();
  net::HttpHeaders headers;
  headers.Set("Origin", "https://shop.example");
  headers.Set("Access-Control-Request-Method", "POST");
  headers.Set("Access-Control-Request-Headers", "content-type,x-scope-orgid");
  const auto preflight = client_->Send("OPTIONS", "/v1/traces", {}, {}, headers);
  EXPECT_EQ(preflight->status, 204);
  EXPECT_EQ(preflight->headers.Get("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(preflight->headers.Get("Access-Control-Allow-Headers"), "content-type,x-scope-orgid");
  EXPECT_THAT(std::string(preflight->headers.Get("Access-Control-Allow-Methods")),
              HasSubstr("POST"));
  EXPECT_EQ(Post("/v1/traces", "{}", kJson, headers).headers.Get("Access-Control-Allow-Origin"),
            "*");
  EXPECT_EQ(Post("/v1/traces", "{", kJson, headers).headers.Get("Access-Control-Allow-Origin"), "*")
      << "errors too, or the page can't read them";
}

TEST_F(OtlpHttpTest, CorsCanBeNarrowed) {
  HttpReceiverOptions options;
  options.cors_origins = {"https://shop.example"};
  Start(options);
  net::HttpHeaders shop;
  shop.Set("Origin", "https://shop.example");
  EXPECT_EQ(Post("/v1/traces", "{}", kJson, shop).headers.Get("Access-Control-Allow-Origin"),
            "https://shop.example");
  net::HttpHeaders other;
  other.Set("Origin", "https://other.example");
  const auto response = Post("/v1/traces", "{}", kJson, other);
  EXPECT_FALSE(response.headers.Has("Access-Control-Allow-Origin"));
  EXPECT_EQ(response.headers.Get("Vary"), "Origin");
}

TEST_F(OtlpHttpTest, AnswerWaitsForTheSinkAndLateAnswersAreHarmless) {
  Start();
  sink_.Hold();
  std::thread sender([this] {
    const auto response =
        client_->Send("POST", "/v1/traces", model::EncodeOtlpProto(*MakeSampleBatch(6, 3)), kProto);
    EXPECT_FALSE(response.ok()) << "cut off by Stop";
  });
  while (sink_.held() == 0) std::this_thread::yield();
  receiver_->Stop(10);
  sender.join();
  receiver_.reset();
  sink_.Release(Error(ErrorCode::kCancelled, "stopped"));
  EXPECT_EQ(Refused("cancelled"), 3u);
}

}  // namespace
}  // namespace weft::receive::otlp
