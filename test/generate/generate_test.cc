// Metrics made of spans on arrival: what a scraper reads after some spans were taken.
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "base/env_fake.h"
#include "generate/exposition.h"
#include "generate/generating_sink.h"
#include "receive/fake_span_sink.h"
#include "test/corpus/spans_text.h"

namespace weft::generate {
namespace {

constexpr char kShop[] = R"(
resource web { service.name="web" deployment.environment="prod" }
resource db { service.name="db" service.namespace="store" service.instance.id="db-1" host.name="h1" }
scope lib "lib" "1"

trace T1 0af7651916cd43dd8448eb211c80319c at 10s
  A web "GET /" server 0ms..100ms { http.route="/" }
    B db "select" client 10ms..12ms error "no rows" { http.route="a\"b" retries=3 }
    C db "select" client 20ms..21ms error
trace T2 0bbb at 20s
  D web "GET /" server 0ms..3ms
)";

class GenerateTest : public testing::Test {
 protected:
  // Sends the spans, and gives the sink's answer.
  Error Send(const std::string& text, const model::TenantId& tenant = "default") {
    corpus::SpanSet set;
    const Error read = corpus::ReadSpans(text, 1, &set);
    EXPECT_TRUE(read.ok()) << read.message();
    Error answer;
    sink().Push(tenant, std::make_unique<model::SpanBatch>(std::move(set.spans)),
                [&](Error error) { answer = std::move(error); });
    return answer;
  }

  GeneratingSink& sink() {
    if (!sink_) {
      store_ = std::make_unique<SeriesStore>(env_, metrics_, options_);
      sink_ = std::make_unique<GeneratingSink>(env_, metrics_, options_, store_.get(), &next_);
    }
    return *sink_;
  }

  // The lines that begin so.
  std::string Lines(std::string_view begin, TextForm form = TextForm::kPrometheus,
                    const model::TenantId& tenant = "default") {
    sink();
    const std::string text = RenderSeries(*store_, tenant, form);
    std::string out;
    for (size_t at = 0; at < text.size();) {
      const size_t end = text.find('\n', at) + 1;
      const std::string line = text.substr(at, end - at);
      if (line.starts_with(begin)) out += line;
      at = end;
    }
    return out;
  }

  Options options_;
  FakeEnv env_{1};
  MetricRegistry metrics_;
  receive::FakeSpanSink next_;
  std::unique_ptr<SeriesStore> store_;
  std::unique_ptr<GeneratingSink> sink_;
};

TEST_F(GenerateTest, CountsCallsByServiceNameKindAndStatus) {
  ASSERT_TRUE(Send(kShop).ok());
  EXPECT_EQ(Lines("traces_spanmetrics_calls_total"),
            "traces_spanmetrics_calls_total{service=\"db\",span_name=\"select\",span_kind="
            "\"SPAN_KIND_CLIENT\",status_code=\"STATUS_CODE_ERROR\"} 2\n"
            "traces_spanmetrics_calls_total{service=\"web\",span_name=\"GET /\",span_kind="
            "\"SPAN_KIND_SERVER\",status_code=\"STATUS_CODE_UNSET\"} 2\n");
  ASSERT_TRUE(Send(kShop).ok());
  EXPECT_NE(Lines("traces_spanmetrics_calls_total").find("UNSET\"} 4\n"), std::string::npos);
}

TEST_F(GenerateTest, LatencyIsAHistogramOfSeconds) {
  ASSERT_TRUE(Send(kShop).ok());
  const std::string web =
      "{service=\"web\",span_name=\"GET /\",span_kind=\"SPAN_KIND_SERVER\","
      "status_code=\"STATUS_CODE_UNSET\"";
  const auto bucket = [&](const std::string& le) {
    return Lines("traces_spanmetrics_latency_bucket" + web + ",le=\"" + le + "\"}");
  };
  EXPECT_TRUE(bucket("0.002").ends_with("} 0\n"));
  EXPECT_TRUE(bucket("0.004").ends_with("} 1\n"));
  EXPECT_TRUE(bucket("0.064").ends_with("} 1\n"));
  EXPECT_TRUE(bucket("0.128").ends_with("} 2\n"));
  EXPECT_TRUE(bucket("+Inf").ends_with("} 2\n"));
  EXPECT_TRUE(Lines("traces_spanmetrics_latency_sum" + web).ends_with("} 0.103\n"));
  EXPECT_TRUE(Lines("traces_spanmetrics_latency_count" + web).ends_with("} 2\n"));
}

TEST_F(GenerateTest, OpenMetricsHasTheLatestSpanOfEachBucket) {
  ASSERT_TRUE(Send(kShop).ok());
  const std::string text = RenderSeries(*store_, "default", TextForm::kOpenMetrics);
  EXPECT_NE(text.find("le=\"0.128\"} 2 # {traceID=\"0af7651916cd43dd8448eb211c80319c\"} 0.1 "
                      "1767225610.100\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("# TYPE traces_spanmetrics_calls counter\n"), std::string::npos);
  EXPECT_TRUE(text.ends_with("\n# EOF\n"));
}

TEST_F(GenerateTest, DimensionsAreOfTheSpanOrElseOfItsResource) {
  options_.dimensions = *model::SpanDimensions({"http.route", "deployment.environment", "retries"});
  ASSERT_TRUE(Send(kShop).ok());
  const std::string calls = Lines("traces_spanmetrics_calls_total");
  EXPECT_NE(calls.find("STATUS_CODE_UNSET\",http_route=\"/\",deployment_environment=\"prod\"} 1"),
            std::string::npos)
      << calls;
  EXPECT_NE(calls.find("STATUS_CODE_UNSET\",deployment_environment=\"prod\"} 1"), std::string::npos)
      << calls;
  EXPECT_NE(calls.find("STATUS_CODE_ERROR\",http_route=\"a\\\"b\",retries=\"3\"} 1"),
            std::string::npos)
      << calls;
}

TEST_F(GenerateTest, TargetsSayWhatIsKnownOfAResource) {
  options_.target_info = true;
  ASSERT_TRUE(Send(kShop).ok());
  EXPECT_EQ(Lines("traces_target_info"),
            "traces_target_info{job=\"store/db\",instance=\"db-1\",host_name=\"h1\"} 1\n"
            "traces_target_info{job=\"web\",deployment_environment=\"prod\"} 1\n");
  EXPECT_NE(Lines("traces_spanmetrics_calls_total")
                .find("STATUS_CODE_ERROR\",job=\"store/db\",instance=\"db-1\"} 2"),
            std::string::npos);
}

TEST_F(GenerateTest, WhatWasRefusedDoesNotCount) {
  next_.FailPush(Error(ErrorCode::kUnavailable, "full"));
  EXPECT_FALSE(Send(kShop).ok());
  EXPECT_EQ(Lines("traces_"), "");
}

TEST_F(GenerateTest, TenantsAreApart) {
  ASSERT_TRUE(Send(kShop, "a").ok());
  EXPECT_EQ(Lines("traces_", TextForm::kPrometheus, "b"), "");
  EXPECT_NE(Lines("traces_", TextForm::kPrometheus, "a"), "");
}

TEST_F(GenerateTest, WithoutMemorySpansAreCountedInTheOverflowSeries) {
  options_.memory_bytes_max = 8 << 10;
  constexpr int kNames = 100;
  for (int i = 0; i < kNames; ++i) {
    ASSERT_TRUE(Send("resource web { service.name=\"web\" }\nscope lib \"lib\" \"1\"\n"
                     "trace T1 0abc at 1s\n  A web \"name " +
                     std::to_string(i) + "\" server 0ms..1ms\n")
                    .ok());
  }
  const std::string calls = Lines("traces_spanmetrics_calls_total{service");
  const auto series = std::count(calls.begin(), calls.end(), '\n');
  EXPECT_GT(series, 1);
  EXPECT_LT(series, 20);
  EXPECT_EQ(Lines("traces_spanmetrics_calls_total{metric_overflow"),
            "traces_spanmetrics_calls_total{metric_overflow=\"true\"} " +
                std::to_string(kNames - series) + "\n");
}

TEST_F(GenerateTest, ASeriesThatIsNotSeenGoes) {
  constexpr int64_t kMinuteNs = 60'000'000'000;
  ASSERT_TRUE(Send(kShop).ok());
  const std::string other =
      "resource x { service.name=\"x\" }\nscope lib \"lib\" \"1\"\ntrace T 0abc at 1s\n"
      "  A x \"x\" server 0ms..1ms\n";
  env_.AdvanceNs(14 * kMinuteNs);
  ASSERT_TRUE(Send(other).ok());
  EXPECT_NE(Lines("traces_spanmetrics_calls_total{service=\"web\""), "");
  env_.AdvanceNs(2 * kMinuteNs);
  ASSERT_TRUE(Send(other).ok());
  EXPECT_EQ(Lines("traces_spanmetrics_calls_total{service=\"web\""), "");
  EXPECT_TRUE(Lines("traces_spanmetrics_calls_total{service=\"x\"").ends_with("} 2\n"));
}

// Two requests of one trace: callers first, then who was called.
TEST_F(GenerateTest, CallsAreFoundAcrossRequests) {
  options_.service_graphs = true;
  const std::string head =
      "resource web { service.name=\"web\" }\nresource api { service.name=\"api\" }\n"
      "scope lib \"lib\" \"1\"\ntrace T 0abc at 1s\n";
  ASSERT_TRUE(Send(head + "  A web \"GET /\" server 0ms..900ms id=00000000000000aa\n"
                          "    B web \"call\" client 10ms..700ms id=00000000000000bb\n"
                          "    P web \"send\" producer 10ms..12ms id=00000000000000cc\n")
                  .ok());
  ASSERT_TRUE(Send(head + "  C api \"call\" server 20ms..320ms error parent=00000000000000bb\n"
                          "    D api \"q\" client 30ms..60ms { db.system=\"postgresql\" "
                          "server.address=\"pg\" }\n"
                          "  E api \"take\" consumer 20ms..30ms parent=00000000000000cc\n"
                          "  F web \"take\" consumer 20ms..30ms parent=00000000000000cc\n")
                  .ok());
  EXPECT_EQ(Lines("traces_service_graph_request_total"),
            "traces_service_graph_request_total{client=\"api\",server=\"pg\",connection_type="
            "\"database\"} 1\n"
            "traces_service_graph_request_total{client=\"user\",server=\"web\",connection_type="
            "\"virtual_node\"} 1\n"
            "traces_service_graph_request_total{client=\"web\",server=\"api\"} 1\n"
            "traces_service_graph_request_total{client=\"web\",server=\"api\",connection_type="
            "\"messaging_system\"} 1\n"
            "traces_service_graph_request_total{client=\"web\",server=\"web\",connection_type="
            "\"messaging_system\"} 1\n");
  EXPECT_TRUE(Lines("traces_service_graph_request_failed_total{client=\"web\",server=\"api\"} ")
                  .ends_with("} 1\n"));
  EXPECT_TRUE(
      Lines("traces_service_graph_request_server_seconds_sum{client=\"web\",server=\"api\"} ")
          .ends_with("} 0.3\n"));
  EXPECT_TRUE(
      Lines("traces_service_graph_request_client_seconds_sum{client=\"web\",server=\"api\"} ")
          .ends_with("} 0.69\n"));
}

TEST_F(GenerateTest, ACallThatNobodyAnswersGoesToWhomItNames) {
  options_.service_graphs = true;
  const std::string head = "resource web { service.name=\"web\" }\nscope lib \"lib\" \"1\"\n";
  ASSERT_TRUE(Send(head + "trace T 0abc at 1s\n"
                          "  B web \"call\" client 10ms..70ms { server.address=\"bank.example\" }\n"
                          "  C web \"call\" client 10ms..70ms\n"
                          "  D web \"late\" server 10ms..70ms parent=00000000000000dd\n")
                  .ok());
  EXPECT_EQ(Lines("traces_service_graph_request_total"), "");
  env_.AdvanceNs(11'000'000'000);
  ASSERT_TRUE(Send(head + "trace T 0abd at 1s\n  X web \"x\" internal 0ms..1ms\n").ok());
  EXPECT_EQ(Lines("traces_service_graph_request_total"),
            "traces_service_graph_request_total{client=\"web\",server=\"bank.example\","
            "connection_type=\"virtual_node\"} 1\n");
  EXPECT_EQ(metrics_.SumCounter("weft_generator_unmatched_calls_total"), 2u);
}

}  // namespace
}  // namespace weft::generate
