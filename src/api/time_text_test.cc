#include "api/time_text.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::api {
namespace {

constexpr int64_t kNow = 1'800'000'000'000'000'000;
constexpr uint64_t kSecond = 1'000'000'000;

uint64_t Time(std::string_view text) {
  const auto time = ParseTime(text, kNow);
  EXPECT_TRUE(time.ok()) << time.error().message();
  return time.ok() ? *time : 0;
}

std::string Refusal(std::string_view text) {
  const auto time = ParseTime(text, kNow);
  EXPECT_FALSE(time.ok()) << text << " gave " << (time.ok() ? *time : 0);
  return time.error().message();
}

TEST(ParseTime, WholeNanoseconds) {
  EXPECT_EQ(Time("0"), 0u);
  EXPECT_EQ(Time("1763737200000000001"), 1763737200000000001u);
  EXPECT_EQ(Time("18446744073709551615"), 18446744073709551615u);
  EXPECT_THAT(Refusal("18446744073709551616"), testing::HasSubstr("2^64"));
  Refusal("-5");
  Refusal("1e9");
  Refusal(" 5");
  Refusal("");
}

TEST(ParseTime, Rfc3339) {
  EXPECT_EQ(Time("1970-01-01T00:00:00Z"), 0u);
  EXPECT_EQ(Time("2024-02-29T12:30:45Z"), 1709209845 * kSecond);
  EXPECT_EQ(Time("2024-02-29t12:30:45.000000001z"), 1709209845 * kSecond + 1);
  EXPECT_EQ(Time("2024-02-29T13:30:45.5+01:00"), 1709209845 * kSecond + kSecond / 2);
  EXPECT_EQ(Time("2024-02-29T07:00:45-05:30"), 1709209845 * kSecond);
  EXPECT_EQ(Time("2100-03-01T00:00:00Z"), 4107542400 * kSecond);
}

TEST(ParseTime, RefusesDatesThatDoNotExist) {
  EXPECT_THAT(Refusal("2023-02-29T00:00:00Z"), testing::HasSubstr("no such day"));
  Refusal("2100-02-29T00:00:00Z");
  Refusal("2024-13-01T00:00:00Z");
  Refusal("2024-00-01T00:00:00Z");
  Refusal("2024-01-01T24:00:00Z");
  Refusal("1969-12-31T23:59:59Z");
  Refusal("9999-01-01T00:00:00Z");
  Refusal("2024-01-01");
  Refusal("2024-01-01T00:00:00");
  Refusal("2024-01-01T00:00:00.Z");
  Refusal("2024-01-01T00:00:00Zx");
  EXPECT_THAT(Refusal("2024-01-01T00:00:00 01:00"), testing::HasSubstr("%2B"));
}

TEST(ParseTime, RelativeToNow) {
  EXPECT_EQ(Time("now"), static_cast<uint64_t>(kNow));
  EXPECT_EQ(Time("now-15m"), kNow - 900 * kSecond);
  EXPECT_EQ(Time("now-1h30m"), kNow - 5400 * kSecond);
  EXPECT_EQ(Time("now+250ms"), kNow + kSecond / 4);
  EXPECT_EQ(Time("now-100000d"), 0u);  // long before 1970
  for (const char* text :
       {"now-", "now-5", "now-m", "now-5w", "now*5m", "nowish", "now-1.2.3s", "now--5m"})
    Refusal(text);
}

TEST(ParseDuration, AddsItsParts) {
  EXPECT_EQ(ParseDuration("1d2h3m4s5ms6us7ns"), 93784005006007);
  EXPECT_EQ(ParseDuration("1.5s"), 1'500'000'000);
  EXPECT_EQ(ParseDuration("0s"), 0);
  EXPECT_FALSE(ParseDuration(""));
  EXPECT_FALSE(ParseDuration("5"));
  EXPECT_FALSE(ParseDuration("200000000000d"));
  EXPECT_FALSE(ParseDuration("infs"));
  EXPECT_FALSE(ParseDuration("-5s"));
}

TEST(FormatTime, GivesBackWhatWasParsed) {
  for (const char* text : {"1970-01-01T00:00:00.000000000Z", "2024-02-29T12:30:45.123456789Z",
                           "2099-12-31T23:59:59.999999999Z"}) {
    EXPECT_EQ(FormatTime(Time(text)), text);
  }
  EXPECT_EQ(FormatTime(Time("2024-02-29T12:30:45.123456789Z"), 3), "2024-02-29T12:30:45.123Z");
  EXPECT_EQ(FormatTime(Time("2024-02-29T12:30:45.123456789Z"), 0), "2024-02-29T12:30:45Z");
}

TEST(FormatDuration, ChoosesTheUnit) {
  EXPECT_EQ(FormatDuration(0), "0 ns");
  EXPECT_EQ(FormatDuration(999), "999 ns");
  EXPECT_EQ(FormatDuration(1'500), "1.50 us");
  EXPECT_EQ(FormatDuration(12'340'000), "12.3 ms");
  EXPECT_EQ(FormatDuration(-2'500'000'000), "-2.50 s");
  EXPECT_EQ(FormatDuration(200'000'000'000), "3 m 20 s");
  EXPECT_EQ(FormatDuration(7'260'000'000'000), "2 h 1 m");
}

}  // namespace
}  // namespace weft::api
