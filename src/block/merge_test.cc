// What is merged is what would have been written at once.
#include "block/merge.h"

#include <algorithm>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "block/block_fixture.h"
#include "block/check.h"
#include "block/schema.h"
#include "block/trace_summary.h"
#include "model/span_batch.h"

namespace weft::block {
namespace {

using model::SpanBatch;

BlockMeta MetaOf(uint64_t number, uint32_t level = 0) {
  BlockMeta meta;
  meta.id = NewBlockId(1'780'000'000'000'000'000, number);
  meta.tenant = "default";
  meta.level = level;
  return meta;
}

std::shared_ptr<const Block> Open(const EncodedBlock& encoded) {
  auto block = Block::Open(encoded.meta, MemoryFiles(encoded.files),
                           std::make_shared<ColumnCache>(64 << 20));
  EXPECT_TRUE(block.ok()) << block.error().message();
  return *block;
}

EncodedBlock Write(const SpanBatch& spans, uint64_t number, const BlockWriterOptions& options) {
  auto encoded = WriteBlock(MakeBlockInput({&spans}), MetaOf(number), options);
  EXPECT_TRUE(encoded.ok()) << encoded.error().message();
  return std::move(encoded).value();
}

// The spans in `count` batches: piece_of(span) says which.
template <typename PieceOf>
std::vector<SpanBatch> Cut(const SpanBatch& spans, uint32_t count, PieceOf piece_of) {
  std::vector<SpanBatch> pieces(count);
  for (uint32_t piece = 0; piece < count; ++piece) {
    std::vector<uint32_t> rows;
    for (uint32_t i = 0; i < spans.size(); ++i) {
      if (piece_of(i) == piece) rows.push_back(i);
    }
    model::BatchAppender(&pieces[piece]).Append(spans, rows);
  }
  return pieces;
}

EncodedBlock Merge(const std::vector<SpanBatch>& pieces, const BlockWriterOptions& in,
                   const BlockWriterOptions& out) {
  std::vector<std::shared_ptr<const Block>> inputs;
  for (size_t i = 0; i < pieces.size(); ++i) inputs.push_back(Open(Write(pieces[i], i, in)));
  auto merged = MergeBlocks(inputs, MetaOf(99, 1), out);
  EXPECT_TRUE(merged.ok()) << merged.error().message();
  return std::move(merged).value();
}

std::string Findings(const EncodedBlock& encoded) {
  std::string text;
  for (const CheckFinding& finding : CheckBlock(encoded.meta, MemoryFiles(encoded.files))) {
    text += finding.ToText() + "\n";
  }
  return text;
}

const std::string& FileOfBlock(const EncodedBlock& block, std::string_view name) {
  for (const BlockFile& file : block.files) {
    if (file.name == name) return file.bytes;
  }
  static const std::string kNone;
  return kNone;
}

// Sorted: which of several spans with one id comes first depends on the order of arrival.
std::vector<uint64_t> HashesOf(const SpanBatch& spans) {
  std::vector<uint64_t> hashes;
  for (uint32_t i = 0; i < spans.size(); ++i) hashes.push_back(model::ContentHash(spans, i));
  std::sort(hashes.begin(), hashes.end());
  return hashes;
}

// Every trace has the same spans and the same summary.
void ExpectSameTraces(const EncodedBlock& merged, const EncodedBlock& direct) {
  const auto a = Open(merged);
  const auto b = Open(direct);
  EXPECT_EQ(merged.meta.span_count, direct.meta.span_count);
  EXPECT_EQ(merged.meta.trace_count, direct.meta.trace_count);
  EXPECT_EQ(merged.meta.event_count, direct.meta.event_count);
  EXPECT_EQ(merged.meta.link_count, direct.meta.link_count);
  EXPECT_EQ(merged.meta.first_start_ns, direct.meta.first_start_ns);
  EXPECT_EQ(merged.meta.last_start_ns, direct.meta.last_start_ns);
  EXPECT_EQ(merged.meta.last_end_ns, direct.meta.last_end_ns);
  for (uint32_t g = 0; g < b->row_group_count(); ++g) {
    const auto traces = b->TracesOf(g, nullptr).value();
    for (const model::TraceId id : traces->id) {
      const auto found = a->FindTrace(id);
      ASSERT_TRUE(found.ok()) << found.error().message();
      ASSERT_EQ(HashesOf(*found), HashesOf(b->FindTrace(id).value())) << id.ToHex();
      const TraceSummary x = a->Summary(id).value();
      const TraceSummary y = b->Summary(id).value();
      EXPECT_EQ(x.start_ns, y.start_ns);
      EXPECT_EQ(x.end_ns, y.end_ns);
      EXPECT_EQ(x.root_service, y.root_service);
      EXPECT_EQ(x.root_name, y.root_name);
      EXPECT_EQ(x.error_count, y.error_count);
      EXPECT_EQ(x.flags, y.flags);
      EXPECT_EQ(x.services.size(), y.services.size());
    }
  }
}

TEST(MergeTest, OddSpansComeOutAsIfWrittenAtOnce) {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const SpanBatch spans = WithoutDuplicates(MakeOddBatch(seed, 30));
    const BlockWriterOptions in{.row_group_rows_max = 64, .page_rows = 16};
    const BlockWriterOptions out{.row_group_rows_max = seed % 2 == 0 ? 1u << 17 : 100,
                                 .page_rows = 32};
    const EncodedBlock direct = Write(spans, 99, out);
    // Whole traces, and traces torn apart span by span.
    for (const bool torn : {false, true}) {
      SCOPED_TRACE(torn ? "torn" : "whole");
      const auto pieces = Cut(
          spans, 3, [&](uint32_t i) { return torn ? (i * 7 + i / 5) % 3 : spans.trace[i] % 3; });
      const EncodedBlock merged = Merge(pieces, in, out);
      EXPECT_EQ(Findings(merged), "");
      ExpectSameTraces(merged, direct);
      if (torn) continue;  // the order of equal spans may differ
      for (const std::string_view file :
           {kSpansFile, kTracesFile, kEventsFile, kLinksFile, kResourcesFile, kScopesFile}) {
        EXPECT_TRUE(FileOfBlock(merged, file) == FileOfBlock(direct, file)) << file;
      }
    }
  }
}

TEST(MergeTest, ALargeOrdinaryBlock) {
  const SpanBatch spans = MakeShopBatch(1, 40000);
  const BlockWriterOptions in{.row_group_rows_max = 5000, .page_rows = 1024};
  const auto pieces = Cut(spans, 4, [&](uint32_t i) { return spans.trace[i] * 2654435761u >> 30; });
  const EncodedBlock merged = Merge(pieces, in, {});
  EXPECT_EQ(Findings(merged), "");
  const EncodedBlock direct = Write(spans, 99, {});
  ExpectSameTraces(merged, direct);
  EXPECT_TRUE(FileOfBlock(merged, kSpansFile) == FileOfBlock(direct, kSpansFile));
}

TEST(MergeTest, WhatWasStoredTwiceIsStoredOnce) {
  const SpanBatch spans = WithoutDuplicates(MakeOddBatch(7, 20));
  const BlockWriterOptions options{.row_group_rows_max = 50, .page_rows = 16};
  const EncodedBlock merged = Merge({spans, spans}, options, options);
  EXPECT_EQ(Findings(merged), "");
  ExpectSameTraces(merged, Write(spans, 99, options));
  EXPECT_EQ(merged.meta.duplicate_count, spans.size());
}

TEST(MergeTest, MergedBlocksMergeAgain) {
  const SpanBatch spans = WithoutDuplicates(MakeOddBatch(11, 40));
  const BlockWriterOptions options{.row_group_rows_max = 60, .page_rows = 16};
  const auto pieces = Cut(spans, 4, [](uint32_t i) { return i % 4; });
  const auto first = Open(Merge({pieces[0], pieces[1]}, options, options));
  const auto second = Open(Merge({pieces[2], pieces[3]}, options, options));
  const std::vector<std::shared_ptr<const Block>> inputs{first, second};
  const auto merged = MergeBlocks(inputs, MetaOf(100, 2), options);
  ASSERT_TRUE(merged.ok()) << merged.error().message();
  EXPECT_EQ(Findings(*merged), "");
  ExpectSameTraces(*merged, Write(spans, 99, options));
}

TEST(MergeTest, NothingMergesToNothing) {
  const auto merged = MergeBlocks({}, MetaOf(1), {});
  ASSERT_TRUE(merged.ok());
  EXPECT_EQ(Findings(*merged), "");
  EXPECT_EQ(Open(*merged)->row_group_count(), 0u);
}

// The rows of an open block whose spans have these hashes.
RowSetPtr RowsOf(const Block& block, const std::vector<uint64_t>& hashes) {
  RowSetBuilder rows;
  for (uint32_t g = 0; g < block.row_group_count(); ++g) {
    const FileRowGroup& group = block.table(Scope::kSpan).row_groups()[g];
    const SpanBatch spans = block.SpansOf(g, 0, group.row_count).value();
    for (uint32_t i = 0; i < spans.size(); ++i) {
      const uint64_t hash = model::ContentHash(spans, i);
      if (std::find(hashes.begin(), hashes.end(), hash) == hashes.end()) continue;
      rows.Add(group.first_row + i, 1);
    }
  }
  return std::make_shared<RowSet>(rows.Finish());
}

// The same columns, but for strings that have all become UUIDs by chance.
void ExpectOtherKindsAlone(const Block& merged, const Block& direct) {
  for (const Scope scope : {Scope::kSpan, Scope::kEvent, Scope::kLink}) {
    const auto& a = merged.table(scope).columns();
    const auto& b = direct.table(scope).columns();
    ASSERT_EQ(a.size(), b.size());
    for (size_t c = 0; c < a.size(); ++c) {
      EXPECT_EQ(a[c].name, b[c].name);
      EXPECT_TRUE(a[c].kind == b[c].kind || b[c].kind == ColumnKind::kUuid) << a[c].name;
    }
  }
}

// Deleted spans leave nothing behind: no value, no column, no resource; what stays is what writing
// the other spans alone would have given.
TEST(MergeTest, WhatIsLeftOutIsAsIfItHadNeverBeenWritten) {
  uint32_t equal_files = 0;
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const SpanBatch spans = WithoutDuplicates(MakeOddBatch(seed, 30));
    const BlockWriterOptions in{.row_group_rows_max = 64, .page_rows = 16};
    const BlockWriterOptions out{.row_group_rows_max = 100, .page_rows = 32};
    std::vector<uint32_t> kept_rows;
    std::vector<uint64_t> gone;
    for (uint32_t i = 0; i < spans.size(); ++i) {
      // Some traces whole, of some a part, some not at all.
      const uint32_t t = spans.trace[i];
      const bool keep = t % 3 == 0 || (t % 3 == 1 && (i * 2654435761u >> 28) % 3 != 0);
      if (keep) kept_rows.push_back(i);
      if (!keep) gone.push_back(model::ContentHash(spans, i));
    }
    SpanBatch kept;
    model::BatchAppender(&kept).Append(spans, kept_rows);
    const EncodedBlock direct = Write(kept, 99, out);
    std::vector<std::shared_ptr<const Block>> inputs;
    std::vector<RowSetPtr> left_out;
    for (const SpanBatch& piece : Cut(spans, 2, [&](uint32_t i) { return spans.trace[i] % 2; })) {
      inputs.push_back(Open(Write(piece, inputs.size(), in)));
      left_out.push_back(RowsOf(*inputs.back(), gone));
    }
    const auto merged = MergeBlocks(inputs, MetaOf(99, 1), out, left_out);
    ASSERT_TRUE(merged.ok()) << merged.error().message();
    EXPECT_EQ(Findings(*merged), "");
    ExpectSameTraces(*merged, direct);
    for (const std::string_view file :
         {kSpansFile, kTracesFile, kEventsFile, kLinksFile, kResourcesFile, kScopesFile}) {
      if (FileOfBlock(*merged, file) == FileOfBlock(direct, file)) {
        ++equal_files;
      } else {
        ExpectOtherKindsAlone(*Open(*merged), *Open(direct));
      }
    }
  }
  EXPECT_GT(equal_files, 60u);
}

TEST(MergeTest, EverythingCanBeLeftOut) {
  const auto input = Open(Write(WithoutDuplicates(MakeOddBatch(3, 10)), 1, {}));
  const auto all = std::make_shared<RowSet>(RowSet().Complement(input->meta().span_count));
  const std::vector<std::shared_ptr<const Block>> inputs{input};
  const std::vector<RowSetPtr> left_out{all};
  const auto merged = MergeBlocks(inputs, MetaOf(2, 1), {}, left_out);
  ASSERT_TRUE(merged.ok()) << merged.error().message();
  EXPECT_EQ(merged->meta.span_count, 0u);
  EXPECT_EQ(Findings(*merged), "");
}

TEST(MergeTest, OneInputIsCopied) {
  const SpanBatch spans = WithoutDuplicates(MakeOddBatch(5, 30));
  const BlockWriterOptions options{.row_group_rows_max = 64, .page_rows = 16};
  const EncodedBlock merged = Merge({spans}, options, options);
  EXPECT_EQ(Findings(merged), "");
  ExpectSameTraces(merged, Write(spans, 99, options));
}

}  // namespace
}  // namespace weft::block
