// Tempo's API through a real socket: the small endpoints, tenants, and one trace by its id. The
// spans are live, in blocks, and in parts of both kinds.

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
using testing::Not;
using testing::StartsWith;

constexpr const char* kT1 = "0af7651916cd43dd8448eb211c80319c";

std::vector<corpus::Placement> Placements() {
  auto all = corpus::MemoryPlacements();
  for (auto& placement : corpus::BlockPlacements()) all.push_back(std::move(placement));
  return all;
}

std::shared_ptr<const block::RowSource> Live() {
  return *corpus::MemoryPlacements().front().make(ThreeTraces().spans);
}

class TempoTraceTest : public testing::TestWithParam<corpus::Placement> {
 protected:
  TempoServer server_{*GetParam().make(ThreeTraces().spans)};
};

INSTANTIATE_TEST_SUITE_P(Placements, TempoTraceTest, testing::ValuesIn(Placements()),
                         [](const auto& info) {
                           std::string name = info.param.name;
                           for (char& c : name) c = std::isalnum(c) ? c : '_';
                           return name;
                         });

// T2 is one span: the whole answer can be read here.
TEST_P(TempoTraceTest, ATraceAsJsonpb) {
  const std::string spans =
      R"([{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"solo"}}]},)"
      R"("scopeSpans":[{"scope":{"name":"lib.a","version":"1.2.3",)"
      R"("attributes":[{"key":"lang","value":{"stringValue":"cpp"}}]},"spans":[{"traceId":"AAAAAAAAAAAAAAAAAAAKvA==",)"
      R"("spanId":"AAAAAAAAAPA=","name":"solo op","kind":"SPAN_KIND_INTERNAL",)"
      R"("startTimeUnixNano":"1767225601000000000","endTimeUnixNano":"1767225601000000000",)"
      R"("attributes":[{"key":"foo","value":{"stringValue":"BAR"}},)"
      R"({"key":"num","value":{"intValue":"7"}}],"status":{},"flags":1}]}]}])";
  EXPECT_EQ(server_.Get("/api/traces/abc").payload(), R"({"batches":)" + spans + "}");
  EXPECT_EQ(server_.Get("/api/v2/traces/00000000000000000000000000000ABC").payload(),
            R"({"trace":{"resourceSpans":)" + spans + R"(},"metrics":{}})");
}

TEST_P(TempoTraceTest, ATraceOfTwoServicesHasItsEventsLinksAndStatuses) {
  const json::value trace = server_.GetJson(std::string("/api/v2/traces/") + kT1);
  const json::array& services = trace.at("trace").at("resourceSpans").as_array();
  ASSERT_EQ(services.size(), 2u);
  const json::value& post = services[1].at("scopeSpans").as_array()[0].at("spans").as_array()[0];
  EXPECT_EQ(post.at("name").as_string(), "POST /order");
  EXPECT_EQ(json::serialize(post.at("status")), R"({"message":"boom","code":"STATUS_CODE_ERROR"})");
  EXPECT_EQ(json::serialize(post.at("events").as_array()[0].at("attributes")),
            R"([{"key":"exception.type","value":{"stringValue":"E1"}}])");
  EXPECT_EQ(json::serialize(post.at("links")),
            R"([{"traceId":"AAAAAAAAAAAAAAAAAAAKvA==","spanId":"AAAAAAAAAPA=",)"
            R"("attributes":[{"key":"linkattr","value":{"stringValue":"lv"}}]}])");
  EXPECT_EQ(json::serialize(services[0].at("resource").at("attributes").as_array()[0]),
            R"({"key":"deployment.environment","value":{"stringValue":"prod"}})")
      << "attributes come in the order of their keys";
}

TEST_P(TempoTraceTest, ATraceAsProtobuf) {
  const net::HttpResponse v1 = server_.GetAs("/api/traces/abc", "application/protobuf");
  EXPECT_EQ(v1.content_type, "application/protobuf");
  // In the answer of v2 it is field 1, before the empty metrics.
  const std::string inner(v1.payload());
  ASSERT_EQ(inner.size(), 152u);
  const net::HttpResponse v2 =
      server_.GetAs("/api/v2/traces/abc", "text/plain, application/protobuf;q=0.5");
  EXPECT_EQ(v2.payload(), std::string("\x0a\x98\x01") + inner + std::string("\x12\x00", 2));
}

TEST_P(TempoTraceTest, ATraceForALanguageModel) {
  const net::HttpResponse response =
      server_.GetAs(std::string("/api/v2/traces/") + kT1, "application/vnd.grafana.llm");
  EXPECT_EQ(response.content_type, "application/vnd.grafana.llm+json");
  const json::value answer = json::parse(std::string(response.payload()));
  EXPECT_EQ(answer.at("status").as_string(), "COMPLETE");
  EXPECT_EQ(answer.at("trace").at("traceId").as_string(), kT1);
  const json::value& api = answer.at("trace").at("services").as_array()[1];
  EXPECT_EQ(api.at("serviceName").as_string(), "api");
  EXPECT_EQ(json::serialize(api.at("resource")),
            R"({"deployment.environment":"staging","service.name":"api"})");
  const json::value& calc = api.at("scopes").as_array()[0].at("spans").as_array()[1];
  EXPECT_EQ(
      json::serialize(calc),
      R"({"spanId":"dddddddddddddddd","name":"calc","parentSpanId":"cccccccccccccccc",)"
      R"("kind":"SPAN_KIND_INTERNAL","startTimeUnixNano":"1767225600025000000",)"
      R"("endTimeUnixNano":"1767225600035000000","durationMs":10,)"
      R"("attributes":{"arr":["x","y"],"b":true,"f":2.5E0,"foo":5,"iarr":[1,2,3],"mix":"nil","num":3},)"
      R"("status":{"code":"STATUS_CODE_UNSET","message":""}})");
  EXPECT_EQ(server_.GetAs("/api/v2/traces/dead", "application/vnd.grafana.llm").payload(), "{}");
}

TEST_P(TempoTraceTest, ATraceThatIsNotThere) {
  const net::HttpResponse v1 = server_.Get("/api/traces/dead");
  EXPECT_EQ(v1.status, 404);
  EXPECT_EQ(v1.payload(), "");
  const net::HttpResponse v2 = server_.Get("/api/v2/traces/dead");
  EXPECT_EQ(v2.status, 200);
  EXPECT_EQ(v2.payload(), R"({"trace":{},"metrics":{}})");
  EXPECT_EQ(server_.GetAs("/api/v2/traces/dead", "application/protobuf").payload(),
            std::string("\x0a\x00\x12\x00", 4));
}

TEST(TempoApiTest, SmallEndpointsAreOpenToEveryone) {
  TempoServer server(Live());
  EXPECT_EQ(server.Get("/api/echo").payload(), "echo");
  EXPECT_EQ(server.client().Send("POST", "/api/echo", {}, {}, {})->payload(), "echo");
  EXPECT_EQ(server.Get("/ready").payload(), "ready\n");
  const json::value info = server.GetJson("/api/status/buildinfo");
  EXPECT_EQ(info.at("version").as_string(), "3.0.0");
  EXPECT_EQ(info.at("revision").as_string(), "weft 1.2.3");
  EXPECT_THAT(std::string(server.Get("/status").payload()),
              AllOf(HasSubstr("weft 1.2.3"), HasSubstr("Running"), HasSubstr("/api/v2/traces/")));
  net::HttpHeaders wrong;
  wrong.Add("X-Scope-OrgID", "a b");
  EXPECT_EQ(server.Get("/api/echo", wrong).status, 200);
  server.not_ready = "replaying";
  EXPECT_EQ(server.Get("/ready").status, 503);
  EXPECT_EQ(server.Get("/api/echo").status, 200);
  EXPECT_THAT(server.Refusal("/api/v2/traces/abc", 503), HasSubstr("replaying"));
  EXPECT_THAT(std::string(server.Get("/status/services").payload()), HasSubstr("replaying"));
}

TEST(TempoApiTest, SettingsAreShownAndWhatIsNotThereSaysWhy) {
  TempoServer server(Live());
  const net::HttpResponse config = server.Get("/status/config");
  EXPECT_EQ(config.payload(), "data: \"x\"  # flag\n");
  EXPECT_THAT(config.content_type, StartsWith("text/plain"));
  EXPECT_THAT(std::string(server.Get("/status/endpoints").payload()),
              HasSubstr("/status/config\n"));
  for (const char* path : {"/status/overrides", "/status/overrides/a", "/status/runtime_config"})
    EXPECT_THAT(server.Refusal(path, 404), HasSubstr("no overrides by tenant")) << path;
  EXPECT_THAT(server.Refusal("/usage_metrics", 404), HasSubstr("/api/v1/usage"));
  EXPECT_THAT(server.Refusal("/status/usage-stats", 404), HasSubstr("nobody"));
  EXPECT_THAT(server.Refusal("/api/mcp", 404), HasSubstr("not enabled"));
  for (const char* method : {"GET", "POST", "PATCH", "DELETE"}) {
    const auto response = server.client().Send(method, "/api/overrides", "{}", "application/json");
    EXPECT_EQ(response->status, 404) << method;
    EXPECT_THAT(std::string(response->payload()), HasSubstr("not enabled")) << method;
  }
}

TEST(TempoApiTest, WrongTraceIdsAndTimesAreRefusedInTempoWords) {
  TempoServer server(Live());
  for (const std::string path : {"/api/traces/", "/api/v2/traces/"}) {
    EXPECT_EQ(server.Refusal(path + "xyz"),
              "trace IDs can only contain hex characters: invalid character 'x' at position 1");
    EXPECT_EQ(server.Refusal(path + std::string(33, '1')),
              "trace IDs can't be larger than 128 bits");
    EXPECT_EQ(server.Refusal(path + "abc?start=10&end=10"),
              "http parameter start must be before end. received start=10 end=10");
    EXPECT_THAT(server.Refusal(path + "abc?start=soon"), HasSubstr("invalid start"));
    EXPECT_THAT(server.Refusal(path + "abc?start=99999999999"), HasSubstr("invalid start"));
    EXPECT_THAT(server.Refusal(path + "abc?mode=fast"), HasSubstr("invalid mode"));
    EXPECT_THAT(server.Refusal(path + "%FF%00" + std::string(5000, 'z')), HasSubstr("position 1"));
    EXPECT_EQ(server.Get(path + "abc?start=10&end=20&unknown=1&mode=blocks").status, 200)
        << "times only say where Tempo has to look";
  }
}

// The names of the spans of an answer, in its order.
std::vector<std::string> NamesIn(const json::value& answer) {
  std::vector<std::string> names;
  const json::object& trace = answer.at("trace").as_object();
  if (!trace.contains("resourceSpans")) return names;
  for (const json::value& resource : trace.at("resourceSpans").as_array()) {
    for (const json::value& scope : resource.at("scopeSpans").as_array()) {
      for (const json::value& span : scope.at("spans").as_array())
        names.emplace_back(span.at("name").as_string());
    }
  }
  return names;
}

constexpr const char* kFiltered =
    "Trace filtered, only a subset of spans matching the filter is returned";

// T1: GET / > call api > POST /order > (calc, SELECT).
TEST_P(TempoTraceTest, AFilterLeavesAPartOfATrace) {
  const auto ask = [&](const std::string& q, const std::string& more = "") {
    return server_.GetJson(std::string("/api/v2/traces/") + kT1 + "?q=" + net::PercentEncode(q) +
                           more);
  };
  const json::value one = ask("{ name = \"POST /order\" }");
  EXPECT_THAT(NamesIn(one), ElementsAre("POST /order"));
  EXPECT_EQ(one.at("status").as_string(), "PARTIAL");
  EXPECT_EQ(one.at("message").as_string(), kFiltered);

  const std::string post = "{ name = \"POST /order\" }";
  EXPECT_THAT(NamesIn(ask(post, "&match_depth=1")), ElementsAre("POST /order", "calc", "SELECT"));
  EXPECT_THAT(NamesIn(ask(post, "&keep_hierarchy=true")),
              ElementsAre("GET /", "call api", "POST /order"));
  EXPECT_THAT(NamesIn(ask(post, "&keep_hierarchy=true&ancestor_depth=1")),
              ElementsAre("call api", "POST /order"));
  EXPECT_THAT(NamesIn(ask(post, "&keep_hierarchy=1&ancestor_depth=0")), ElementsAre("POST /order"));
  EXPECT_THAT(NamesIn(ask(post, "&ancestor_depth=1")), ElementsAre("POST /order"))
      << "only with keep_hierarchy";
  EXPECT_THAT(NamesIn(ask("{ kind = client }", "&match_depth=1")),
              ElementsAre("call api", "POST /order", "SELECT"))
      << "each match keeps what is below it";
  EXPECT_THAT(NamesIn(ask("{ .foo = 5 }", "&keep_hierarchy=true")),
              ElementsAre("GET /", "call api", "POST /order", "calc"));
  EXPECT_THAT(NamesIn(ask("{ nestedSetParent < 0 }")), ElementsAre("GET /"));

  const json::value all = ask("{ nestedSetParent < 0 }", "&match_depth=-1");
  EXPECT_EQ(NamesIn(all).size(), 5u);
  EXPECT_FALSE(all.as_object().contains("status")) << "nothing was left out";
  const json::value none = ask("{ name = \"nobody\" }", "&keep_hierarchy=true&match_depth=-1");
  EXPECT_THAT(NamesIn(none), IsEmpty());
  EXPECT_EQ(none.at("status").as_string(), "PARTIAL");
}

TEST_P(TempoTraceTest, AFilteredTraceInItsOtherForms) {
  const std::string target = std::string("/api/v2/traces/") + kT1 + "?q=%7Bstatus%3Derror%7D";
  const std::string binary(server_.GetAs(target, "application/protobuf").payload());
  EXPECT_THAT(binary,
              AllOf(HasSubstr("POST /order"), Not(HasSubstr("GET /")), HasSubstr(kFiltered)));
  const std::string llm(server_.GetAs(target, "application/vnd.grafana.llm").payload());
  EXPECT_THAT(llm, AllOf(HasSubstr("POST /order"), Not(HasSubstr("GET /")), HasSubstr(kFiltered)));
  const std::string nothing(server_
                                .GetAs(std::string("/api/v2/traces/") + kT1 + "?q=%7Bfalse%7D",
                                       "application/vnd.grafana.llm")
                                .payload());
  EXPECT_THAT(nothing, AllOf(HasSubstr("\"services\":[]"), HasSubstr(kFiltered)));
  EXPECT_EQ(server_.Get("/api/v2/traces/dead?q=%7B%7D").payload(), R"({"trace":{},"metrics":{}})");
}

TEST(TempoApiTest, WhatIsNoSingleFilterIsRefusedInTempoWords) {
  TempoServer server(Live());
  const auto refusal = [&](const std::string& q) {
    return server.Refusal("/api/v2/traces/abc?q=" + net::PercentEncode(q));
  };
  const std::string single =
      "invalid TraceQL filter: only a single TraceQL filter is supported: got a structural or "
      "aggregate query";
  for (const char* q : {"{} >> {}", "{} && {}", "{} | count() > 1", "{} | rate()",
                        "{} | select(name)", "{} | {}", "{} | compare({})"})
    EXPECT_EQ(refusal(q), single) << q;
  EXPECT_EQ(refusal("{ traceDuration > 1s }"),
            "intrinsic is not supported by this filter: \"traceDuration\"");
  EXPECT_EQ(refusal("{ name = \"a\" && !(1 = 1 && rootName = \"b\") }"),
            "intrinsic is not supported by this filter: \"rootName\"");
  EXPECT_EQ(refusal("{ trace:rootService = \"b\" }"),
            "intrinsic is not supported by this filter: \"rootServiceName\"");
  EXPECT_THAT(refusal("{ foo = 1 }"),
              StartsWith("invalid TraceQL filter: parse error at line 1, col 3: "));
  EXPECT_THAT(refusal("{ name = 1 }"), StartsWith("invalid TraceQL filter: parse error at line 1"));
  const std::string path = "/api/v2/traces/abc?q=%7B%7D&";
  EXPECT_EQ(server.Refusal(path + "match_depth=-2"),
            "invalid match_depth: must be -1 (all levels) or greater, received -2");
  EXPECT_THAT(server.Refusal(path + "ancestor_depth=-2"), HasSubstr("invalid ancestor_depth"));
  EXPECT_THAT(server.Refusal(path + "match_depth=all"), HasSubstr("is not a whole number"));
  EXPECT_THAT(server.Refusal(path + "keep_hierarchy=perhaps"), HasSubstr("keep_hierarchy"));
  EXPECT_THAT(server.Refusal("/api/traces/abc?q=%7B%7D"), HasSubstr("/api/v2/traces"));
  EXPECT_EQ(server.Get("/api/v2/traces/abc?span_pruning=true&span_pruning_min_spans=1").payload(),
            server.Get("/api/v2/traces/abc").payload())
      << "as Tempo answers where pruning is not enabled";
}

TEST(TempoApiTest, AFilterAppliesBeforeTheLimit) {
  tempo::TempoOptions options;
  options.trace_bytes_max = 600;
  TempoServer server(Live(), options);
  const std::string target = std::string("/api/v2/traces/") + kT1;
  const json::value one = server.GetJson(target + "?q=%7Bname%3D%22SELECT%22%7D");
  EXPECT_THAT(NamesIn(one), ElementsAre("SELECT"));
  EXPECT_EQ(one.at("message").as_string(), kFiltered);
  const json::value some = server.GetJson(target + "?q=%7Bname!%3D%22GET%20%2F%22%7D");
  EXPECT_EQ(some.at("message").as_string(),
            std::string("Trace exceeds maximum size of 600 bytes, a partial trace is returned; ") +
                kFiltered);
}

TEST(TempoApiTest, ATraceOverTheLimitIsCutOrRefused) {
  tempo::TempoOptions options;
  options.trace_bytes_max = 600;
  TempoServer server(Live(), options);
  const json::value part = server.GetJson(std::string("/api/v2/traces/") + kT1);
  EXPECT_EQ(part.at("status").as_string(), "PARTIAL");
  EXPECT_EQ(part.at("message").as_string(),
            "Trace exceeds maximum size of 600 bytes, a partial trace is returned");
  const std::string text = json::serialize(part);
  EXPECT_THAT(text, AllOf(HasSubstr("GET /"), Not(HasSubstr("SELECT"))));
  const net::HttpResponse binary =
      server.GetAs(std::string("/api/v2/traces/") + kT1, "application/protobuf");
  EXPECT_LT(binary.payload().size(), 700u);
  EXPECT_THAT(std::string(binary.payload()), HasSubstr("a partial trace is returned"));
  EXPECT_THAT(server.Refusal(std::string("/api/traces/") + kT1, 422), HasSubstr("600"));
  EXPECT_EQ(server.Get("/api/traces/abc").status, 200);
}

TEST(TempoApiTest, APrefixMovesTheApiAndLeavesTheRest) {
  tempo::TempoOptions options;
  options.path_prefix = "/tempo";
  TempoServer server(Live(), options);
  EXPECT_EQ(server.Get("/tempo/api/echo").payload(), "echo");
  EXPECT_EQ(server.Get("/tempo/api/v2/traces/abc").status, 200);
  EXPECT_EQ(server.Get("/api/v2/traces/abc").status, 404);
  EXPECT_EQ(server.Get("/api/v1/services").status, 200);
  EXPECT_EQ(server.Get("/ready").status, 200);
  EXPECT_THAT(std::string(server.Get("/status/endpoints").payload()),
              HasSubstr("/tempo/api/v2/traces/{traceID}\n"));
}

TEST(TempoApiTest, SeveralTenantsAreAskedAtOnce) {
  TempoServer server(Live());
  corpus::SpanSet other;
  ASSERT_TRUE(corpus::ReadSpans("resource r { service.name=\"billing\" }\n"
                                "trace T 0af7651916cd43dd8448eb211c80319c\n"
                                "  X r \"bill\" server 0ms..1ms id=1234123412341234\n",
                                1, &other)
                  .ok());
  server.sources.tenants["b"] = *corpus::BlockPlacements().front().make(other.spans);
  const auto ask = [&](std::string_view tenant) {
    net::HttpHeaders headers;
    headers.Add("X-Scope-OrgID", tenant);
    return std::string(server.Get(std::string("/api/v2/traces/") + kT1, headers).payload());
  };
  EXPECT_THAT(ask("default"), AllOf(HasSubstr("frontend"), Not(HasSubstr("billing"))));
  EXPECT_THAT(ask("b"), AllOf(HasSubstr("billing"), Not(HasSubstr("frontend"))));
  EXPECT_THAT(ask("b|default|b|nobody"), AllOf(HasSubstr("billing"), HasSubstr("frontend")));
  EXPECT_EQ(ask("nobody"), R"({"trace":{},"metrics":{}})");
  EXPECT_EQ(ask("a b"), "tenant ID 'a b' contains unsupported character ' '");
  EXPECT_EQ(ask("a|b/c"), "tenant ID 'b/c' contains unsupported character '/'");
  EXPECT_EQ(ask("a|"), "tenant ID is empty");
  EXPECT_EQ(ask(std::string(151, 'a')), "tenant ID is too long: max 150 characters");
  std::string many = "a";
  for (int i = 0; i < 100; ++i) many += "|t" + std::to_string(i);
  EXPECT_EQ(ask(many), "more than 64 tenant IDs");
}

TEST(TempoApiTest, AnswersAreAsTheDescriptionSays) {
  TempoServer server(Live());
  const OpenApi openapi("proto/openapi.yaml");
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"/api/echo", "/api/echo"},
      {"/api/status/buildinfo", "/api/status/buildinfo"},
      {"/status", "/status"},
      {"/status/config", "/status/config"},
      {"/status/overrides", "/status/overrides"},
      {"/api/overrides", "/api/overrides"},
      {"/usage_metrics", "/usage_metrics"},
      {"/api/traces/abc", "/api/traces/{traceId}"},
      {"/api/traces/dead", "/api/traces/{traceId}"},
      {"/api/traces/x", "/api/traces/{traceId}"},
      {std::string("/api/v2/traces/") + kT1, "/api/v2/traces/{traceId}"},
      {"/api/v2/traces/dead", "/api/v2/traces/{traceId}"},
      {"/api/v2/traces/x", "/api/v2/traces/{traceId}"}};
  for (const auto& [target, path] : cases) {
    for (const char* accept : {"*/*", "application/protobuf", "application/vnd.grafana.llm"}) {
      const net::HttpResponse response = server.GetAs(target, accept);
      EXPECT_THAT(openapi.Check({"get", path}, response.status, response.content_type,
                                std::string(response.payload())),
                  IsEmpty())
          << target << " as " << accept;
    }
  }
}

}  // namespace
}  // namespace weft::api
