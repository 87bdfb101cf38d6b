#include "query/insight/difference.h"

#include <cmath>
#include <random>

#include <gtest/gtest.h>

namespace weft::query::insight {
namespace {

using exec::ComparedField;
using exec::ComparisonAnswer;
using exec::SideCounts;

ComparedField FieldOf(std::string key, std::vector<SideCounts> counts, SideCounts having) {
  ComparedField out;
  out.field = plan::Field::Attribute(block::Scope::kSpan, std::move(key));
  out.counts = std::move(counts);
  out.having.spans = having;
  return out;
}

ComparedField FieldOf(std::string key, std::vector<SideCounts> counts) {
  SideCounts having{};
  for (const SideCounts& c : counts) having = {having[0] + c[0], having[1] + c[1]};
  return FieldOf(std::move(key), std::move(counts), having);
}

std::string KeyOf(const FieldDifference& d) { return d.field->field.key; }

TEST(Difference, WhatTellsTheSideComesFirst) {
  ComparisonAnswer answer;
  answer.spans = {1000, 1000};
  answer.fields.push_back(FieldOf("alike", {{500, 500}, {500, 500}}));
  answer.fields.push_back(FieldOf("some", {{500, 700}, {500, 300}}));
  answer.fields.push_back(FieldOf("all", {{1000, 0}, {0, 1000}}));
  // Only the selection has it.
  answer.fields.push_back(FieldOf("there", {{0, 900}}));
  const auto ranked = RankDifferences(answer, {}).fields;
  ASSERT_EQ(ranked.size(), 4u);
  EXPECT_EQ(KeyOf(ranked[0]), "all");
  EXPECT_NEAR(ranked[0].effect, 1, 0.001);
  EXPECT_EQ(KeyOf(ranked[1]), "there");
  EXPECT_EQ(KeyOf(ranked[2]), "some");
  // 2 x 2 by hand: chi squared 83.33, phi 0.2041.
  EXPECT_NEAR(ranked[2].effect, 0.203, 0.001);
  EXPECT_LT(ranked[2].chance, 1e-15);
  EXPECT_EQ(KeyOf(ranked[3]), "alike");
  EXPECT_EQ(ranked[3].effect, 0);
  EXPECT_EQ(ranked[3].chance, 1);
}

// Each value occurs once: the counts of the sides could not be more different, and tell nothing.
TEST(Difference, ManyValuesAreNoDifference) {
  ComparisonAnswer answer;
  answer.spans = {5000, 5000};
  std::vector<SideCounts> unique;
  for (int i = 0; i < 5000; ++i) {
    unique.push_back({1, 0});
    unique.push_back({0, 1});
  }
  answer.fields.push_back(FieldOf("id", unique));
  answer.fields.push_back(FieldOf("weak", {{2500, 2750}, {2500, 2250}}));
  const auto ranked = RankDifferences(answer, {}).fields;
  EXPECT_EQ(KeyOf(ranked[0]), "weak");
  EXPECT_LT(ranked[0].chance, 0.001);
  EXPECT_EQ(ranked[1].effect, 0);
}

// A hundred fields that differ by chance alone: hardly ever is one of them reported.
TEST(Difference, ManyFieldsAreNoDifference) {
  std::mt19937 random(7);
  int reported = 0;
  for (int round = 0; round < 20; ++round) {
    ComparisonAnswer answer;
    answer.spans = {2000, 500};
    for (int f = 0; f < 100; ++f) {
      std::vector<SideCounts> counts(4);
      for (const size_t side : {0, 1}) {
        for (uint64_t i = 0; i < answer.spans[side]; ++i) ++counts[random() % 4][side];
      }
      answer.fields.push_back(FieldOf(std::to_string(f), counts));
    }
    const auto ranked = RankDifferences(answer, {}).fields;
    for (const auto& d : ranked) reported += d.chance < 0.05 ? 1 : 0;
  }
  EXPECT_LE(reported, 4);
}

TEST(Difference, SeveralValuesOfOneSpan) {
  ComparisonAnswer answer;
  answer.spans = {100, 100};
  answer.fields.push_back(FieldOf("tags", {{100, 100}, {0, 100}}, {100, 100}));
  const auto ranked = RankDifferences(answer, {}).fields;
  EXPECT_GT(ranked[0].effect, 0.98);
}

TEST(Difference, OneSideAlone) {
  ComparisonAnswer answer;
  answer.spans = {100, 0};
  answer.fields.push_back(FieldOf("a", {{60, 0}, {40, 0}}));
  const auto ranked = RankDifferences(answer, {}).fields;
  EXPECT_EQ(ranked[0].effect, 0);
  EXPECT_EQ(ranked[0].chance, 1);
}

// Worked out by hand: of 3 and 2 numbers, 1 2 3 and 2 4, the second side's are greater in 4 pairs
// and equal in one.
TEST(CompareRanks, ByHand) {
  const RankDifference d = CompareRanks({{1, 0}, {1, 1}, {1, 0}, {0, 1}});
  EXPECT_NEAR(d.shift, (4 - 1) / 6.0, 1e-12);
  // u = 4.5, variance = 3 * 2 / 12 * (6 - 6 / 20) = 2.85, z = 1.5 / sqrt(2.85).
  EXPECT_NEAR(d.chance, std::erfc(1.5 / std::sqrt(2.85) / std::sqrt(2.0)), 1e-12);
  EXPECT_EQ(d.effect, 0) << "no more than chance makes";
}

TEST(CompareRanks, OfTwoNumbersTheEffectIsThatOfTwoValues) {
  ComparisonAnswer answer;
  answer.spans = {1000, 1000};
  answer.fields.push_back(FieldOf("some", {{500, 700}, {500, 300}}));
  const double as_values = RankDifferences(answer, {}).fields[0].effect;
  const RankDifference as_numbers = CompareRanks({{500, 700}, {500, 300}});
  EXPECT_NEAR(as_numbers.effect, as_values, 0.002);
  EXPECT_NEAR(as_numbers.shift, -0.2, 1e-12);
}

TEST(CompareRanks, FewOfASideShiftAsMany) {
  EXPECT_EQ(CompareRanks({{1000, 0}, {0, 3}}).shift, 1);
  EXPECT_GT(CompareRanks({{1000, 0}, {0, 3}}).effect, 0.99);
  EXPECT_EQ(CompareRanks({{1000, 3}}).effect, 0);
  EXPECT_EQ(CompareRanks({{1000, 0}}).chance, 1);
  EXPECT_EQ(CompareRanks({}).chance, 1);
}

}  // namespace
}  // namespace weft::query::insight
