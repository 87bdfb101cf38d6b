// Arrays and kvlists as text: exact for every value, and readable.
#include "block/json_text.h"

#include <bit>
#include <cmath>
#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace weft::block {
namespace {

using model::Attribute;
using model::NestedRange;
using model::SpanBatch;
using model::ValueType;

// Writes and reads `value`; the text.
std::string TextOf(const SpanBatch& batch, const Attribute& value) {
  std::string text;
  AppendJsonText(batch, value, &text);
  SpanBatch again;
  const auto parsed = ParseJsonText(text, &again);
  EXPECT_TRUE(parsed.ok()) << text;
  if (!parsed.ok()) return text;
  EXPECT_EQ(parsed->type, value.type) << text;
  std::string second;
  AppendJsonText(again, *parsed, &second);
  EXPECT_EQ(second, text);
  return text;
}

std::string DoubleText(double value) {
  SpanBatch batch;
  const Attribute attribute{0, ValueType::kDouble, std::bit_cast<uint64_t>(value)};
  const std::string text = TextOf(batch, attribute);
  SpanBatch again;
  const auto parsed = ParseJsonText(text, &again);
  EXPECT_EQ(parsed->value, attribute.value) << text;
  return text;
}

TEST(JsonText, TellsNumbersApart) {
  SpanBatch batch;
  EXPECT_EQ(TextOf(batch, {0, ValueType::kInt, 5}), "5");
  EXPECT_EQ(TextOf(batch, {0, ValueType::kInt, static_cast<uint64_t>(INT64_MIN)}),
            "-9223372036854775808");
  EXPECT_EQ(DoubleText(5.0), "5.0");
  EXPECT_EQ(DoubleText(-0.0), "-0.0");
  EXPECT_EQ(DoubleText(0.1), "0.1");
  EXPECT_EQ(DoubleText(1e300), "1e+300");
  EXPECT_EQ(DoubleText(123456789012345680.0), "123456789012345680.0");
  EXPECT_EQ(DoubleText(std::numeric_limits<double>::denorm_min()), "5e-324");
  EXPECT_EQ(DoubleText(std::numeric_limits<double>::max()), "1.7976931348623157e+308");
}

TEST(JsonText, KeepsWhatJsonHasNoWordFor) {
  EXPECT_EQ(DoubleText(INFINITY), "{\"$double\":\"Infinity\"}");
  EXPECT_EQ(DoubleText(-INFINITY), "{\"$double\":\"-Infinity\"}");
  EXPECT_EQ(DoubleText(std::numeric_limits<double>::quiet_NaN()), "{\"$double\":\"NaN\"}");
  EXPECT_EQ(DoubleText(std::bit_cast<double>(0xfff8000000000123ULL)),
            "{\"$double\":\"fff8000000000123\"}");
  SpanBatch batch;
  for (const auto& [bytes, text] : {std::pair<std::string, std::string>{"", ""},
                                    {"f", "Zg=="},
                                    {"fo", "Zm8="},
                                    {"foo", "Zm9v"},
                                    {"\xff\xfe", "//4="}}) {
    EXPECT_EQ(TextOf(batch, {0, ValueType::kBytes, batch.strings.Intern(bytes)}),
              "{\"$bytes\":\"" + text + "\"}");
  }
  EXPECT_EQ(TextOf(batch, {0, ValueType::kEmpty, 0}), "null");
}

TEST(JsonText, KeepsEveryByteOfStrings) {
  SpanBatch batch;
  const std::string odd("\"\\/\n\x01\x7f\xff\xe2\x82\xac\0end", 15);
  const Attribute value{0, ValueType::kString, batch.strings.Intern(odd)};
  const std::string text = TextOf(batch, value);
  EXPECT_TRUE(text.starts_with("\"\\\"\\\\/\\u000a\\u0001"));
  SpanBatch again;
  EXPECT_EQ(again.strings[ParseJsonText(text, &again)->as_code()], odd);
}

TEST(JsonText, KeepsKvLists) {
  SpanBatch batch;
  const model::Code a = batch.strings.Intern("a");
  const model::Code dollar = batch.strings.Intern("$bytes");
  batch.nested.Add(a, ValueType::kInt, 1);
  batch.nested.Add(dollar, ValueType::kBool, 1);
  EXPECT_EQ(TextOf(batch, {0, ValueType::kKvList, NestedRange{0, 2}.Pack()}),
            "{\"a\":1,\"$$bytes\":true}");
  batch.nested.Add(a, ValueType::kInt, 1);
  batch.nested.Add(a, ValueType::kInt, 2);
  EXPECT_EQ(TextOf(batch, {0, ValueType::kKvList, NestedRange{2, 2}.Pack()}),
            "{\"$kvlist\":[[\"a\",1],[\"a\",2]]}");
  EXPECT_EQ(TextOf(batch, {0, ValueType::kKvList, NestedRange{0, 0}.Pack()}), "{}");
  EXPECT_EQ(TextOf(batch, {0, ValueType::kArray, NestedRange{0, 0}.Pack()}), "[]");
}

// `depth` arrays, one inside the other.
std::string Nested(uint32_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(JsonText, NestingIsBounded) {
  SpanBatch batch;
  EXPECT_TRUE(ParseJsonText(Nested(model::kNestingMax), &batch).ok());
  EXPECT_FALSE(ParseJsonText(Nested(1'000'000), &batch).ok());
  // A value deeper than any decoder lets in ends in null, not in a crash.
  SpanBatch deep;
  uint64_t range = NestedRange{0, 0}.Pack();
  for (uint32_t i = 0; i < 1000; ++i) {
    deep.nested.Add(0, ValueType::kArray, range);
    range = NestedRange{i, 1}.Pack();
  }
  std::string text;
  AppendJsonText(deep, {0, ValueType::kArray, range}, &text);
  EXPECT_TRUE(text.find("null") != std::string::npos);
  EXPECT_TRUE(ParseJsonText(text, &batch).ok());
}

TEST(JsonText, RefusesWhatIsNoValue) {
  for (const char* text : {"",
                           "[",
                           "[1",
                           "[1,",
                           "[1,]",
                           "{\"a\"}",
                           "{\"a\":}",
                           "nul",
                           "1 2",
                           "01x",
                           "\"\\x\"",
                           "\"\\u12\"",
                           "\"\\ud800\"",
                           "{\"$what\":\"\"}",
                           "{\"$bytes\":\"abc\"}",
                           "{\"$bytes\":\"ab=c\"}",
                           "{\"$double\":\"1\"}",
                           "{\"$kvlist\":[[1,2]]}",
                           "99999999999999999999",
                           "\"open",
                           "{\"a\":1"}) {
    SpanBatch batch;
    const auto parsed = ParseJsonText(text, &batch);
    EXPECT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().code(), ErrorCode::kCorrupt);
  }
}

}  // namespace
}  // namespace weft::block
