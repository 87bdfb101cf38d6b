#include "policy/tenant_rates.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::policy {
namespace {

using testing::HasSubstr;

constexpr int64_t kSecond = 1'000'000'000;

TEST(TenantRates, AQuietTenantMaySendItsBurstAtOnceAndThenItsRate) {
  TenantRates rates({.bytes_per_second = 1000, .burst_bytes = 5000});
  EXPECT_TRUE(rates.Check("a", 0).ok());
  rates.Spend("a", 4999, 0);
  EXPECT_TRUE(rates.Check("a", 0).ok()) << "one byte is left";
  rates.Spend("a", 3001, 0);
  const Error refused = rates.Check("a", 0);
  EXPECT_EQ(refused.code(), ErrorCode::kResourceExhausted);
  EXPECT_EQ(refused.retry_after_ms(), 3000u) << "3000 bytes are owed";
  EXPECT_THAT(refused.message(),
              HasSubstr("RATE_LIMITED: ingestion rate limit (1000 bytes/s, burst: 5000 bytes) of "
                        "tenant a exceeded"));
  EXPECT_EQ(rates.Check("a", kSecond).retry_after_ms(), 2000u);
  EXPECT_TRUE(rates.Check("a", 3 * kSecond + 1'000'000).ok());
}

TEST(TenantRates, TenantsDoNotTakeFromEachOther) {
  TenantRates rates({.bytes_per_second = 1000, .burst_bytes = 1000});
  rates.Spend("a", 2000, 0);
  EXPECT_FALSE(rates.Check("a", 0).ok());
  EXPECT_TRUE(rates.Check("b", 0).ok());
}

TEST(TenantRates, OverTimeNobodySendsMoreThanTheRate) {
  TenantRates rates({.bytes_per_second = 1000, .burst_bytes = 2000});
  uint64_t sent = 0;
  for (int64_t now = 0; now < 100 * kSecond; now += kSecond / 100) {
    if (!rates.Check("a", now).ok()) continue;
    rates.Spend("a", 700, now);
    sent += 700;
  }
  EXPECT_LE(sent, 100u * 1000 + 2000 + 700);
  EXPECT_GE(sent, 100u * 1000 - 700);
}

TEST(TenantRates, WaitsAreBoundedAndAClockThatStandsStillIsNoReason) {
  TenantRates rates({.bytes_per_second = 1, .burst_bytes = 1});
  rates.Spend("a", 1ULL << 40, 5);
  EXPECT_EQ(rates.Check("a", 5).retry_after_ms(), 60'000u);
  EXPECT_EQ(rates.Check("a", 4).retry_after_ms(), 60'000u);
}

TEST(TenantRates, WithoutALimitNothingIsRemembered) {
  TenantRates rates({});
  rates.Spend("a", 1ULL << 40, 0);
  EXPECT_TRUE(rates.Check("a", 0).ok());
  EXPECT_EQ(rates.size(), 0u);
}

TEST(TenantRates, NamesCannotFillTheMemory) {
  TenantRates rates({.bytes_per_second = 1000, .burst_bytes = 1000});
  for (int i = 0; i < 20'000; ++i) rates.Spend(std::to_string(i), 2000, 0);
  EXPECT_LE(rates.size(), 10'001u);
  EXPECT_FALSE(rates.Check("0", 0).ok());
  EXPECT_FALSE(rates.Check("one more", 0).ok()) << "shares a bucket with those past the limit";
  EXPECT_TRUE(rates.Check("one more", 100'000 * kSecond).ok());
  EXPECT_EQ(rates.size(), 1u) << "who may send its whole burst is forgotten";
}

}  // namespace
}  // namespace weft::policy
