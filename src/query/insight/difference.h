// How much the two sides of a comparison differ: in each field, as values and as numbers, and in
// the calls of their traces.
#pragma once

#include <vector>

#include "query/exec/comparison.h"
#include "query/insight/call_comparison.h"

namespace weft::query::insight {

struct FieldDifference {
  const exec::ComparedField* field = nullptr;
  // Cramér's V of value (none included) and side, corrected for the number of values: 0 where the
  // sides are alike, or so many values make them look different by chance; 1 where the value tells
  // the side. Of a field of which a span may have several values, that of the value that differs
  // most.
  double effect = 0;
  // How likely a difference like this is by chance (chi-squared), for as much as is compared
  // (Holm): below 0.05 it is hardly one.
  double chance = 1;
};

// What can be put in order: a number of the spans of both sides, or a number of calls of the traces
// of both.
struct RankDifference {
  // Cramér's V of side and whether the number is above a limit, for the limit that tells the sides
  // best, corrected for the number of limits: 0 alike, 1 where one limit tells the side.
  double effect = 0;
  double chance =
      1;  // as FieldDifference's, of neither side having the greater numbers (Mann-Whitney)
  // How much more often one of the selection is greater than one of the baseline than it is less:
  // -1 to 1 (Cliff's delta), whatever the number of spans on each side.
  double shift = 0;
};

struct NumberDifference {
  const exec::ComparedNumber* number = nullptr;
  RankDifference rank;
};

// A trace without the call has none of it.
struct CallDifference {
  const ComparedCall* call = nullptr;
  RankDifference rank;
};

// Of `rows`, how many of each side have the same number, ascending by the numbers.
RankDifference CompareRanks(const std::vector<exec::SideCounts>& rows);

// Each greatest effect first, then by field or call; effects of all can be compared, and chances
// are corrected for all together.
struct Differences {
  std::vector<FieldDifference> fields;
  std::vector<NumberDifference> numbers;
  std::vector<CallDifference> calls;
};

// Of a field whose counts are not complete the rare values count as one. What is handed in must
// outlive the answer.
Differences RankDifferences(const exec::ComparisonAnswer& answer, const CallComparison& calls);

}  // namespace weft::query::insight
