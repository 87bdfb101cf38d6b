// What is written is what is read: every field of every span, however odd.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "block/block.h"
#include "block/block_fixture.h"
#include "block/reader.h"
#include "model/span_batch.h"

namespace weft::block {
namespace {

using model::SpanBatch;

struct Opened {
  BlockInput input;
  EncodedBlock encoded;
  std::shared_ptr<const Block> block;
};

Opened WriteAndOpen(const std::vector<const SpanBatch*>& batches, const BlockWriterOptions& options,
                    bool mapped = true, size_t cache_bytes = 64 << 20) {
  Opened opened;
  opened.input = MakeBlockInput(batches);
  BlockMeta meta;
  meta.id = NewBlockId(1'780'000'000'000'000'000, 42);
  meta.tenant = "default";
  auto encoded = WriteBlock(opened.input, meta, options);
  EXPECT_TRUE(encoded.ok()) << encoded.error().message();
  opened.encoded = std::move(encoded).value();
  auto block = Block::Open(opened.encoded.meta, MemoryFiles(opened.encoded.files, mapped),
                           std::make_shared<ColumnCache>(cache_bytes));
  EXPECT_TRUE(block.ok()) << block.error().message();
  if (block.ok()) opened.block = *block;
  return opened;
}

// Every trace of the input comes back with its spans in preorder.
void ExpectAllTraces(const Opened& opened) {
  for (const BlockInput::Trace& trace : opened.input.traces) {
    auto found = opened.block->FindTrace(trace.id);
    ASSERT_TRUE(found.ok()) << found.error().message();
    ASSERT_TRUE(IsWellFormed(*found));
    ASSERT_EQ(found->size(), trace.row_count);
    ASSERT_EQ(opened.block->SpanIdsOf(trace.id).value(), found->span_id);
    for (uint32_t i = 0; i < trace.row_count; ++i) {
      const RowRef ref = opened.input.rows[trace.first_row + i];
      const SpanBatch& source = *opened.input.batches[ref.batch];
      ASSERT_EQ(found->span_id[i].ToHex(), source.span_id[ref.row].ToHex());
      ASSERT_EQ(found->parent_span_id[i].ToHex(), source.parent_span_id[ref.row].ToHex());
      ASSERT_EQ(found->start_ns[i], source.start_ns[ref.row]);
      ASSERT_EQ(found->end_ns[i], source.end_ns[ref.row]);
      ASSERT_EQ(found->AttributesOf(i).size(), source.AttributesOf(ref.row).size());
      ASSERT_EQ(found->EventsOf(i).size(), source.EventsOf(ref.row).size());
      ASSERT_EQ(found->LinksOf(i).size(), source.LinksOf(ref.row).size());
      ASSERT_EQ(ContentHash(*found, i), ContentHash(source, ref.row))
          << "trace " << trace.id.ToHex() << " row " << i;
    }
  }
}

TEST(RoundTrip, KeepsEveryFieldOfOddSpans) {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const SpanBatch first = MakeOddBatch(seed, 25);
    const SpanBatch second = MakeOddBatch(seed + 1000, 10);
    const BlockWriterOptions options{.row_group_rows_max = seed % 3 == 0 ? 1u << 17 : 64,
                                     .page_rows = seed % 2 == 0 ? 64u : 8u};
    ExpectAllTraces(WriteAndOpen({&first, &second}, options, seed % 2 == 0));
  }
}

TEST(RoundTrip, WorksWithoutACache) {
  const SpanBatch batch = MakeOddBatch(3, 20);
  ExpectAllTraces(WriteAndOpen({&batch}, {.row_group_rows_max = 100}, true, 0));
}

TEST(RoundTrip, KeepsALargeOrdinaryBlock) {
  const SpanBatch batch = MakeShopBatch(1, 30000);
  const Opened opened = WriteAndOpen({&batch}, {.row_group_rows_max = 10000, .page_rows = 1024});
  EXPECT_GE(opened.encoded.meta.row_groups.size(), 3u);
  ExpectAllTraces(opened);
}

TEST(RoundTrip, OneTraceInTwoBatchesIsOneTrace) {
  const SpanBatch whole = MakeShopBatch(5, 40);
  SpanBatch even;
  SpanBatch odd;
  model::BatchAppender to_even(&even);
  model::BatchAppender to_odd(&odd);
  for (uint32_t row = 0; row < whole.size(); ++row) {
    (row % 2 == 0 ? to_even : to_odd).Append(whole, std::span(&row, 1));
  }
  const Opened opened = WriteAndOpen({&even, &odd}, {});
  EXPECT_EQ(opened.encoded.meta.trace_count, whole.traces.size());
  ExpectAllTraces(opened);
}

TEST(RoundTrip, AnUnknownTraceIsEmpty) {
  const SpanBatch batch = MakeShopBatch(2, 100);
  const Opened opened = WriteAndOpen({&batch}, {});
  auto found = opened.block->FindTrace({1, 2});
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->size(), 0u);
  auto summary = opened.block->Summary({1, 2});
  ASSERT_TRUE(summary.ok());
  EXPECT_EQ(summary->span_count, 0u);
}

TEST(RoundTrip, AnEmptyBlockCanBeOpened) {
  const Opened opened = WriteAndOpen({}, {});
  ASSERT_TRUE(opened.block);
  EXPECT_EQ(opened.block->row_group_count(), 0u);
}

}  // namespace
}  // namespace weft::block
