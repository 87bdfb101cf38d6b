// Whose answers a request wants where Tempo's are not what a query's text says (docs/traceql.md).
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "model/tenant.h"
#include "net/http_message.h"
#include "query/lang/traceql/compile.h"

namespace weft::api {

// The parameter `compat`, else the header `X-Weft-Compat` (each `tempo` or `weft`; anything else is
// kInvalidArgument), else what the tenant is set to.
Result<query::lang::traceql::Dialect> ReadDialect(const net::HttpRequest& request,
                                                  const model::TenantId& tenant,
                                                  const std::vector<std::string>& tempo_tenants);

// Tempo's for a tenant that is listed, for all when one entry is `*`, and for several tenants at
// once (`a|b`) when each is listed.
query::lang::traceql::Dialect DialectOf(const model::TenantId& tenant,
                                        const std::vector<std::string>& tempo_tenants);

}  // namespace weft::api
