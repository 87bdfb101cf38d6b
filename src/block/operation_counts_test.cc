// The counts of a block are those of its spans, whatever has happened to them.
#include "block/operation_counts.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "block/block_fixture.h"
#include "block/check.h"
#include "block/latency_bucket.h"
#include "block/merge.h"
#include "block/reader.h"
#include "block/schema.h"

namespace weft::block {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST(LatencyBucket, IsNarrowAndInOrder) {
  SeededRandom random(1);
  for (int i = 0; i < 100'000; ++i) {
    const auto duration = static_cast<int64_t>(random.Next() >> (1 + random.Below(62)));
    const uint32_t bucket = LatencyBucketOf(duration);
    ASSERT_LT(bucket, kLatencyBuckets);
    const auto value = static_cast<uint64_t>(duration);
    ASSERT_GE(value, LatencyBucketFloor(bucket));
    ASSERT_LT(value, LatencyBucketFloor(bucket + 1));
    ASSERT_EQ(LatencyBucketOf(static_cast<int64_t>(LatencyBucketFloor(bucket))), bucket);
    const auto middle = static_cast<double>(LatencyBucketMiddle(bucket));
    ASSERT_NEAR(middle, static_cast<double>(value), 0.032 * static_cast<double>(value) + 0.5);
  }
  EXPECT_EQ(LatencyBucketOf(-5), 0u);
  EXPECT_EQ(LatencyBucketOf(31), 31u);
  EXPECT_EQ(LatencyBucketOf(INT64_MAX), kLatencyBuckets - 1);
}

// One line for each sum; sorted.
std::vector<std::string> Lines(const OperationCounts& counts) {
  std::vector<std::string> lines;
  for (const OperationCount& c : counts.counts) {
    lines.push_back(std::string(counts.strings[c.service]) + "|" +
                    std::string(counts.strings[c.name]) + "|" + std::to_string(c.kind) + "|" +
                    std::to_string(c.error) + "|" + std::to_string(c.minute) + "|" +
                    std::to_string(c.bucket) + " " + std::to_string(c.count));
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::string ServiceOf(const model::SpanBatch& batch, uint32_t row) {
  const auto& attributes = batch.resources.attributes;
  const model::IndexRange range =
      model::RangeByEnds(batch.resources.attribute_end, batch.resource[row]);
  for (uint32_t i = range.begin; i < range.end; ++i) {
    if (batch.strings[attributes.key(i)] == "service.name" &&
        attributes.type(i) == model::ValueType::kString) {
      return std::string(batch.strings[static_cast<model::Code>(attributes.value(i))]);
    }
  }
  return "";
}

// The same, counted plainly; what is in the batches twice is one span.
OperationCounts CountPlainly(const std::vector<const model::SpanBatch*>& batches) {
  OperationCounter counter;
  const BlockInput input = MakeBlockInput(batches);
  for (const RowRef ref : input.rows) {
    const model::SpanBatch& batch = *batches[ref.batch];
    const uint32_t row = ref.row;
    counter.AddSpan(counter.Intern(ServiceOf(batch, row)),
                    counter.Intern(batch.strings[batch.name[row]]), batch.kind[row],
                    batch.status[row] == 2, batch.start_ns[row],
                    static_cast<int64_t>(batch.end_ns[row] - batch.start_ns[row]));
  }
  return counter.Take();
}

EncodedBlock Write(const model::SpanBatch& batch, const char* id) {
  const BlockWriterOptions options{.row_group_rows_max = 60, .page_rows = 16};
  return WriteBlock(MakeBlockInput({&batch}), BlockMeta{.id = id, .tenant = "t"}, options).value();
}

std::shared_ptr<const Block> Open(const EncodedBlock& block) {
  return Block::Open(block.meta, MemoryFiles(block.files), std::make_shared<ColumnCache>(64 << 20))
      .value();
}

TEST(OperationCounts, AreThoseOfTheSpans) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    const model::SpanBatch batch = MakeOddBatch(seed, 30);
    const auto block = Open(Write(batch, "b"));
    const auto counts = block->Counts(nullptr).value();
    ASSERT_TRUE(counts);
    EXPECT_EQ(Lines(*counts), Lines(CountPlainly({&batch}))) << seed;
    OperationCounter scan;
    for (const auto& group : block->RowGroups()) ASSERT_TRUE(scan.AddGroup(*group).ok());
    EXPECT_EQ(Lines(scan.Take()), Lines(*counts)) << seed;
  }
}

TEST(OperationCounts, AddUpWhenBlocksMerge) {
  const model::SpanBatch a = MakeShopBatch(1, 2000);
  const model::SpanBatch b = MakeShopBatch(2, 1000);
  const EncodedBlock merged = MergeBlocks(std::vector{Open(Write(a, "a")), Open(Write(b, "b"))},
                                          BlockMeta{.id = "m", .tenant = "t"}, {})
                                  .value();
  EXPECT_EQ(Lines(*Open(merged)->Counts(nullptr).value()), Lines(CountPlainly({&a, &b})));
}

TEST(OperationCounts, CountASpanOnceThatWasStoredTwice) {
  const model::SpanBatch a = MakeShopBatch(1, 500);
  const EncodedBlock merged = MergeBlocks(std::vector{Open(Write(a, "a")), Open(Write(a, "b"))},
                                          BlockMeta{.id = "m", .tenant = "t"}, {})
                                  .value();
  EXPECT_EQ(merged.meta.duplicate_count, a.size());
  EXPECT_EQ(Lines(*Open(merged)->Counts(nullptr).value()), Lines(CountPlainly({&a})));
}

// While rows are deleted and still there, the block does not say what it counts.
TEST(OperationCounts, LeaveOutWhatIsDeleted) {
  const model::SpanBatch a = MakeShopBatch(1, 500);
  const auto block = Open(Write(a, "a"));
  const auto traces = block->TracesOf(0, nullptr).value();
  RowSetBuilder builder;
  builder.Add(0, traces->row_count[0]);
  const auto deleted = std::make_shared<RowSet>(builder.Finish());
  OperationCounter scan;
  const auto groups = block->RowGroups({}, deleted);
  for (const auto& group : groups) {
    EXPECT_EQ(group->BlockCounts().value(), nullptr);
    ASSERT_TRUE(scan.AddGroup(*group).ok());
  }
  const std::vector<RowSetPtr> left_out = {deleted};
  const EncodedBlock rest =
      MergeBlocks(std::vector{block}, BlockMeta{.id = "m", .tenant = "t"}, {}, left_out).value();
  const auto counts = Open(rest)->Counts(nullptr).value();
  EXPECT_EQ(Lines(*counts), Lines(scan.Take()));
  EXPECT_LT(counts->counts.size(), block->Counts(nullptr).value()->counts.size());
}

TEST(OperationCounts, ThatDifferFromTheSpansAreFound) {
  EncodedBlock block = Write(MakeShopBatch(1, 300), "a");
  const EncodedBlock other = Write(MakeShopBatch(2, 300), "b");
  const auto is_counts = [](const auto& file) { return file.name == kCountsFile; };
  *std::find_if(block.files.begin(), block.files.end(), is_counts) =
      *std::find_if(other.files.begin(), other.files.end(), is_counts);
  *std::find_if(block.meta.files.begin(), block.meta.files.end(), is_counts) =
      *std::find_if(other.meta.files.begin(), other.meta.files.end(), is_counts);
  const auto findings = CheckBlock(block.meta, MemoryFiles(block.files));
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_THAT(findings[0].ToText(), HasSubstr("counts.parquet"));
}

}  // namespace
}  // namespace weft::block
