// Metrics by Tempo's API, through a real socket: which fields an answer has, and what the
// parameters do. What a metric is, is the corpus's business (test/corpus/traceql/metrics.test).

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/tempo/metrics_request.h"
#include "net/url.h"
#include "test/api/openapi.h"
#include "test/api/tempo_server.h"

namespace weft::api {
namespace {

namespace json = boost::json;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

// T1 begins at 1767225600 s, T2 a second and T3 two seconds later.
const std::string kTimes = "&start=1767225600&end=1767225603";

class TempoMetricsTest : public testing::Test {
 protected:
  std::string Range(const std::string& q, const std::string& more = "&step=1s") {
    return "/api/metrics/query_range?q=" + net::PercentEncode(q) + kTimes + more;
  }
  std::string Instant(const std::string& q) {
    return "/api/metrics/query?q=" + net::PercentEncode(q) + "&start=1767225599&end=1767225603";
  }
  json::array Series(const std::string& target) {
    return server_.GetJson(target).at("series").as_array();
  }

  corpus::SpanSet set_ = ThreeTraces();
  TempoServer server_{*corpus::BlockPlacements()[0].make(set_.spans)};
};

TEST_F(TempoMetricsTest, ARangeHasSamplesAtTheEndsOfItsSteps) {
  const json::array series = Series(Range("{ kind = server } | rate() by (resource.service.name)"));
  ASSERT_THAT(series, SizeIs(2));
  const json::object& first = series[0].as_object();
  EXPECT_EQ(first.at("labels"), json::parse(R"([{"key":"resource.service.name",
      "value":{"stringValue":"api"}}])"));
  // A value of 0 is left out, as in all of this JSON.
  EXPECT_EQ(first.at("samples"), json::parse(R"([
      {"timestampMs":"1767225600000"}, {"value":1,"timestampMs":"1767225601000"},
      {"timestampMs":"1767225602000"}, {"timestampMs":"1767225603000"}])"))
      << json::serialize(first);
  const json::array& exemplars = first.at("exemplars").as_array();
  ASSERT_THAT(exemplars, SizeIs(1));
  EXPECT_EQ(exemplars[0], json::parse(R"({"labels":[{"key":"trace:id",
      "value":{"stringValue":"0af7651916cd43dd8448eb211c80319c"}}],
      "value":1,"timestampMs":"1767225600020"})"));
}

TEST_F(TempoMetricsTest, AnExemplarCarriesItsOwnValue) {
  const json::array series = Series(Range("{ name = \"calc\" } | max_over_time(duration)"));
  ASSERT_THAT(series, SizeIs(1));
  EXPECT_EQ(series[0].at("exemplars").as_array()[0].at("value").as_double(), 0.01);
  EXPECT_FALSE(
      Series(Range("{} | rate()", "&step=1s&exemplars=0"))[0].as_object().contains("exemplars"));
}

TEST_F(TempoMetricsTest, NoValueIsNoSample) {
  const json::array series = Series(Range("{ status = error } | avg_over_time(duration)"));
  ASSERT_THAT(series, SizeIs(1));
  EXPECT_THAT(series[0].at("samples").as_array(), SizeIs(1));
}

TEST_F(TempoMetricsTest, AnInstantIsOneValueOfTheWholeTime) {
  const json::value answer = server_.GetJson(Instant("{} | count_over_time() by (span.foo)"));
  EXPECT_THAT(answer.at("series").as_array(), SizeIs(5));
  const json::array alone = Series(Instant("{} | quantile_over_time(duration, .5)"));
  EXPECT_EQ(alone[0].at("labels"), json::parse(R"([{"key":"p","value":{"doubleValue":0.5}}])"));
  EXPECT_NEAR(alone[0].at("value").as_double(), 0.02, 0.02 * 0.032);
  for (const auto& member : answer.as_object()) {
    EXPECT_THAT(std::string(member.key()), testing::AnyOf("series", "metrics"))
        << "Grafana refuses fields that it does not know";
  }
}

TEST_F(TempoMetricsTest, TooManySeriesAreCutAndItSaysSo) {
  const json::value answer =
      server_.GetJson(Range("{} | rate() by (name)", "&step=1s&maxSeries=3"));
  EXPECT_THAT(answer.at("series").as_array(), SizeIs(3));
  EXPECT_EQ(answer.at("status").as_string(), "PARTIAL");
  EXPECT_THAT(std::string(answer.at("message").as_string()),
              StartsWith("Response exceeds maximum series limit of 3"));
}

TEST_F(TempoMetricsTest, NothingIsAnEmptyList) {
  EXPECT_THAT(std::string(server_.Get(Range("{ name = \"x\" } | rate() by (name)")).payload()),
              StartsWith(R"({"series":[],"metrics":{)"));
}

TEST_F(TempoMetricsTest, AnswersJsonWhateverIsAccepted) {
  const auto response = server_.GetAs(Range("{} | rate()"), "application/protobuf");
  EXPECT_EQ(response.content_type, "application/json");
}

TEST_F(TempoMetricsTest, TimesComeInFourForms) {
  const auto count = [&](const std::string& times) {
    return Series("/api/metrics/query?query=" + net::PercentEncode("{} | count_over_time()") +
                  times)[0]
        .at("value")
        .to_number<double>();
  };
  EXPECT_EQ(count("&start=1767225599&end=1767225601"), 6);
  EXPECT_EQ(count("&start=1767225599.5&end=1767225600.015"), 2);
  EXPECT_EQ(count("&start=1767225599000000000&end=1767225600010000000"), 2);
  EXPECT_EQ(count("&start=2025-12-31T23:59:59Z&end=2026-01-01T00:00:02Z"), 7);
  EXPECT_EQ(count("&since=1s&end=1767225600"), 1);
}

TEST_F(TempoMetricsTest, RefusesInTempoWords) {
  EXPECT_THAT(server_.Refusal(Range("{}")), HasSubstr("expected a metric at the end"));
  EXPECT_EQ(server_.Refusal("/api/metrics/query_range?start=1&end=2"),
            "compiling query: parse error : syntax error: unexpected $end");
  const std::string query = "/api/metrics/query_range?q=" + net::PercentEncode("{} | rate()");
  EXPECT_EQ(server_.Refusal(query + "&start=20&end=10"), "end must be greater than start");
  EXPECT_THAT(server_.Refusal(query + kTimes + "&step=-1s"), HasSubstr("step must be positive"));
  EXPECT_THAT(server_.Refusal(query + kTimes + "&step=0"), HasSubstr("step must be positive"));
  EXPECT_THAT(server_.Refusal(query + kTimes + "&step=abc"), HasSubstr("invalid step"));
  EXPECT_THAT(server_.Refusal(query + "&start=1767225600&end=1767325600&step=1s"),
              StartsWith("step of 1s is too small, minimum step for given range is 10."));
  EXPECT_THAT(server_.Refusal(query + "&start=now-&end=10"), HasSubstr("invalid start"));
  EXPECT_THAT(server_.Refusal(query + "&start=1e300&end=10"), HasSubstr("invalid start"));
}

TEST(TempoMetricsSteps, AreAboutA240thOfTheRange) {
  constexpr uint64_t kSecond = 1'000'000'000;
  EXPECT_EQ(tempo::DefaultStepNs(10 * kSecond), 50'000'000u);
  EXPECT_EQ(tempo::DefaultStepNs(59 * kSecond), 200'000'000u);
  EXPECT_EQ(tempo::DefaultStepNs(60 * kSecond), kSecond);
  EXPECT_EQ(tempo::DefaultStepNs(3600 * kSecond), 15 * kSecond);
  EXPECT_EQ(tempo::DefaultStepNs(24 * 3600 * kSecond), 300 * kSecond);
  EXPECT_EQ(tempo::DefaultStepNs(300 * 24 * 3600 * kSecond), 3600 * kSecond);
}

TEST(TempoMetricsSteps, StandAtMultiples) {
  const auto axis = tempo::AlignedAxis(101, 205, 10);
  ASSERT_TRUE(axis.ok());
  EXPECT_EQ(axis->first_ns, 100u);
  EXPECT_EQ(axis->TimeOf(axis->count - 1), 210u);
  EXPECT_EQ(axis->StepOf(91), 0u);
  EXPECT_EQ(axis->StepOf(100), 0u);
  EXPECT_EQ(axis->StepOf(101), 1u);
  EXPECT_EQ(axis->range().start_ns, 91u);
  EXPECT_EQ(axis->range().end_ns, 211u);
  // Nothing is before the beginning of time.
  EXPECT_EQ(tempo::AlignedAxis(0, 5, 10)->first_ns, 10u);
  EXPECT_TRUE(tempo::AlignedAxis(0, 10'000 * 10, 10).ok());
  EXPECT_FALSE(tempo::AlignedAxis(0, 10'000 * 10 + 1, 10).ok());
}

}  // namespace
}  // namespace weft::api
