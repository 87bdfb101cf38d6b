// CheckBlock finds any damage, and opening or reading a damaged block is an error, never a crash.
#include "block/check.h"

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "block/block_fixture.h"
#include "block/reader.h"
#include "block/schema.h"

namespace weft::block {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

EncodedBlock MakeBlock(uint64_t seed) {
  const model::SpanBatch batch = MakeOddBatch(seed, 12);
  return WriteBlock(MakeBlockInput({&batch}), BlockMeta{.id = "b", .tenant = "t"},
                    {.row_group_rows_max = 60, .page_rows = 16, .filter_from_bytes = 64})
      .value();
}

std::string* BytesOf(EncodedBlock* block, std::string_view name) {
  for (BlockFile& file : block->files) {
    if (file.name == name) return &file.bytes;
  }
  return nullptr;
}

std::string Findings(const EncodedBlock& block) {
  std::string text;
  for (const CheckFinding& finding : CheckBlock(block.meta, MemoryFiles(block.files))) {
    text += finding.ToText() + "\n";
  }
  return text;
}

TEST(CheckBlock, FindsNothingInASoundBlock) {
  for (uint64_t seed = 1; seed <= 5; ++seed) EXPECT_THAT(Findings(MakeBlock(seed)), IsEmpty());
  const model::SpanBatch shop = MakeShopBatch(1, 3000);
  const auto block = WriteBlock(MakeBlockInput({&shop}), BlockMeta{}, {}).value();
  EXPECT_THAT(Findings(block), IsEmpty());
}

TEST(CheckBlock, FindsAnyFlippedBit) {
  const EncodedBlock sound = MakeBlock(1);
  SeededRandom random(1);
  for (const BlockFile& file : sound.files) {
    for (int round = 0; round < 60; ++round) {
      EncodedBlock broken = sound;
      std::string* bytes = BytesOf(&broken, file.name);
      const size_t at = random.Below(bytes->size());
      (*bytes)[at] ^= static_cast<char>(1 << random.Below(8));
      EXPECT_THAT(Findings(broken), HasSubstr(file.name)) << file.name << " byte " << at;
    }
  }
}

TEST(CheckBlock, NamesTheColumnAndTheRows) {
  EncodedBlock block = MakeBlock(2);
  // The first page of the first column is the first thing in the file.
  (*BytesOf(&block, kSpansFile))[40] ^= 1;
  EXPECT_THAT(Findings(block), HasSubstr("spans.parquet column trace_id rows 0.."));
}

TEST(CheckBlock, FindsFilesThatAreCutOrMissing) {
  for (const size_t keep : {0, 3, 100}) {
    EncodedBlock block = MakeBlock(3);
    BytesOf(&block, kTracesFile)->resize(keep);
    EXPECT_THAT(Findings(block), HasSubstr("traces.parquet"));
  }
  EncodedBlock block = MakeBlock(3);
  block.files.erase(block.files.begin() + 1);
  EXPECT_THAT(Findings(block), HasSubstr("events.parquet"));
}

TEST(CheckBlock, FindsCountsThatDiffer) {
  EncodedBlock block = MakeBlock(4);
  block.meta.event_count += 1;
  EXPECT_THAT(Findings(block), HasSubstr("event_count"));
  block = MakeBlock(4);
  block.meta.last_end_ns -= 1;
  EXPECT_THAT(Findings(block), HasSubstr("last_end_ns"));
  block = MakeBlock(4);
  block.meta.row_groups[0].last_trace_start_ns -= 1;
  EXPECT_THAT(Findings(block), HasSubstr("row group 0"));
}

// Not damage of bytes, but a writer that was told nonsense: the tree must be one.
TEST(CheckBlock, FindsATreeThatIsNone) {
  const model::SpanBatch batch = MakeShopBatch(1, 40);
  const BlockInput sound = MakeBlockInput({&batch});
  BlockInput input = sound;
  input.subtree_size[1] += 1;
  auto block = WriteBlock(input, BlockMeta{}, {});
  ASSERT_TRUE(block.ok());
  EXPECT_THAT(Findings(*block), HasSubstr("subtree_size"));
  input = sound;
  // The last row of a trace claims a parent whose subtree has ended.
  const uint32_t last = input.traces[0].first_row + input.traces[0].row_count - 1;
  ASSERT_GE(input.traces[0].row_count, 8u);
  for (uint32_t back = 1; back < 8; ++back) {
    const uint32_t candidate = last - back;
    if (input.subtree_size[candidate] == 0 && back > 1) {
      input.parent[last] = back;
      break;
    }
  }
  block = WriteBlock(input, BlockMeta{}, {});
  ASSERT_TRUE(block.ok());
  EXPECT_THAT(Findings(*block), Not(IsEmpty()));
}

TEST(WriteBlock, RefusesInconsistentInput) {
  const model::SpanBatch batch = MakeShopBatch(1, 40);
  const BlockInput sound = MakeBlockInput({&batch});
  const auto refuses = [](const BlockInput& input) {
    const auto block = WriteBlock(input, BlockMeta{}, {});
    return !block.ok() && block.error().code() == ErrorCode::kInvalidArgument;
  };
  EXPECT_FALSE(refuses(sound));
  BlockInput input = sound;
  input.rows[3].row = batch.size();
  EXPECT_TRUE(refuses(input));
  input = sound;
  input.rows[3].batch = 1;
  EXPECT_TRUE(refuses(input));
  input = sound;
  input.parent[0] = 1;
  EXPECT_TRUE(refuses(input));
  input = sound;
  input.subtree_size.back() = 1;
  EXPECT_TRUE(refuses(input));
  input = sound;
  input.marks.pop_back();
  EXPECT_TRUE(refuses(input));
  input = sound;
  input.traces.pop_back();
  EXPECT_TRUE(refuses(input));
}

// Whatever single byte is wrong, readers say kCorrupt or are not concerned.
TEST(DamagedBlock, IsAnErrorWhereItIsRead) {
  const EncodedBlock sound = MakeBlock(5);
  SeededRandom random(2);
  for (int round = 0; round < 300; ++round) {
    EncodedBlock broken = sound;
    BlockFile& file = broken.files[random.Below(broken.files.size())];
    file.bytes[random.Below(file.bytes.size())] ^= static_cast<char>(1 + random.Below(255));
    auto block =
        Block::Open(broken.meta, MemoryFiles(broken.files), std::make_shared<ColumnCache>(1 << 20));
    if (!block.ok()) {
      EXPECT_EQ(block.error().code(), ErrorCode::kCorrupt);
      EXPECT_THAT(block.error().message(), HasSubstr(file.name));
      continue;
    }
    for (uint32_t g = 0; g < (*block)->row_group_count(); ++g) {
      const auto spans = (*block)->SpansOf(g, 0, 1);
      if (!spans.ok()) {
        EXPECT_EQ(spans.error().code(), ErrorCode::kCorrupt);
        EXPECT_THAT(spans.error().message(), HasSubstr(file.name));
      }
    }
  }
}

}  // namespace
}  // namespace weft::block
