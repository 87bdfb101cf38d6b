// meta.json: exact, checked, and clear about what is wrong.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/checksum.h"
#include "block/block.h"

namespace weft::block {
namespace {

BlockMeta Example() {
  BlockMeta meta;
  meta.id = "0123456789abcdef01234567";
  meta.tenant = "team \"a\"";
  meta.created_ns = 1'780'000'000'000'000'001;
  meta.level = 3;
  meta.span_count = 12;
  meta.trace_count = 4;
  meta.event_count = 5;
  meta.link_count = 6;
  meta.first_start_ns = 7;
  meta.last_start_ns = UINT64_MAX;
  meta.last_end_ns = 9;
  meta.duplicate_count = 10;
  meta.row_groups = {{1, 2, 3, 4, 5}, {6, 7, 8, 9, 10}};
  meta.files = {{"spans.parquet", 100, 0xffffffff, 50, 7}};
  return meta;
}

TEST(BlockMeta, GivesBackEveryField) {
  const std::string json = Example().ToJson();
  const auto meta = BlockMeta::FromJson(json);
  ASSERT_TRUE(meta.ok()) << meta.error().message();
  EXPECT_EQ(meta->ToJson(), json);
  EXPECT_EQ(meta->tenant, "team \"a\"");
  EXPECT_EQ(meta->last_start_ns, UINT64_MAX);
  ASSERT_EQ(meta->row_groups.size(), 2u);
  EXPECT_EQ(meta->row_groups[1].last_trace_start_ns, 10u);
  ASSERT_EQ(meta->files.size(), 1u);
  EXPECT_EQ(meta->files[0].tail_crc32c, 7u);
  EXPECT_EQ(meta->TotalBytes(), 100u);
}

TEST(BlockMeta, NoFlippedBitGoesUnseen) {
  const std::string json = Example().ToJson();
  for (size_t i = 0; i < json.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string broken = json;
      broken[i] ^= static_cast<char>(1 << bit);
      const auto meta = BlockMeta::FromJson(broken);
      EXPECT_FALSE(meta.ok()) << "byte " << i << " bit " << bit;
    }
  }
}

TEST(BlockMeta, SaysWhatIsWrong) {
  EXPECT_EQ(BlockMeta::FromJson("").error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(BlockMeta::FromJson("[]").error().code(), ErrorCode::kCorrupt);
  EXPECT_THAT(BlockMeta::FromJson("{\"format_version\":1}").error().message(),
              testing::HasSubstr("id is missing"));
  EXPECT_EQ(BlockMeta::FromJson("{\"format_version\":5}").error().code(), ErrorCode::kUnsupported);
  std::string half = Example().ToJson();
  half.resize(half.size() / 2);
  EXPECT_EQ(BlockMeta::FromJson(half).error().code(), ErrorCode::kCorrupt);
}

TEST(NewBlockId, SortsByAge) {
  const std::string older = NewBlockId(1'780'000'000'000'000'000, UINT64_MAX);
  const std::string newer = NewBlockId(1'780'000'000'001'000'000, 0);
  EXPECT_EQ(older.size(), 24u);
  EXPECT_LT(older, newer);
  EXPECT_EQ(older, "019e70448800ffffffffffff");
  EXPECT_EQ(NewBlockId(-5, 1), "000000000000000000000001");
}

TEST(EncodedBlock, DescribesItsFiles) {
  EncodedBlock block;
  block.AddFile("a", "0123456789", 4);
  ASSERT_EQ(block.meta.files.size(), 1u);
  EXPECT_EQ(block.meta.files[0].size_bytes, 10u);
  EXPECT_EQ(block.meta.files[0].crc32c, Crc32c("0123456789"));
  EXPECT_EQ(block.meta.files[0].tail_crc32c, Crc32c("6789"));
}

}  // namespace
}  // namespace weft::block
