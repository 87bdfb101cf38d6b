// What is different about some spans, through a real socket and wherever the spans are: durations
// and other numbers, and the calls of their traces.

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/url.h"
#include "test/api/openapi.h"
#include "test/api/tempo_server.h"

namespace weft::api {
namespace {

namespace json = boost::json;
using testing::IsEmpty;

// Sixteen fast orders and four slow ones. A slow one reads the stock six times in place of two,
// takes 300 ms in place of 30 and more, tries the payment again and sends no mail.
corpus::SpanSet Orders() {
  std::string text =
      "resource shop { service.name=\"shop\" }\nresource stock { service.name=\"stock\" }\n"
      "resource pay { service.name=\"pay\" }\n";
  for (int i = 0; i < 20; ++i) {
    const bool slow = i % 5 == 4;
    const std::string n = std::to_string(i);
    text += "trace T" + n + " a" + std::string(2 - n.size(), '0') + n + " at " + n + "s\n";
    text += "  R" + n + " shop \"order\" server 0ms.." + std::to_string(slow ? 300 + i : 30 + i) +
            "ms { size=" + std::to_string(slow ? 1000 * i : 10 + i % 3) +
            " ratio=" + std::to_string(i % 4) + ".5 }\n";
    for (int k = 0; k < (slow ? 6 : 2); ++k)
      text += "    S" + n + "x" + std::to_string(k) + " stock \"read\" server 1ms..2ms\n";
    text += "    P" + n + " pay \"charge\" server 3ms..4ms\n";
    if (slow) text += "      Q" + n + " pay \"retry\" internal 3ms..4ms\n";
    if (!slow) text += "    M" + n + " shop \"mail\" internal 5ms..6ms\n";
  }
  corpus::SpanSet set;
  const Error error = corpus::ReadSpans(text, 1, &set);
  EXPECT_TRUE(error.ok()) << error.message();
  return set;
}

class ComparisonApiTest : public testing::TestWithParam<corpus::Placement> {
 protected:
  json::value Compare(const std::string& q, const std::string& more = "") {
    return server_.GetJson("/api/v1/comparison?end=2026-01-01T01:00:00Z" + more +
                           "&q=" + net::PercentEncode(q));
  }

  TempoServer server_{*GetParam().make(Orders().spans)};
};

std::vector<corpus::Placement> Placements() {
  auto all = corpus::MemoryPlacements();
  for (auto& placement : corpus::BlockPlacements()) all.push_back(std::move(placement));
  return all;
}

INSTANTIATE_TEST_SUITE_P(Placements, ComparisonApiTest, testing::ValuesIn(Placements()),
                         [](const auto& info) {
                           std::string name = info.param.name;
                           for (char& c : name) c = std::isalnum(c) ? c : '_';
                           return name;
                         });

constexpr const char* kSlow = "{ name = \"order\" } | compare({ duration > 200ms })";

const json::value* FindCall(const json::value& answer, std::string_view name) {
  for (const json::value& call : answer.at("calls").as_array()) {
    if (call.at("name").as_string() == json::string_view(name.data(), name.size())) return &call;
  }
  return nullptr;
}

TEST_P(ComparisonApiTest, CallsThatAppearVanishAndMultiply) {
  const json::value answer = Compare(kSlow);
  EXPECT_EQ(json::serialize(answer.at("traces")), R"({"baseline":16,"selection":4})");
  EXPECT_EQ(answer.at("callCount").as_int64(), 5);
  EXPECT_TRUE(answer.at("callsComplete").as_bool());
  const auto change = [&](std::string_view name) {
    return FindCall(answer, name)->at("change").as_string();
  };
  EXPECT_EQ(change("retry"), "appears");
  EXPECT_EQ(change("mail"), "vanishes");
  EXPECT_EQ(change("read"), "more");
  EXPECT_EQ(change("charge"), "same");
  const json::value& read = *FindCall(answer, "read");
  EXPECT_EQ(json::serialize(read.at("parent")), R"({"service":"shop","name":"order"})");
  EXPECT_EQ(json::serialize(read.at("baseline")),
            R"({"traces":16,"calls":32,"exampleTraceId":"00000000000000000000000000000a00"})");
  EXPECT_EQ(json::serialize(read.at("selection")),
            R"({"traces":4,"calls":24,"exampleTraceId":"00000000000000000000000000000a04"})");
  EXPECT_EQ(read.at("shift").to_number<double>(), 1) << "every slow order has more";
  EXPECT_EQ(read.at("effect").to_number<double>(), 1) << "six or two: that tells the side";
  EXPECT_LT(read.at("chance").to_number<double>(), 0.01);
  const json::value& retry = *FindCall(answer, "retry");
  EXPECT_EQ(json::serialize(retry.at("baseline")), R"({"traces":0,"calls":0})");
  const json::value& order = *FindCall(answer, "order");
  EXPECT_FALSE(order.as_object().contains("parent")) << "nobody calls it";
  EXPECT_EQ(order.at("effect").to_number<double>(), 0);
  EXPECT_EQ(order.at("chance").to_number<double>(), 1);
}

TEST_P(ComparisonApiTest, NumbersAsDistributions) {
  const json::value answer = Compare(kSlow);
  const json::array& numbers = answer.at("numbers").as_array();
  ASSERT_EQ(numbers.size(), 3u);
  const auto find = [&](std::string_view field) -> const json::value& {
    for (const json::value& number : numbers) {
      if (number.at("field").as_string() == json::string_view(field.data(), field.size()))
        return number;
    }
    ADD_FAILURE() << field;
    return numbers[0];
  };
  const json::value& duration = find("duration");
  EXPECT_EQ(duration.at("selection").at("min").to_number<double>(), 304e6);
  EXPECT_EQ(duration.at("selection").at("max").to_number<double>(), 319e6);
  EXPECT_EQ(duration.at("baseline").at("count").as_int64(), 16);
  EXPECT_NEAR(duration.at("baseline").at("p50").to_number<double>(), 38e6, 38e6 * 0.04);
  EXPECT_EQ(duration.at("shift").to_number<double>(), 1);
  const json::value& size = find("span.size");
  EXPECT_EQ(json::serialize(size.at("baseline")),
            R"({"count":16,"min":10,"p25":10,"p50":11,"p75":12,"p95":12,"p99":12,"max":12})")
      << "whole numbers stay whole";
  EXPECT_GT(size.at("effect").to_number<double>(), 0.7);
  EXPECT_LT(size.at("chance").to_number<double>(), 0.05);
  const json::value& ratio = numbers[2];
  EXPECT_EQ(ratio.at("field").as_string(), "span.ratio") << "tells nothing, so it comes last";
  EXPECT_NEAR(ratio.at("baseline").at("p50").to_number<double>(), 1.5, 0.05);
  EXPECT_LT(ratio.at("effect").to_number<double>(), 0.2);
  EXPECT_GT(ratio.at("chance").to_number<double>(), 0.5);
}

TEST_P(ComparisonApiTest, AllListsInOneOrder) {
  const json::value answer = Compare(kSlow, "&limit=4");
  const json::array& ranking = answer.at("ranking").as_array();
  ASSERT_EQ(ranking.size(), 4u);
  double last = 1;
  for (const json::value& place : ranking) {
    const json::value& list = answer.at(std::string(place.at("list").as_string()));
    const double effect = list.as_array()
                              .at(static_cast<size_t>(place.at("at").as_int64()))
                              .at("effect")
                              .to_number<double>();
    EXPECT_LE(effect, last);
    last = effect;
  }
  EXPECT_GT(last, 0.5);
  EXPECT_EQ(answer.at("calls").as_array().size(), 4u);
  EXPECT_EQ(answer.at("callCount").as_int64(), 5);
}

// Of the traces with a retry all spans but the retries are the baseline; the traces are not.
TEST_P(ComparisonApiTest, ATraceIsOnOneSide) {
  const json::value answer = Compare("{} | compare({ name = \"retry\" })");
  EXPECT_EQ(json::serialize(answer.at("traces")), R"({"baseline":16,"selection":4})");
  EXPECT_EQ(answer.at("selection").as_int64(), 4);
  EXPECT_EQ(answer.at("baseline").as_int64(), 16 * 5 + 4 * 8);
  EXPECT_EQ(FindCall(answer, "mail")->at("change").as_string(), "vanishes");
}

TEST_P(ComparisonApiTest, NothingOnASideIsNoDifference) {
  for (const char* q : {"{} | compare({ false })", "{ false } | compare({})"}) {
    const json::value answer = Compare(q);
    for (const char* list : {"fields", "numbers", "calls"}) {
      for (const json::value& one : answer.at(list).as_array())
        EXPECT_EQ(one.at("effect").to_number<double>(), 0) << q << " " << json::serialize(one);
    }
  }
}

TEST_P(ComparisonApiTest, TheAnswerIsAsTheDescriptionSays) {
  const OpenApi openapi("proto/openapi.yaml");
  const net::HttpResponse response =
      server_.Get("/api/v1/comparison?q=" + net::PercentEncode(kSlow));
  EXPECT_THAT(openapi.Check({"get", "/api/v1/comparison"}, response.status, response.content_type,
                            std::string(response.payload())),
              IsEmpty());
}

}  // namespace
}  // namespace weft::api
