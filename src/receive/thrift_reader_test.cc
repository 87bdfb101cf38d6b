#include "receive/thrift_reader.h"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "receive/thrift_writer.h"

namespace weft::receive {
namespace {

using testing::ElementsAre;

class BothProtocols : public testing::TestWithParam<ThriftProtocol> {};

TEST_P(BothProtocols, EveryTypeIsReadBackAndUnknownFieldsAreSkipped) {
  ThriftWriter writer(GetParam());
  writer.Struct([](ThriftWriter& t) {
    t.I64(1, -5'000'000'000).I16(2, -7).I32(3, 70'000).Bool(4, true).Bool(5, false);
    t.Double(6, -0.125).Text(7, "text");
    t.Struct(20, [](ThriftWriter& u) { u.I64(1, 1).Text(300, "unknown").Bool(301, true); });
    t.List(21, 17);
    for (int i = 0; i < 17; ++i) t.Struct([i](ThriftWriter& e) { e.I32(1, i); });
    t.I32(-3, 9);
  });
  ThriftReader reader(writer.bytes(), GetParam());
  std::vector<int64_t> numbers;
  std::vector<bool> truths;
  std::vector<int32_t> elements;
  double real = 0;
  std::string text;
  int32_t negative_id = 0;
  EXPECT_TRUE(reader.Struct([&](uint32_t tag) {
    switch (tag) {
      case ThriftTag(1, ThriftType::kI64): numbers.push_back(reader.I64()); break;
      case ThriftTag(2, ThriftType::kI16): numbers.push_back(reader.I16()); break;
      case ThriftTag(3, ThriftType::kI32): numbers.push_back(reader.I32()); break;
      case ThriftTag(4, ThriftType::kBool):
      case ThriftTag(5, ThriftType::kBool): truths.push_back(reader.Bool()); break;
      case ThriftTag(6, ThriftType::kDouble): real = reader.Double(); break;
      case ThriftTag(7, ThriftType::kString): text = reader.Bytes(); break;
      case ThriftTag(21, ThriftType::kList):
        reader.List([&](uint32_t element) {
          EXPECT_EQ(element, ThriftTag(0, ThriftType::kStruct));
          reader.Struct([&](uint32_t) { elements.push_back(reader.I32()); });
        });
        break;
      case ThriftTag(-3, ThriftType::kI32): negative_id = reader.I32(); break;
      default: reader.Skip(tag);
    }
  }));
  EXPECT_TRUE(reader.at_end());
  EXPECT_THAT(numbers, ElementsAre(-5'000'000'000, -7, 70'000));
  EXPECT_THAT(truths, ElementsAre(true, false));
  EXPECT_EQ(real, -0.125);
  EXPECT_EQ(text, "text");
  EXPECT_EQ(elements.size(), 17u);
  EXPECT_EQ(elements.back(), 16);
  EXPECT_EQ(negative_id, 9);
}

TEST_P(BothProtocols, EveryPrefixOfAMessageIsMalformed) {
  ThriftWriter writer(GetParam());
  writer.Oneway("emitBatch").Struct([](ThriftWriter& t) {
    t.Text(1, "text").List(2, 1).Struct([](ThriftWriter& u) { u.Double(1, 1).Bool(2, true); });
  });
  for (size_t size = 0; size <= writer.bytes().size(); ++size) {
    ThriftReader reader(std::string_view(writer.bytes()).substr(0, size), GetParam());
    std::string_view name;
    uint32_t type = 0;
    const bool ok = reader.Message(&name, &type) &&
                    reader.Struct([&](uint32_t tag) { reader.Skip(tag); }) && reader.at_end();
    EXPECT_EQ(ok, size == writer.bytes().size()) << size;
    if (!ok) continue;
    EXPECT_EQ(name, "emitBatch");
    EXPECT_EQ(type, 4u);
  }
}

TEST_P(BothProtocols, DeepNestingEndsTheReadingAndNotTheServer) {
  // The head of a field 1 that is a struct.
  const std::string head =
      GetParam() == ThriftProtocol::kBinary ? std::string("\x0c\x00\x01", 3) : "\x1c";
  const auto nested = [&](size_t depth) {
    std::string bytes;
    for (size_t i = 0; i < depth; ++i) bytes += head;
    return bytes + std::string(depth + 1, '\0');
  };
  for (const auto& [depth, good] : {std::pair(20, true), std::pair(100'000, false)}) {
    const std::string bytes = nested(static_cast<size_t>(depth));
    ThriftReader reader(bytes, GetParam());
    EXPECT_EQ(reader.Struct([&](uint32_t tag) { reader.Skip(tag); }), good) << depth;
  }
}

INSTANTIATE_TEST_SUITE_P(Thrift, BothProtocols,
                         testing::Values(ThriftProtocol::kBinary, ThriftProtocol::kCompact),
                         [](const auto& p) {
                           return p.param == ThriftProtocol::kBinary ? "Binary" : "Compact";
                         });

TEST(ThriftReader, ALengthThatClaimsMoreThanThereIsFailsAtOnce) {
  const std::string list("\x0f\x00\x01\x0c\x7f\xff\xff\xff\x00", 9);  // 2^31 - 1 structs
  ThriftReader reader(list, ThriftProtocol::kBinary);
  EXPECT_FALSE(reader.Struct([&](uint32_t tag) { reader.Skip(tag); }));
  const std::string text("\x0b\x00\x01\xff\xff\xff\xff", 7);
  ThriftReader negative(text, ThriftProtocol::kBinary);
  EXPECT_FALSE(negative.Struct([&](uint32_t) { EXPECT_EQ(negative.Bytes(), ""); }));
}

TEST(ThriftReader, OldBinaryEnvelopesAreUnderstood) {
  const std::string message(
      "\x00\x00\x00\x09"
      "emitBatch"
      "\x04\x00\x00\x00\x01\x00",
      19);
  ThriftReader reader(message, ThriftProtocol::kBinary);
  std::string_view name;
  uint32_t type = 0;
  ASSERT_TRUE(reader.Message(&name, &type));
  EXPECT_EQ(name, "emitBatch");
  EXPECT_EQ(type, 4u);
  EXPECT_TRUE(reader.Struct([](uint32_t) {}));
  EXPECT_TRUE(reader.at_end());
}

TEST(ThriftReader, ACopyReadsAhead) {
  ThriftWriter writer(ThriftProtocol::kCompact);
  writer.Struct([](ThriftWriter& t) { t.Text(2, "first").Text(17, "second").I32(18, 3); });
  ThriftReader reader(writer.bytes(), ThriftProtocol::kCompact);
  std::string seen;
  reader.Struct([&](uint32_t tag) {
    if (tag == ThriftTag(2, ThriftType::kString)) {
      ThriftReader ahead = reader;
      ahead.Skip(tag);
      ahead.Fields([&](uint32_t next) {
        if (next == ThriftTag(17, ThriftType::kString)) {
          seen = ahead.Bytes();
        } else {
          ahead.Skip(next);
        }
      });
    }
    reader.Skip(tag);
  });
  EXPECT_TRUE(reader.at_end());
  EXPECT_EQ(seen, "second");
}

}  // namespace
}  // namespace weft::receive
