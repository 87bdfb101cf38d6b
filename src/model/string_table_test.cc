#include "model/string_table.h"

#include <string>

#include <gtest/gtest.h>

namespace weft::model {
namespace {

TEST(StringTable, GivesEachStringOneCodeInOrderOfFirstUse) {
  StringTable table;
  EXPECT_EQ(table.Intern(""), 0u);
  EXPECT_EQ(table.Intern("a"), 1u);
  EXPECT_EQ(table.Intern("b"), 2u);
  EXPECT_EQ(table.Intern("a"), 1u);
  EXPECT_EQ(table[1], "a");
  EXPECT_EQ(table[0], "");
}

TEST(StringTable, KeepsCodesWhileItGrows) {
  StringTable table;
  for (int i = 0; i < 10000; ++i)
    ASSERT_EQ(table.Intern("value " + std::to_string(i)), static_cast<Code>(i + 1));
  for (int i = 0; i < 10000; ++i) {
    const std::string s = "value " + std::to_string(i);
    ASSERT_EQ(table.Find(s), static_cast<Code>(i + 1));
    ASSERT_EQ(table[i + 1], s);
  }
  EXPECT_EQ(table.Find("value"), StringTable::kMissing);
}

TEST(StringTable, HoldsBytesOfAnyKind) {
  StringTable table;
  const std::string zeros("\0\0", 2);
  const Code one = table.Intern(std::string_view("\0", 1));
  const Code two = table.Intern(zeros);
  EXPECT_NE(one, two);
  EXPECT_EQ(table[two], zeros);
}

TEST(StringTable, IsEmptyAfterClear) {
  StringTable table;
  table.Intern("a");
  table.Clear();
  EXPECT_EQ(table.size(), 1u);
  EXPECT_EQ(table.Find("a"), StringTable::kMissing);
  EXPECT_EQ(table.Intern("b"), 1u);
}

}  // namespace
}  // namespace weft::model
