#include "query/lang/nearest_name.h"

#include <array>

#include <gtest/gtest.h>

namespace weft::query::lang {
namespace {

constexpr std::array<std::string_view, 4> kNames{"duration", "name", "status", "statusMessage"};

TEST(NearestName, FindsSlipsOfTheHand) {
  EXPECT_EQ(NearestName("duratoin", kNames), "duration");
  EXPECT_EQ(NearestName("Status", kNames), "status");
  EXPECT_EQ(NearestName("statusmessage", kNames), "statusMessage");
  EXPECT_EQ(NearestName("nam", kNames), "name");
}

TEST(NearestName, LeavesStrangersAlone) {
  EXPECT_EQ(NearestName("http", kNames), "");
  EXPECT_EQ(NearestName("", kNames), "");
  EXPECT_EQ(NearestName("xy", kNames), "");
  EXPECT_EQ(NearestName(std::string(100, 'n'), kNames), "");
}

TEST(DidYouMean, IsASentence) {
  EXPECT_EQ(DidYouMean("durations", kNames), "; did you mean `duration`?");
  EXPECT_EQ(DidYouMean("zzz", kNames), "");
}

}  // namespace
}  // namespace weft::query::lang
