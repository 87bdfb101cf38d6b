// Names and values of attributes by Tempo's API, through a real socket, wherever the spans are.

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/url.h"
#include "test/api/openapi.h"
#include "test/api/tempo_server.h"

namespace weft::api {
namespace {

namespace json = boost::json;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;
using testing::UnorderedElementsAre;

// The data set's spans begin at 1767225600 s.
const std::string kTimes = "start=1767225600&end=1767225660";

std::vector<corpus::Placement> Placements() {
  auto all = corpus::MemoryPlacements();
  for (auto& placement : corpus::BlockPlacements()) all.push_back(std::move(placement));
  return all;
}

class TempoTagsTest : public testing::TestWithParam<corpus::Placement> {
 protected:
  std::vector<std::string> Strings(const json::value& list) {
    std::vector<std::string> out;
    for (const json::value& entry : list.as_array()) out.emplace_back(entry.as_string());
    return out;
  }
  std::vector<std::string> NamesV1(const std::string& more = "") {
    return Strings(server_.GetJson("/api/search/tags?" + kTimes + more).at("tagNames"));
  }
  // "span.a", "resource.b"; of intrinsics only how many there are.
  std::vector<std::string> NamesV2(const std::string& more = "") {
    std::vector<std::string> out;
    const json::value answer = server_.GetJson("/api/v2/search/tags?" + kTimes + more);
    for (const json::value& scope : answer.at("scopes").as_array()) {
      const std::string name(scope.at("name").as_string());
      if (name == "intrinsic") {
        out.push_back("intrinsic " + std::to_string(scope.at("tags").as_array().size()));
        continue;
      }
      for (const std::string& tag : Strings(scope.at("tags"))) out.push_back(name + "." + tag);
    }
    return out;
  }
  std::vector<std::string> ValuesV1(const std::string& tag) {
    return Strings(server_.GetJson("/api/search/tag/" + tag + "/values?" + kTimes).at("tagValues"));
  }
  // "int 5", "string x".
  std::vector<std::string> ValuesV2(const std::string& tag, const std::string& more = "") {
    std::vector<std::string> out;
    const json::value answer = server_.GetJson("/api/v2/search/tag/" + net::PercentEncode(tag) +
                                               "/values?" + kTimes + more);
    for (const json::value& value : answer.at("tagValues").as_array()) {
      const auto* text = value.as_object().if_contains("value");
      out.push_back(std::string(value.at("type").as_string()) + " " +
                    (text == nullptr ? "" : std::string(text->as_string())));
    }
    return out;
  }
  static std::string Query(const std::string& q) { return "&q=" + net::PercentEncode(q); }

  TempoServer server_{*GetParam().make(ThreeTraces().spans)};
};

INSTANTIATE_TEST_SUITE_P(Placements, TempoTagsTest, testing::ValuesIn(Placements()),
                         [](const auto& info) {
                           std::string name = info.param.name;
                           for (char& c : name) c = std::isalnum(c) ? c : '_';
                           return name;
                         });

TEST_P(TempoTagsTest, NamesOfAllScopesInOneList) {
  EXPECT_THAT(NamesV1(), ElementsAre("arr", "b", "db.system", "deployment.environment",
                                     "exception.type", "f", "foo", "foo bar", "http.method",
                                     "http.status_code", "iarr", "k8s.cluster.name", "lang",
                                     "linkattr", "mix", "num", "peer.service", "service.name"));
  EXPECT_THAT(NamesV1("&scope=resource"),
              ElementsAre("deployment.environment", "k8s.cluster.name", "service.name"));
  EXPECT_THAT(NamesV1("&scope=intrinsic"), SizeIs(25));
  EXPECT_THAT(NamesV1("&limit=2"), ElementsAre("arr", "b"));
}

TEST_P(TempoTagsTest, NamesByScope) {
  EXPECT_THAT(NamesV2(),
              UnorderedElementsAre("event.exception.type", "instrumentation.lang", "link.linkattr",
                                   "resource.deployment.environment", "resource.k8s.cluster.name",
                                   "resource.service.name", "span.arr", "span.b", "span.db.system",
                                   "span.f", "span.foo", "span.foo bar", "span.http.method",
                                   "span.http.status_code", "span.iarr", "span.mix", "span.num",
                                   "span.peer.service", "intrinsic 25"));
  EXPECT_THAT(NamesV2("&scope=event"), ElementsAre("event.exception.type"));
  EXPECT_THAT(NamesV2("&scope=intrinsic"), ElementsAre("intrinsic 25"));
  EXPECT_THAT(NamesV2("&scope=trace"), IsEmpty());
  EXPECT_THAT(NamesV2("&scope=none&limit=1"),
              UnorderedElementsAre("event.exception.type", "instrumentation.lang", "link.linkattr",
                                   "resource.deployment.environment", "span.arr", "intrinsic 25"))
      << "the limit is of each scope";
  EXPECT_EQ(server_.Get("/api/v2/search/tags?scope=trace").payload().substr(0, 24),
            R"({"scopes":[],"metrics":{)");
}

TEST_P(TempoTagsTest, NamesOfWhatAFilterFinds) {
  EXPECT_THAT(NamesV2("&scope=span" + Query("{ resource.service.name = \"api\" }")),
              ElementsAre("span.arr", "span.b", "span.db.system", "span.f", "span.foo",
                          "span.foo bar", "span.http.method", "span.http.status_code", "span.iarr",
                          "span.mix", "span.num"));
  EXPECT_THAT(NamesV2("&scope=span" + Query("{ kind = consumer }")), ElementsAre("span.foo"));
  EXPECT_THAT(NamesV2("&scope=event" + Query("{ name = \"SELECT\" }")), IsEmpty());
  EXPECT_THAT(NamesV2("&scope=link" + Query("{ name = \"POST /order\" }")),
              ElementsAre("link.linkattr"));
  EXPECT_THAT(NamesV2("&scope=resource" + Query("{ resource.service.name = \"solo\" }")),
              ElementsAre("resource.service.name"));
}

TEST_P(TempoTagsTest, ValuesHaveTheirTypes) {
  EXPECT_THAT(ValuesV2("resource.service.name"),
              ElementsAre("string api", "string frontend", "string orphan", "string solo"))
      << "the most frequent first";
  EXPECT_THAT(ValuesV2("span.foo"),
              UnorderedElementsAre("string bar", "string BAR", "string baz", "int 5"));
  EXPECT_THAT(ValuesV2(".foo"), SizeIs(4));
  EXPECT_THAT(ValuesV2("span.f"), ElementsAre("float 2.5"));
  EXPECT_THAT(ValuesV2("span.b"), ElementsAre("bool true"));
  EXPECT_THAT(ValuesV2("span.arr"), UnorderedElementsAre("string x", "string y"));
  EXPECT_THAT(ValuesV2("event.exception.type"), ElementsAre("string E1"));
  EXPECT_THAT(ValuesV2("name"), Contains("string POST /order"));
  EXPECT_THAT(ValuesV2("span:name"), SizeIs(7));
  EXPECT_THAT(ValuesV2("rootServiceName"),
              UnorderedElementsAre("string frontend", "string solo", "string "));
  EXPECT_THAT(ValuesV2("instrumentation:version"), ElementsAre("string 1.2.3"));
  EXPECT_THAT(ValuesV2("span.nope"), IsEmpty());
  EXPECT_THAT(ValuesV2("span.foo", "&limit=2"), SizeIs(2));
}

TEST_P(TempoTagsTest, ValuesOfWhatAFilterFinds) {
  EXPECT_THAT(ValuesV2("name", Query("{ resource.service.name = \"frontend\" }")),
              UnorderedElementsAre("string GET /", "string call api"));
  EXPECT_THAT(ValuesV2("span.foo", Query("{ nestedSetParent < 0 }")),
              UnorderedElementsAre("string bar", "string BAR"));
  EXPECT_THAT(ValuesV2("span.foo", Query("{ nestedSetParent = -1 && true }")), SizeIs(2));
  EXPECT_THAT(ValuesV2("span.foo", Query("{ span:childCount > 7 && kind = consumer }")),
              ElementsAre("string baz"))
      << "places in the tree are not asked for here";
  EXPECT_THAT(ValuesV2("resource.service.name", Query("{ span.foo = \"nope\" }")), IsEmpty());
}

// While a query is being typed its filter does not compile.
TEST_P(TempoTagsTest, WhatOfAFilterCannotBeReadIsLeftOut) {
  const std::string api = "resource.service.name = \"api\"";
  const auto names = UnorderedElementsAre("string POST /order", "string calc", "string SELECT");
  for (const std::string& typed :
       {"{ " + api + " && span.foo = }", "{ .a = && " + api + " }", "{ " + api + " && }",
        "{ " + api, "{ " + api + " && name =~ \"(\" }", "{ " + api + " && duration > abc }",
        "{ (" + api + " || false) && foo }", "{ " + api + " && name != \"&& || } {\" && }"}) {
    EXPECT_THAT(ValuesV2("name", Query(typed)), names) << typed;
  }
  for (const std::string& unreadable :
       {std::string("{}"), std::string("{ .a = }"), std::string("what?"), std::string("{ \"open"),
        "{ " + api + " } && { .a = }", std::string(150'000, '{')}) {
    EXPECT_THAT(ValuesV2("name", Query(unreadable)), SizeIs(7)) << unreadable.substr(0, 100);
  }
}

TEST_P(TempoTagsTest, WordsOfTheLanguageAreKeywords) {
  for (const char* tag : {"status", "span:status"})
    EXPECT_THAT(ValuesV2(tag), ElementsAre("keyword ok", "keyword error", "keyword unset"));
  for (const char* tag : {"kind", "span:kind"}) {
    EXPECT_THAT(ValuesV2(tag),
                ElementsAre("keyword client", "keyword server", "keyword producer",
                            "keyword consumer", "keyword internal", "keyword unspecified"));
  }
  for (const char* tag : {"duration", "traceDuration", "trace:id", "span:id", "span:childCount"})
    EXPECT_THAT(ValuesV2(tag), IsEmpty()) << tag;
  EXPECT_EQ(server_.Get("/api/v2/search/tag/duration/values").payload(),
            R"({"tagValues":[],"metrics":{}})");
}

TEST_P(TempoTagsTest, NamesMayBeEncodedTwice) {
  EXPECT_EQ(
      server_.Get("/api/v2/search/tag/span.%22foo%20bar%22/values?" + kTimes).payload(),
      server_.Get("/api/v2/search/tag/span.%2522foo%2520bar%2522/values?" + kTimes).payload());
  EXPECT_THAT(ValuesV2("span.%22foo%20bar%22"), ElementsAre("string quoted"));
}

TEST_P(TempoTagsTest, ValuesOfNamesWithoutScope) {
  EXPECT_THAT(ValuesV1("service.name"), ElementsAre("api", "frontend", "orphan", "solo"));
  EXPECT_THAT(ValuesV1("http.status_code"), UnorderedElementsAre("200", "500"));
  EXPECT_THAT(ValuesV1("span.http.method"), UnorderedElementsAre("GET", "POST"));
  EXPECT_THAT(ValuesV1("name"), SizeIs(7));
  EXPECT_THAT(ValuesV1("status"), ElementsAre("ok", "error", "unset"));
  EXPECT_THAT(ValuesV1("status.code"), ElementsAre("unset", "ok", "error"));
  EXPECT_THAT(ValuesV1("error"), ElementsAre("true"));
  EXPECT_THAT(ValuesV1("foo%20bar"), ElementsAre("quoted"));
  EXPECT_THAT(ValuesV1("nope"), IsEmpty());
}

TEST_P(TempoTagsTest, TimesLimitWhatIsLookedAt) {
  const auto services = [&](const std::string& times) {
    std::vector<std::string> out;
    const json::value answer =
        server_.GetJson("/api/v2/search/tag/resource.service.name/values?" + times);
    for (const json::value& value : answer.at("tagValues").as_array())
      out.emplace_back(value.at("value").as_string());
    return out;
  };
  EXPECT_THAT(services("start=1767225601&end=1767225660"), UnorderedElementsAre("solo", "orphan"));
  EXPECT_THAT(services("start=1767225600&end=1767225601"),
              UnorderedElementsAre("frontend", "api", "solo"))
      << "the end counts";
  EXPECT_THAT(services("since=876000h"), SizeIs(4));
  EXPECT_THAT(services(""), IsEmpty()) << "without times only what is recent";
}

class TempoTagRefusalTest : public testing::Test {
 protected:
  TempoServer server_{*corpus::MemoryPlacements().front().make(ThreeTraces().spans)};
};

TEST_F(TempoTagRefusalTest, WrongParameters) {
  EXPECT_EQ(server_.Refusal("/api/search/tags?scope=blerg"), "invalid scope: blerg");
  EXPECT_EQ(server_.Refusal("/api/v2/search/tags?scope=blerg"), "invalid scope: blerg");
  EXPECT_THAT(server_.Refusal("/api/v2/search/tags?limit=many"), HasSubstr("invalid limit"));
  EXPECT_THAT(server_.Refusal("/api/v2/search/tags?limit=-1"), HasSubstr("invalid limit"));
  EXPECT_THAT(server_.Refusal("/api/v2/search/tags?start=5&end=4"),
              HasSubstr("start must be before end. received start=5 end=4"));
  EXPECT_THAT(server_.Refusal("/api/v2/search/tags?since=5"),
              HasSubstr("time: invalid duration \"5\""));
  EXPECT_THAT(
      server_.Refusal("/api/v2/search/tag/service.name/values"),
      StartsWith("please provide a valid tagName: failed to parse identifier service.name: "));
  EXPECT_THAT(server_.Refusal("/api/v2/search/tag/%7B%00%FF/values"), HasSubstr("valid tagName"));
  EXPECT_THAT(server_.Refusal("/api/v2/search/tag/span." + std::string(100'000, 'x') + "/values"),
              HasSubstr("longer than 4096 bytes"));
}

TEST_F(TempoTagRefusalTest, ValuesForALanguageModel) {
  const net::HttpResponse response =
      server_.GetAs("/api/v2/search/tag/span.foo/values?" + kTimes, "application/vnd.grafana.llm");
  EXPECT_EQ(response.content_type, "application/vnd.grafana.llm+json");
  EXPECT_EQ(response.payload(),
            R"({"tagValues":{"int":["5"],"string":["BAR","bar","baz"]},"metrics":{}})");
}

TEST_F(TempoTagRefusalTest, ProtobufOnDemand) {
  const net::HttpResponse names =
      server_.GetAs("/api/search/tags?scope=event&" + kTimes, "application/protobuf");
  EXPECT_EQ(names.content_type, "application/protobuf");
  EXPECT_THAT(std::string(names.payload()), StartsWith("\x0a\x0e"
                                                       "exception.type\x12"));
}

TEST_F(TempoTagRefusalTest, AnswersAreAsTheDescriptionSays) {
  const OpenApi openapi("proto/openapi.yaml");
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"/api/search/tags?" + kTimes, "/api/search/tags"},
      {"/api/v2/search/tags?" + kTimes, "/api/v2/search/tags"},
      {"/api/v2/search/tags?scope=x", "/api/v2/search/tags"},
      {"/api/search/tag/service.name/values?" + kTimes, "/api/search/tag/{tag}/values"},
      {"/api/v2/search/tag/.service.name/values?" + kTimes, "/api/v2/search/tag/{tag}/values"},
      {"/api/v2/search/tag/x/values", "/api/v2/search/tag/{tag}/values"}};
  for (const auto& [target, path] : cases) {
    for (const char* accept : {"*/*", "application/protobuf", "application/vnd.grafana.llm"}) {
      const net::HttpResponse response = server_.GetAs(target, accept);
      EXPECT_THAT(openapi.Check({"get", path}, response.status, response.content_type,
                                std::string(response.payload())),
                  IsEmpty())
          << target << " as " << accept;
    }
  }
}

}  // namespace
}  // namespace weft::api
