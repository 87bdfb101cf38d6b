// The spans that a plan leaves, wherever they are: what metrics and comparisons are computed from.
//
// 1. A plan that is a filter is asked of each row group as it is.
// 2. Where it matters which trace a span is in (Plan::of_whole_traces, or the visitor's wish), row
//    groups are asked about
//    the traces that are there and nowhere else; the others are joined, some at a time, to groups
//    of their own.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"
#include "block/row_source.h"
#include "query/exec/bitmap.h"
#include "query/exec/budget.h"
#include "query/exec/chosen_rows.h"
#include "query/exec/group_columns.h"
#include "query/exec/task_runner.h"
#include "query/exec/trace_joiner.h"
#include "query/plan/plan.h"

namespace weft::query::exec {

struct SearchStats;

// What an explanation calls row groups that a visitor claims.
inline constexpr char kAnsweredByCounts[] = "answered by the counts of its block";

// One use. Everything handed in must outlive it.
class PlanRows {
 public:
  // `whole_traces`: the visitor looks at other spans of the traces, too.
  PlanRows(const block::RowSource& source, TaskRunner& runner, BudgetClock* clock,
           const plan::Plan& plan, model::TenantId tenant, TimeRange range,
           bool whole_traces = false);

  // Spans of one group.
  struct Part {
    std::shared_ptr<const block::RowGroup> group;
    Bitmap rows;                    // at least one; they start in the range
    TraceJoiner* joiner = nullptr;  // null where the traces of `rows` are whole
  };
  using Visit = std::function<Error(const Part& part, GroupColumns* columns, size_t thread)>;

  using Groups = std::vector<std::shared_ptr<const block::RowGroup>>;
  // Of all row groups of one block that the range touches: whether the visitor knows what it wants
  // without their rows.
  using Claim = std::function<Result<bool>(const Groups& of_block, size_t thread)>;

  // Visits every part, `width()` at once; `thread` tells them apart. Ends with the first error,
  // with kCancelled, or where a limit runs out: then reason() says which. Row groups that `claim`
  // takes, if there is one, are not visited.
  Error ForEach(const Visit& visit, const Claim& claim = {});

  // Calls task(i, thread) for i < count in the same manner.
  Error InParallel(size_t count, const std::function<Error(size_t i, size_t thread)>& task);

  size_t width() const { return runner_.width(); }
  // Why not everything was visited; empty when it was.
  const std::string& reason() const { return reason_; }
  void AddStats(SearchStats* stats) const;

 private:
  Error DropClaimed(const Claim& claim, Groups* groups);
  Error VisitGroup(const std::shared_ptr<const block::RowGroup>& group, const Visit& visit,
                   size_t thread);
  Error VisitRows(const std::shared_ptr<const block::RowGroup>& group, ChosenRows* chosen,
                  const Visit& visit, size_t thread);
  Result<Bitmap> TracesOnlyHere(const block::RowGroup& group, const Bitmap& rows);
  Error VisitJoinedTraces(const Visit& visit);
  Error Join(model::TraceId id, model::SpanBatch* spans);
  Error VisitJoined(const model::SpanBatch& spans, const Visit& visit, size_t thread);
  Error VisitChosen(std::shared_ptr<const block::RowGroup> group, const Bitmap& asked,
                    GroupColumns* columns, const Visit& visit, size_t thread);

  const block::RowSource& source_;
  TaskRunner& runner_;
  BudgetClock& clock_;
  const plan::Plan& plan_;
  const model::TenantId tenant_;
  const TimeRange range_;
  TraceJoiner joiner_;
  const bool whole_traces_;
  const plan::Predicate necessary_;
  std::string reason_;
  size_t group_count_ = 0;
  std::atomic<uint64_t> row_groups_{0};
  std::atomic<uint64_t> rows_{0};
  Mutex mutex_;
  std::set<model::TraceId> to_join_ WEFT_GUARDED_BY(mutex_);
};

}  // namespace weft::query::exec
