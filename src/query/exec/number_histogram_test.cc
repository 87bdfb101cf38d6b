#include "query/exec/number_histogram.h"

#include <algorithm>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace weft::query::exec {
namespace {

TEST(NumberHistogram, SmallWholeNumbersAreExact) {
  NumberHistogram numbers;
  for (int i = -20; i <= 20; ++i) numbers.Add(i, 1);
  EXPECT_EQ(numbers.Quantile(0), -20);
  EXPECT_EQ(numbers.Quantile(0.5), 0);
  EXPECT_EQ(numbers.Quantile(1), 20);
  for (int i = 1; i <= 41; ++i) EXPECT_EQ(numbers.Quantile(i / 41.0 - 1e-9), i - 21);
}

TEST(NumberHistogram, ANumberThatOccursOftenIsExact) {
  NumberHistogram codes;
  codes.Add(200, 1000);
  codes.Add(404, 3);
  codes.Add(0.1, 500);
  EXPECT_EQ(codes.Quantile(0.9), 200);
  EXPECT_EQ(codes.Quantile(0.2), 0.1);
}

TEST(NumberHistogram, QuantilesOfAnySizeAreNear) {
  std::mt19937_64 random(7);
  NumberHistogram numbers, some, others;
  std::vector<double> values;
  for (int i = 0; i < 5000; ++i) {
    const double size = std::exp(static_cast<double>(random() % 2000) / 10 - 100);
    values.push_back(random() % 3 == 0 ? -size : size);
    numbers.Add(values.back(), 1);
    (i % 2 == 0 ? some : others).Add(values.back(), 1);
  }
  some.Merge(others);
  std::sort(values.begin(), values.end());
  for (const double q : {0.01, 0.25, 0.3, 0.5, 0.9, 0.99}) {
    const double exact = values[static_cast<size_t>(std::ceil(q * 5000)) - 1];
    EXPECT_NEAR(numbers.Quantile(q), exact, std::abs(exact) * 0.033) << q;
    EXPECT_EQ(some.Quantile(q), numbers.Quantile(q)) << "merged";
  }
  EXPECT_EQ(numbers.min(), values.front());
  EXPECT_EQ(numbers.max(), values.back());
}

TEST(NumberHistogram, WhatIsHardlyANumber) {
  NumberHistogram numbers;
  EXPECT_EQ(numbers.Quantile(0.5), 0);
  numbers.Add(std::nan(""), 5);
  EXPECT_EQ(numbers.count(), 0u);
  numbers.Add(std::numeric_limits<double>::infinity(), 1);
  numbers.Add(-0.0, 1);
  numbers.Add(0.0, 1);
  EXPECT_EQ(numbers.Quantile(0.5), 0);
  EXPECT_EQ(numbers.Quantile(1), std::numeric_limits<double>::infinity());
}

TEST(NumberHistogram, BothSidesInOneOrder) {
  NumberHistogram a, b;
  a.Add(-1e9, 2);
  a.Add(1, 1);
  b.Add(1, 3);
  b.Add(1e9, 4);
  std::vector<std::pair<uint64_t, uint64_t>> rows;
  NumberHistogram::ForEachBucket(a, b, [&](uint64_t x, uint64_t y) { rows.emplace_back(x, y); });
  EXPECT_EQ(rows, (std::vector<std::pair<uint64_t, uint64_t>>{{2, 0}, {1, 3}, {0, 4}}));
}

}  // namespace
}  // namespace weft::query::exec
