#include "receive/rate_limited_sink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/http_client.h"
#include "receive/fake_span_sink.h"
#include "receive/otlp/http_receiver.h"
#include "receive/posted_receiver.h"
#include "receive/zipkin/format.h"

namespace weft::receive {
namespace {

using testing::HasSubstr;

// Owes a hundred seconds after a span whose name has 1100 bytes: no test waits that long.
constexpr policy::RateLimit kSlow{.bytes_per_second = 1, .burst_bytes = 1000};

net::HttpResponse Post(const std::string& address, const char* path, size_t bytes,
                       const char* tenant) {
  net::HttpClient client(address);
  net::HttpHeaders headers;
  headers.Set("X-Scope-OrgID", tenant);
  const bool otlp = std::string_view(path) == "/v1/traces";
  const std::string span = R"({"traceId":"5b8efff798038103d269b633813fc60c","name":")" +
                           std::string(bytes, 'n') + R"(",")" + (otlp ? "spanId" : "id") +
                           R"(":"eee19b7ec3c1b174"})";
  const std::string body =
      otlp ? R"({"resourceSpans":[{"scopeSpans":[{"spans":[)" + span + "]}]}]}" : "[" + span + "]";
  auto response = client.Send("POST", path, body, "application/json", headers);
  EXPECT_TRUE(response.ok()) << response.error().message();
  return response.ok() ? std::move(*response) : net::HttpResponse{};
}

class RateLimitedSinkTest : public testing::Test {
 protected:
  void SetUp() override {
    auto otlp = otlp::HttpReceiver::Start("127.0.0.1:0", {}, &limited_, &metrics_);
    auto zipkin =
        PostedReceiver::Start("127.0.0.1:0", {}, zipkin::MakeFormat(), &limited_, &metrics_);
    ASSERT_TRUE(otlp.ok() && zipkin.ok());
    otlp_ = std::move(*otlp);
    zipkin_ = std::move(*zipkin);
  }

  FakeSpanSink sink_;
  RateLimitedSink limited_{Env::Posix(), kSlow, &sink_};
  MetricRegistry metrics_;
  std::unique_ptr<otlp::HttpReceiver> otlp_;
  std::unique_ptr<PostedReceiver> zipkin_;
};

TEST_F(RateLimitedSinkTest, WhoSendsTooMuchIsToldWhenToComeBack) {
  EXPECT_EQ(Post(otlp_->bound_address(), "/v1/traces", 1100, "a").status, 200);
  const auto refused = Post(otlp_->bound_address(), "/v1/traces", 10, "a");
  EXPECT_EQ(refused.status, 429);
  EXPECT_GE(std::stoi(std::string(refused.headers.Get("Retry-After"))), 60);
  EXPECT_THAT(refused.body, HasSubstr("\"code\":8"));
  EXPECT_THAT(refused.body, HasSubstr("RATE_LIMITED: ingestion rate limit (1 bytes/s, burst: 1000 "
                                      "bytes) of tenant a exceeded"));
  EXPECT_THAT(refused.body, HasSubstr("google.rpc.RetryInfo"));
}

TEST_F(RateLimitedSinkTest, AllReceiversCountForATenantAndNoTenantForAnother) {
  EXPECT_EQ(Post(zipkin_->bound_address(), "/api/v2/spans", 1100, "a").status, 202);
  EXPECT_EQ(Post(zipkin_->bound_address(), "/api/v2/spans", 10, "a").status, 429);
  EXPECT_EQ(Post(otlp_->bound_address(), "/v1/traces", 10, "a").status, 429);
  EXPECT_EQ(Post(otlp_->bound_address(), "/v1/traces", 10, "b").status, 200);
}

TEST_F(RateLimitedSinkTest, WhatTheNextOneRefusesIsRefused) {
  sink_.FailAdmit(Error(ErrorCode::kUnavailable, "full", 1000));
  EXPECT_EQ(Post(otlp_->bound_address(), "/v1/traces", 10, "a").status, 503);
}

}  // namespace
}  // namespace weft::receive
