// Encodings of page contents: what is encoded decodes to the same, and nothing else is accepted.
#include <cstdint>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "block/block_fixture.h"
#include "block/delta_codec.h"
#include "block/hybrid_codec.h"
#include "block/page_header.h"
#include "block/split_codec.h"
#include "block/uuid_text.h"

namespace weft::block {
namespace {

using testing::ElementsAreArray;

std::vector<uint32_t> Runs(SeededRandom* random, int bit_width, uint32_t count) {
  std::vector<uint32_t> values;
  const uint64_t limit = uint64_t{1} << bit_width;
  while (values.size() < count) {
    const uint32_t value = static_cast<uint32_t>(random->Below(limit));
    values.insert(values.end(), 1 + random->Below(random->OneIn(3) ? 100 : 3), value);
  }
  values.resize(count);
  return values;
}

TEST(HybridCodec, GivesBackEveryStretch) {
  SeededRandom random(1);
  for (int width = 1; width <= 32; ++width) {
    for (const uint32_t count : {1u, 7u, 8u, 9u, 1000u}) {
      const std::vector<uint32_t> values = Runs(&random, width, count);
      std::string bytes;
      AppendHybrid(values, width, &bytes);
      const uint32_t skip = static_cast<uint32_t>(random.Below(count));
      const uint32_t take = static_cast<uint32_t>(random.Below(count - skip + 1));
      std::vector<uint32_t> part(take);
      ASSERT_TRUE(DecodeHybrid(bytes, width, skip, take, part.data())) << width << " " << count;
      EXPECT_THAT(part, ElementsAreArray(values.begin() + skip, values.begin() + skip + take));
    }
  }
}

// parquet-format, Encodings.md: the numbers 0 to 7 in three bits each.
TEST(HybridCodec, PacksAsTheSpecificationSays) {
  const std::vector<uint32_t> values = {0, 1, 2, 3, 4, 5, 6, 7};
  std::string bytes;
  AppendHybrid(values, 3, &bytes);
  EXPECT_EQ(bytes, std::string("\x03\x88\xc6\xfa", 4));
}

TEST(HybridCodec, ALongRunIsShort) {
  std::string bytes;
  AppendHybrid(std::vector<uint32_t>(100000, 5), 4, &bytes);
  EXPECT_LE(bytes.size(), 5u);
}

TEST(HybridCodec, RefusesWhatEndsTooEarly) {
  SeededRandom random(2);
  const std::vector<uint32_t> values = Runs(&random, 9, 500);
  std::string bytes;
  AppendHybrid(values, 9, &bytes);
  std::vector<uint32_t> out(500);
  for (size_t size = 0; size + 1 < bytes.size(); ++size) {
    const std::string_view cut = std::string_view(bytes).substr(0, size);
    if (DecodeHybrid(cut, 9, 0, 500, out.data())) {
      EXPECT_EQ(out, values);  // only the filling of the last group was cut off
    }
  }
  EXPECT_FALSE(DecodeHybrid("", 9, 0, 1, out.data()));
  EXPECT_FALSE(DecodeHybrid(bytes, 33, 0, 1, out.data()));
}

TEST(HybridCodec, CodesAreWholeBytesUnlessFewOrLarge) {
  EXPECT_EQ(CodeWidthOf(0), 1);
  EXPECT_EQ(CodeWidthOf(3), 2);
  EXPECT_EQ(CodeWidthOf(4), 8);
  EXPECT_EQ(CodeWidthOf(255), 8);
  EXPECT_EQ(CodeWidthOf(256), 16);
  EXPECT_EQ(CodeWidthOf(65535), 16);
  EXPECT_EQ(CodeWidthOf(65536), 17);
}

TEST(SplitCodec, GivesBackEveryStretch) {
  SeededRandom random(4);
  for (const uint32_t count : {0u, 1u, 255u, 256u, 257u, 1000u}) {
    std::vector<uint64_t> values(count);
    for (uint64_t& value : values) value = random.Next() >> random.Below(64);
    std::string bytes = "before";
    AppendSplit(values, &bytes);
    const uint32_t skip = static_cast<uint32_t>(random.Below(count + 1));
    const uint32_t take = static_cast<uint32_t>(random.Below(count - skip + 1));
    std::vector<uint64_t> part(take);
    ASSERT_TRUE(DecodeSplit(std::string_view(bytes).substr(6), skip, take, part.data())) << count;
    EXPECT_THAT(part, ElementsAreArray(values.begin() + skip, values.begin() + skip + take));
  }
}

// parquet-format, Encodings.md: the first bytes of all values, then the second ones, and so on.
TEST(SplitCodec, StandsAsTheSpecificationSays) {
  std::string bytes;
  AppendSplit(std::vector<uint64_t>{0x0807060504030201, 0x1817161514131211}, &bytes);
  EXPECT_EQ(bytes, "\x01\x11\x02\x12\x03\x13\x04\x14\x05\x15\x06\x16\x07\x17\x08\x18");
}

TEST(SplitCodec, RefusesWhatIsNoWholeNumberOfValues) {
  const std::string bytes(23, 'x');
  uint64_t out[3];
  EXPECT_FALSE(DecodeSplit(bytes, 0, 1, out));
  EXPECT_TRUE(DecodeSplit(std::string_view(bytes).substr(0, 16), 1, 1, out));
  EXPECT_FALSE(DecodeSplit(std::string_view(bytes).substr(0, 16), 1, 2, out));
  EXPECT_FALSE(DecodeSplit(std::string_view(bytes).substr(0, 16), 3, 0, out));
  EXPECT_FALSE(DecodeSplit("", 0, 1, out));
}

TEST(Levels, GiveBackEveryStretch) {
  SeededRandom random(3);
  std::vector<uint64_t> bitmap(40);
  for (uint64_t& word : bitmap) word = random.OneIn(4) ? 0 : random.Next();
  const auto bit = [&](uint32_t i) { return bitmap[i / 64] >> (i % 64) & 1; };
  for (int round = 0; round < 300; ++round) {
    const uint32_t begin = static_cast<uint32_t>(random.Below(1000));
    const uint32_t count = 1 + static_cast<uint32_t>(random.Below(1000));
    uint32_t ones = 0;
    for (uint32_t i = 0; i < count; ++i) ones += bit(begin + i);
    std::string bytes;
    AppendLevels(bitmap.data(), begin, count, ones, &bytes);
    const uint32_t skip = static_cast<uint32_t>(random.Below(count));
    const uint32_t take = static_cast<uint32_t>(random.Below(count - skip + 1));
    const uint32_t to = static_cast<uint32_t>(random.Below(100));
    std::vector<uint64_t> out(40, 0);
    LevelCounts counts;
    ASSERT_TRUE(DecodeLevels(bytes, skip, take, to, out.data(), &counts));
    uint32_t taken = 0;
    for (uint32_t i = 0; i < take; ++i) {
      ASSERT_EQ(out[(to + i) / 64] >> ((to + i) % 64) & 1, bit(begin + skip + i));
      taken += bit(begin + skip + i);
    }
    EXPECT_EQ(counts.ones, taken);
    uint32_t skipped = 0;
    for (uint32_t i = 0; i < skip; ++i) skipped += bit(begin + i);
    EXPECT_EQ(counts.skipped_ones, skipped);
  }
}

TEST(DeltaCodec, GivesBackExtremes) {
  SeededRandom random(4);
  for (const uint32_t count : {0u, 1u, 2u, 128u, 129u, 1000u}) {
    std::vector<int64_t> values;
    for (uint32_t i = 0; i < count; ++i) {
      values.push_back(random.OneIn(20) ? (random.OneIn(2) ? INT64_MIN : INT64_MAX)
                                        : static_cast<int64_t>(random.Next() >> random.Below(64)));
    }
    std::string bytes;
    AppendDelta(values, &bytes);
    std::vector<int64_t> out(count);
    ASSERT_TRUE(DecodeDelta(bytes, count, count, out.data()));
    EXPECT_EQ(out, values);
    EXPECT_FALSE(DecodeDelta(bytes, count + 1, count, out.data()));
    if (count > 1) {
      EXPECT_FALSE(DecodeDelta(std::string_view(bytes).substr(0, bytes.size() / 2), count, count,
                               out.data()));
    }
  }
}

// parquet-format, Encodings.md: 1, 2, 3, 4, 5 need no bits but those of the headers.
TEST(DeltaCodec, EncodesAsTheSpecificationSays) {
  std::string bytes;
  AppendDelta(std::vector<int64_t>{1, 2, 3, 4, 5}, &bytes);
  EXPECT_EQ(bytes, std::string("\x80\x01\x04\x05\x02\x02\x00\x00\x00\x00", 10));
}

TEST(UuidText, OnlyTheCanonicalFormIsOne) {
  const std::string text = "0f8fad5b-d9cb-469f-a165-70867728950e";
  ASSERT_TRUE(IsUuidText(text));
  std::string bytes;
  AppendUuidBytes(text, &bytes);
  EXPECT_EQ(bytes.size(), 16u);
  EXPECT_EQ(static_cast<uint8_t>(bytes[0]), 0x0f);
  EXPECT_EQ(static_cast<uint8_t>(bytes[15]), 0x0e);
  std::string back;
  AppendUuidText(bytes, &back);
  EXPECT_EQ(back, text);
  EXPECT_FALSE(IsUuidText("0F8FAD5B-d9cb-469f-a165-70867728950e"));
  EXPECT_FALSE(IsUuidText("0f8fad5bd9cb469fa16570867728950e"));
  EXPECT_FALSE(IsUuidText("0f8fad5b-d9cb-469f-a165-70867728950"));
  EXPECT_FALSE(IsUuidText("0f8fad5b-d9cb-469f-a165_70867728950e"));
}

TEST(PageHeader, RefusesWhatIsNoHeader) {
  PageHeader header;
  std::string_view empty;
  EXPECT_FALSE(ReadPageHeader(&empty, &header));
  // A struct inside a struct inside ... : the nesting is bounded.
  const std::string deep(1000, '\x1c');
  std::string_view bytes = deep;
  EXPECT_FALSE(ReadPageHeader(&bytes, &header));
  // type 0, sizes 10 and 8, crc, DataPageHeader{3 values, plain, rle, rle}, stop.
  const std::string good(
      "\x15\x00\x15\x14\x15\x10\x15\x02\x1c\x15\x06\x15\x00\x15\x06\x15\x06\x00\x00", 19);
  bytes = good;
  ASSERT_TRUE(ReadPageHeader(&bytes, &header));
  EXPECT_TRUE(bytes.empty());
  EXPECT_EQ(header.uncompressed_size, 10);
  EXPECT_EQ(header.compressed_size, 8);
  EXPECT_TRUE(header.has_crc);
  EXPECT_EQ(header.crc, 1u);
  EXPECT_EQ(header.value_count, 3);
  for (size_t size = 0; size < good.size(); ++size) {
    bytes = std::string_view(good).substr(0, size);
    EXPECT_FALSE(ReadPageHeader(&bytes, &header)) << size;
  }
}

}  // namespace
}  // namespace weft::block
