// A service that sends ids as attribute keys.
#include "block/key_flood.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "block/block_fixture.h"
#include "block/check.h"
#include "block/merge.h"
#include "block/schema.h"

namespace weft::block {
namespace {

using model::SpanBatch;
using model::ValueType;

constexpr uint32_t kFlood = 200'000;

std::string KeyOf(uint32_t i) { return "user." + std::to_string(i) + "\xff"; }

// A span for every 100 keys.
SpanBatch Flood(uint32_t first_key, uint32_t keys, const std::string& service) {
  SpanBatch batch = MakeShopBatch(9, keys / 100);
  SpanBatch flood;
  std::vector<uint32_t> rows(std::min<uint32_t>(keys / 100, batch.size()));
  for (uint32_t i = 0; i < rows.size(); ++i) rows[i] = i;
  model::BatchAppender(&flood).Append(batch, rows);
  flood.attributes = {};
  for (uint32_t row = 0; row < flood.size(); ++row) {
    for (uint32_t i = 0; i < 100; ++i) {
      flood.attributes.Add(flood.strings.Intern(KeyOf(first_key + row * 100 + i)),
                           ValueType::kString, flood.strings.Intern("value"));
    }
    flood.attribute_end[row] = flood.attributes.size();
    flood.trace[row] = 0;
    flood.resource[row] = 0;
    flood.span_id[row] = {first_key + row + 1};
    flood.parent_span_id[row] = {};
  }
  flood.traces = {{7, first_key + 1}};
  flood.resources = {};
  flood.resources.attributes.Add(flood.strings.Intern("service.name"), ValueType::kString,
                                 flood.strings.Intern(service));
  flood.resources.attribute_end.push_back(1);
  flood.resources.schema_url.push_back(0);
  flood.resources.dropped_attributes.push_back(0);
  return flood;
}

EncodedBlock Write(const std::vector<const SpanBatch*>& batches, uint64_t number) {
  BlockMeta meta;
  meta.tenant = "shop";
  meta.id = NewBlockId(1, number);
  auto encoded = WriteBlock(MakeBlockInput(batches), meta, {});
  EXPECT_TRUE(encoded.ok()) << encoded.error().message();
  return std::move(encoded).value();
}

std::shared_ptr<const Block> Open(const EncodedBlock& encoded) {
  auto block = Block::Open(encoded.meta, MemoryFiles(encoded.files),
                           std::make_shared<ColumnCache>(256 << 20));
  EXPECT_TRUE(block.ok()) << block.error().message();
  return *block;
}

std::vector<std::string> Columns(const Block& block) {
  std::vector<std::string> names;
  for (const ColumnSpec& column : block.table(Scope::kSpan).columns()) names.push_back(column.name);
  return names;
}

void ExpectFlood(const EncodedBlock& encoded, const std::vector<std::string>& columns) {
  const auto block = Open(encoded);
  // Nobody else loses a column, and the flood gets none.
  EXPECT_EQ(Columns(*block), columns);
  ASSERT_EQ(encoded.meta.many_keys.size(), 1u);
  EXPECT_EQ(encoded.meta.many_keys[0].service, "flood");
  EXPECT_EQ(encoded.meta.many_keys[0].example.substr(0, 5), "user.");
  const auto read = BlockMeta::FromJson(encoded.meta.ToJson());
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(read->many_keys[0].example, encoded.meta.many_keys[0].example);
  // Every key can still be asked for.
  uint32_t found = 0;
  const auto groups = block->RowGroups();
  for (const auto& group : groups) {
    for (const uint32_t key : {0u, 12345u, kFlood - 1}) {
      const auto values = group->ReadAttribute(Scope::kSpan, KeyOf(key)).value();
      for (const ColumnPtr& column : values) {
        for (uint32_t row = 0; row < column->row_count; ++row) found += column->has(row);
      }
    }
  }
  EXPECT_EQ(found, 3u);
}

TEST(KeyFloodTest, ColumnsStayThoseOfTheOthersAndTheServiceIsNamed) {
  const SpanBatch shop = MakeShopBatch(1, 20'000);
  const EncodedBlock calm = Write({&shop}, 1);
  EXPECT_TRUE(calm.meta.many_keys.empty());
  const std::vector<std::string> columns = Columns(*Open(calm));
  const SpanBatch flood = Flood(0, kFlood, "flood");
  const EncodedBlock both = Write({&shop, &flood}, 2);
  ExpectFlood(both, columns);
  EXPECT_EQ(both.meta.many_keys[0].keys, kFlood);

  const SpanBatch first = Flood(0, kFlood / 2, "flood");
  const SpanBatch second = Flood(kFlood / 2, kFlood / 2, "flood");
  const std::vector<std::shared_ptr<const Block>> inputs{Open(Write({&shop, &first}, 3)),
                                                         Open(Write({&second}, 4))};
  BlockMeta meta;
  meta.tenant = "shop";
  meta.id = NewBlockId(1, 5);
  const auto merged = MergeBlocks(inputs, meta, {});
  ASSERT_TRUE(merged.ok()) << merged.error().message();
  ExpectFlood(*merged, columns);
  EXPECT_EQ(merged->meta.many_keys[0].keys, kFlood / 2);
  EXPECT_TRUE(CheckBlock(merged->meta, MemoryFiles(merged->files)).empty());

  // What is deleted is no example any more.
  const std::vector<RowSetPtr> left_out{
      std::make_shared<RowSet>(RowSet::FromRuns({{0, 1}}).value()),
      std::make_shared<RowSet>(RowSet::FromRuns({{0, 1}}).value())};
  const auto rest = MergeBlocks(inputs, meta, {}, left_out);
  ASSERT_TRUE(rest.ok()) << rest.error().message();
  EXPECT_TRUE(rest->meta.many_keys.empty());
}

constexpr uint32_t kOfOneOwner = 3000;

TEST(KeyFloodTest, KeysOfAResourceAreCounted) {
  SpanBatch batch = MakeShopBatch(1, 200);
  model::ResourceColumns& resources = batch.resources;
  for (uint32_t i = 0; i < kOfOneOwner; ++i) {
    resources.attributes.Add(batch.strings.Intern(KeyOf(i)), ValueType::kInt, i);
  }
  resources.attribute_end.back() = resources.attributes.size();
  // Two resources: without a second one each of its keys would be in every row.
  ASSERT_GE(resources.size(), 2u);
  batch.resource[0] = resources.size() - 1;
  const EncodedBlock encoded = Write({&batch}, 9);
  // A resource is one row of few: its keys have columns as far as there are any.
  const uint64_t columns = Open(encoded)->table(Scope::kResource).columns().size();
  ASSERT_EQ(encoded.meta.many_keys.size(), 1u);
  EXPECT_GE(encoded.meta.many_keys[0].keys, kOfOneOwner - columns);
  EXPECT_EQ(encoded.meta.many_keys[0].example.substr(0, 5), "user.");
  EXPECT_TRUE(CheckBlock(encoded.meta, MemoryFiles(encoded.files)).empty());
}

TEST(KeyFloodTest, KeysOfAScopeAreCounted) {
  SpanBatch batch = MakeShopBatch(1, 200);
  for (uint32_t i = 0; i < kOfOneOwner; ++i) {
    batch.scopes.attributes.Add(batch.strings.Intern(KeyOf(i)), ValueType::kInt, i);
  }
  batch.scopes.attribute_end.back() = batch.scopes.attributes.size();
  for (uint32_t row = 0; row < batch.size(); ++row) {
    batch.resource[row] = 0;  // one service
    batch.scope[row] = batch.scopes.size() - 1;
  }
  const EncodedBlock encoded = Write({&batch}, 9);
  const uint64_t columns = Open(encoded)->table(Scope::kInstrumentation).columns().size();
  ASSERT_EQ(encoded.meta.many_keys.size(), 1u);
  EXPECT_GE(encoded.meta.many_keys[0].keys, kOfOneOwner - columns);
}

TEST(KeyFloodTest, KeysOfLinksAreCounted) {
  SpanBatch batch = MakeShopBatch(1, 200);
  ASSERT_EQ(batch.links.size(), 0u);
  batch.links.trace_id.push_back({1, 2});
  batch.links.span_id.push_back({3});
  batch.links.trace_state.push_back(0);
  batch.links.flags.push_back(0);
  batch.links.dropped_attributes.push_back(0);
  batch.links.attribute_end.push_back(0);
  batch.link_end.back() = 1;
  for (uint32_t i = 0; i < kOfOneOwner; ++i) {
    batch.links.attributes.Add(batch.strings.Intern(KeyOf(i)), ValueType::kInt, i);
  }
  batch.links.attribute_end.back() = batch.links.attributes.size();
  const EncodedBlock encoded = Write({&batch}, 9);
  const uint64_t columns = Open(encoded)->table(Scope::kLink).columns().size();
  ASSERT_EQ(encoded.meta.many_keys.size(), 1u);
  EXPECT_GE(encoded.meta.many_keys[0].keys, kOfOneOwner - columns);
}

TEST(KeyFloodTest, AFewServicesAreNamed) {
  std::vector<ManyKeys> merged;
  for (uint64_t i = 0; i < 9; ++i) MergeManyKeys({{std::to_string(i), 2000 + i, "x"}}, &merged);
  MergeManyKeys({{"8", 5000, "y"}, {"7", 3, "z"}}, &merged);
  ASSERT_EQ(merged.size(), 5u);
  EXPECT_EQ(merged[0].service, "8");
  EXPECT_EQ(merged[0].keys, 5000u);
  EXPECT_EQ(merged[0].example, "y");
  EXPECT_EQ(merged[1].keys, 2007u);
}

}  // namespace
}  // namespace weft::block
