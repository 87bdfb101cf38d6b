// Prometheus' exemplars, made of spans wherever they are, through a real socket.

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/url.h"
#include "test/api/openapi.h"
#include "test/api/tempo_server.h"

namespace weft::api {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::vector<corpus::Placement> Placements() {
  auto all = corpus::MemoryPlacements();
  for (auto& placement : corpus::BlockPlacements()) all.push_back(std::move(placement));
  return all;
}

class ExemplarsTest : public testing::TestWithParam<corpus::Placement> {
 protected:
  static std::string Target(const std::string& query, const std::string& times) {
    return "/prometheus/api/v1/query_exemplars?query=" + net::PercentEncode(query) + times;
  }
  // "service name le: trace value", by series.
  std::vector<std::string> Ask(const std::string& query, const std::string& times = kMinute) {
    std::vector<std::string> out;
    const json::value answer = server_.GetJson(Target(query, times));
    for (const json::value& series : answer.at("data").as_array()) {
      const json::value& labels = series.at("seriesLabels");
      EXPECT_EQ(labels.at("__name__").as_string(), "traces_spanmetrics_latency_bucket");
      std::string line = std::string(labels.at("service").as_string()) + " " +
                         std::string(labels.at("span_name").as_string()) + " " +
                         std::string(labels.at("le").as_string()) + ":";
      for (const json::value& exemplar : series.at("exemplars").as_array()) {
        line +=
            " " + std::string(exemplar.at("labels").at("traceID").as_string()).substr(28) + " " +
            std::string(exemplar.at("value").as_string()) + " at " +
            std::to_string(exemplar.at("timestamp").to_number<double>() - 1767225600).substr(0, 5);
      }
      out.push_back(std::move(line));
    }
    return out;
  }

  static constexpr const char* kMinute = "&start=1767225600&end=1767225660";
  TempoServer server_{*GetParam().make(ThreeTraces().spans)};
};

INSTANTIATE_TEST_SUITE_P(Placements, ExemplarsTest, testing::ValuesIn(Placements()),
                         [](const auto& info) {
                           std::string name = info.param.name;
                           for (char& c : name) c = std::isalnum(c) ? c : '_';
                           return name;
                         });

TEST_P(ExemplarsTest, SpansStandWithTheBucketsThatTheyAreIn) {
  EXPECT_THAT(
      Ask("traces_spanmetrics_latency_bucket"),
      UnorderedElementsAre(
          "api POST /order 0.064: 319c 0.06 at 0.020", "api SELECT 0.032: 319c 0.02 at 0.040",
          "api calc 0.016: 319c 0.01 at 0.025", "frontend GET / 0.128: 319c 0.1 at 0.000",
          "frontend call api 0.128: 319c 0.08 at 0.010",
          "orphan orphan op 0.008: 1111 0.005 at 2.000", "solo solo op 0.002: 0abc 0 at 1.000"));
}

TEST_P(ExemplarsTest, OfTheSelectorsOfAnyQuery) {
  EXPECT_THAT(Ask("histogram_quantile(0.9, sum by (le) (rate(traces_spanmetrics_latency_bucket{"
                  "service=\"api\",status_code=\"STATUS_CODE_ERROR\"}[5m]))) + "
                  "rate(traces_spanmetrics_latency_bucket{le=\"0.008\"}[1m])"),
              UnorderedElementsAre("api POST /order 0.064: 319c 0.06 at 0.020",
                                   "orphan orphan op 0.008: 1111 0.005 at 2.000"));
  EXPECT_THAT(Ask("rate(traces_spanmetrics_calls_total[5m])"), IsEmpty());
  EXPECT_THAT(Ask("up"), IsEmpty());
  EXPECT_THAT(Ask("1 + 1"), IsEmpty());
}

TEST_P(ExemplarsTest, OnlyOfTheTimeThatIsAskedFor) {
  EXPECT_THAT(Ask("traces_spanmetrics_latency_bucket", "&start=1767225601&end=1767225601.5"),
              ElementsAre("solo solo op 0.002: 0abc 0 at 1.000"));
  EXPECT_THAT(Ask("traces_spanmetrics_latency_bucket", "&start=1767225605&end=1767225606"),
              IsEmpty());
  EXPECT_THAT(Ask("traces_spanmetrics_latency_bucket", ""), IsEmpty()) << "the last hour";
}

TEST_P(ExemplarsTest, RefusalsAreThoseOfPrometheus) {
  const net::HttpResponse wrong = server_.Get(Target("sum(", kMinute));
  EXPECT_EQ(wrong.status, 400);
  EXPECT_THAT(std::string(wrong.payload()), HasSubstr("\"errorType\":\"bad_data\""));
  EXPECT_EQ(server_.Get(Target("up", "&start=5&end=1")).status, 400);
  const auto form = server_.client().Send(
      "POST", "/api/v1/query_exemplars",
      "query=traces_spanmetrics_latency_bucket&start=1767225600&end=1767225660",
      "application/x-www-form-urlencoded");
  EXPECT_EQ(form->status, 200);
  const OpenApi openapi("proto/openapi.yaml");
  EXPECT_THAT(openapi.Check({"get", "/api/v1/query_exemplars"}, form->status, form->content_type,
                            std::string(form->payload())),
              IsEmpty());
}

}  // namespace
}  // namespace weft::api
