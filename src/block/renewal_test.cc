#include "block/renewal.h"

#include <gtest/gtest.h>

namespace weft::block {
namespace {

class RenewedSource : public RowSource {
 public:
  Result<std::vector<std::shared_ptr<const RowGroup>>> Snapshot(
      const model::TenantId&, TimeRange, const SnapshotOptions&) const override {
    return std::vector<std::shared_ptr<const RowGroup>>();
  }
  Result<model::SpanBatch> FindTrace(const model::TenantId&, model::TraceId) const override {
    return model::SpanBatch();
  }
  Result<JoinedSummary> SummarizeTrace(const model::TenantId&, model::TraceId) const override {
    return JoinedSummary();
  }
  Error Renew() const override {
    ++renewals;
    return answer;
  }
  mutable int renewals = 0;
  Error answer;
};

TEST(RenewalTest, StartsAnewWhenBlocksWereTakenAway) {
  const RenewedSource source;
  int runs = 0;
  const auto result = WithRenewal<int>(source, [&]() -> Result<int> {
    if (++runs < 3) return Error(ErrorCode::kNotFound, "block x: gone");
    return 7;
  });
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(*result, 7);
  EXPECT_EQ(source.renewals, 2);
}

TEST(RenewalTest, GivesUpWithAnErrorThatMayBeTriedAgain) {
  RenewedSource source;
  const auto gone = [] { return Result<int>(Error(ErrorCode::kNotFound, "block x: gone")); };
  const auto result = WithRenewal<int>(source, gone);
  EXPECT_EQ(result.error().code(), ErrorCode::kUnavailable);
  EXPECT_NE(result.error().message().find("block x: gone"), std::string::npos);
  EXPECT_GT(result.error().retry_after_ms(), 0u);
  source.answer = Error(ErrorCode::kIo, "the store refused");
  EXPECT_EQ(WithRenewal<int>(source, gone).error().code(), ErrorCode::kIo);
}

TEST(RenewalTest, OtherErrorsAndAnswersComeAtOnce) {
  const RenewedSource source;
  const auto corrupt = [] { return Result<int>(Error(ErrorCode::kCorrupt, "a flipped bit")); };
  EXPECT_EQ(WithRenewal<int>(source, corrupt).error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(*WithRenewal<int>(source, [] { return Result<int>(1); }), 1);
  EXPECT_EQ(source.renewals, 0);
}

}  // namespace
}  // namespace weft::block
