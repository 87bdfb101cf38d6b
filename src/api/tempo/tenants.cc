#include "api/tempo/tenants.h"

#include <algorithm>
#include <string>
#include <utility>

#include "block/trace_summary.h"

namespace weft::api::tempo {
namespace {

std::vector<std::string_view> Split(std::string_view text) {
  std::vector<std::string_view> out;
  for (;;) {
    const size_t bar = text.find('|');
    out.push_back(text.substr(0, bar));
    if (bar == std::string_view::npos) return out;
    text.remove_prefix(bar + 1);
  }
}

// What is wrong with one tenant's name, in Tempo's words.
Error Refuse(std::string_view name, const Error& why) {
  if (name.size() > model::kTenantBytesMax) {
    return {ErrorCode::kInvalidArgument,
            "tenant ID is too long: max " + std::to_string(model::kTenantBytesMax) + " characters"};
  }
  for (const char c : name) {
    const bool whole_name_is_wrong = name == "." || name == "..";
    if (whole_name_is_wrong || model::ParseTenant(std::string("x") + c + "x").ok()) continue;
    return {ErrorCode::kInvalidArgument, "tenant ID '" + std::string(name) +
                                             "' contains unsupported character '" +
                                             std::string(1, c) + "'"};
  }
  return why;
}

}  // namespace

Result<model::TenantId> ReadTenants(std::string_view header_value) {
  if (header_value.find('|') == std::string_view::npos) {
    auto tenant = model::ParseTenant(header_value);
    if (!tenant.ok()) return Refuse(header_value, tenant.error());
    return tenant;
  }
  std::vector<model::TenantId> tenants;
  for (const std::string_view name : Split(header_value)) {
    if (name.empty()) return Error(ErrorCode::kInvalidArgument, "tenant ID is empty");
    auto tenant = model::ParseTenant(name);
    if (!tenant.ok()) return Refuse(name, tenant.error());
    tenants.push_back(std::move(*tenant));
    if (tenants.size() > kTenantsMax) {
      return Error(ErrorCode::kInvalidArgument,
                   "more than " + std::to_string(kTenantsMax) + " tenant IDs");
    }
  }
  std::sort(tenants.begin(), tenants.end());
  tenants.erase(std::unique(tenants.begin(), tenants.end()), tenants.end());
  model::TenantId joined;
  for (const model::TenantId& tenant : tenants) joined += (joined.empty() ? "" : "|") + tenant;
  return joined;
}

Result<std::vector<std::shared_ptr<const block::RowGroup>>> JoinedTenants::Snapshot(
    const model::TenantId& tenants, TimeRange range, const block::SnapshotOptions& options) const {
  std::vector<std::shared_ptr<const block::RowGroup>> all;
  for (const std::string_view tenant : Split(tenants)) {
    WEFT_ASSIGN_OR_RETURN(auto groups, source_.Snapshot(model::TenantId(tenant), range, options));
    all.insert(all.end(), std::make_move_iterator(groups.begin()),
               std::make_move_iterator(groups.end()));
  }
  return all;
}

Result<model::SpanBatch> JoinedTenants::FindTrace(const model::TenantId& tenants,
                                                  model::TraceId id) const {
  const std::vector<std::string_view> names = Split(tenants);
  if (names.size() == 1) return source_.FindTrace(tenants, id);
  model::SpanBatch all;
  for (const std::string_view tenant : names) {
    WEFT_ASSIGN_OR_RETURN(const auto spans, source_.FindTrace(model::TenantId(tenant), id));
    if (!spans.empty()) model::BatchAppender(&all).AppendAll(spans);
  }
  return block::WithoutDuplicates(all);
}

Result<std::vector<model::SpanId>> JoinedTenants::SpanIdsOf(const model::TenantId& tenants,
                                                            model::TraceId id) const {
  std::vector<model::SpanId> all;
  for (const std::string_view tenant : Split(tenants)) {
    WEFT_ASSIGN_OR_RETURN(const auto ids, source_.SpanIdsOf(model::TenantId(tenant), id));
    all.insert(all.end(), ids.begin(), ids.end());
  }
  return all;
}

// Of several tenants none knows whose block it is, so all are asked for the trace itself.
Result<std::vector<bool>> JoinedTenants::MayBeElsewhere(const model::TenantId& tenants,
                                                        std::span<const model::TraceId> ids,
                                                        const std::string& block_id) const {
  if (Split(tenants).size() == 1) return source_.MayBeElsewhere(tenants, ids, block_id);
  return RowSource::MayBeElsewhere(tenants, ids, block_id);
}

Result<block::RowSource::JoinedSummary> JoinedTenants::SummarizeTrace(
    const model::TenantId& tenants, model::TraceId id) const {
  JoinedSummary joined;
  uint32_t holders = 0;
  uint32_t fragments = 0;
  for (const std::string_view tenant : Split(tenants)) {
    WEFT_ASSIGN_OR_RETURN(auto part, source_.SummarizeTrace(model::TenantId(tenant), id));
    if (part.fragments == 0) continue;
    ++holders;
    fragments += part.fragments;
    joined = std::move(part);
  }
  if (holders <= 1) return joined;
  WEFT_ASSIGN_OR_RETURN(const model::SpanBatch spans, FindTrace(tenants, id));
  return JoinedSummary{block::SummarizeSpans(spans), fragments};
}

}  // namespace weft::api::tempo
