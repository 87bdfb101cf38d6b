#include "api/parameters.h"

#include <array>
#include <limits>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::api {
namespace {

using testing::HasSubstr;

TEST(Parameters, AnUnknownNameIsRefusedWithTheNearestKnownOne) {
  const auto parameters =
      Parameters::Read({{"spanPerTrace", "3"}}, {"q", "limit", "spansPerTrace"});
  ASSERT_FALSE(parameters.ok());
  EXPECT_EQ(parameters.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(parameters.error().message(), HasSubstr("did you mean `spansPerTrace`?"));
}

TEST(Parameters, AnUnknownNameNearNothingListsAll) {
  const auto parameters = Parameters::Read({{"zzzzzzzz", ""}}, {"start", "end"});
  EXPECT_THAT(parameters.error().message(), HasSubstr("takes start, end"));
  EXPECT_THAT(
      Parameters::Read({{std::string(100'000, 'a'), ""}}, {"start"}).error().message().size(),
      testing::Lt(300u));
}

TEST(Parameters, ANameGivenTwiceIsRefused) {
  EXPECT_THAT(Parameters::Read({{"limit", "1"}, {"limit", "2"}}, {"limit"}).error().message(),
              HasSubstr("given twice"));
}

TEST(Parameters, WholeNumbersHaveBounds) {
  const auto whole = [](const char* text) {
    const net::HttpParameters query = {{"limit", text}};
    return Parameters::Read(query, {"limit"})->Whole("limit", 20, 1, 1000);
  };
  EXPECT_EQ(*whole("1"), 1u);
  EXPECT_EQ(*whole("1000"), 1000u);
  for (const char* text :
       {"0", "1001", "-1", "+5", "5.0", " 5", "5 ", "", "0x10", "99999999999999999999", "five"}) {
    EXPECT_FALSE(whole(text).ok()) << text;
  }
  EXPECT_EQ(*Parameters::Read({}, {"limit"})->Whole("limit", 20, 1, 1000), 20u);
}

TEST(Parameters, ChoicesAreExact) {
  constexpr std::array<std::string_view, 2> kChoices = {"columns", "otlp"};
  const net::HttpParameters good = {{"format", "otlp"}};
  EXPECT_EQ(**Parameters::Read(good, {"format"})->OneOf("format", kChoices), "otlp");
  const net::HttpParameters bad = {{"format", "OTLP"}};
  EXPECT_THAT(Parameters::Read(bad, {"format"})->OneOf("format", kChoices).error().message(),
              HasSubstr("columns, otlp"));
  EXPECT_FALSE(Parameters::Read({}, {"format"})->OneOf("format", kChoices)->has_value());
}

TEST(Parameters, RangesAreOpenWhereABoundIsMissing) {
  const auto range = [](net::HttpParameters query) {
    return Parameters::Read(query, {"start", "end"})->Range(1'000'000);
  };
  EXPECT_TRUE(range({})->unlimited());
  EXPECT_EQ(range({{"start", "5"}})->start_ns, 5u);
  EXPECT_EQ(range({{"start", "5"}})->end_ns, std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(range({{"end", "now-1us"}})->end_ns, 999'000u);
  EXPECT_THAT(range({{"start", "6"}, {"end", "5"}}).error().message(), HasSubstr("`start`"));
  EXPECT_THAT(range({{"end", "tomorrow"}}).error().message(), HasSubstr("`end`"));
}

TEST(Parameters, LongTextsAreRefused) {
  const net::HttpParameters query = {{"prefix", std::string(5000, 'x')}};
  EXPECT_FALSE(Parameters::Read(query, {"prefix"})->Text("prefix").ok());
  EXPECT_TRUE(Parameters::Read(query, {"prefix"})->Text("prefix", 6000).ok());
}

}  // namespace
}  // namespace weft::api
