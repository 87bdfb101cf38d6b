#include "compact/choose.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace weft::compact {
namespace {

using store::BlockPtr;

constexpr int64_t kHour = 3'600'000'000'000;
constexpr int64_t kMinute = 60'000'000'000;
constexpr int64_t kNow = 500'000 * kHour + 30 * kMinute;

// A block whose last span started `age_ns` ago.
BlockPtr MakeBlock(uint32_t number, uint64_t spans, uint32_t level = 0, int64_t age_ns = kMinute) {
  auto block = std::make_shared<store::CatalogBlock>();
  std::string id = std::to_string(number);
  block->name = {"shop", std::string(24 - id.size(), '0') + id};
  block->meta.span_count = spans;
  block->meta.level = level;
  block->meta.last_start_ns = static_cast<uint64_t>(kNow - age_ns);
  block->meta.created_ns = block->meta.last_start_ns;
  return block;
}

std::vector<Choice> Choose(const store::BlockVector& blocks) {
  return ChooseBlocks(blocks, {}, {}, kNow);
}

TEST(ChooseBlocksTest, SevenWaitForTheEighth) {
  store::BlockVector blocks;
  for (uint32_t i = 0; i < 7; ++i) blocks.push_back(MakeBlock(i, 1000));
  EXPECT_TRUE(Choose(blocks).empty());
  blocks.push_back(MakeBlock(7, 1000));
  const auto choices = Choose(blocks);
  ASSERT_EQ(choices.size(), 1u);
  EXPECT_EQ(choices[0].blocks.size(), 8u);
  EXPECT_EQ(choices[0].level, 1u);
  EXPECT_EQ(choices[0].span_count(), 8000u);
}

TEST(ChooseBlocksTest, EnoughSpansNeedNoEightBlocks) {
  const auto choices = Choose({MakeBlock(1, 450'000), MakeBlock(2, 450'000)});
  ASSERT_EQ(choices.size(), 1u);
  EXPECT_EQ(choices[0].span_count(), 900'000u);
}

TEST(ChooseBlocksTest, NothingGrowsBeyondTheLargestSize) {
  store::BlockVector blocks;
  for (uint32_t i = 0; i < 30; ++i) blocks.push_back(MakeBlock(i, 200'000));
  const auto choices = Choose(blocks);
  EXPECT_EQ(choices.size(), 6u);
  for (const Choice& choice : choices) EXPECT_LE(choice.span_count(), 1u << 20);
}

TEST(ChooseBlocksTest, FullYoungAndSkippedBlocksAreLeftAlone) {
  store::BlockVector blocks;
  for (uint32_t i = 0; i < 8; ++i) blocks.push_back(MakeBlock(i, 900'000));
  EXPECT_TRUE(Choose(blocks).empty()) << "full";
  blocks.clear();
  for (uint32_t i = 0; i < 8; ++i) blocks.push_back(MakeBlock(i, 1000, 0, 1'000'000'000));
  EXPECT_TRUE(Choose(blocks).empty()) << "young";
  blocks.clear();
  for (uint32_t i = 0; i < 8; ++i) blocks.push_back(MakeBlock(i, 1000));
  EXPECT_TRUE(ChooseBlocks(blocks, {blocks[3]->name}, {}, kNow).empty()) << "skipped";
}

TEST(ChooseBlocksTest, LevelsAndWindowsAreKeptApart) {
  store::BlockVector blocks;
  for (uint32_t i = 0; i < 4; ++i) blocks.push_back(MakeBlock(i, 1000, 0));
  for (uint32_t i = 4; i < 8; ++i) blocks.push_back(MakeBlock(i, 1000, 1));
  EXPECT_TRUE(Choose(blocks).empty());
  // 25 minutes ago is this hour, 35 minutes ago the last, which is not over long enough.
  blocks.clear();
  for (uint32_t i = 0; i < 4; ++i) blocks.push_back(MakeBlock(i, 1000, 0, 25 * kMinute));
  for (uint32_t i = 4; i < 8; ++i) {
    auto block = std::make_shared<store::CatalogBlock>(*MakeBlock(i, 1000, 0, 35 * kMinute));
    blocks.push_back(block);
  }
  ChooseOptions options;
  options.window_grace_ns = kHour;
  EXPECT_TRUE(ChooseBlocks(blocks, {}, options, kNow).empty());
}

TEST(ChooseBlocksTest, AWindowThatIsOverIsTidiedUp) {
  const store::BlockVector blocks{MakeBlock(1, 1000, 0, 2 * kHour),
                                  MakeBlock(2, 5000, 2, 2 * kHour)};
  const auto choices = Choose(blocks);
  ASSERT_EQ(choices.size(), 1u);
  EXPECT_EQ(choices[0].blocks.size(), 2u);
  EXPECT_EQ(choices[0].level, 3u);
  EXPECT_TRUE(Choose({MakeBlock(1, 1000, 0, 2 * kHour)}).empty()) << "one alone is tidy";
}

TEST(ChooseBlocksTest, LowLevelsComeFirst) {
  store::BlockVector blocks;
  for (uint32_t i = 0; i < 8; ++i) blocks.push_back(MakeBlock(i, 1000, 1));
  for (uint32_t i = 8; i < 16; ++i) blocks.push_back(MakeBlock(i, 1000, 0));
  const auto choices = Choose(blocks);
  ASSERT_EQ(choices.size(), 2u);
  EXPECT_EQ(choices[0].level, 1u);
  EXPECT_EQ(choices[1].level, 2u);
}

TEST(ChooseBlocksTest, TimesFromTheEdgesDoNoHarm) {
  store::BlockVector blocks;
  for (uint32_t i = 0; i < 8; ++i) {
    auto block = std::make_shared<store::CatalogBlock>(*MakeBlock(i, 10));
    block->meta.last_start_ns = i % 2 == 0 ? 0 : UINT64_MAX;
    blocks.push_back(block);
  }
  EXPECT_EQ(Choose(blocks).size(), 2u);
}

}  // namespace
}  // namespace weft::compact
