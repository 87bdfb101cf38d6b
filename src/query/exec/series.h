// Series: what metrics are over time.
//
// 1. Each row group is filtered and its rows are counted by step and combination of labels, as
//    codes; values become text when groups are put together.
// 2. Where it matters which trace a span is in, traces that are live or in several places are
// joined
//    first, some at a time (search.h).
// 3. Lines are put together from the sums, then joined with each other, compared and cut.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "block/row_source.h"
#include "query/exec/budget.h"
#include "query/exec/search.h"
#include "query/exec/task_runner.h"
#include "query/plan/metrics.h"

namespace weft::query::exec {

// Steps in time. Sample i stands at first_ns + i * step_ns and is of the spans that start in the
// step before it, its end included: (time - step, time].
struct TimeAxis {
  uint64_t first_ns = 0;  // from step_ns on
  uint64_t step_ns = 0;   // from 1
  uint32_t count = 0;     // from 1 to kStepsMax

  static constexpr uint32_t kStepsMax = 10'000;

  uint64_t TimeOf(uint32_t step) const { return first_ns + step * step_ns; }
  TimeRange range() const { return {first_ns - step_ns + 1, TimeOf(count - 1) + 1}; }
  uint32_t StepOf(uint64_t time_ns) const {
    return static_cast<uint32_t>((time_ns - (first_ns - step_ns) - 1) / step_ns);
  }
};

struct SeriesQuery {
  model::TenantId tenant;
  TimeAxis axis;
  uint32_t exemplars = 0;  // of the whole answer, at most
  uint32_t lines_max = 0;  // 0: no limit
};

// A span that stands for a value.
struct Exemplar {
  model::TraceId trace_id;
  model::SpanId span_id;
  uint64_t start_ns = 0;
  double value = 0;  // of the span; NaN where spans are only counted
};

struct MetricLine {
  // As written in by(), then `p` or `__bucket`; without all of these `__name__`. A nil label is
  // left out unless all are nil: then each has the type kEmpty.
  std::vector<FoundValue> labels;
  std::vector<double> values;  // one a step; NaN where there is none
  std::vector<Exemplar> exemplars;
};

struct MetricAnswer {
  std::vector<MetricLine> lines;  // by number of labels, names, values
  bool complete = true;
  std::string reason;
  SearchStats stats;
};

// Any thread, any number at once; everything handed in must outlive it.
class MetricExecutor {
 public:
  MetricExecutor(const block::RowSource& source, const Env& env, TaskRunner& runner)
      : source_(source), env_(env), runner_(runner) {}

  // kCancelled when the budget's flag was raised, kResourceExhausted when memory runs out, else
  // what the source fails with. When time runs out the answer is not complete: its counts are of
  // the groups that were read.
  Result<MetricAnswer> Run(const plan::SeriesExpression& expression, const SeriesQuery& query,
                           const Budget& budget) const;

 private:
  const block::RowSource& source_;
  const Env& env_;
  TaskRunner& runner_;
};

}  // namespace weft::query::exec
