// CheckBlock finds any damage, and opening or reading a damaged block is an error, never a crash.
#include "block/check.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "block/block_fixture.h"
#include "block/bundle.h"
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

// What a finding about a byte of a file must say.
struct Place {
  uint64_t begin = 0;
  uint64_t end = 0;
  std::string says;
};

// Every page, dictionary and filter of a file.
std::vector<Place> PlacesOf(const TableReader& table) {
  std::vector<Place> places;
  for (const FileRowGroup& group : table.row_groups()) {
    for (uint32_t c = 0; c < table.columns().size(); ++c) {
      const ChunkPlace& chunk = group.chunks[c];
      const std::string column = table.name() + " column " + table.columns()[c].name + " rows ";
      const auto rows = [&](uint64_t begin, uint64_t end) {
        return column + std::to_string(group.first_row + begin) + ".." +
               std::to_string(group.first_row + end);
      };
      // A broken dictionary is said of each page.
      places.push_back({chunk.dictionary_offset, chunk.dictionary_offset + chunk.dictionary_bytes,
                        column + std::to_string(group.first_row)});
      places.push_back({chunk.filter_offset, chunk.filter_offset + chunk.filter_bytes,
                        rows(0, group.row_count)});
      for (size_t p = 0; p < chunk.pages.size(); ++p) {
        const PagePlace& page = chunk.pages[p];
        const bool last = p + 1 == chunk.pages.size();
        places.push_back(
            {page.offset, page.offset + page.size_bytes,
             rows(page.first_row, last ? group.row_count : chunk.pages[p + 1].first_row)});
      }
    }
  }
  return places;
}

// Of each file; the page index and the footer only say which file is broken.
std::map<std::string, std::vector<Place>> AllPlaces(const EncodedBlock& block) {
  std::map<std::string, std::vector<Place>> places;
  for (const FileMeta& file : block.meta.files) {
    const MemoryFiles files(block.files);
    const auto table = TableReader::Open(files.Open(file.name).value(), file,
                                         std::make_shared<ColumnCache>(1 << 20), {})
                           .value();
    places[file.name] = PlacesOf(*table);
  }
  return places;
}

std::string ExpectedAt(const std::vector<Place>& places, std::string_view file, size_t at) {
  for (const Place& place : places) {
    if (at >= place.begin && at < place.end) return place.says;
  }
  return std::string(file);
}

// A bit of every byte of a small block, another one from byte to byte.
// Of the bytes of a block: under a sanitizer, which makes the test minutes long, some.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr size_t kEvery = 13;
#else
constexpr size_t kEvery = 1;
#endif

TEST(CheckBlock, FindsAnyFlippedBitAndSaysWhere) {
  const model::SpanBatch batch = MakeShopBatch(1, 12);
  const EncodedBlock sound =
      WriteBlock(MakeBlockInput({&batch}), BlockMeta{.id = "b", .tenant = "t"},
                 {.row_group_rows_max = 1000, .page_rows = 8, .filter_from_bytes = 200})
          .value();
  const auto places = AllPlaces(sound);
  EncodedBlock broken = sound;
  uint32_t located = 0;
  for (BlockFile& file : broken.files) {
    const std::vector<Place>& of_file = places.at(file.name);
    for (size_t at = 0; at < file.bytes.size(); at += kEvery) {
      const std::string expected = ExpectedAt(of_file, file.name, at);
      // The tail is covered by one checksum.
      if (expected == file.name && at % 8 != 0) continue;
      located += expected != file.name ? 1 : 0;
      const char flip = static_cast<char>(1 << (at * 5 % 8));
      file.bytes[at] ^= flip;
      EXPECT_THAT(Findings(broken), HasSubstr(expected)) << file.name << " byte " << at;
      file.bytes[at] ^= flip;
    }
  }
  EXPECT_GT(located, 5000u / kEvery);
}

TEST(CheckBlock, FindsAnyFlippedBit) {
  const EncodedBlock sound = MakeBlock(1);
  const auto places = AllPlaces(sound);
  SeededRandom random(1);
  for (const BlockFile& file : sound.files) {
    for (int round = 0; round < 100; ++round) {
      EncodedBlock broken = sound;
      std::string* bytes = BytesOf(&broken, file.name);
      const size_t at = random.Below(bytes->size());
      (*bytes)[at] ^= static_cast<char>(1 << random.Below(8));
      EXPECT_THAT(Findings(broken), HasSubstr(ExpectedAt(places.at(file.name), file.name, at)))
          << file.name << " byte " << at;
    }
  }
}

TEST(CheckBlock, FindsAFlippedBitOfTheBundle) {
  EncodedBlock block = MakeBlock(1);
  BlockFile bundle = MakeBundle(block);
  ASSERT_GT(bundle.bytes.size(), 1000u);
  block.AddFile(bundle.name, bundle.bytes);
  EXPECT_THAT(Findings(block), IsEmpty());
  for (size_t at = 0; at < bundle.bytes.size(); at += 101) {
    block.files.back().bytes[at] ^= 4;
    EXPECT_THAT(Findings(block), HasSubstr("small.bundle")) << at;
    block.files.back().bytes[at] ^= 4;
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
