// Filters never deny a value that is there, and what they cost in mistakes is as announced.
#include "block/bloom_filter.h"

#include <algorithm>
#include <memory>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "block/block.h"
#include "block/block_fixture.h"
#include "block/merge.h"
#include "block/reader.h"

namespace weft::block {
namespace {

using model::ValueType;

// parquet-format, BloomFilter.md: XXH64 with seed 0; the salts are its own.
TEST(BloomFilter, HashesAsTheSpecificationSays) {
  EXPECT_EQ(BloomFilter::Hash(""), 0xef46db3751d8e999u);
  EXPECT_EQ(BloomFilter::Hash("a"), 0xd24ec4f1a98c6e5bu);
}

TEST(BloomFilter, KnowsWhatItHas) {
  for (const uint64_t count : {1, 2, 100, 5000, 100'000}) {
    BloomFilter filter(count);
    for (uint64_t i = 0; i < count; ++i) filter.Add(BloomFilter::HashOfInt64(i));
    for (uint64_t i = 0; i < count; ++i) {
      EXPECT_TRUE(filter.MayHave(BloomFilter::HashOfInt64(i)));
    }
    uint64_t wrong = 0;
    for (uint64_t i = 0; i < 20'000; ++i) {
      wrong += filter.MayHave(BloomFilter::HashOfInt64(1'000'000 + i));
    }
    EXPECT_LE(wrong, 20'000 * 11 / 100) << count;
    EXPECT_LE(filter.bytes(), std::max<uint64_t>(32, count * 12 / 8));
  }
}

TEST(BloomFilter, ShrinksToWhatIsInIt) {
  BloomFilter large(100'000);
  BloomFilter right(1000);
  for (int64_t i = 0; i < 1000; ++i) {
    large.Add(BloomFilter::HashOfInt64(i));
    right.Add(BloomFilter::HashOfInt64(i));
  }
  large.Shrink();
  std::string a;
  std::string b;
  large.AppendTo(&a);
  right.AppendTo(&b);
  EXPECT_EQ(a, b);
}

TEST(BloomFilter, IsReadBackAndNothingElseIs) {
  BloomFilter filter(300);
  filter.Add(BloomFilter::Hash("x"));
  std::string bytes;
  filter.AppendTo(&bytes);
  const auto read = BloomFilter::Read(bytes);
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->MayHave(BloomFilter::Hash("x")));
  EXPECT_FALSE(read->MayHave(BloomFilter::Hash("y")));
  EXPECT_FALSE(BloomFilter::Read(""));
  EXPECT_FALSE(BloomFilter::Read(bytes + "x"));
  EXPECT_FALSE(BloomFilter::Read(std::string_view(bytes).substr(0, bytes.size() - 1)));
  const size_t header = bytes.size() - filter.bytes();
  for (size_t i = 0; i < header; ++i) {
    std::string broken = bytes;
    broken[i] ^= 1;
    EXPECT_FALSE(BloomFilter::Read(broken)) << i;
  }
}

std::shared_ptr<const Block> Open(const EncodedBlock& block) {
  return Block::Open(block.meta, MemoryFiles(block.files), std::make_shared<ColumnCache>(64 << 20))
      .value();
}

std::optional<WantedValue> WantedAt(const Column& column, uint32_t row) {
  if (!column.has(row)) return std::nullopt;
  if (column.type == ValueType::kString) {
    return WantedValue{.text = column.dictionary->strings[column.codes[row]]};
  }
  if (column.type != ValueType::kInt) return std::nullopt;
  return WantedValue{.type = ValueType::kInt,
                     .number = static_cast<int64_t>(NumberAt(column, row))};
}

// Every value of every attribute of every scope, whether it has a column or not; how many there
// are.
uint64_t ExpectNoValueDenied(const Block& block) {
  uint64_t values = 0;
  for (const auto& group : block.RowGroups()) {
    const auto keys = group->AttributeKeys().value();
    for (const RowGroup::KeyInfo& key : keys) {
      const auto columns = group->ReadAttribute(key.scope, key.key).value();
      for (const ColumnPtr& column : columns) {
        for (uint32_t row = 0; row < column->row_count; ++row) {
          const auto wanted = WantedAt(*column, row);
          if (!wanted) continue;
          EXPECT_TRUE(group->MayHave(key.scope, key.key, *wanted).value()) << key.key;
          ++values;
        }
      }
    }
    for (const Intrinsic intrinsic : {Intrinsic::kName, Intrinsic::kStatusMessage,
                                      Intrinsic::kEventName, Intrinsic::kScopeName}) {
      const ColumnPtr column = group->Read(intrinsic).value();
      for (uint32_t row = 0; row < column->row_count; ++row) {
        const auto wanted = WantedAt(*column, row);
        EXPECT_TRUE(!wanted || group->MayHave(intrinsic, *wanted).value());
      }
    }
  }
  return values;
}

TEST(MayHave, DeniesNoValueThatIsThere) {
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    const model::SpanBatch batch = MakeOddBatch(seed, 40);
    const BlockWriterOptions options{
        .row_group_rows_max = 60, .page_rows = 16, .filter_from_bytes = 1};
    const EncodedBlock fresh =
        WriteBlock(MakeBlockInput({&batch}), BlockMeta{.id = "b", .tenant = "t"}, options).value();
    const uint64_t values = ExpectNoValueDenied(*Open(fresh));
    EXPECT_GT(values, 200u);
    const model::SpanBatch more = MakeOddBatch(seed + 100, 40);
    const EncodedBlock other =
        WriteBlock(MakeBlockInput({&more}), BlockMeta{.id = "c", .tenant = "t"}, options).value();
    const EncodedBlock merged =
        MergeBlocks(std::vector{Open(fresh), Open(other)}, BlockMeta{.id = "m", .tenant = "t"},
                    {.row_group_rows_max = 100, .page_rows = 32, .filter_from_bytes = 1})
            .value();
    EXPECT_GT(ExpectNoValueDenied(*Open(merged)), values);
  }
}

// Notes which parts of spans.parquet are read.
class WatchedFiles final : public FileOpener {
 public:
  WatchedFiles(const std::vector<BlockFile>& files, std::vector<ByteRange>* reads)
      : files_(files, false), reads_(reads) {}

  Result<std::unique_ptr<ReadableFile>> Open(std::string_view name) const override {
    auto file = files_.Open(name);
    if (!file.ok() || name != kSpansFile) return file;
    return std::unique_ptr<ReadableFile>(
        std::make_unique<WatchedFile>(std::move(file).value(), reads_));
  }

 private:
  class WatchedFile final : public ReadableFile {
   public:
    WatchedFile(std::unique_ptr<ReadableFile> file, std::vector<ByteRange>* reads)
        : file_(std::move(file)), reads_(reads) {}
    Error ReadAt(uint64_t offset, size_t length, char* out) const override {
      reads_->push_back({offset, length});
      return file_->ReadAt(offset, length, out);
    }
    uint64_t size_bytes() const override { return file_->size_bytes(); }

   private:
    const std::unique_ptr<ReadableFile> file_;
    std::vector<ByteRange>* const reads_;
  };

  const MemoryFiles files_;
  std::vector<ByteRange>* const reads_;
};

// In how many row groups pages or dictionaries were read.
size_t GroupsRead(const Block& block, const std::vector<ByteRange>& reads) {
  std::set<size_t> groups;
  const auto& all = block.table(Scope::kSpan).row_groups();
  for (size_t g = 0; g < all.size(); ++g) {
    for (const ChunkPlace& chunk : all[g].chunks) {
      for (const ByteRange& read : reads) {
        const bool in_dictionary = chunk.dictionary_bytes > 0 &&
                                   read.offset >= chunk.dictionary_offset &&
                                   read.offset < chunk.dictionary_offset + chunk.dictionary_bytes;
        const bool in_pages =
            std::any_of(chunk.pages.begin(), chunk.pages.end(),
                        [&](const PagePlace& page) { return page.offset == read.offset; });
        if (in_dictionary || in_pages) groups.insert(g);
      }
    }
  }
  return groups.size();
}

TEST(TraceFilters, LeadToTheRowGroupOfATrace) {
  const model::SpanBatch batch = MakeShopBatch(3, 4000);
  const model::SpanBatch more = MakeShopBatch(4, 4000);
  const BlockWriterOptions options{
      .row_group_rows_max = 500, .page_rows = 100, .filter_from_bytes = 64};
  const auto write = [&](const model::SpanBatch& spans) {
    return WriteBlock(MakeBlockInput({&spans}), BlockMeta{.id = "b", .tenant = "t"}, options)
        .value();
  };
  const EncodedBlock merged = MergeBlocks(std::vector{Open(write(batch)), Open(write(more))},
                                          BlockMeta{.id = "m", .tenant = "t"}, options)
                                  .value();
  size_t asked = 0;
  size_t groups = 0;
  for (const model::SpanBatch* const spans : {&batch, &more}) {
    for (size_t t = 0; t < spans->traces.size(); t += 11) {
      std::vector<ByteRange> reads;
      const auto block = Block::Open(merged.meta, WatchedFiles(merged.files, &reads),
                                     std::make_shared<ColumnCache>(64 << 20))
                             .value();
      ASSERT_GT(block->row_group_count(), 10u);
      const auto found = block->FindTrace(spans->traces[t]);
      ASSERT_TRUE(found.ok()) << found.error().message();
      EXPECT_EQ(found->size(), std::count(spans->trace.begin(), spans->trace.end(), t));
      ++asked;
      groups += GroupsRead(*block, reads);
    }
  }
  EXPECT_GT(asked, 20u);
  EXPECT_LT(groups, 2 * asked) << "of 16 or more row groups, but for mistakes of the filters";

  std::vector<ByteRange> reads;
  const auto block = Block::Open(merged.meta, WatchedFiles(merged.files, &reads),
                                 std::make_shared<ColumnCache>(64 << 20))
                         .value();
  EXPECT_TRUE(block->FindTrace({1, 2})->empty());
  EXPECT_LT(GroupsRead(*block, reads), 5u);
}

// What nobody has costs one filter, or nothing.
TEST(MayHave, DeniesWhatIsNowhereWithoutReadingColumns) {
  const model::SpanBatch batch = MakeShopBatch(1, 20'000);
  const EncodedBlock encoded =
      WriteBlock(MakeBlockInput({&batch}), BlockMeta{.id = "b", .tenant = "t"}, {}).value();
  const auto block = Open(encoded);
  const auto groups = block->RowGroups();
  ASSERT_EQ(groups.size(), 1u);
  const RowGroup& group = *groups[0];
  const TableReader& spans = block->table(Scope::kSpan);
  uint64_t texts = 0;
  for (uint32_t c = 0; c < spans.columns().size(); ++c) {
    const auto attribute = ParseAttributeColumn(spans.columns()[c]);
    const ChunkPlace& chunk = spans.row_groups()[0].chunks[c];
    if (!attribute || chunk.filter_offset == 0 || attribute->type != ValueType::kString) continue;
    ++texts;
    uint32_t perhaps = 0;
    for (int i = 0; i < 100; ++i) {
      const uint64_t before = group.bytes_read();
      const std::string text = "no such value " + std::to_string(i);
      perhaps += group.MayHave(Scope::kSpan, attribute->key, {.text = text}).value();
      EXPECT_LE(group.bytes_read() - before, chunk.filter_bytes + 400u);
    }
    EXPECT_LE(perhaps, 15u) << attribute->key;
  }
  EXPECT_GE(texts, 2u);
  EXPECT_FALSE(group.MayHave(Scope::kSpan, "no.such.key", {.text = "x"}).value());
}

}  // namespace
}  // namespace weft::block
