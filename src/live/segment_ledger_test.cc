#include "live/segment_ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::live {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(SegmentLedger, ReleasesASegmentWhenAllItsSpansAreSettledAndALaterOneIsOpen) {
  SegmentLedger ledger;
  ledger.Open(1, 2);
  ledger.Open(2, 1);
  EXPECT_THAT(ledger.TakeReleasable(2), IsEmpty());
  ledger.Settle({{1, 0, 0}, {2, 0, 0}});
  EXPECT_THAT(ledger.TakeReleasable(2), IsEmpty());
  ledger.Settle({{1, 0, 1}});
  EXPECT_THAT(ledger.TakeReleasable(2), ElementsAre(1));
  EXPECT_THAT(ledger.TakeReleasable(2), IsEmpty());
  EXPECT_THAT(ledger.TakeReleasable(3), ElementsAre(2));
}

TEST(SegmentLedger, ABlockNeedsItsFileAsLongAsOneOfItsSegmentsIsThere) {
  SegmentLedger ledger;
  ledger.Open(1, 1);
  ledger.Open(2, 1);
  ledger.AddBlock("t", "b", {1, 2});
  ledger.Settle({{1, 0, 0}, {2, 0, 0}});
  ASSERT_THAT(ledger.TakeReleasable(2), ElementsAre(1));
  EXPECT_THAT(ledger.TakeUnneededBlocks(), IsEmpty());
  ASSERT_THAT(ledger.TakeReleasable(3), ElementsAre(2));
  const auto blocks = ledger.TakeUnneededBlocks();
  ASSERT_EQ(blocks.size(), 1u);
  EXPECT_EQ(blocks[0].block_id, "b");
  EXPECT_THAT(ledger.TakeUnneededBlocks(), IsEmpty());
}

// Its removal failed: the next start may still find it.
TEST(SegmentLedger, ASegmentThatIsOpenedAnewIsReleasedAgainAndNeedsItsBlocks) {
  SegmentLedger ledger;
  ledger.Open(1, 1);
  ledger.AddBlock("t", "b", {1});
  ledger.Settle({{1, 0, 0}});
  ASSERT_THAT(ledger.TakeReleasable(2), ElementsAre(1));
  ledger.Open(1, 0);
  EXPECT_THAT(ledger.TakeUnneededBlocks(), IsEmpty());
  ASSERT_THAT(ledger.TakeReleasable(2), ElementsAre(1));
  EXPECT_EQ(ledger.TakeUnneededBlocks().size(), 1u);
}

}  // namespace
}  // namespace weft::live
