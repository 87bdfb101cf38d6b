// Blocks of every format version ever written can be read, checked and merged, and say what they
// said.
//
// versions/<format version>/<kind> was written by the weft of its day (write_fixture_block) and is
// never written again; expected.jsonl beside each block is what was put in.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "block/block.h"
#include "block/block_fixture.h"
#include "block/check.h"
#include "block/merge.h"
#include "block/reader.h"

namespace weft::block {
namespace {

std::string ReadWhole(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  std::stringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

struct StoredBlock {
  BlockMeta meta;
  std::vector<BlockFile> files;
  std::vector<std::string> expected;  // sorted
};

StoredBlock Load(const std::filesystem::path& folder) {
  StoredBlock stored{.meta = BlockMeta::FromJson(ReadWhole(folder / "meta.json")).value()};
  for (const FileMeta& file : stored.meta.files) {
    stored.files.push_back({file.name, ReadWhole(folder / file.name)});
  }
  std::istringstream lines(ReadWhole(folder / "expected.jsonl"));
  for (std::string line; std::getline(lines, line);) stored.expected.push_back(line);
  std::sort(stored.expected.begin(), stored.expected.end());
  return stored;
}

std::shared_ptr<const Block> OpenFiles(const BlockMeta& meta, const std::vector<BlockFile>& files) {
  auto block = Block::Open(meta, MemoryFiles(files), std::make_shared<ColumnCache>(64 << 20));
  EXPECT_TRUE(block.ok()) << block.error().message();
  return block.ok() ? *block : nullptr;
}

// Every span of the block, found by its trace's id; sorted.
std::vector<std::string> Describe(const Block& block) {
  std::vector<std::string> spans;
  for (uint32_t g = 0; g < block.row_group_count(); ++g) {
    const auto traces = block.TracesOf(g, nullptr).value();
    for (const model::TraceId id : traces->id) {
      const model::SpanBatch found = block.FindTrace(id).value();
      EXPECT_TRUE(model::IsWellFormed(found));
      for (uint32_t row = 0; row < found.size(); ++row) spans.push_back(DescribeSpan(found, row));
    }
  }
  std::sort(spans.begin(), spans.end());
  return spans;
}

class Versions : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(Versions, SaysWhatItSaid) {
  const StoredBlock stored = Load(GetParam());
  EXPECT_EQ(std::to_string(stored.meta.format_version),
            GetParam().parent_path().filename().string());
  const auto block = OpenFiles(stored.meta, stored.files);
  ASSERT_TRUE(block);
  EXPECT_EQ(Describe(*block), stored.expected);
}

TEST_P(Versions, PassesTheCheck) {
  const StoredBlock stored = Load(GetParam());
  for (const CheckFinding& finding : CheckBlock(stored.meta, MemoryFiles(stored.files))) {
    ADD_FAILURE() << finding.ToText();
  }
}

TEST_P(Versions, MergesIntoABlockOfToday) {
  const StoredBlock stored = Load(GetParam());
  const model::SpanBatch batch = MakeShopBatch(99, 50);
  const EncodedBlock fresh =
      WriteBlock(MakeBlockInput({&batch}), BlockMeta{.id = "f", .tenant = "t"}, {}).value();
  const auto merged = MergeBlocks(
      std::vector{OpenFiles(stored.meta, stored.files), OpenFiles(fresh.meta, fresh.files)},
      BlockMeta{.id = "m", .tenant = "t"}, {});
  ASSERT_TRUE(merged.ok()) << merged.error().message();
  EXPECT_EQ(merged->meta.format_version, BlockMeta::kFormatVersion);
  std::vector<std::string> expected = stored.expected;
  for (uint32_t row = 0; row < batch.size(); ++row) expected.push_back(DescribeSpan(batch, row));
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(Describe(*OpenFiles(merged->meta, merged->files)), expected);
}

std::vector<std::filesystem::path> StoredBlocks() {
  std::vector<std::filesystem::path> folders;
  for (const auto& version : std::filesystem::directory_iterator(WEFT_BLOCK_VERSIONS)) {
    for (const auto& kind : std::filesystem::directory_iterator(version)) {
      folders.push_back(kind.path());
    }
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

INSTANTIATE_TEST_SUITE_P(All, Versions, testing::ValuesIn(StoredBlocks()), [](const auto& test) {
  return "version" + test.param.parent_path().filename().string() + test.param.filename().string();
});

}  // namespace
}  // namespace weft::block
