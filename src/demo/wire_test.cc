#include "demo/wire.h"

#include <string>

#include <gtest/gtest.h>

namespace weft::demo {
namespace {

std::string Bytes(std::initializer_list<int> bytes) {
  return std::string(bytes.begin(), bytes.end());
}

TEST(WireBuffer, WritesScalarsAsProtobufDoes) {
  WireBuffer buffer;
  buffer.Varint(6, 300);
  buffer.Fixed64(7, 0x0102030405060708);
  buffer.Fixed32(16, 0x01020304);
  EXPECT_EQ(buffer.bytes(), Bytes({0x30, 0xac, 0x02,              //
                                   0x39, 8, 7, 6, 5, 4, 3, 2, 1,  //
                                   0x85, 0x01, 4, 3, 2, 1}));
}

TEST(WireBuffer, WritesIdsMostSignificantByteFirst) {
  WireBuffer buffer;
  buffer.Id64(2, 0x1122334455667788);
  buffer.Id128(1, 1, 2);
  EXPECT_EQ(buffer.bytes(), Bytes({0x12, 8,  0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,  //
                                   0x0a, 16, 0,    0,    0,    0,    0,    0,    0,    1,
                                   0,    0,  0,    0,    0,    0,    0,    2}));
}

TEST(WireBuffer, WritesAttributesOfEveryType) {
  WireBuffer buffer;
  buffer.Attribute(9, "k", "v");
  EXPECT_EQ(buffer.bytes(), Bytes({0x4a, 8, 0x0a, 1, 'k', 0x12, 3, 0x0a, 1, 'v'}));
  buffer.Clear();
  buffer.Attribute(9, "k", int64_t{-1});  // ten bytes, as two's complement
  EXPECT_EQ(buffer.bytes(), Bytes({0x4a, 16, 0x0a, 1, 'k', 0x12, 11, 0x18, 0xff, 0xff, 0xff, 0xff,
                                   0xff, 0xff, 0xff, 0xff, 0xff, 1}));
  buffer.Clear();
  buffer.Attribute(9, "k", true);
  EXPECT_EQ(buffer.bytes(), Bytes({0x4a, 7, 0x0a, 1, 'k', 0x12, 2, 0x10, 1}));
  buffer.Clear();
  buffer.Attribute(9, "k", 1.0);
  EXPECT_EQ(buffer.bytes(),
            Bytes({0x4a, 14, 0x0a, 1, 'k', 0x12, 9, 0x21, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f}));
  buffer.Clear();
  buffer.Attribute(9, "k", {"a", "bc"});
  EXPECT_EQ(buffer.bytes(), Bytes({0x4a, 18,   0x0a, 1,   'k',  0x12, 13,   0x2a, 11,  0x0a,
                                   3,    0x0a, 1,    'a', 0x0a, 4,    0x0a, 2,    'b', 'c'}));
}

// Lengths of 128 and more take two bytes, and the buffer grows as it must.
TEST(WireBuffer, WritesLongValues) {
  WireBuffer buffer;
  const std::string value(100'000, 'x');
  buffer.Attribute(9, "key", value);
  EXPECT_EQ(buffer.bytes().size(), 1 + 3 + 2 + 3 + 1 + 3 + 1 + 3 + value.size());
  EXPECT_EQ(buffer.bytes().substr(buffer.bytes().size() - value.size()), value);
}

}  // namespace
}  // namespace weft::demo
