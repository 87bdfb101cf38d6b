// Which calls there are in some traces and how often, beside others: what appears, vanishes or
// multiplies.
//
// 1. A trace is of the selection when one of the spans that the plan leaves of it is selected, of
// the
//    baseline when spans of it are left and none is selected. Traces are whole, also beyond the
//    range.
// 2. A call is a span below its parent, by service and name of both; roots are called by nobody. Of
//    each trace it is counted how often it has each call.
// 3. With more than exec::ValueTally::kValuesMax calls, those that one in ValueTally::kFrequent
// traces
//    of a side has are counted once more, exactly, and the others left out.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/error.h"
#include "base/time_range.h"
#include "block/row_source.h"
#include "query/exec/budget.h"
#include "query/exec/latency_histogram.h"
#include "query/exec/search.h"
#include "query/exec/task_runner.h"
#include "query/exec/value_tally.h"
#include "query/plan/metrics.h"

namespace weft::query::insight {

struct CallName {
  bool of_root = false;  // nobody calls it: no parent
  std::string parent_service, parent_name;
  std::string service, name;

  auto operator<=>(const CallName&) const = default;
};

// Of one side.
struct CallTally {
  uint64_t traces = 0;               // that have the call
  uint64_t calls = 0;                // in all of them
  exec::LatencyHistogram per_trace;  // how many calls those traces have; exact below 32
  model::TraceId example;            // with the most calls, of several the least id
  uint64_t example_calls = 0;

  void Add(uint64_t calls_of_trace, const model::TraceId& id);
  void Merge(const CallTally& other);
};

struct ComparedCall {
  CallName call;
  std::array<CallTally, 2> sides;  // by exec::Side
};

struct CallComparison {
  exec::SideCounts traces{};
  std::vector<ComparedCall> calls;  // by name
  bool calls_complete = true;       // false where rare ones are left out
  bool complete = true;
  std::string reason;
  exec::SearchStats stats;
};

// Of `expression`, a comparison. Errors as exec::Compare's. Any thread; everything handed in must
// outlive it.
Result<CallComparison> CompareCalls(const block::RowSource& source, exec::TaskRunner& runner,
                                    exec::BudgetClock* clock, const exec::Budget& budget,
                                    const plan::SeriesExpression& expression,
                                    const model::TenantId& tenant, TimeRange range);

}  // namespace weft::query::insight
