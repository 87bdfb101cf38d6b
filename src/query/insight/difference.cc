#include "query/insight/difference.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>

#include <boost/math/special_functions/gamma.hpp>

namespace weft::query::insight {
namespace {

using exec::ComparedField;
using exec::SideCounts;

// A value and a side, or a field.
struct Test {
  double effect = 0;
  double chance = 1;
};

// Of a table with a row for each value, whose rows are not empty.
Test TestOf(const std::vector<SideCounts>& rows) {
  std::array<double, 2> sides{};
  for (const SideCounts& row : rows) {
    for (const size_t s : {0, 1}) sides[s] += static_cast<double>(row[s]);
  }
  const double n = sides[0] + sides[1];
  if (rows.size() < 2 || sides[0] == 0 || sides[1] == 0) return {};
  double chi_squared = 0;
  for (const SideCounts& row : rows) {
    const double total = static_cast<double>(row[0]) + static_cast<double>(row[1]);
    for (const size_t s : {0, 1}) {
      const double expected = total * sides[s] / n;
      const double off = static_cast<double>(row[s]) - expected;
      chi_squared += off * off / expected;
    }
  }
  const double freedom = static_cast<double>(rows.size()) - 1;
  const double phi = std::max(0.0, chi_squared / n - freedom / (n - 1));
  const double k = static_cast<double>(rows.size()) - freedom * freedom / (n - 1);
  const double r = 2 - 1 / (n - 1);
  const double least = std::min(k, r) - 1;
  return {least > 0 ? std::min(1.0, std::sqrt(phi / least)) : 0,
          boost::math::gamma_q(freedom / 2, chi_squared / 2)};
}

SideCounts Less(const SideCounts& all, const SideCounts& some) {
  return {all[0] - std::min(all[0], some[0]), all[1] - std::min(all[1], some[1])};
}

bool IsEmpty(const SideCounts& row) { return row[0] == 0 && row[1] == 0; }

SideCounts SumOf(const std::vector<SideCounts>& rows) {
  SideCounts sum{};
  for (const SideCounts& row : rows) {
    for (const size_t s : {0, 1}) sum[s] += row[s];
  }
  return sum;
}

Test TestOf(const ComparedField& field, const SideCounts& spans) {
  const SideCounts sum = SumOf(field.counts);
  const SideCounts& having = field.having.spans;
  if (sum[0] <= having[0] && sum[1] <= having[1]) {
    std::vector<SideCounts> rows = field.counts;
    rows.push_back(Less(having, sum));    // of the values that are not known
    rows.push_back(Less(spans, having));  // of none
    std::erase_if(rows, IsEmpty);
    return TestOf(rows);
  }
  // Values that a span may have beside each other.
  Test out;
  for (const SideCounts& row : field.counts) {
    std::vector<SideCounts> rows{row, Less(spans, row)};
    std::erase_if(rows, IsEmpty);
    const Test one = TestOf(rows);
    out.effect = std::max(out.effect, one.effect);
    out.chance = std::min(out.chance, one.chance);
  }
  out.chance = std::min(1.0, out.chance * static_cast<double>(field.counts.size()));
  return out;
}

std::vector<SideCounts> RowsOf(const exec::ComparedNumber& number) {
  std::vector<SideCounts> rows;
  exec::NumberHistogram::ForEachBucket(
      number.sides[0], number.sides[1],
      [&](uint64_t baseline, uint64_t selection) { rows.push_back({baseline, selection}); });
  return rows;
}

// How many traces have no call, one, ...
std::vector<SideCounts> RowsOf(const ComparedCall& call, const SideCounts& traces) {
  std::map<uint32_t, SideCounts> by_bucket;
  std::vector<SideCounts> rows{Less(traces, {call.sides[0].traces, call.sides[1].traces})};
  for (const size_t s : {0, 1}) {
    for (const auto& [bucket, count] : call.sides[s].per_trace.Buckets())
      by_bucket[bucket][s] += count;
  }
  for (const auto& [bucket, counts] : by_bucket) rows.push_back(counts);
  return rows;
}

// Each chance for as many as there are (Holm).
void Correct(std::vector<double*> chances) {
  std::sort(chances.begin(), chances.end(),
            [](const double* a, const double* b) { return *a < *b; });
  double least = 0;
  for (size_t i = 0; i < chances.size(); ++i) {
    least = std::max(least, *chances[i] * static_cast<double>(chances.size() - i));
    *chances[i] = std::min(1.0, least);
  }
}

}  // namespace

RankDifference CompareRanks(const std::vector<SideCounts>& rows) {
  const SideCounts sum = SumOf(rows);
  const auto n0 = static_cast<double>(sum[0]), n1 = static_cast<double>(sum[1]);
  const double n = n0 + n1;
  if (sum[0] == 0 || sum[1] == 0) return {};
  double below0 = 0, below1 = 0;  // of each side
  double u = 0;                   // pairs in which the selection's is greater, ties by half
  double tied_cubes = 0;
  double cuts = -1;  // places at which the numbers can be cut in two
  double best = 0;   // chi-squared of below and above
  for (const SideCounts& row : rows) {
    const auto a = static_cast<double>(row[0]), b = static_cast<double>(row[1]);
    if (a + b == 0) continue;
    u += b * (below0 + a / 2);
    tied_cubes += (a + b) * (a + b) * (a + b) - (a + b);
    below0 += a, below1 += b, ++cuts;
    const double below = below0 + below1, above = n - below;
    if (above == 0) break;
    const double off = below0 * (n1 - below1) - below1 * (n0 - below0);
    best = std::max(best, off / (below * n0) * (off / (above * n1)) * n);
  }
  const double variance = n0 * n1 / 12 * (n + 1 - tied_cubes / (n * (n - 1)));
  if (cuts < 1 || !(variance > 0)) return {};
  const double z = (u - n0 * n1 / 2) / std::sqrt(variance);
  RankDifference out;
  // The best of many cuts is good by chance, too.
  out.effect = std::sqrt(std::clamp((best - 1 - 2 * std::log(cuts)) / (n - 1), 0.0, 1.0));
  out.chance = std::erfc(std::abs(z) / std::sqrt(2.0));
  out.shift = 2 * u / (n0 * n1) - 1;
  return out;
}

Differences RankDifferences(const exec::ComparisonAnswer& answer, const CallComparison& calls) {
  Differences out;
  for (const ComparedField& field : answer.fields) {
    const Test test = TestOf(field, answer.spans);
    out.fields.push_back({&field, test.effect, test.chance});
  }
  for (const exec::ComparedNumber& number : answer.numbers)
    out.numbers.push_back({&number, CompareRanks(RowsOf(number))});
  for (const ComparedCall& call : calls.calls)
    out.calls.push_back({&call, CompareRanks(RowsOf(call, calls.traces))});
  std::vector<double*> chances;
  for (FieldDifference& one : out.fields) chances.push_back(&one.chance);
  for (NumberDifference& one : out.numbers) chances.push_back(&one.rank.chance);
  for (CallDifference& one : out.calls) chances.push_back(&one.rank.chance);
  Correct(std::move(chances));
  std::sort(out.fields.begin(), out.fields.end(), [](const auto& a, const auto& b) {
    return a.effect != b.effect ? a.effect > b.effect : a.field < b.field;
  });
  std::sort(out.numbers.begin(), out.numbers.end(), [](const auto& a, const auto& b) {
    return a.rank.effect != b.rank.effect ? a.rank.effect > b.rank.effect : a.number < b.number;
  });
  std::sort(out.calls.begin(), out.calls.end(), [](const auto& a, const auto& b) {
    return a.rank.effect != b.rank.effect ? a.rank.effect > b.rank.effect : a.call < b.call;
  });
  return out;
}

}  // namespace weft::query::insight
