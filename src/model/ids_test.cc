#include "model/ids.h"

#include <gtest/gtest.h>

namespace weft::model {
namespace {

TEST(TraceId, ReadsHexOfAnyCaseAndPadsShortIds) {
  EXPECT_EQ(TraceId::FromHex("0AF7651916cd43dd8448eb211c80319c")->ToHex(),
            "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(TraceId::FromHex("abc")->ToHex(), "00000000000000000000000000000abc");
  EXPECT_EQ(TraceId::FromHex("1000000000000000f")->high, 1u);
}

TEST(TraceId, RefusesWhatIsNoHex) {
  EXPECT_FALSE(TraceId::FromHex(""));
  EXPECT_FALSE(TraceId::FromHex("0x12"));
  EXPECT_FALSE(TraceId::FromHex("0af7651916cd43dd8448eb211c80319c0"));
}

TEST(TraceId, OrderOfValuesIsOrderOfBytes) {
  const char bytes[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const TraceId id = TraceId::FromBytes(bytes);
  EXPECT_EQ(id.ToHex(), "000102030405060708090a0b0c0d0e0f");
  char back[16];
  id.ToBytes(back);
  EXPECT_EQ(0, memcmp(bytes, back, 16));
  EXPECT_LT(id, (TraceId{id.high, id.low + 1}));
}

TEST(SpanId, ReadsAndWritesHex) {
  EXPECT_EQ(SpanId::FromHex("00F0")->ToHex(), "00000000000000f0");
  EXPECT_FALSE(SpanId::FromHex("g"));
  EXPECT_FALSE(SpanId::FromHex("00000000000000f00"));
  EXPECT_FALSE(SpanId{}.valid());
}

}  // namespace
}  // namespace weft::model
