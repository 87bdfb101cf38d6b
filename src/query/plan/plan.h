// A compiled query: what exec/ runs, whatever language it was written in.
#pragma once

#include <cstdint>
#include <vector>

#include "query/plan/predicate.h"

namespace weft::query::plan {

// An operator over the spansets of a trace. Stage 0 selects spans; what later stages there can be
// (structure, grouping, aggregates, metrics) is added as kinds here.
struct Stage {
  enum class Kind : uint8_t {
    kFilter,  // keeps the spans on which `predicate` is true
  };

  Kind kind = Kind::kFilter;
  Predicate predicate;
};

struct Plan {
  std::vector<Stage> stages;  // at least one

  static Plan Filter(Predicate predicate);
  bool needs_tree() const;
};

}  // namespace weft::query::plan
