// Whom a request to Tempo's API asks about: one tenant, or several at once.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "block/row_source.h"
#include "model/tenant.h"

namespace weft::api::tempo {

// More tenants than this at once are refused.
inline constexpr size_t kTenantsMax = 64;

// The tenants of a header's value ("a|b|a" is a and b), as one id: sorted, each once, with '|'
// between them, which is in no tenant's name. An empty value is the default tenant. A refusal is in
// Tempo's words.
Result<model::TenantId> ReadTenants(std::string_view header_value);

// A source in which such an id is a tenant: it has the spans of all of them, and spans of one trace
// id are one trace. Any thread; the source must outlive it.
class JoinedTenants : public block::RowSource {
 public:
  explicit JoinedTenants(const block::RowSource& source) : source_(source) {}

  Error Renew() const override { return source_.Renew(); }
  Result<std::vector<std::shared_ptr<const block::RowGroup>>> Snapshot(
      const model::TenantId& tenants, TimeRange range,
      const block::SnapshotOptions& options) const override;
  Result<model::SpanBatch> FindTrace(const model::TenantId& tenants,
                                     model::TraceId id) const override;
  Result<std::vector<model::SpanId>> SpanIdsOf(const model::TenantId& tenants,
                                               model::TraceId id) const override;
  Result<JoinedSummary> SummarizeTrace(const model::TenantId& tenants,
                                       model::TraceId id) const override;
  Result<std::vector<bool>> MayBeElsewhere(const model::TenantId& tenants,
                                           std::span<const model::TraceId> ids,
                                           const std::string& block_id) const override;

 private:
  const block::RowSource& source_;
};

}  // namespace weft::api::tempo
