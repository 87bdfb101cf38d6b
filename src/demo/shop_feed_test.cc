#include "demo/shop_feed.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

#include "demo/decoded_span.h"

namespace weft::demo {
namespace {

constexpr uint64_t kFirstNs = 1'760'000'000'000'000'000;
constexpr uint64_t kSecondNs = 1'000'000'000;

ShopFeedOptions Options(double rate) {
  ShopFeedOptions options;
  options.first_ns = kFirstNs;
  options.requests_per_second = rate;
  return options;
}

std::string Bodies(const std::vector<ExportRequest>& requests) {
  std::string all;
  for (const ExportRequest& request : requests) all += request.body;
  return all;
}

TEST(ShopFeed, TheSameSeedGivesTheSameBytesInStepsOrAtOnce) {
  ShopFeed at_once(Options(50));
  ShopFeed in_steps(Options(50));
  std::vector<ExportRequest> a;
  std::vector<ExportRequest> b;
  at_once.Advance(kFirstNs + 10 * kSecondNs, &a);
  for (uint64_t t = 1; t <= 1000; ++t) in_steps.Advance(kFirstNs + t * kSecondNs / 100, &b);
  EXPECT_TRUE(Bodies(a) == Bodies(b));  // too long to print

  ShopFeedOptions other = Options(50);
  other.seed = 2;
  ShopFeed different(other);
  std::vector<ExportRequest> c;
  different.Advance(kFirstNs + 10 * kSecondNs, &c);
  EXPECT_TRUE(Bodies(a) != Bodies(c));
}

TEST(ShopFeed, SendsNoSpanBeforeItsEndAndEachOnce) {
  ShopFeed feed(Options(100));
  std::set<std::string> seen;
  for (uint64_t second = 1; second <= 8; ++second) {
    const uint64_t now_ns = kFirstNs + second * kSecondNs;
    std::vector<ExportRequest> requests;
    feed.Advance(now_ns, &requests);
    for (const ExportRequest& request : requests) {
      for (const DecodedSpan& span : DecodeRequest(request.body)) {
        EXPECT_TRUE(seen.insert(span.span_id).second);
        // Shipping's clock runs ahead.
        if (span.service == "shipping") continue;
        EXPECT_LE(span.end_ns, now_ns);
      }
    }
  }
  EXPECT_GT(seen.size(), 4'000U);
}

TEST(ShopFeed, BatchesAreThoseOfAnSdk) {
  ShopFeedOptions options = Options(600);
  options.batch.delay_ns = kSecondNs;
  ShopFeed feed(options);
  std::vector<ExportRequest> requests;
  feed.Advance(kFirstNs + 4 * kSecondNs, &requests);
  size_t full = 0;
  for (const ExportRequest& request : requests) {
    const std::vector<DecodedSpan> spans = DecodeRequest(request.body);
    ASSERT_EQ(spans.size(), request.span_count);
    ASSERT_LE(spans.size(), 512U);
    full += spans.size() == 512 ? 1 : 0;
    std::set<std::string> services;
    for (const DecodedSpan& span : spans) services.insert(span.service);
    EXPECT_EQ(services.size(), 1U);
  }
  EXPECT_GT(full, 3U);
  EXPECT_LT(full, requests.size());
}

TEST(ShopFeed, StopLeavesOutWhatHasNotEndedAndDrainLeavesNothing) {
  ShopFeed stopped(Options(100));
  ShopFeed drained(Options(100));
  const uint64_t now_ns = kFirstNs + 3 * kSecondNs;
  std::vector<ExportRequest> until_now;
  stopped.Stop(now_ns, &until_now);
  std::vector<ExportRequest> all;
  drained.Advance(now_ns, &all);
  drained.Drain(&all);
  uint64_t ended = 0;
  uint64_t played = 0;
  for (const ExportRequest& request : until_now) ended += request.span_count;
  for (const ExportRequest& request : all) played += request.span_count;
  EXPECT_GT(ended, 2'000U);
  EXPECT_GT(played, ended);
  EXPECT_LT(played, ended + 500);
}

}  // namespace
}  // namespace weft::demo
