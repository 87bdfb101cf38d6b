// Runs a search and writes what it finds as Tempo's message.
#pragma once

#include <cstdint>
#include <functional>

#include "api/tempo/search_request.h"
#include "base/env.h"
#include "base/error.h"
#include "block/row_source.h"
#include "query/exec/budget.h"
#include "query/exec/task_runner.h"
#include "tempo.pb.h"

namespace weft::api::tempo {

// All of it must outlive the search.
struct SearchParts {
  const block::RowSource* source = nullptr;
  const Env* env = nullptr;
  query::exec::TaskRunner* runner = nullptr;
  bool strip_trace_ids = false;
};

// Called when traces have been found and more are looked for: the response so far, and which of its
// traces is the first that is new.
using SearchProgress = std::function<void(const tempopb::SearchResponse& so_far, int first_new)>;

// Fills `response`, newest traces first. With `progress` (may be null) the first traces are looked
// for alone, then ever more at once. Any thread. kInvalidArgument with Tempo's words for a query
// that does not compile, kCancelled, or what the source fails with; when the time of the budget
// runs out, or the answer gets too large, it is what was found and has fewer jobs completed than
// there are.
Error RunSearch(const SearchParts& parts, const model::TenantId& tenant,
                const query::exec::Budget& budget, const SearchQuestion& question,
                const SearchProgress& progress, tempopb::SearchResponse* response);

}  // namespace weft::api::tempo
