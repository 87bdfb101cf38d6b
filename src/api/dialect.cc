#include "api/dialect.h"

#include <algorithm>
#include <optional>
#include <string_view>

namespace weft::api {
namespace {

using query::lang::traceql::Dialect;

std::optional<std::string_view> Wanted(const net::HttpRequest& request) {
  for (const auto& [name, value] : request.query) {
    if (name == "compat" && !value.empty()) return value;
  }
  const std::string_view header = request.headers.Get("X-Weft-Compat");
  return header.empty() ? std::nullopt : std::optional(header);
}

}  // namespace

Result<Dialect> ReadDialect(const net::HttpRequest& request, const model::TenantId& tenant,
                            const std::vector<std::string>& tempo_tenants) {
  const auto wanted = Wanted(request);
  if (!wanted) return DialectOf(tenant, tempo_tenants);
  if (*wanted == "tempo") return Dialect::kTempo;
  if (*wanted == "weft") return Dialect::kWeft;
  return Error(ErrorCode::kInvalidArgument, "compat: expected tempo or weft, found \"" +
                                                std::string(wanted->substr(0, 100)) + "\"");
}

Dialect DialectOf(const model::TenantId& tenant, const std::vector<std::string>& tempo_tenants) {
  const auto is_listed = [&](std::string_view name) {
    return std::any_of(tempo_tenants.begin(), tempo_tenants.end(),
                       [&](const std::string& listed) { return listed == "*" || listed == name; });
  };
  std::string_view rest = tenant;
  while (true) {
    const size_t bar = rest.find('|');
    if (!is_listed(rest.substr(0, bar))) return Dialect::kWeft;
    if (bar == std::string_view::npos) return Dialect::kTempo;
    rest.remove_prefix(bar + 1);
  }
}

}  // namespace weft::api
