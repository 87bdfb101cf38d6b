// Search: the traces of which a plan leaves spansets, newest first, exactly.
//
// 1. Row groups and traces share one queue, ordered by the latest time at which they may start: a
//    group by last_trace_start_ns, a trace by what its groups know of its start, which may only be
//    too late.
// 2. The front is taken: a group is filtered, and its traces with matching spans go into the queue;
//    a trace is joined with its other fragments and goes back with its exact start; a trace with an
//    exact start is the next result, since nothing else can come before it.
// 3. Done when there are enough results. What is left in the queue was never looked at.
//
// A plan that is more than a filter (Plan::of_whole_traces) runs on groups of whole traces. What a
// group's rows say is right of traces that are there and nowhere else; others, found by the spans
// that any result must have (NecessaryPredicate), are joined to a group of their own and the plan
// runs on that.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time_range.h"
#include "block/row_source.h"
#include "query/exec/budget.h"
#include "query/exec/task_runner.h"
#include "query/plan/plan.h"

namespace weft::query::exec {

struct SearchRequest {
  model::TenantId tenant;
  TimeRange range;      // spans that start in it are looked at
  uint32_t limit = 20;  // traces
  uint32_t spans_per_trace = 3;
  std::string cursor;  // next_cursor of the page before; empty for the first
};

// What a query shows of a span or a spanset besides.
struct FoundValue {
  std::string name;  // `service.name`, `status`, `count()`: without a scope
  model::ValueType type = model::ValueType::kEmpty;
  int64_t number = 0;  // kInt; kBool as 0 or 1
  double real = 0;     // kDouble
  std::string text;    // kString, kBytes; JSON of kArray and kKvList (block/json_text.h)
  plan::Meaning meaning = plan::Meaning::kPlain;
};

struct FoundSpan {
  model::SpanId span_id;
  std::string name;
  std::string service;  // empty where its resource has no service.name
  uint8_t kind = 0;     // model::SpanKind
  uint8_t status = 0;   // model::StatusCode
  uint64_t start_ns = 0;
  int64_t duration_ns = 0;
  std::vector<FoundValue> values;  // of Plan::shown, those that it has, in that order
};

struct FoundSpanset {
  uint64_t matched = 0;            // spans of it, of all fragments
  std::vector<FoundSpan> spans;    // the first of them by (start, id)
  std::vector<FoundValue> values;  // what stages found out about it, in their order; nil as kEmpty
};

struct FoundTrace {
  block::TraceSummary summary;         // of the whole trace
  std::vector<FoundSpanset> spansets;  // at least one

  uint64_t matched() const;  // of all spansets: no span is in two of them
};

struct SearchStats {
  uint64_t row_groups = 0;          // filtered
  uint64_t row_groups_skipped = 0;  // outside the range, or older than the last result
  uint64_t rows = 0;                // of filtered groups
  uint64_t bytes = 0;               // read from files by filtered groups
  // Of an object store, since the caller's ReadAccount began; 0 where blocks are on this machine.
  uint64_t store_requests = 0;
  uint64_t store_bytes = 0;  // that were asked for
  uint64_t store_hits = 0;   // reads that needed no request
  int64_t elapsed_us = 0;
};

struct SearchAnswer {
  std::vector<FoundTrace> traces;  // by (start, newest first; id)
  std::string next_cursor;         // empty when there is no more, or when not complete
  bool complete = true;
  std::string reason;  // why it is not complete: then a trace may be missing and `matched` too low
  SearchStats stats;
};

// Runs searches over one source. Any thread, any number at once; everything handed in must outlive
// it.
class SearchExecutor {
 public:
  SearchExecutor(const block::RowSource& source, const Env& env, TaskRunner& runner)
      : source_(source), env_(env), runner_(runner) {}

  // kInvalidArgument for a bad cursor, kCancelled when the budget's flag was raised, otherwise what
  // the source fails with. A limit that runs out is no error.
  Result<SearchAnswer> Run(const plan::Plan& plan, const SearchRequest& request,
                           const Budget& budget) const;

 private:
  const block::RowSource& source_;
  const Env& env_;
  TaskRunner& runner_;
};

}  // namespace weft::query::exec
