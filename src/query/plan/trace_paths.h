// Questions about the critical paths of traces: which spans the answer was waiting for, and how
// long it would have taken if some of them were faster.
#pragma once

#include <vector>

#include "query/plan/metrics.h"
#include "query/plan/plan.h"

namespace weft::query::plan {

struct PathQuery {
  enum class Kind : uint8_t {
    kCriticalPath,  // own time on the critical path, for each combination of values of `by`
    kWhatIf,        // durations of traces, if spans on which `condition` is true took `factor`
                    // of their own time
  };

  Plan spans;  // the traces are those of which it leaves a span; they are taken whole
  Kind kind = Kind::kCriticalPath;
  std::vector<LabelField> by;  // at least one
  Predicate condition;
  double factor = 1;  // from 0 to kFactorMax

  static constexpr double kFactorMax = 1000;
};

}  // namespace weft::query::plan
