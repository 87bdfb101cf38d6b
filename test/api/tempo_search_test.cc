// Search by Tempo's API, through a real socket, wherever the spans are: which fields an answer has,
// and what the parameters do. What a query finds is the corpus's business (test/corpus/traceql).

#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/tempo/go_duration.h"
#include "api/tempo/legacy_tags.h"
#include "net/url.h"
#include "test/api/openapi.h"
#include "test/api/tempo_server.h"

namespace weft::api {
namespace {

namespace json = boost::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

// The data set's spans begin at 1767225600 s.
const std::string kTimes = "&start=1767225600&end=1767225660";

std::string Query(const std::string& q) {
  return "/api/search?q=" + net::PercentEncode(q) + kTimes;
}
std::string Tagged(const std::string& tags) {
  return "/api/search?tags=" + net::PercentEncode(tags) + kTimes;
}

std::vector<corpus::Placement> Placements() {
  auto all = corpus::MemoryPlacements();
  for (auto& placement : corpus::BlockPlacements()) all.push_back(std::move(placement));
  return all;
}

class TempoSearchTest : public testing::TestWithParam<corpus::Placement> {
 protected:
  // The names of the spans found, spansets apart by '|' and traces by ';'; behind a spanset what is
  // known of it.
  std::string Find(const std::string& q, const std::string& more = "&spss=100") {
    const json::value answer = server_.GetJson(Query(q) + more);
    std::string out;
    for (const json::value& trace : answer.at("traces").as_array()) {
      std::string sets;
      for (const json::value& set : trace.at("spanSets").as_array()) {
        sets += sets.empty() ? "" : " | ";
        sets += Names(set);
      }
      out += (out.empty() ? "" : " ; ") + sets;
    }
    return out;
  }
  std::string Names(const json::value& set) {
    std::string out;
    for (const json::value& span : set.at("spans").as_array()) {
      const auto id = model::SpanId::FromHex(std::string(span.at("spanID").as_string()));
      for (uint32_t i = 0; i < set_.spans.size(); ++i) {
        if (set_.spans.span_id[i] == *id) out += set_.labels[i];
      }
    }
    if (const auto* attributes = set.as_object().if_contains("attributes"))
      out += " " + json::serialize(*attributes);
    return out;
  }
  std::vector<std::string> Ids(const std::string& target) {
    std::vector<std::string> out;
    const json::value answer = server_.GetJson(target);
    for (const json::value& trace : answer.at("traces").as_array())
      out.emplace_back(trace.at("traceID").as_string().subview(0, 4));
    return out;
  }

  corpus::SpanSet set_ = ThreeTraces();
  TempoServer server_{*GetParam().make(set_.spans)};
};

INSTANTIATE_TEST_SUITE_P(Placements, TempoSearchTest, testing::ValuesIn(Placements()),
                         [](const auto& info) {
                           std::string name = info.param.name;
                           for (char& c : name) c = std::isalnum(c) ? c : '_';
                           return name;
                         });

// One trace as it stands in the answer, to the letter.
TEST_P(TempoSearchTest, ATraceHasTempoFieldsAndNoOthers) {
  const json::value answer = server_.GetJson(Query("{ span.foo = 5 && kind = internal }"));
  ASSERT_EQ(answer.at("traces").as_array().size(), 1u);
  const std::string set =
      R"({"spans":[{"spanID":"dddddddddddddddd","startTimeUnixNano":"1767225600025000000",)"
      R"("durationNanos":"10000000","attributes":[{"key":"foo","value":{"intValue":"5"}},)"
      R"({"key":"kind","value":{"stringValue":"internal"}}]}],"matched":1})";
  const std::string expected =
      R"({"traceID":"0af7651916cd43dd8448eb211c80319c","rootServiceName":"frontend",)"
      R"("rootTraceName":"GET /","startTimeUnixNano":"1767225600000000000","durationMs":100,)"
      R"("spanSet":)" +
      set + R"(,"spanSets":[)" + set +
      R"(],"serviceStats":{"api":{"spanCount":3,"errorCount":1},"frontend":{"spanCount":2}}})";
  EXPECT_EQ(answer.at("traces").as_array()[0], json::parse(expected))
      << json::serialize(answer.at("traces").as_array()[0]);
  for (const auto& member : answer.at("metrics").as_object()) {
    EXPECT_THAT(std::string(member.key()),
                testing::AnyOf("inspectedBytes", "inspectedSpans", "completedJobs", "totalJobs"));
  }
}

TEST_P(TempoSearchTest, AnEmptyAnswerIsAnEmptyList) {
  EXPECT_THAT(std::string(server_.Get(Query("{ name = \"nope\" }")).payload()),
              StartsWith(R"({"traces":[],"metrics":{)"));
}

TEST_P(TempoSearchTest, QueriesOfEveryShape) {
  EXPECT_EQ(Find("{}"), "O ; S ; ABCDE");
  EXPECT_EQ(Find("{ span.foo =~ \"(?i)ba.\" }"), "O ; S ; A");
  EXPECT_EQ(Find("{ name = \"GET /\" } >> { status = error }"), "C");
  EXPECT_EQ(Find("{ resource.service.name = \"api\" } && { status = error }"), "CDE");
  EXPECT_EQ(Find("{} | count() > 2"),
            "ABCDE [{\"key\":\"count()\",\"value\":{\"intValue\":\"5\"}}]");
  EXPECT_EQ(Find("{} | avg(duration) > 50ms"),
            "ABCDE [{\"key\":\"avg(duration)\",\"value\":{\"stringValue\":\"54ms\"}}]");
  const auto by_foo = [](const std::string& value) {
    return " [{\"key\":\"by(span.foo)\",\"value\":{" + value + "}}]";
  };
  EXPECT_THAT(Find("{ name = \"GET /\" || name = \"calc\" || name = \"SELECT\" } | by(span.foo)"),
              AllOf(HasSubstr("A" + by_foo("\"stringValue\":\"bar\"")),
                    HasSubstr("D" + by_foo("\"intValue\":\"5\"")),
                    HasSubstr("E" + by_foo("\"stringValue\":\"nil\""))));
  EXPECT_EQ(Find("{} | rate() by (name)"), "O ; S ; ABCDE") << "metrics are ignored in a search";
  EXPECT_EQ(Find("{ kind = server } with (most_recent=true)"), "AC");
}

TEST_P(TempoSearchTest, SpansShowWhatTheQueryAsksForAndSelects) {
  const auto attributes = [&](const std::string& q) {
    const json::value answer = server_.GetJson(Query(q));
    const json::value& span =
        answer.at("traces").as_array()[0].at("spanSets").as_array()[0].at("spans").as_array()[0];
    const auto* name = span.as_object().if_contains("name");
    const auto* list = span.as_object().if_contains("attributes");
    return (name == nullptr ? "" : std::string(name->as_string()) + " ") +
           (list == nullptr ? "" : json::serialize(*list));
  };
  EXPECT_EQ(attributes("{ span:id = \"dddddddddddddddd\" }"), "");
  EXPECT_EQ(attributes("{ name = \"calc\" }"), "calc ");
  EXPECT_EQ(attributes("{ duration > 90ms }"), "") << "it is durationNanos";
  EXPECT_EQ(
      attributes("{ span.num = 3 } | select(span.arr, span.f, resource.service.name, span.nope)"),
      R"([{"key":"num","value":{"intValue":"3"}},)"
      R"({"key":"arr","value":{"arrayValue":{"values":[{"stringValue":"x"},{"stringValue":"y"}]}}},)"
      R"({"key":"f","value":{"doubleValue":2.5E0}},)"
      R"({"key":"service.name","value":{"stringValue":"api"}}])");
  EXPECT_EQ(attributes("{ status = error && nestedSetParent > 0 }"),
            R"([{"key":"status","value":{"stringValue":"error"}},)"
            R"({"key":"nestedSetParent","value":{"intValue":"2"}}])");
  EXPECT_EQ(attributes("{ event:name = \"exception\" && link:traceID != nil && rootName != nil }"),
            attributes("{ event:name = \"exception\" && link:traceID != nil }"));
}

TEST_P(TempoSearchTest, LimitsAndTimes) {
  EXPECT_THAT(Ids(Query("{}") + "&limit=2"), ElementsAre("1111", "0000"));
  EXPECT_EQ(Find("{}", ""), "O ; S ; ABC") << "three spans without spss";
  EXPECT_EQ(Find("{}", "&spss=0"), "O ; S ; ABC");
  EXPECT_EQ(Find("{}", "&spss=1"), "O ; S ; A");
  const json::value answer = server_.GetJson(Query("{}") + "&spss=1");
  EXPECT_EQ(answer.at("traces").as_array()[2].at("spanSets").as_array()[0].at("matched"), 5);
  EXPECT_THAT(Ids("/api/search?q=%7B%7D&start=1767225601&end=1767225602"),
              ElementsAre("1111", "0000"));
  EXPECT_THAT(Ids("/api/search?q=%7B%7D"), IsEmpty()) << "without times the last 15 minutes";
  EXPECT_THAT(Ids("/api/search?q=%7B%7D&since=876000h"), SizeIs(3));
  EXPECT_THAT(Ids("/api/search?q=%7B%7D&start=1767225600"), SizeIs(3)) << "until now";
}

TEST_P(TempoSearchTest, TracesWhoseRootIsNotThere) {
  const json::value answer = server_.GetJson(Query("{ name = \"orphan op\" }"));
  const json::value& trace = answer.at("traces").as_array()[0];
  EXPECT_EQ(trace.at("rootServiceName").as_string(), "<root span not yet received>");
  EXPECT_FALSE(trace.as_object().contains("rootTraceName"));
}

TEST_P(TempoSearchTest, ByTags) {
  EXPECT_THAT(Ids(Tagged("service.name=FRONT")), ElementsAre("0af7"));
  EXPECT_THAT(Ids(Tagged("foo=ba")), SizeIs(3)) << "a part of it, whatever the case";
  EXPECT_THAT(Ids(Tagged("foo=bar")), ElementsAre("0000", "0af7"));
  EXPECT_THAT(Ids(Tagged("service.name=frontend http.method=post")), ElementsAre("0af7"))
      << "of different spans";
  EXPECT_THAT(Ids(Tagged("http.status_code=500")), ElementsAre("0af7"));
  EXPECT_THAT(Ids(Tagged("b=true")), ElementsAre("0af7"));
  EXPECT_THAT(Ids(Tagged("name=\"POST /\"")), ElementsAre("0af7"));
  EXPECT_THAT(Ids(Tagged("status.code=error")), ElementsAre("0af7"));
  EXPECT_THAT(Ids(Tagged("error=true root.name=GET root.service.name=front")), ElementsAre("0af7"));
  EXPECT_THAT(Ids(Tagged("foo=.")), IsEmpty()) << "not an expression";
  EXPECT_THAT(Ids(Tagged("foo=nope")), IsEmpty());
  EXPECT_THAT(Ids("/api/search?minDuration=50ms" + kTimes), ElementsAre("0af7"));
  EXPECT_THAT(Ids("/api/search?maxDuration=50ms" + kTimes), ElementsAre("1111", "0000"));
  EXPECT_THAT(Ids("/api/search?minDuration=1ms&maxDuration=5ms" + kTimes), ElementsAre("1111"));
  EXPECT_THAT(Ids("/api/search?" + kTimes), SizeIs(3));
  EXPECT_THAT(Ids("/api/search?service.name=solo&since=876000h&limit=5"), ElementsAre("0000"))
      << "tags as parameters of their own";
  const json::value answer = server_.GetJson(Tagged("service.name=solo"));
  const json::object& trace = answer.at("traces").as_array()[0].as_object();
  EXPECT_FALSE(trace.contains("spanSets") || trace.contains("spanSet") ||
               trace.contains("serviceStats"));
}

class TempoSearchRefusalTest : public testing::Test {
 protected:
  static std::shared_ptr<const block::RowSource> Live() {
    return *corpus::MemoryPlacements().front().make(ThreeTraces().spans);
  }
  TempoServer server_{Live()};
};

TEST_F(TempoSearchRefusalTest, InTempoWords) {
  EXPECT_EQ(server_.Refusal("/api/search?q=%7B%7D&limit=0"),
            "invalid limit: must be a positive number");
  EXPECT_THAT(server_.Refusal("/api/search?q=%7B%7D&limit=x"), StartsWith("invalid limit: "));
  EXPECT_THAT(server_.Refusal("/api/search?q=%7B%7D&limit=300000"), HasSubstr("262144"));
  EXPECT_EQ(server_.Refusal("/api/search?q=%7B%7D&spss=101"),
            "spans per span set exceeds 100. received 101");
  EXPECT_EQ(server_.Refusal("/api/search?q=%7B%7D&start=20&end=10"),
            "http parameter start must be before end. received start=20 end=10");
  EXPECT_EQ(server_.Refusal("/api/search?q=%7B%7D&tags=a%3Db"),
            "invalid request: can't specify tags and q in the same query");
  EXPECT_EQ(server_.Refusal("/api/search?tags=a%3Db%20a%3Dc"),
            "invalid tags; tag a has been set twice");
  EXPECT_THAT(server_.Refusal("/api/search?tags=abc"), StartsWith("invalid tags; "));
  EXPECT_THAT(server_.Refusal("/api/search?tags=a%3D%22b"), HasSubstr("not closed"));
  EXPECT_EQ(server_.Refusal("/api/search?tags=a%3Db&minDuration=5"),
            "invalid minDuration: time: invalid duration \"5\"");
  EXPECT_THAT(server_.Refusal("/api/search?minDuration=5s&maxDuration=1s"),
              StartsWith("invalid maxDuration"));
  EXPECT_THAT(server_.Refusal("/api/search?q=%7B%20foo%20%3D%201%20%7D"),
              StartsWith("invalid TraceQL query: parse error at line 1, col 3: "));
  EXPECT_THAT(server_.Refusal("/api/search?q=" + std::string(140'000, 'x')),
              HasSubstr("131072 bytes"));
  EXPECT_THAT(server_.Refusal("/api/search?q=%7B" + std::string(100'000, '(')),
              StartsWith("invalid TraceQL query"));
  EXPECT_EQ(server_.Get("/api/search?q=%7B%7D&unknown=1&limit=1&limit=x").status, 200);
}

TEST_F(TempoSearchRefusalTest, ARangeMayHaveALimit) {
  tempo::TempoOptions options;
  options.range_max_ns = int64_t{168} * 3600 * 1'000'000'000;
  TempoServer server(Live(), options);
  EXPECT_EQ(
      server.Refusal("/api/search?q=%7B%7D&start=1000000&end=2000000"),
      "range specified by start and end exceeds 168h0m0s. received start=1000000 end=2000000");
  EXPECT_EQ(server.Get("/api/search?q=%7B%7D&start=1000000&end=1604800").status, 200);
}

TEST_F(TempoSearchRefusalTest, TraceIdsAreWholeUnlessToldOtherwise) {
  const std::string target = Query("{ resource.service.name = \"solo\" }");
  EXPECT_THAT(std::string(server_.Get(target).payload()),
              HasSubstr(R"("traceID":"00000000000000000000000000000abc")"));
  tempo::TempoOptions options;
  options.strip_trace_ids = true;
  TempoServer server(Live(), options);
  EXPECT_THAT(std::string(server.Get(target).payload()), HasSubstr(R"("traceID":"abc")"));
}

TEST_F(TempoSearchRefusalTest, MistakesAreTemposWhenThatIsWanted) {
  const std::string target = Query("{ !(kind = server) } with (most_recent=true)");
  const auto traces = [&](TempoServer* server, const std::string& asked) {
    return server->GetJson(asked).at("traces").as_array().size();
  };
  const size_t all = traces(&server_, target);
  EXPECT_GT(all, 0u);
  EXPECT_EQ(traces(&server_, target + "&compat=tempo"), 0u);
  EXPECT_EQ(server_.Refusal(target + "&compat=jaeger"),
            "compat: expected tempo or weft, found \"jaeger\"");
  tempo::TempoOptions options;
  options.compat_tenants = {"*"};
  TempoServer server(Live(), options);
  EXPECT_EQ(traces(&server, target), 0u);
  EXPECT_EQ(traces(&server, target + "&compat=weft"), all);
}

TEST_F(TempoSearchRefusalTest, AnswersAreAsTheDescriptionSays) {
  const OpenApi openapi("proto/openapi.yaml");
  for (const std::string& target :
       {Query("{ span.num > 0 } | by(name)"), Query("{ name = \"nope\" }"), Tagged("foo=bar"),
        std::string("/api/search?q=x")}) {
    for (const char* accept : {"*/*", "application/protobuf"}) {
      const net::HttpResponse response = server_.GetAs(target, accept);
      EXPECT_THAT(openapi.Check({"get", "/api/search"}, response.status, response.content_type,
                                std::string(response.payload())),
                  IsEmpty())
          << target;
    }
  }
}

TEST(GoDuration, IsWrittenAsGoDoes) {
  using tempo::PrintGoDuration;
  EXPECT_EQ(PrintGoDuration(0), "0s");
  EXPECT_EQ(PrintGoDuration(15), "15ns");
  EXPECT_EQ(PrintGoDuration(1'500), "1.5µs");
  EXPECT_EQ(PrintGoDuration(54'000'000), "54ms");
  EXPECT_EQ(PrintGoDuration(1'050'000), "1.05ms");
  EXPECT_EQ(PrintGoDuration(1'250'000'000), "1.25s");
  EXPECT_EQ(PrintGoDuration(-2'000'000'000), "-2s");
  EXPECT_EQ(PrintGoDuration(90'000'000'000), "1m30s");
  EXPECT_EQ(PrintGoDuration(3600'000'000'000), "1h0m0s");
  EXPECT_EQ(PrintGoDuration(168 * 3600'000'000'000), "168h0m0s");
  EXPECT_EQ(PrintGoDuration(std::numeric_limits<int64_t>::min()), "-2562047h47m16.854775808s");
}

TEST(LegacyTags, AreLogfmt) {
  const auto tags = tempo::ReadTags(R"(  a=b  c="d \"e\" \\"   f= g="x")");
  ASSERT_TRUE(tags.ok()) << tags.error().message();
  EXPECT_EQ(*tags, (tempo::Tags{{"a", "b"}, {"c", "d \"e\" \\"}, {"f", ""}, {"g", "x"}}));
  EXPECT_EQ(tempo::QueryOfTags({{"a b", "x.y"}}), R"({ ."a b" =~ "(?is).*x\\.y.*" })");
  EXPECT_EQ(tempo::QueryOfTags({{"n", "-2.5"}}), R"({ .n =~ "(?is).*\\-2\\.5.*" || .n = -2.5 })");
  EXPECT_EQ(tempo::QueryOfTags({}), "{ }");
  std::string many;
  for (int i = 0; i < 101; ++i) many += "k" + std::to_string(i) + "=v ";
  EXPECT_FALSE(tempo::ReadTags(many).ok());
  EXPECT_FALSE(tempo::ReadTags("=b").ok());
}

}  // namespace
}  // namespace weft::api
