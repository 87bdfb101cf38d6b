#include "block/row_set.h"

#include <random>
#include <set>

#include <gtest/gtest.h>

namespace weft::block {
namespace {

RowSet Of(const std::set<uint64_t>& rows) {
  RowSetBuilder builder;
  for (const uint64_t row : rows) builder.Add(row, 1);
  return builder.Finish();
}

std::set<uint64_t> RowsOf(const RowSet& set) {
  std::set<uint64_t> rows;
  for (const RowSet::Run& run : set.runs()) {
    for (uint64_t i = 0; i < run.count; ++i) rows.insert(run.first + i);
  }
  return rows;
}

TEST(RowSetTest, SaysTheSameAsASetOfNumbers) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 200; ++round) {
    std::set<uint64_t> a, b;
    const uint64_t density = 1 + random() % 5;
    for (uint64_t row = 0; row < 300; ++row) {
      if (random() % density == 0) a.insert(row);
      if (random() % 7 < 3) b.insert(row);
    }
    const RowSet set = Of(a);
    EXPECT_EQ(RowsOf(set), a);
    EXPECT_EQ(set.row_count(), a.size());
    EXPECT_EQ(set.end(), a.empty() ? 0 : *a.rbegin() + 1);
    std::set<uint64_t> both = a;
    both.insert(b.begin(), b.end());
    EXPECT_EQ(RowsOf(RowSet::Union(set, Of(b))), both);
    const uint64_t limit = random() % 400;
    std::set<uint64_t> rest;
    for (uint64_t row = 0; row < limit; ++row) {
      if (!a.contains(row)) rest.insert(row);
    }
    EXPECT_EQ(RowsOf(set.Complement(limit)), rest);
    const uint64_t first = random() % 300;
    const auto count = static_cast<uint32_t>(random() % 150);
    const std::vector<uint64_t> bits = set.Bits(first, count);
    uint64_t in = 0;
    for (uint32_t i = 0; i < count; ++i) {
      const bool is_in = a.contains(first + i);
      in += is_in;
      EXPECT_EQ(i / 64 < bits.size() && (bits[i / 64] >> (i % 64) & 1) != 0, is_in);
      EXPECT_EQ(set.Contains(first + i), is_in);
    }
    EXPECT_EQ(set.CountIn(first, count), in);
    EXPECT_EQ(bits.empty(), in == 0);
  }
}

TEST(RowSetTest, RunsThatAreOutOfOrderAreRefused) {
  EXPECT_TRUE(RowSet::FromRuns({{0, 2}, {3, 1}}).ok());
  EXPECT_FALSE(RowSet::FromRuns({{0, 0}}).ok());
  EXPECT_FALSE(RowSet::FromRuns({{5, 1}, {3, 1}}).ok());
  EXPECT_FALSE(RowSet::FromRuns({{0, 3}, {2, 2}}).ok());
  EXPECT_FALSE(RowSet::FromRuns({{0, 3}, {3, 2}}).ok());  // one run, written as two
  EXPECT_FALSE(RowSet::FromRuns({{UINT64_MAX, 2}}).ok());
}

}  // namespace
}  // namespace weft::block
