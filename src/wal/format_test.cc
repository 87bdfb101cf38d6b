#include "wal/format.h"

#include <gtest/gtest.h>

#include "wal/wal_testing.h"

namespace weft::wal {
namespace {

TEST(WalFormatTest, FileNamesGoThereAndBackAndSortByNumber) {
  const SegmentId id{1'700'000'000'123, 0xfeedface};
  EXPECT_EQ(SegmentFileName(id), "00000001700000000123-00000000feedface.wal");
  EXPECT_EQ(ParseSegmentFileName(SegmentFileName(id)), id);
  EXPECT_LT(SegmentFileName({9, UINT64_MAX}), SegmentFileName({10, 0}));
  const SegmentId highest{UINT64_MAX, 1};
  EXPECT_EQ(ParseSegmentFileName(SegmentFileName(highest)), highest);
}

TEST(WalFormatTest, OtherNamesAreNotSegments) {
  for (const char* name :
       {"", "lost+found", "00000001700000000123-00000000feedface.wa",
        "00000001700000000123-00000000FEEDFACE.wal", "00000001700000000123_00000000feedface.wal",
        "99999999999999999999-00000000feedface.wal", "+0000001700000000123-00000000feedface.wal"}) {
    EXPECT_FALSE(ParseSegmentFileName(name)) << name;
  }
}

TEST(WalFormatTest, EachFlippedBitOfASegmentHeaderIsSeen) {
  std::string bytes = EncodedHeader({7, 8});
  const auto header = DecodeSegmentHeader(bytes);
  ASSERT_TRUE(header && header->id == (SegmentId{7, 8}));
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= static_cast<char>(1 << (bit % 8));
    EXPECT_FALSE(DecodeSegmentHeader(bytes)) << bit;
    bytes[bit / 8] ^= static_cast<char>(1 << (bit % 8));
  }
}

TEST(WalFormatTest, EachFlippedBitOfARecordIsSeen) {
  const RecordCodec codec(42);
  std::string bytes;
  codec.Append({.index = 3, .synced_bytes = 99}, "tenant", "payload", &bytes);
  const auto check = [&] {
    const auto header = codec.DecodeHeader(bytes);
    return header && codec.IsIntact(*header, std::string_view(bytes).substr(kRecordHeaderBytes));
  };
  ASSERT_TRUE(check());
  const auto intact = codec.DecodeHeader(bytes);
  EXPECT_TRUE(intact && intact->tenant_bytes == 6);
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= static_cast<char>(1 << (bit % 8));
    EXPECT_FALSE(check()) << bit;
    bytes[bit / 8] ^= static_cast<char>(1 << (bit % 8));
  }
}

TEST(WalFormatTest, ARecordOfAnotherSegmentIsNoRecord) {
  std::string bytes;
  RecordCodec(1).Append({}, "t", "p", &bytes);
  EXPECT_TRUE(RecordCodec(1).DecodeHeader(bytes));
  EXPECT_FALSE(RecordCodec(2).DecodeHeader(bytes));
}

TEST(WalFormatTest, AHeaderIsFoundInsideNoise) {
  const RecordCodec codec(5);
  std::string record;
  codec.Append({}, "t", "p", &record);
  const std::string magic = record.substr(0, 4);
  const std::string noise = "abc" + magic + "def" + magic;
  EXPECT_EQ(codec.FindHeader(noise + record, 0), noise.size());
  EXPECT_EQ(codec.FindHeader(noise + record, noise.size() + 1), std::string::npos);
  EXPECT_EQ(codec.FindHeader(noise, 0), std::string::npos);
}

}  // namespace
}  // namespace weft::wal
