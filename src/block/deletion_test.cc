#include "block/deletion.h"

#include <memory>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "block/block_fixture.h"
#include "block/reader.h"

namespace weft::block {
namespace {

Deletion Sample() {
  Deletion deletion;
  deletion.id = "0123456789abcdef01234567";
  deletion.tenant = "default";
  deletion.created_ns = UINT64_MAX;
  deletion.requested_by = "Ann \"Data\" O'Fficer";
  deletion.query = "{ .user.email = ? }";
  deletion.range = {5, 10};
  deletion.span_count = 3;
  deletion.trace_count = 2;
  deletion.block_count = 1;
  deletion.unreadable_blocks = 4;
  deletion.parts.push_back(
      {"0123456789abcdef0123456a", RowSet::FromRuns({{0, 3}, {100, 7}}).value()});
  return deletion;
}

TEST(DeletionTest, ComesBackAsItWasWritten) {
  const Deletion deletion = Sample();
  const auto read = Deletion::FromJson(deletion.ToJson());
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(read->ToJson(), deletion.ToJson());
  EXPECT_EQ(read->requested_by, deletion.requested_by);
  EXPECT_EQ(read->created_ns, UINT64_MAX);
  ASSERT_EQ(read->parts.size(), 1u);
  EXPECT_EQ(read->parts[0].rows.runs(), deletion.parts[0].rows.runs());
  EXPECT_FALSE(read->done());
}

TEST(DeletionTest, AnyFlippedBitIsNoticed) {
  const std::string json = Sample().ToJson();
  for (size_t bit = 0; bit + 8 < json.size() * 8; ++bit) {  // but for the last line break
    std::string flipped = json;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(Deletion::FromJson(flipped).ok()) << bit << ": " << flipped;
  }
}

void AddKeys(const RowGroup& group, std::set<std::string>* keys) {
  const auto found = group.AttributeKeys().value();
  for (const auto& key : found) keys->insert(key.key);
}

// A block of which every other trace is deleted answers as if it had never had them.
TEST(DeletionTest, DeletedRowsAreInNoAnswerOfABlock) {
  const model::SpanBatch spans = MakeOddBatch(4, 40);
  const BlockWriterOptions options{.row_group_rows_max = 64, .page_rows = 16};
  BlockMeta meta;
  meta.tenant = "default";
  const auto encoded = WriteBlock(MakeBlockInput({&spans}), meta, options);
  const auto block = Block::Open(encoded->meta, MemoryFiles(encoded->files),
                                 std::make_shared<ColumnCache>(64 << 20));
  ASSERT_TRUE(block.ok()) << block.error().message();
  RowSetBuilder rows;
  std::set<model::TraceId> gone;
  uint32_t nth = 0;
  for (uint32_t g = 0; g < (*block)->row_group_count(); ++g) {
    const uint64_t first = (*block)->table(Scope::kSpan).row_groups()[g].first_row;
    const auto traces = (*block)->TracesOf(g, nullptr).value();
    for (uint32_t t = 0; t < traces->size(); ++t) {
      if (g != 0 && nth++ % 2 == 0) continue;  // all of the first row group
      rows.Add(first + traces->first_row[t], traces->row_count[t]);
      gone.insert(traces->id[t]);
    }
  }
  const auto deleted = std::make_shared<RowSet>(rows.Finish());

  const auto groups = (*block)->RowGroups({}, deleted);
  EXPECT_EQ(groups.size() + 1, (*block)->row_group_count());
  std::set<std::string> keys;
  for (const auto& group : groups) {
    ASSERT_TRUE(group->LoadTraces().ok());
    const std::vector<uint64_t>& bits = group->excluded_rows();
    for (uint32_t row = 0; row < group->row_count(); ++row) {
      const bool excluded = row / 64 < bits.size() && (bits[row / 64] >> (row % 64) & 1) != 0;
      EXPECT_EQ(excluded, gone.contains(group->trace_id(group->trace_of_row()[row])));
    }
    AddKeys(*group, &keys);
  }
  model::SpanBatch rest;
  model::BatchAppender appender(&rest);
  for (const model::TraceId id : spans.traces) {
    const model::SpanBatch found = (*block)->FindTrace(id, deleted).value();
    EXPECT_EQ(found.empty(), gone.contains(id));
    EXPECT_EQ((*block)->Summary(id, deleted)->span_count, found.size());
    appender.AppendAll(found);
  }
  // The keys are those of what is left.
  const auto alone = WriteBlock(MakeBlockInput({&rest}), meta, options);
  const auto other =
      Block::Open(alone->meta, MemoryFiles(alone->files), std::make_shared<ColumnCache>(64 << 20));
  std::set<std::string> expected;
  const auto other_groups = (*other)->RowGroups();
  for (const auto& group : other_groups) AddKeys(*group, &expected);
  EXPECT_EQ(keys, expected);
}

}  // namespace
}  // namespace weft::block
