// Broken propagation: where traces fall into pieces, who is likely to blame, and what to do.
//
// From the survey of calls (call_survey.h):
//
// 1. Torn calls, each pair of services and their instrumentation: the context is lost on the way.
//    Who loses it is told by the other calls of the two. When the caller's context arrives at
//    others and nobody's arrives at the callee, it is the callee, or what stands before it. When
//    the caller's arrives nowhere and others' arrive at the callee, it is the caller. When both do
//    well elsewhere, it is what stands between them.
// 2. Calls whose two sides are in one trace, with a parent id between them that never came: what
//    stands between them passes a context on and sends no spans.
// 3. Receivers whose parent never came, in traces without a root (the first caller sends no spans
//    here) and with one (a caller's span is missing).
// 4. Other spans whose parent never came: their own service lost spans.
// 5. Queues to which one service sends, and from which another takes what nobody is known to have
//    sent.
// 6. Services of which most calls show nothing.
// 7. Clocks that disagree. One machine on one side of all such calls has the wrong one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "query/insight/call_survey.h"

namespace weft::query::insight {

enum class FindingKind : uint8_t {
  kContextLost,       // 1
  kSpansBetween,      // 2
  kRootMissing,       // 3
  kCallerMissing,     // 3
  kParentMissing,     // 4
  kQueueContextLost,  // 5
  kUnanswered,        // 6
  kClockSkew,         // 7
};

enum class Culprit : uint8_t {
  kUnknown,
  kCaller,
  kCallee,  // or what stands before it
  kBetween,
};

struct Finding {
  FindingKind kind = FindingKind::kContextLost;
  std::string client;                          // service; empty where none is known
  std::string server;                          // service
  std::string client_library, server_library;  // instrumentation scopes, where they are known
  std::string queue;                           // kQueueContextLost
  Culprit culprit = Culprit::kUnknown;
  uint64_t count = 0;                             // calls, or spans
  uint64_t of = 0;                                // all such; 0 where that means nothing
  model::TraceId client_example, server_example;  // the same trace where there is only one
  int64_t offset_ns = 0;                          // kClockSkew: the server's clock, median
  std::string host;                               // kClockSkew: whose clock is wrong
  std::string what;                               // a sentence that says what is wrong
  std::string advice;                             // one that says what to do
};

struct PropagationReport {
  std::vector<Finding> findings;  // most first, then by kind and names
  uint64_t calls = 0;             // between services, intact ones included
  bool complete = true;
  std::string reason;
  exec::SearchStats stats;
};

// Only findings about `service`, where one is given; the judgement rests on all calls that the
// query finds. Any thread, any number at once; everything handed in must outlive it. Errors as
// CallSurveyor's.
Result<PropagationReport> FindBrokenPropagation(const CallSurveyor& surveyor,
                                                const CallQuery& query,
                                                const std::optional<std::string>& service,
                                                const exec::Budget& budget);

// `context_lost`, `spans_between_missing`, `root_missing`, `caller_missing`, `parent_missing`,
// `queue_context_lost`, `unanswered`, `clock_skew`.
std::string_view FindingKindName(FindingKind kind);
// `unknown`, `caller`, `callee`, `between`.
std::string_view CulpritName(Culprit culprit);

}  // namespace weft::query::insight
