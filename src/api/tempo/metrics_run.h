// Runs a metrics query and writes what it finds as Tempo's message.
#pragma once

#include "api/tempo/metrics_request.h"
#include "base/env.h"
#include "base/error.h"
#include "block/row_source.h"
#include "query/exec/budget.h"
#include "query/exec/task_runner.h"
#include "tempo.pb.h"

namespace weft::api::tempo {

// Fill `response`; any thread. kInvalidArgument with Tempo's words for a query that does not
// compile, kCancelled, kResourceExhausted, or what the source fails with. When time runs out, or
// there are more series than wanted, the response is PARTIAL and says so.
Error RunRange(const block::RowSource& source, const Env& env, query::exec::TaskRunner& runner,
               const model::TenantId& tenant, const query::exec::Budget& budget,
               const MetricsQuestion& question, tempopb::QueryRangeResponse* response);
Error RunInstant(const block::RowSource& source, const Env& env, query::exec::TaskRunner& runner,
                 const model::TenantId& tenant, const query::exec::Budget& budget,
                 const MetricsQuestion& question, tempopb::QueryInstantResponse* response);

}  // namespace weft::api::tempo
