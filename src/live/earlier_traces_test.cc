#include "live/earlier_traces.h"

#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::live {
namespace {

using ::testing::IsEmpty;

constexpr uint64_t kHour = 3'600'000'000'000;
constexpr uint64_t kNow = 500'000 * kHour;

// Holds nothing, and remembers which hours were asked for.
class AskedSource : public block::RowSource {
 public:
  Result<std::vector<std::shared_ptr<const block::RowGroup>>> Snapshot(
      const model::TenantId&, TimeRange range, const block::SnapshotOptions&) const override {
    if (busy) return Error(ErrorCode::kUnavailable, "503");
    asked.emplace_back(range.start_ns / kHour, range.end_ns / kHour);
    return std::vector<std::shared_ptr<const block::RowGroup>>();
  }
  Result<model::SpanBatch> FindTrace(const model::TenantId&, model::TraceId) const override {
    return model::SpanBatch();
  }
  Result<JoinedSummary> SummarizeTrace(const model::TenantId&, model::TraceId) const override {
    return JoinedSummary();
  }
  std::vector<std::pair<uint64_t, uint64_t>> Take() { return std::exchange(asked, {}); }

  bool busy = false;
  mutable std::vector<std::pair<uint64_t, uint64_t>> asked;
};

using Hours = std::vector<std::pair<uint64_t, uint64_t>>;

TEST(EarlierTraces, TheFirstBlockAsksForEverythingSinceItsFirstSpanAndADayAtMost) {
  AskedSource source;
  EarlierTraces earlier(source);
  ASSERT_TRUE(earlier.Load("a", kNow - kHour, kNow).ok());
  EXPECT_EQ(source.Take(), (Hours{{499'999, UINT64_MAX / kHour}}));
  ASSERT_TRUE(earlier.Load("a", kNow, kNow + 100 * kHour).ok());
  EXPECT_THAT(source.Take(), IsEmpty());
  ASSERT_TRUE(earlier.Load("b", 0, kNow).ok());
  EXPECT_EQ(source.Take(), (Hours{{499'976, UINT64_MAX / kHour}}));
}

TEST(EarlierTraces, OlderSpansAskForTheirOwnHoursOnce) {
  AskedSource source;
  EarlierTraces earlier(source);
  ASSERT_TRUE(earlier.Load("a", kNow, kNow).ok());
  source.Take();
  ASSERT_TRUE(earlier.Load("a", kNow - 2 * kHour, kNow).ok());
  EXPECT_EQ(source.Take(), (Hours{{499'998, 499'999}, {499'999, 500'000}}));
  // A clock from 1970 asks for the hours of 1970 and for no others.
  ASSERT_TRUE(earlier.Load("a", 0, 5).ok());
  EXPECT_EQ(source.Take(), (Hours{{0, 1}}));
  for (int again = 0; again < 2; ++again) {
    ASSERT_TRUE(earlier.Load("a", 0, 5).ok());
    ASSERT_TRUE(earlier.Load("a", kNow - 2 * kHour, kNow).ok());
    EXPECT_THAT(source.Take(), IsEmpty());
  }
}

TEST(EarlierTraces, AStoreThatCantBeReadNowIsAskedAgain) {
  AskedSource source;
  EarlierTraces earlier(source);
  source.busy = true;
  EXPECT_EQ(earlier.Load("a", kNow, kNow).code(), ErrorCode::kUnavailable);
  source.busy = false;
  EXPECT_TRUE(earlier.Load("a", kNow, kNow).ok());
  EXPECT_EQ(source.Take().size(), 1u);
}

}  // namespace
}  // namespace weft::live
