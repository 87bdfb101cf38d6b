#include "block/schema.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

#include "block/parquet_schema.h"

namespace weft::block {
namespace {

using model::ValueType;

TEST(Schema, AttributeNamesGoBothWays) {
  std::set<std::string> names;
  for (const std::string key : {"", "a", "a#int", "#", "##", "a#", "#int", "http.route", "\xff",
                                "caf\xc3\xa9", "\xef\xbf\xbd"}) {
    for (uint8_t t = 1; t < 8; ++t) {
      const ValueType type = static_cast<ValueType>(t);
      const std::string name = AttributeColumnName(key, type, false);
      EXPECT_TRUE(names.insert(name).second) << name << " stands for two";
      const auto parsed = ParseAttributeColumn({name, AttributeColumnKind(type, false), true});
      ASSERT_TRUE(parsed) << name;
      EXPECT_EQ(parsed->key, key) << name;
      EXPECT_EQ(parsed->type, type) << name;
      const std::string main = AttributeColumnName(key, type, true);
      const auto parsed_main = ParseAttributeColumn({main, AttributeColumnKind(type, false), true});
      ASSERT_TRUE(parsed_main) << main;
      EXPECT_EQ(parsed_main->key, key) << main;
      EXPECT_EQ(parsed_main->type, type) << main;
    }
  }
}

TEST(Schema, OtherColumnsAreNoAttributes) {
  EXPECT_FALSE(ParseAttributeColumn({"name", ColumnKind::kString}));
  EXPECT_FALSE(ParseAttributeColumn({"attr.a#what", ColumnKind::kString}));
  EXPECT_FALSE(ParseAttributeColumn({"attr.a#", ColumnKind::kString}));
  EXPECT_FALSE(ParseAttributeColumn({"attr.a", ColumnKind::kId8}));
}

TEST(Schema, WordsOfKindsAndStatuses) {
  EXPECT_EQ(KindText(2), "server");
  EXPECT_EQ(KindText(200), "200");
  EXPECT_EQ(StatusText(2), "error");
  for (int n = 0; n < 256; ++n) {
    const uint8_t number = static_cast<uint8_t>(n);
    EXPECT_EQ(KindFromText(KindText(number)), number);
    EXPECT_EQ(StatusFromText(StatusText(number)), number);
  }
  EXPECT_FALSE(KindFromText("256"));
  EXPECT_FALSE(KindFromText("servers"));
  EXPECT_FALSE(StatusFromText(""));
}

TEST(Schema, ParquetTypesGoBothWays) {
  for (const std::string_view file : {kSpansFile, kEventsFile, kLinksFile, kResourcesFile,
                                      kScopesFile, kTracesFile, kAttributesFile}) {
    const std::span<const ColumnSpec> specs = FixedColumns(file);
    ASSERT_FALSE(specs.empty());
    parquet::SchemaDescriptor descriptor;
    descriptor.Init(MakeParquetSchema(specs));
    const auto read = ReadParquetSchema(descriptor);
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(*read, std::vector<ColumnSpec>(specs.begin(), specs.end()));
  }
  EXPECT_TRUE(FixedColumns("other.parquet").empty());
}

}  // namespace
}  // namespace weft::block
