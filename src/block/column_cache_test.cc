#include "block/column_cache.h"

#include <memory>

#include <gtest/gtest.h>

namespace weft::block {
namespace {

std::shared_ptr<const int> Number(int n) { return std::make_shared<const int>(n); }

TEST(ColumnCache, DropsTheLeastRecentlyUsed) {
  ColumnCache cache(100);
  const uint64_t owner = ColumnCache::NewOwner();
  for (uint32_t i = 0; i < 4; ++i) cache.Insert({owner, 0, i}, Number(static_cast<int>(i)), 25);
  EXPECT_EQ(cache.bytes(), 100u);
  ASSERT_TRUE(cache.Find<int>({owner, 0, 0}));
  cache.Insert({owner, 0, 4}, Number(4), 25);
  EXPECT_TRUE(cache.Find<int>({owner, 0, 0}));
  EXPECT_FALSE(cache.Find<int>({owner, 0, 1}));
  EXPECT_EQ(*cache.Find<int>({owner, 0, 4}), 4);
  EXPECT_EQ(cache.bytes(), 100u);
}

TEST(ColumnCache, NeverHoldsMoreThanItMay) {
  ColumnCache cache(100);
  const uint64_t owner = ColumnCache::NewOwner();
  cache.Insert({owner, 0, 0}, Number(1), 101);
  EXPECT_FALSE(cache.Find<int>({owner, 0, 0}));
  cache.Insert({owner, 0, 0}, Number(1), 60);
  cache.Insert({owner, 0, 0}, Number(2), 70);
  EXPECT_EQ(cache.bytes(), 70u);
  EXPECT_EQ(*cache.Find<int>({owner, 0, 0}), 2);
}

TEST(ColumnCache, ForgetsAnOwnerAndLeavesWhatIsHeld) {
  ColumnCache cache(100);
  const uint64_t mine = ColumnCache::NewOwner();
  const uint64_t other = ColumnCache::NewOwner();
  EXPECT_NE(mine, other);
  cache.Insert({mine, 0, 0}, Number(1), 10);
  cache.Insert({other, 0, 0}, Number(2), 10);
  const auto held = cache.Find<int>({mine, 0, 0});
  cache.Forget(mine);
  EXPECT_EQ(*held, 1);
  EXPECT_FALSE(cache.Find<int>({mine, 0, 0}));
  EXPECT_TRUE(cache.Find<int>({other, 0, 0}));
  EXPECT_EQ(cache.bytes(), 10u);
}

}  // namespace
}  // namespace weft::block
