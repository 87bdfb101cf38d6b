// Critical paths and what-ifs (plan/trace_paths.h) over all traces that a query finds, each of them
// whole, wherever its spans are.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/error.h"
#include "base/time_range.h"
#include "block/row_source.h"
#include "query/exec/budget.h"
#include "query/exec/search.h"
#include "query/exec/task_runner.h"
#include "query/plan/trace_paths.h"

namespace weft::query::insight {

struct PathRequest {
  model::TenantId tenant;
  TimeRange range;       // traces of which the query leaves a span that starts in it
  uint32_t limit = 100;  // groups
};

// The spans with the same values that are on a critical path.
struct PathGroup {
  std::vector<exec::FoundValue>
      labels;           // one for each of PathQuery::by; kEmpty where there is none
  int64_t own_ns = 0;   // on the paths
  uint64_t spans = 0;   // with own time on a path
  uint64_t traces = 0;  // of these
};

// Exact quantiles of durations.
struct DurationSummary {
  int64_t mean_ns = 0;
  int64_t p50_ns = 0;
  int64_t p95_ns = 0;
  int64_t p99_ns = 0;
};

struct PathAnswer {
  plan::PathQuery::Kind kind = plan::PathQuery::Kind::kCriticalPath;
  uint64_t traces = 0;
  uint64_t roots = 0;    // of the traces: one each, unless spans are missing
  int64_t total_ns = 0;  // durations of the roots: all groups' own_ns together
  // kCriticalPath: most time first, then by labels.
  std::vector<PathGroup> groups;
  uint64_t group_count = 0;  // before the limit
  // kWhatIf.
  double factor = 1;
  uint64_t changed_spans = 0;
  uint64_t changed_roots = 0;     // whose duration is another
  DurationSummary before, after;  // of the roots
  bool complete = true;
  std::string reason;  // why it is not: then it is of some of the traces
  exec::SearchStats stats;
};

// Any thread, any number at once; everything handed in must outlive it.
class PathExecutor {
 public:
  PathExecutor(const block::RowSource& source, const Env& env, exec::TaskRunner& runner)
      : source_(source), env_(env), runner_(runner) {}

  // kCancelled when the budget's flag was raised, kResourceExhausted when memory runs out, else
  // what the source fails with. When time runs out the answer is not complete.
  Result<PathAnswer> Run(const plan::PathQuery& query, const PathRequest& request,
                         const exec::Budget& budget) const;

 private:
  const block::RowSource& source_;
  const Env& env_;
  exec::TaskRunner& runner_;
};

}  // namespace weft::query::insight
