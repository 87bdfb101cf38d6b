// What Tempo's API reads from a request: tenants, ids, times, counts, tags, filters that are
// being typed, filters of one
// trace, and bodies.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "api/tempo/diff_request.h"
#include "api/tempo/legacy_tags.h"
#include "api/tempo/lenient_filter.h"
#include "api/tempo/request.h"
#include "api/tempo/tenants.h"
#include "api/tempo/trace_filter.h"
#include "query/lang/traceql/compile.h"

namespace {

// Tenants that were read are read the same again.
void CheckTenants(std::string_view text) {
  const auto tenants = weft::api::tempo::ReadTenants(text);
  if (!tenants.ok()) return;
  const auto again = weft::api::tempo::ReadTenants(*tenants);
  if (!again.ok() || *again != *tenants) std::abort();
}

// A search by tags is a query, or is refused.
void CheckTags(std::string_view text) {
  const auto tags = weft::api::tempo::ReadTags(text);
  if (!tags.ok()) return;
  const std::string query = weft::api::tempo::QueryOfTags(*tags);
  (void)weft::query::lang::traceql::Compile(query).ok();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  CheckTenants(text);
  CheckTags(text);
  (void)weft::api::tempo::ReadTraceId(text).ok();
  (void)weft::api::tempo::ReadDiffRequest(text).ok();
  (void)weft::api::tempo::ReadLenientFilter(text);
  weft::net::HttpRequest request;
  for (const char* name : {"start", "end", "since", "limit", "flag", "q"})
    request.query.emplace_back(name, text);
  (void)weft::api::tempo::ReadRange(request, 1'700'000'000'000'000'000, 0).ok();
  (void)weft::api::tempo::ReadCount(request, "limit", 1).ok();
  (void)weft::api::tempo::ReadBool(request, "flag").ok();
  using weft::query::lang::traceql::Dialect;
  (void)weft::api::tempo::ReadTraceFilter(request, Dialect::kTempo).ok();
  request.query.emplace_back("match_depth", text);
  (void)weft::api::tempo::ReadTraceFilter(request, Dialect::kWeft).ok();
  return 0;
}
