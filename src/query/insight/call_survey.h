// All calls between services in a time range: what the service graph and the search for broken
// propagation are made of.
//
// 1. Links are collected, so that it is known which spans they lead to.
// 2. Each row group is walked for its calls (call_finder.h).
// 3. Receivers with links meet the senders that they link to, wherever these are.
// 4. A lone call whose peer is a service that sends spans is a call to that service: its address
//    has answered for one service and no other, or is its name, or has it as its first label. Such
//    a call is unanswered: nothing shows that it arrived.
// 5. A root that receives, and lies in the time of an unanswered call to its service, is what that
//    call became: a torn call, in two traces. So is one in the time of a lone call of the same
//    method and path (call_key.h) to whom nobody knows: then its address is learned. Where both say
//    what was called it must be the same. Of several such calls the shortest counts, each once.
// 6. Other roots come from a user or a queue.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>

#include "base/env.h"
#include "base/error.h"
#include "base/time_range.h"
#include "block/row_source.h"
#include "query/exec/budget.h"
#include "query/exec/search.h"
#include "query/exec/task_runner.h"
#include "query/insight/found_calls.h"
#include "query/plan/plan.h"

namespace weft::query::insight {

struct CallQuery {
  model::TenantId tenant;
  TimeRange range;
  // Calls of which one of the spans is left by this. Calls that only a link makes, and the second
  // half of torn ones: of which the receiver is.
  plan::Plan spans = plan::Plan::Filter(plan::Predicate::Constant(true));
  std::optional<GraphSteps> steps;  // counts over time as well, in CallCounts::steps
};

// Torn calls alike: from a service to another, by their instrumentation.
struct TornKey {
  uint32_t client = CallGraph::kNone;        // node
  uint32_t server = CallGraph::kNone;        // node
  uint32_t client_scope = CallGraph::kNone;  // text
  uint32_t server_scope = CallGraph::kNone;  // text

  auto operator<=>(const TornKey&) const = default;
};
struct TornCounts {
  uint64_t calls = 0;
  model::TraceId client_example, server_example;  // of the latest
  uint64_t example_ns = 0;
};

struct CallSurvey {
  explicit CallSurvey(const GraphSteps* steps) : found(steps) {}

  FoundCalls found;  // its graph has everything; of the lists only orphans and skews matter
  std::map<TornKey, TornCounts> torn;
  bool complete = true;
  std::string reason;  // why it is not: then counts are too low
  exec::SearchStats stats;
};

// Any thread, any number at once; everything handed in must outlive it.
class CallSurveyor {
 public:
  CallSurveyor(const block::RowSource& source, const Env& env, exec::TaskRunner& runner)
      : source_(source), env_(env), runner_(runner) {}

  // kCancelled when the budget's flag was raised, kResourceExhausted when memory runs out, else
  // what the source fails with. When time runs out the answer is not complete. `query` must outlive
  // it.
  Result<CallSurvey> Run(const CallQuery& query, const exec::Budget& budget) const;

 private:
  const block::RowSource& source_;
  const Env& env_;
  exec::TaskRunner& runner_;
};

}  // namespace weft::query::insight
