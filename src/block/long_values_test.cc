// Stack traces and prompts beside short values of the same attribute.
#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "block/block_fixture.h"
#include "block/check.h"
#include "block/reader.h"
#include "block/schema.h"

namespace weft::block {
namespace {

using model::SpanBatch;
using model::ValueType;

constexpr uint32_t kSpans = 4000;
constexpr uint32_t kLongBytes = 100'000;
constexpr uint64_t kMiB = 1 << 20;

// 100 kB that don't compress well.
std::string LongText(uint32_t seed) {
  std::mt19937 random(seed);
  std::string text(kLongBytes, ' ');
  for (char& c : text) c = static_cast<char>('!' + random() % 90);
  return text;
}

// Every tenth span has a long value, of `distinct` different ones; the others have short ones of
// their own.
SpanBatch Spans(uint32_t distinct) {
  SpanBatch spans = MakeShopBatch(5, kSpans);
  spans.attributes = {};
  const model::Code key = spans.strings.Intern("exception.stacktrace");
  for (uint32_t row = 0; row < spans.size(); ++row) {
    const std::string text =
        row % 10 == 3 ? LongText(row / 10 % distinct) : "short " + std::to_string(row);
    spans.attributes.Add(key, ValueType::kString, spans.strings.Intern(text));
    spans.attribute_end[row] = spans.attributes.size();
  }
  return spans;
}

struct Written {
  BlockInput input;
  EncodedBlock encoded;
  std::shared_ptr<const Block> block;
};

Written Write(const SpanBatch& spans) {
  Written written;
  written.input = MakeBlockInput({&spans});
  BlockMeta meta;
  meta.tenant = "shop";
  meta.id = NewBlockId(1, 1);
  auto encoded = WriteBlock(written.input, meta, {});
  EXPECT_TRUE(encoded.ok()) << encoded.error().message();
  written.encoded = std::move(encoded).value();
  written.block = *Block::Open(written.encoded.meta, MemoryFiles(written.encoded.files),
                               std::make_shared<ColumnCache>(64 << 20));
  return written;
}

// Bytes of the file that reading one row of the column takes at most, over some rows.
uint64_t BytesOfARow(const Block& block) {
  const TableReader& spans = block.table(Scope::kSpan);
  const auto column = spans.FindColumn("attr.exception.stacktrace");
  EXPECT_TRUE(column.has_value());
  uint64_t most = 0;
  for (uint32_t row = 0; column && row < spans.row_groups()[0].row_count; row += 97) {
    ByteCounter bytes{0};
    EXPECT_TRUE(spans.ReadRange(0, *column, row, row + 1, &bytes).ok());
    most = std::max<uint64_t>(most, bytes);
  }
  return most;
}

TEST(LongValuesTest, AShortNeighbourCostsAPageOfAMegabyteAtMost) {
  const SpanBatch spans = Spans(kSpans);
  const Written written = Write(spans);
  EXPECT_GT(written.encoded.meta.TotalBytes(), kSpans / 10 * kLongBytes * 3 / 4);
  EXPECT_LT(BytesOfARow(*written.block), kMiB + kLongBytes);
  EXPECT_TRUE(CheckBlock(written.encoded.meta, MemoryFiles(written.encoded.files)).empty());
  for (const BlockInput::Trace& trace : written.input.traces) {
    const auto found = written.block->FindTrace(trace.id);
    ASSERT_TRUE(found.ok()) << found.error().message();
    for (uint32_t i = 0; i < trace.row_count; ++i) {
      const RowRef ref = written.input.rows[trace.first_row + i];
      ASSERT_EQ(ContentHash(*found, i), ContentHash(spans, ref.row));
    }
  }
}

// 150 stack traces of 100 kB: as a dictionary they would be read whole for each span.
TEST(LongValuesTest, ADictionaryOfLongValuesIsWrittenWhereItSavesMuch) {
  EXPECT_LT(BytesOfARow(*Write(Spans(150)).block), kMiB + kLongBytes);
  // 20 of them take 2 MB, which is less than their pages.
  const Written few = Write(Spans(20));
  EXPECT_LT(few.encoded.meta.TotalBytes(), 20 * kLongBytes + kMiB);
}

}  // namespace
}  // namespace weft::block
