#include "live/wal_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::live {
namespace {

using ::testing::ElementsAre;

TEST(WalRows, AreFoundAgain) {
  std::vector<WalRow> rows = {{9, 3, 7}, {9, 3, 6}, {5, 0, 0}, {9, 3, 9}, {9, 4, 1}, {5, 70000, 2}};
  const std::string file = EncodeWalRows(&rows);
  WalRowSet set;
  ASSERT_TRUE(set.Add(file).ok());
  for (const WalRow& row : rows) EXPECT_TRUE(set.Contains(row));
  EXPECT_FALSE(set.Contains({9, 3, 8}));
  EXPECT_FALSE(set.Contains({9, 3, 5}));
  EXPECT_FALSE(set.Contains({9, 5, 1}));
  EXPECT_FALSE(set.Contains({5, 1, 0}));
  EXPECT_FALSE(set.Contains({6, 0, 0}));
  EXPECT_THAT(*WalRowSet::SegmentsOf(file), ElementsAre(5, 9));
}

TEST(WalRows, RunsOfRowsCostFewBytes) {
  std::vector<WalRow> rows;
  for (uint32_t record = 0; record < 256; ++record) {
    for (uint32_t row = 0; row < 512; ++row) rows.push_back({1790000000000, record, row});
  }
  EXPECT_LT(EncodeWalRows(&rows).size(), 2000u);
}

TEST(WalRows, DamageIsSeen) {
  std::vector<WalRow> rows = {{1, 2, 3}, {1, 2, 4}};
  const std::string file = EncodeWalRows(&rows);
  for (size_t bit = 0; bit < file.size() * 8; ++bit) {
    std::string damaged = file;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    WalRowSet set;
    EXPECT_EQ(set.Add(damaged).code(), ErrorCode::kCorrupt) << "bit " << bit;
  }
  WalRowSet set;
  EXPECT_FALSE(set.Add(file.substr(0, 4)).ok());
}

}  // namespace
}  // namespace weft::live
