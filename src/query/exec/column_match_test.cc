#include "query/exec/column_match.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::query::exec {
namespace {

using block::Column;
using plan::Compare;
using plan::Predicate;
using plan::Scalar;
using plan::Value;
using testing::ElementsAre;

Predicate Leaf(Compare op, Value constant) {
  return Predicate::Comparison(op, {}, plan::Expression::Constant(std::move(constant)));
}

std::vector<uint32_t> Rows(const Bitmap& rows) {
  std::vector<uint32_t> out;
  rows.ForEach([&](uint32_t i) { out.push_back(i); });
  return out;
}

// Every comparison of every constant agrees with the scalar rule, value by value, on both sides of
// a word's end.
TEST(MatchColumn, AgreesWithScalarsOnPlainInts) {
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  const std::vector<int64_t> values{kMin, kMin + 1, -3, -1, 0, 1, 2, 3, kMax - 1, kMax};
  Column column;
  column.type = model::ValueType::kInt;
  for (int i = 0; i < 147; ++i)
    column.ints.push_back(values[static_cast<size_t>(i) % values.size()]);
  column.row_count = static_cast<uint32_t>(column.ints.size());
  std::vector<Value> constants;
  for (int64_t v : values) constants.push_back(Value::Int(v));
  for (double v :
       std::initializer_list<double>{-1e300, -9223372036854775808.0, -2.5, -1.0, 0.0, 0.5, 2.0,
                                     2.999, 9223372036854775808.0, 1e300, NAN, INFINITY}) {
    constants.push_back(Value::Double(v));
  }
  for (const Value& constant : constants) {
    for (int op = 0; op < 6; ++op) {
      const Predicate leaf = Leaf(static_cast<Compare>(op), constant);
      Bitmap rows(column.row_count);
      MatchColumn(leaf, column, &rows);
      for (uint32_t i = 0; i < column.row_count; ++i) {
        ASSERT_EQ(rows.Test(i), MatchesScalar(leaf, Scalar::Int(column.ints[i])))
            << column.ints[i] << plan::ToString(leaf);
      }
    }
  }
}

Column Codes(std::vector<std::string_view> texts, std::vector<uint32_t> codes) {
  auto dictionary = std::make_shared<block::Dictionary>();
  dictionary->strings = std::move(texts);
  Column out;
  out.dictionary = std::move(dictionary);
  out.row_count = static_cast<uint32_t>(codes.size());
  out.codes = std::move(codes);
  return out;
}

TEST(MatchColumn, LeavesRowsWithoutAValueOut) {
  const Column column = Codes({"a", "b", "c"}, {0, 1, block::kNoValue, 2, 1});
  const auto match = [&](Compare op, const char* text) {
    Bitmap rows(column.row_count);
    MatchColumn(Leaf(op, Value::String(text)), column, &rows);
    return Rows(rows);
  };
  EXPECT_THAT(match(Compare::kEqual, "b"), ElementsAre(1, 4));
  EXPECT_THAT(match(Compare::kNotEqual, "b"), ElementsAre(0, 3));
  EXPECT_THAT(match(Compare::kNotEqual, "z"), ElementsAre(0, 1, 3, 4));
  EXPECT_THAT(match(Compare::kEqual, "z"), ElementsAre());
  EXPECT_THAT(match(Compare::kGreaterEqual, "b"), ElementsAre(1, 3, 4));
}

TEST(MatchColumn, HonoursPresentBitsOfPlainColumns) {
  Column column;
  column.type = model::ValueType::kDouble;
  column.doubles = {0.5, 0.5, 1.5};
  column.present = {0b101};
  column.row_count = 3;
  Bitmap rows(3);
  MatchColumn(Leaf(Compare::kLess, Value::Int(1)), column, &rows);
  EXPECT_THAT(Rows(rows), ElementsAre(0));
  Bitmap present(3);
  MarkPresent(column, &present);
  EXPECT_THAT(Rows(present), ElementsAre(0, 2));
}

TEST(MatchColumn, AddsToWhatIsThere) {
  const Column column = Codes({"a"}, {block::kNoValue, 0});
  Bitmap rows(2);
  rows.Set(0);
  MatchColumn(Leaf(Compare::kEqual, Value::String("a")), column, &rows);
  EXPECT_THAT(Rows(rows), ElementsAre(0, 1));
}

TEST(MapThrough, FollowsTheIndex) {
  Bitmap chosen(3);
  chosen.Set(1);
  Bitmap rows(5);
  MapThrough({0, 1, 2, 1, -1}, chosen, &rows);
  EXPECT_THAT(Rows(rows), ElementsAre(1, 3));
}

TEST(Bitmap, KeepsItsTailClear) {
  Bitmap all(70, true);
  EXPECT_EQ(all.Count(), 70u);
  EXPECT_TRUE(all.All());
  Bitmap some(70);
  some.Set(3);
  some.Set(69);
  std::vector<uint32_t> seen;
  some.ForEachIn(3, 69, [&](uint32_t i) { seen.push_back(i); });
  EXPECT_THAT(seen, ElementsAre(3));
  all.Xor(some);
  EXPECT_EQ(all.Count(), 68u);
}

}  // namespace
}  // namespace weft::query::exec
