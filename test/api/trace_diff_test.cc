// Two traces side by side, through a real socket: POST /api/v2/traces/diff of Tempo's API and GET
// /api/v1/trace-diff of our own.

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/api/openapi.h"
#include "test/api/tempo_server.h"

namespace weft::api {
namespace {

namespace json = boost::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// B is A on a bad day: a proxy stands before pay, pay fails and takes 300 ms longer, the second
// query of stock is gone, and an e-mail is sent. shop runs another version.
constexpr const char* kSpans = R"(
resource shop1 { service.name="shop" service.version="1.0" }
resource shop2 { service.name="shop" service.version="1.1" host.name="h" }
resource pay { service.name="pay" }
resource stock { service.name="stock" }
resource proxy { service.name="proxy" }
scope lib1 "lib" "1"
scope lib2 "lib" "2"

trace A aaaa
  A1 shop1 "buy" server 0ms..100ms { http.status_code=200 user="u1" cart=["x", "y"] }
    A2 shop1 "POST" client 10ms..50ms
      A3 pay "charge" server 12ms..48ms { amount=5 }
    A4 shop1 "GET" client 55ms..95ms
      A5 stock "check" server 60ms..90ms
        A6 stock "SELECT" client 61ms..70ms { table="items" }
        A7 stock "SELECT" client 71ms..80ms { table="prices" }

trace B bbbb at 1s
  B1 shop2 "buy" server 0ms..400ms error "no money" scope=lib2 { http.status_code=500 user="u1" cart=["x", "z"] retries=1 }
    event "exception" +5ms { exception.type="E1" }
    B2 shop2 "POST" client 10ms..350ms id=00000000000000b2 scope=lib2
      BP proxy "forward" server 11ms..349ms id=00000000000000b5 scope=lib2
        B3 pay "charge" server 12ms..348ms error "declined" scope=lib2 { amount=5 }
    B4 shop2 "GET" client 355ms..395ms scope=lib2
      B5 stock "check" server 360ms..390ms scope=lib2
        B6 stock "SELECT" client 361ms..370ms scope=lib2 { table="prices" }
    BM shop2 "mail" internal 396ms..397ms scope=lib2 { to="someone" }
)";

corpus::SpanSet TwoTraces() {
  corpus::SpanSet set;
  const Error error = corpus::ReadSpans(kSpans, 1, &set);
  EXPECT_TRUE(error.ok()) << error.message();
  return set;
}

std::string BodyOf(const std::string& base, const std::string& compare,
                   const std::string& more = "") {
  return R"({"base":{"traceId":")" + base + R"("},"compare":{"traceId":")" + compare + R"("})" +
         more + "}";
}

class TraceDiffTest : public testing::TestWithParam<corpus::Placement> {
 protected:
  net::HttpResponse Post(const std::string& body) {
    auto response = server_.client().Send("POST", "/api/v2/traces/diff", body, "application/json");
    EXPECT_TRUE(response.ok());
    return response.ok() ? *response : net::HttpResponse{};
  }
  json::value Diff(const std::string& body) {
    const net::HttpResponse response = Post(body);
    EXPECT_EQ(response.status, 200) << response.payload();
    return json::parse(std::string(response.payload()));
  }

  TempoServer server_{*GetParam().make(TwoTraces().spans)};
};

std::vector<corpus::Placement> Placements() {
  auto all = corpus::MemoryPlacements();
  for (auto& placement : corpus::BlockPlacements()) all.push_back(std::move(placement));
  return all;
}

INSTANTIATE_TEST_SUITE_P(Placements, TraceDiffTest, testing::ValuesIn(Placements()),
                         [](const auto& info) {
                           std::string name = info.param.name;
                           for (char& c : name) c = std::isalnum(c) ? c : '_';
                           return name;
                         });

// "modified shop buy"
std::vector<std::string> LinesOf(const json::value& patch) {
  std::vector<std::string> out;
  for (const json::value& span : patch.at("spans").as_array()) {
    out.push_back(std::string(span.at("change").as_string()) + " " +
                  std::string(span.at("service").as_string()) + " " +
                  std::string(span.at("name").as_string()));
  }
  return out;
}

TEST_P(TraceDiffTest, APatchSaysSpanBySpanWhatIsDifferent) {
  const json::value patch = Diff(BodyOf("aaaa", "bbbb"));
  EXPECT_EQ(patch.at("version").as_string(), "trace-patch-v0");
  EXPECT_THAT(LinesOf(patch),
              ElementsAre("modified shop buy", "modified shop POST", "added proxy forward",
                          "modified pay charge", "removed stock SELECT", "added shop mail"));
  const json::array& spans = patch.at("spans").as_array();
  EXPECT_EQ(json::serialize(spans[0].at("fields")),
            R"([{"field":"durationMs","base":100,"compare":400},)"
            R"({"field":"status","base":"unset","compare":"error"},)"
            R"({"field":"statusMessage","base":"","compare":"no money"},)"
            R"({"field":"events","base":[],"compare":["exception"]}])");
  EXPECT_EQ(
      json::serialize(spans[0].at("attributes")),
      R"([{"key":"cart","base":["x","y"],"compare":["x","z"]},)"
      R"({"key":"http.status_code","base":200,"compare":500},{"key":"retries","compare":1}])");
  EXPECT_EQ(json::serialize(spans[2].at("compare")),
            R"({"spanId":"00000000000000b5","parentSpanId":"00000000000000b2",)"
            R"("startOffsetMs":11,"durationMs":338})");
  EXPECT_FALSE(spans[2].as_object().contains("base"));
  EXPECT_EQ(json::serialize(spans[3].at("fields").as_array().back()),
            R"({"field":"parent","base":{"service":"shop","name":"POST"},)"
            R"("compare":{"service":"proxy","name":"forward"}})")
      << "the same call, behind a proxy";
  EXPECT_EQ(json::serialize(spans[4].at("attributes")), R"({"table":"items"})")
      << "the other SELECT is the one that is there";
  EXPECT_EQ(json::serialize(spans[5].at("attributes")), R"({"to":"someone"})");
  EXPECT_EQ(json::serialize(patch.at("resources")),
            R"([{"service":"shop","spanPairs":3,"attributes":[{"key":"host.name","compare":"h"},)"
            R"({"key":"service.version","base":"1.0","compare":"1.1"}]}])")
      << "said once, not for every span";
  EXPECT_EQ(json::serialize(patch.at("scopes")),
            R"([{"base":{"name":"lib","version":"1"},"compare":{"name":"lib","version":"2"},)"
            R"("spanPairs":6,"attributes":[]}])");
}

TEST_P(TraceDiffTest, ASummarySaysWhereTheTimeWent) {
  const json::value summary =
      Diff(BodyOf("aaaa", "bbbb", R"(,"format":"trace-summary-v0-native")"));
  EXPECT_EQ(summary.at("version").as_string(), "trace-summary-v0-native");
  EXPECT_EQ(
      json::serialize(summary.at("base")),
      R"({"traceId":"0000000000000000000000000000aaaa","rootService":"shop","rootName":"buy",)"
      R"("spanCount":7,"errorSpanCount":0,"durationMs":100,"sumSpanDurationMs":264})");
  EXPECT_EQ(
      json::serialize(summary.at("compare")),
      R"({"traceId":"0000000000000000000000000000bbbb","rootService":"shop","rootName":"buy",)"
      R"("spanCount":8,"errorSpanCount":2,"durationMs":400,"sumSpanDurationMs":1494})");
  EXPECT_EQ(json::serialize(summary.at("signals")),
            R"({"traceLatency":"slower","sumSpanDuration":"slower","errors":"more",)"
            R"("spanCount":"more","structure":"changed"})");
  // 6 pairs of 15 spans; of the 6 kinds of calls of A and the 8 of B 5 are in both.
  EXPECT_EQ(json::serialize(summary.at("trust")),
            R"({"matchedSpanRatio":8E-1,"structureOverlap":5.555555555555556E-1})");
  EXPECT_EQ(json::serialize(summary.at("stats")),
            R"({"durationDeltaMs":300,"sumSpanDurationDeltaMs":1230,"spanCountDelta":1,)"
            R"("errorSpanDelta":2,"matchedSpans":6,"modifiedSpans":3,"addedSpans":2,)"
            R"("removedSpans":1,"fieldChanges":10,"attributeChanges":5})");
  EXPECT_EQ(json::serialize(summary.at("changedServices")), R"(["pay","proxy","shop","stock"])");
  const json::array& services = summary.at("services").as_array();
  ASSERT_EQ(services.size(), 4u);
  EXPECT_EQ(
      json::serialize(services[0]),
      R"({"service":"pay",)"
      R"("base":{"spanCount":1,"errorSpanCount":0,"sumSpanDurationMs":36,"criticalPathMs":36},)"
      R"("compare":{"spanCount":1,"errorSpanCount":1,"sumSpanDurationMs":336,"criticalPathMs":336},)"
      R"("criticalPathDeltaMs":300,"matchedSpans":1,"modifiedSpans":1,"addedSpans":0,)"
      R"("removedSpans":0})")
      << "the time on the critical path says who made it slower";
}

TEST_P(TraceDiffTest, TheOtherWayRound) {
  const json::value patch = Diff(BodyOf("bbbb", "aaaa"));
  EXPECT_THAT(LinesOf(patch),
              ElementsAre("modified shop buy", "modified shop POST", "removed proxy forward",
                          "modified pay charge", "added stock SELECT", "removed shop mail"));
}

TEST_P(TraceDiffTest, ATraceBesideItself) {
  const json::value same = Diff(BodyOf("aaaa", "aaaa", R"(,"format":"trace-summary-v0-composed")"));
  EXPECT_EQ(json::serialize(same.at("signals")),
            R"({"traceLatency":"same","sumSpanDuration":"same","errors":"same",)"
            R"("spanCount":"same","structure":"same"})");
  EXPECT_EQ(json::serialize(same.at("trust")), R"({"matchedSpanRatio":1,"structureOverlap":1})");
  EXPECT_THAT(same.at("changedServices").as_array(), IsEmpty());
  EXPECT_THAT(same.at("patch").at("spans").as_array(), IsEmpty());
  EXPECT_EQ(same.at("patch").at("version").as_string(), "trace-patch-v0");
}

TEST_P(TraceDiffTest, OurOwnEndpointGivesBoth) {
  const json::value both = server_.GetJson("/api/v1/trace-diff?base=aaaa&compare=bbbb");
  EXPECT_EQ(both.at("version").as_string(), "trace-summary-v0-composed");
  EXPECT_EQ(both.at("patch"), Diff(BodyOf("aaaa", "bbbb")));
  EXPECT_EQ(both.at("stats").at("matchedSpans").as_int64(), 6);
}

class TraceDiffRequestTest : public TraceDiffTest {};
INSTANTIATE_TEST_SUITE_P(One, TraceDiffRequestTest,
                         testing::Values(corpus::MemoryPlacements().front()));

TEST_P(TraceDiffRequestTest, WhatIsWrongIsNamed) {
  const auto refusal = [&](const std::string& body, int status = 400) {
    const net::HttpResponse response = Post(body);
    EXPECT_EQ(response.status, status) << body;
    EXPECT_THAT(response.content_type, HasSubstr("text/plain"));
    return std::string(response.payload());
  };
  EXPECT_EQ(refusal("{"), "the body is not a JSON object");
  EXPECT_EQ(refusal("[]"), "the body is not a JSON object");
  EXPECT_THAT(refusal("{}"), HasSubstr("member `base`: missing"));
  EXPECT_THAT(refusal(R"({"base":1})"), HasSubstr("member `base`: not an object"));
  EXPECT_THAT(refusal(R"({"base":{}})"), HasSubstr("member `base.traceId`: missing"));
  EXPECT_THAT(refusal(R"({"base":{"traceId":7}})"), HasSubstr("base.traceId"));
  EXPECT_THAT(refusal(BodyOf("aaaa", "x")),
              HasSubstr("member `compare.traceId`: trace IDs can only contain hex characters"));
  EXPECT_THAT(refusal(BodyOf("aaaa", "bbbb", R"(,"format":"html")")),
              HasSubstr("member `format`: must be one of trace-patch-v0"));
  EXPECT_THAT(
      refusal(R"({"base":{"traceId":"aaaa","start":9,"end":9},"compare":{"traceId":"bbbb"}})"),
      HasSubstr("member `base.start`: must be before `end`"));
  EXPECT_EQ(refusal(BodyOf("aaaa", "dead"), 404),
            "compare: there is no trace 0000000000000000000000000000dead");
  EXPECT_EQ(refusal(BodyOf("dead", "aaaa"), 404),
            "base: there is no trace 0000000000000000000000000000dead");
  EXPECT_EQ(Post(R"({"base":{"traceId":"aaaa","start":1,"end":9},"compare":{"traceId":"bbbb"},)"
                 R"("more":true})")
                .status,
            200);
  const net::HttpResponse get = server_.Get("/api/v2/traces/diff");
  EXPECT_EQ(get.status, 405);
  EXPECT_EQ(get.headers.Get("Allow"), "POST");
  EXPECT_EQ(server_.Get("/api/v1/trace-diff?base=aaaa").status, 400);
  EXPECT_EQ(server_.Get("/api/v1/trace-diff?base=aaaa&compare=dead").status, 404);
}

TEST(TraceDiffLimitTest, TracesThatAreTooLargeTogetherAreRefused) {
  tempo::TempoOptions options;
  options.trace_bytes_max = 700;
  TempoServer server(*corpus::MemoryPlacements().front().make(TwoTraces().spans), options);
  const auto response = server.client().Send("POST", "/api/v2/traces/diff", BodyOf("aaaa", "bbbb"),
                                             "application/json");
  EXPECT_EQ(response->status, 429);
  EXPECT_EQ(response->payload(), "both traces together exceed max size (max bytes: 700)");
}

// 300 spans that the other trace lacks are more than 64 KiB of patch.
TEST(TraceDiffLimitTest, ALargePatchIsLeftOutOfASummary) {
  std::string text =
      "resource r { service.name=\"r\" }\ntrace A aaaa\n  A r \"a\" server 0ms..1ms\n";
  text += "trace B bbbb\n  B r \"a\" server 0ms..1ms\n";
  for (int i = 0; i < 300; ++i)
    text +=
        "    B" + std::to_string(i) + " r \"b\" client 0ms..1ms { n=" + std::to_string(i) + " }\n";
  corpus::SpanSet set;
  ASSERT_TRUE(corpus::ReadSpans(text, 1, &set).ok());
  TempoServer server(*corpus::MemoryPlacements().front().make(set.spans));
  const auto response = server.client().Send(
      "POST", "/api/v2/traces/diff",
      BodyOf("aaaa", "bbbb", R"(,"format":"trace-summary-v0-composed")"), "application/json");
  const json::value answer = json::parse(std::string(response->payload()));
  EXPECT_FALSE(answer.as_object().contains("patch"));
  EXPECT_GT(answer.at("patchOmitted").at("bytes").as_int64(), 64 << 10);
  EXPECT_EQ(answer.at("patchOmitted").at("reason").as_string(), "over_budget");
  EXPECT_EQ(server.GetJson("/api/v1/trace-diff?base=aaaa&compare=bbbb")
                .at("patch")
                .at("spans")
                .as_array()
                .size(),
            300u)
      << "ours has all of it";
}

TEST_P(TraceDiffRequestTest, AnswersAreAsTheDescriptionSays) {
  const OpenApi openapi("proto/openapi.yaml");
  const auto check = [&](const OpenApi::Operation& operation, const net::HttpResponse& response) {
    EXPECT_THAT(openapi.Check(operation, response.status, response.content_type,
                              std::string(response.payload())),
                IsEmpty());
  };
  for (const char* format :
       {"trace-patch-v0", "trace-summary-v0-native", "trace-summary-v0-composed"}) {
    check({"post", "/api/v2/traces/diff"},
          Post(BodyOf("aaaa", "bbbb", R"(,"format":")" + std::string(format) + R"(")")));
  }
  check({"post", "/api/v2/traces/diff"}, Post("{}"));
  check({"get", "/api/v1/trace-diff"}, server_.Get("/api/v1/trace-diff?base=aaaa&compare=bbbb"));
  check({"get", "/api/v1/trace-diff"}, server_.Get("/api/v1/trace-diff?base=aaaa&compare=dead"));
}

}  // namespace
}  // namespace weft::api
