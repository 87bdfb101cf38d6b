#include "api/tempo/search_run.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/tempo/answers.h"
#include "api/tempo/search_answer.h"
#include "query/exec/search.h"
#include "query/lang/traceql/compile.h"

namespace weft::api::tempo {
namespace {

// Traces are looked for in pages, so that a search for very many holds few of them besides its
// answer; which ends when it is this large.
constexpr uint32_t kPageTraces = 10'000;
constexpr size_t kAnswerBytesMax = 64 << 20;
// With progress: of the first page, and how much larger the next one is. Each page begins anew, so
// there should not be many.
constexpr uint32_t kFirstPageTraces = 20;
constexpr uint32_t kPageGrowth = 5;

// What is left of a budget that began to run at `begin_ns`.
query::exec::Budget Rest(query::exec::Budget budget, const Env& env, int64_t begin_ns) {
  if (budget.time_ms == 0) return budget;
  budget.time_ms -= (env.MonotonicNs() - begin_ns) / 1'000'000;
  budget.time_ms = std::max<int64_t>(budget.time_ms, 1);
  return budget;
}

}  // namespace

Error RunSearch(const SearchParts& parts, const model::TenantId& tenant,
                const query::exec::Budget& budget, const SearchQuestion& question,
                const SearchProgress& progress, tempopb::SearchResponse* response) {
  const auto plan = query::lang::traceql::Compile(question.query, question.dialect);
  if (!plan.ok()) return AsTempoSays("invalid TraceQL query: parse error", plan.error());
  const query::exec::SearchExecutor executor(*parts.source, *parts.env, *parts.runner);
  const SearchShape shape{.spansets = !question.by_tags, .strip_trace_ids = parts.strip_trace_ids};
  query::exec::SearchRequest request;
  request.tenant = tenant;
  request.range = question.range;
  request.spans_per_trace = question.spans_per_spanset;
  const int64_t begin_ns = parts.env->MonotonicNs();
  uint32_t page = progress ? kFirstPageTraces : kPageTraces;
  for (uint32_t left = question.limit; left > 0; left -= request.limit) {
    request.limit = std::min(left, page);
    WEFT_ASSIGN_OR_RETURN(query::exec::SearchAnswer answer,
                          executor.Run(*plan, request, Rest(budget, *parts.env, begin_ns)));
    const int first_new = response->traces_size();
    AddTraces(answer, *plan, shape, response);
    const bool full = response->ByteSizeLong() > kAnswerBytesMax;
    if (full && !answer.next_cursor.empty()) answer.complete = false;
    AddEffort(answer, response);
    if (answer.next_cursor.empty() || full) return Error::Ok();
    if (progress && left > request.limit) progress(*response, first_new);
    request.cursor = std::move(answer.next_cursor);
    page = std::min(page * kPageGrowth, kPageTraces);
  }
  return Error::Ok();
}

}  // namespace weft::api::tempo
