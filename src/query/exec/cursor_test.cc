#include "query/exec/cursor.h"

#include <gtest/gtest.h>

namespace weft::query::exec {
namespace {

TEST(Cursor, ComesBackFromItsText) {
  const Cursor cursor{1'767'225'600'000'000'001ULL, {0x0af7651916cd43ddULL, 0x8448eb211c80319cULL}};
  const auto read = Cursor::Decode(cursor.Encode());
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->start_ns, cursor.start_ns);
  EXPECT_EQ(read->id, cursor.id);
}

TEST(Cursor, RefusesWhatItDidNotWrite) {
  const std::string good = Cursor{5, {1, 2}}.Encode();
  for (const std::string& bad :
       {std::string("x"), std::string("****"), good.substr(0, good.size() - 2), good + "AAAA",
        "B" + good.substr(1), good.substr(0, 10) + (good[10] == 'A' ? "B" : "A") + good.substr(11),
        std::string(100000, 'A')}) {
    const auto read = Cursor::Decode(bad);
    ASSERT_FALSE(read.ok()) << bad;
    EXPECT_EQ(read.error().code(), ErrorCode::kInvalidArgument);
  }
}

TEST(Cursor, OrdersNewestFirstThenById) {
  const Cursor cursor{100, {0, 5}};
  EXPECT_TRUE(cursor.Precedes(99, {0, 1}));
  EXPECT_TRUE(cursor.Precedes(100, {0, 6}));
  EXPECT_FALSE(cursor.Precedes(100, {0, 5}));
  EXPECT_FALSE(cursor.Precedes(100, {0, 4}));
  EXPECT_FALSE(cursor.Precedes(101, {0, 9}));
}

}  // namespace
}  // namespace weft::query::exec
