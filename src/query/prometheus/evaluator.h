// PromQL on series of samples, with Prometheus' semantics.
//
// 1. Every selector of the tree is read once, for the whole range of time.
// 2. The tree is evaluated for each step by itself: a vector is a list of (set of labels, value).
// 3. What labels become (grouped, matched, without the name) is computed once for each set and
//    node, and remembered.
//
// Windows and the look-back include both of their bounds, as Prometheus up to 2.x; a selector looks
// back five minutes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/error.h"
#include "query/exec/budget.h"
#include "query/lang/promql/tree.h"
#include "query/prometheus/labels.h"
#include "query/prometheus/sample_source.h"

namespace weft::query::prometheus {

inline constexpr int64_t kLookBackMs = 5 * 60'000;
// Steps of one answer, and points of all its series together.
inline constexpr int64_t kStepsMax = 11'000;
inline constexpr size_t kPointsMax = 5'000'000;

struct Evaluation {
  int64_t start_ms = 0;
  int64_t end_ms = 0;
  int64_t step_ms = 0;  // 0: an instant, start = end
};

struct EvaluatedSeries {
  Labels labels;
  std::vector<Point> points;  // ascending; one of an instant
};

// By labels, but for an instant that ends in an order of its own (sort, topk, ...).
struct EvaluatedAnswer {
  lang::promql::ValueType type = lang::promql::ValueType::kVector;
  std::vector<EvaluatedSeries> series;  // a scalar is one without labels
  std::string text;                     // kString
};

// kInvalidArgument for what cannot be computed (series that cannot be told apart, labels that are
// none), kTooLarge for more than kPointsMax, kUnavailable when time runs out, kResourceExhausted
// when memory does, kCancelled, or what the source fails with. Of a range the query must be a
// scalar or an instant vector; of an instant it may be anything. Any thread.
Result<EvaluatedAnswer> Evaluate(const lang::promql::Node& query, const Evaluation& when,
                                 SampleSource* source, const Env& env, const exec::Budget& budget);

}  // namespace weft::query::prometheus
