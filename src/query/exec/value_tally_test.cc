#include "query/exec/value_tally.h"

#include <map>
#include <random>

#include <gtest/gtest.h>

namespace weft::query::exec {
namespace {

using plan::Scalar;

std::map<int64_t, SideCounts> Plain(const ValueTally& tally) {
  std::map<int64_t, SideCounts> out;
  for (const auto& [key, counts] : tally.counts()) out[key.value.number] = counts;
  return out;
}

TEST(ValueTally, CountsFewValuesExactly) {
  ValueTally a;
  ValueTally b;
  a.Add(Side::kBaseline, Scalar::Int(7), 2);
  a.Add(Side::kSelection, Scalar::Int(7), 1);
  b.Add(Side::kBaseline, Scalar::Int(7), 3);
  b.Add(Side::kSelection, Scalar::String("7"), 5);
  a.Merge(b);
  EXPECT_TRUE(a.exact());
  ASSERT_EQ(a.counts().size(), 2u);
  EXPECT_EQ(a.counts().at(ValueKey{plan::Value::Int(7)}), (SideCounts{5, 1}));
  EXPECT_EQ(a.counts().at(ValueKey{plan::Value::String("7")}), (SideCounts{0, 5}));
}

TEST(ValueTally, OneValueTooManyIsNotExactHoweverItComes) {
  for (const int64_t split : {int64_t{0}, int64_t{1}, int64_t{9'999}}) {
    ValueTally a;
    ValueTally b;
    for (int64_t i = 0; i <= static_cast<int64_t>(ValueTally::kValuesMax); ++i)
      (i < split ? a : b).Add(i % 2 == 0 ? Side::kBaseline : Side::kSelection, Scalar::Int(i), 1);
    a.Merge(b);
    EXPECT_FALSE(a.exact()) << split;
  }
}

// Values with 1 % of a side each, among a flood of values that occur once.
TEST(ValueTally, FrequentValuesOutliveAFlood) {
  std::mt19937_64 random(1);
  std::map<int64_t, SideCounts> truth;
  SideCounts spans{};
  std::vector<ValueTally> tallies(3);
  for (int64_t i = 0; i < 400'000; ++i) {
    const Side side = random() % 4 == 0 ? Side::kSelection : Side::kBaseline;
    const bool frequent = random() % 10 == 0;
    const int64_t value = frequent ? static_cast<int64_t>(random() % 10) : 1000 + i;
    tallies[random() % 3].Add(side, Scalar::Int(value), 1);
    ++truth[value][static_cast<size_t>(side)];
    ++spans[static_cast<size_t>(side)];
  }
  for (size_t i = 1; i < 3; ++i) tallies[0].Merge(tallies[i]);
  const ValueTally& tally = tallies[0];
  EXPECT_FALSE(tally.exact());
  EXPECT_LE(tally.counts().size(), ValueTally::kValuesMax);
  const auto counted = Plain(tally);
  for (const Side side : {Side::kBaseline, Side::kSelection}) {
    const auto s = static_cast<size_t>(side);
    EXPECT_LT(tally.lost(side), spans[s] / ValueTally::kFrequent);
    for (const auto& [value, counts] : truth) {
      const auto found = counted.find(value);
      const uint64_t count = found == counted.end() ? 0 : found->second[s];
      ASSERT_LE(count, counts[s]);
      ASSERT_GE(count + tally.lost(side), counts[s]) << value;
    }
  }
}

TEST(ValueTally, LeavesOutOnlyWhatItMayLose) {
  ValueTally tally;
  EXPECT_EQ(tally.LeaveOut(Side::kBaseline, 1'000'000, ValueTally::kValuesMax), 0u);
  EXPECT_TRUE(tally.exact());
  const uint64_t count = tally.LeaveOut(Side::kSelection, 1'000'000, ValueTally::kValuesMax + 1);
  EXPECT_GT(count, 0u);
  EXPECT_EQ(tally.lost(Side::kSelection), count);
  EXPECT_LT(count, 1'000'000 / ValueTally::kFrequent);
  EXPECT_FALSE(tally.exact());
}

}  // namespace
}  // namespace weft::query::exec
