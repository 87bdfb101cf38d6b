// Metrics: numbers over time, computed from the spans that stages leave.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time_range.h"
#include "query/plan/plan.h"

namespace weft::query::plan {

// A field under the name that a label has.
struct LabelField {
  Field field;
  Meaning meaning = Meaning::kPlain;
  std::string name;
};

// What is computed for each step of time and each combination of values of `by`. Durations are in
// seconds. Spans on which `of` is not a number don't count.
struct Metric {
  enum class Kind : uint8_t {
    kRate,   // spans a second
    kCount,  // spans
    kMin,    // of `of`, so all below
    kMax,
    kSum,
    kAverage,
    kQuantile,   // a line for each of `quantiles`: the value that this share does not exceed
    kHistogram,  // a line for each power of two: how many values up to it are above the one before
  };

  Kind kind = Kind::kRate;
  Field of;
  Meaning meaning = Meaning::kPlain;
  std::vector<double> quantiles;  // 0 to 1
  // kSum, kAverage: a span without the number leaves no value for its line and step.
  bool missing_erases = false;
  // kQuantile: from counts by powers of two, of whole numbers from 2.
  bool coarse = false;
  std::vector<LabelField> by;
  std::string name;  // of the function
};

// What is done with the lines of a metric.
struct SeriesStage {
  enum class Kind : uint8_t {
    kTop,      // for each step the `count` lines with the greatest values keep them
    kBottom,   // the smallest
    kCompare,  // values for which `compare number` is not true go
  };

  Kind kind = Kind::kTop;
  uint32_t count = 0;
  Compare compare = Compare::kEqual;
  double number = 0;
};

// Some of the spans beside the others: how often each value of each field occurs on both sides.
struct Comparison {
  Predicate selection;              // the spans on which it is true, the others are the baseline
  uint32_t values_max = 10;         // of each field and side, the most frequent
  std::optional<TimeRange> window;  // spans of the selection start in it
};

// A metric of spans, a comparison, a number, or arithmetic between such. Lines with the same labels
// meet; a side that has one line without labels of its own meets every line of the other.
struct SeriesExpression {
  enum class Op : uint8_t { kMetric, kComparison, kNumber, kArithmetic };

  Op op = Op::kMetric;
  Plan spans;     // kMetric, kComparison
  Metric metric;  // kMetric
  Comparison comparison;
  double number = 0;
  Expression::Op arithmetic = Expression::Op::kAdd;
  std::vector<SeriesExpression> operands;  // two
  std::vector<SeriesStage> stages;         // in their order

  // Its name in the label __name__: `rate`, `(rate / rate)`.
  std::string Name() const;
};

}  // namespace weft::query::plan
