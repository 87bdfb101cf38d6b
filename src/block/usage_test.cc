#include "block/usage.h"

#include <map>
#include <string>

#include <gtest/gtest.h>

#include "block/block_fixture.h"

namespace weft::block {
namespace {

struct Stored {
  std::shared_ptr<const Block> block;
  uint64_t bytes = 0;                        // of all files
  std::map<std::string, uint64_t> spans_of;  // by service
};

Stored Store(const model::SpanBatch& spans, const BlockWriterOptions& options) {
  BlockMeta meta;
  meta.tenant = "shop";
  meta.id = NewBlockId(1, 2);
  const auto encoded = WriteBlock(MakeBlockInput({&spans}), meta, options);
  EXPECT_TRUE(encoded.ok());
  Stored stored;
  stored.block = *Block::Open(encoded->meta, MemoryFiles(encoded->files),
                              std::make_shared<ColumnCache>(64 << 20));
  stored.bytes = encoded->meta.TotalBytes() + encoded->meta.ToJson().size();
  for (const uint32_t resource : spans.resource) {
    ++stored.spans_of[std::string(spans.strings[spans.ServiceName(resource)])];
  }
  return stored;
}

uint64_t SumOf(const std::vector<UsageRow>& rows) {
  uint64_t sum = 0;
  for (const UsageRow& row : rows) sum += row.bytes;
  return sum;
}

constexpr UsageBy kAll[] = {UsageBy::kTenant, UsageBy::kService, UsageBy::kOperation,
                            UsageBy::kAttribute};

TEST(UsageTest, RowsAddUpToTheFiles) {
  for (const UsageBy by : kAll) {
    SCOPED_TRACE(static_cast<int>(by));
    UsageTable table(by);
    uint64_t bytes = 0;
    for (uint64_t seed = 1; seed <= 4; ++seed) {
      const BlockWriterOptions options{.row_group_rows_max = 64, .page_rows = 16};
      const Stored stored = Store(MakeOddBatch(seed, 30), options);
      ASSERT_TRUE(table.Add(*stored.block, stored.bytes, nullptr).ok());
      bytes += stored.bytes;
      EXPECT_EQ(SumOf(table.Rows()), bytes);
    }
    const Stored shop = Store(MakeShopBatch(1, 5000), {.row_group_rows_max = 1000});
    ASSERT_TRUE(table.Add(*shop.block, shop.bytes, nullptr).ok());
    EXPECT_EQ(SumOf(table.Rows()), bytes + shop.bytes);
  }
}

TEST(UsageTest, SpansOfServicesAreCounted) {
  const Stored shop = Store(MakeShopBatch(3, 4000), {.row_group_rows_max = 700});
  UsageTable table(UsageBy::kService);
  ASSERT_TRUE(table.Add(*shop.block, shop.bytes, nullptr).ok());
  std::map<std::string, uint64_t> counts;
  for (const UsageRow& row : table.Rows()) {
    EXPECT_EQ(row.tenant, "shop");
    counts[row.service] = row.count;
    EXPECT_GT(row.bytes, 0u);
  }
  EXPECT_EQ(counts, shop.spans_of);
}

TEST(UsageTest, AttributesAreFoundWithAndWithoutAColumn) {
  const Stored shop = Store(MakeShopBatch(3, 4000), {});
  UsageTable table(UsageBy::kAttribute);
  ASSERT_TRUE(table.Add(*shop.block, shop.bytes, nullptr).ok());
  std::map<std::string, UsageRow> rows;
  for (const UsageRow& row : table.Rows()) rows[row.scope + "|" + row.key] = row;
  const auto groups = shop.block->RowGroups();
  uint32_t keys = 0;
  for (const auto& group : groups) {
    const auto found = group->AttributeKeys().value();
    for (const auto& key : found) {
      const std::string scope = key.scope == Scope::kInstrumentation ? "scope"
                                : key.scope == Scope::kResource      ? "resource"
                                : key.scope == Scope::kEvent         ? "event"
                                : key.scope == Scope::kLink          ? "link"
                                                                     : "span";
      EXPECT_TRUE(rows.contains(scope + "|" + key.key)) << scope << " " << key.key;
      EXPECT_GT(rows[scope + "|" + key.key].count, 0u);
      ++keys;
    }
  }
  EXPECT_GT(keys, 10u);
  EXPECT_GT(rows["|spans.parquet/span_id"].bytes, 8u * 4000);
  EXPECT_GT(rows["|meta.json"].bytes, 100u);
}

TEST(UsageTest, DeletedSpansHaveNoShare) {
  const Stored shop = Store(MakeShopBatch(5, 3000), {.row_group_rows_max = 500});
  const uint64_t spans = shop.block->meta().span_count;
  for (const uint64_t deleted : {uint64_t{700}, spans}) {
    const auto rows = std::make_shared<RowSet>(RowSet::FromRuns({{0, deleted}}).value());
    for (const UsageBy by : {UsageBy::kTenant, UsageBy::kService, UsageBy::kOperation}) {
      UsageTable table(by);
      ASSERT_TRUE(table.Add(*shop.block, shop.bytes, rows).ok());
      uint64_t count = 0;
      for (const UsageRow& row : table.Rows()) count += row.count;
      EXPECT_EQ(count, spans - deleted);
      EXPECT_EQ(SumOf(table.Rows()), shop.bytes);
    }
  }
}

TEST(UsageTest, ATableThatIsFullKeepsTheSum) {
  const Stored shop = Store(MakeShopBatch(5, 3000), {});
  UsageTable table(UsageBy::kOperation, 3);
  ASSERT_TRUE(table.Add(*shop.block, shop.bytes, nullptr).ok());
  const auto rows = table.Rows();
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_TRUE(rows.back().others);
  EXPECT_EQ(SumOf(rows), shop.bytes);
}

}  // namespace
}  // namespace weft::block
