#include "live/earlier_traces.h"

#include <algorithm>

#include "base/log.h"

namespace weft::live {
namespace {

constexpr uint64_t kHourNs = 3'600'000'000'000;
constexpr uint64_t kLookBackNs = 24 * kHourNs;
// Of a tenant; the newest of what is read. 16 bytes each.
constexpr size_t kTracesMax = 2'000'000;

}  // namespace

Error EarlierTraces::Load(const model::TenantId& tenant, uint64_t first_start_ns,
                          uint64_t last_start_ns) {
  const uint64_t oldest_ns = last_start_ns > kLookBackNs ? last_start_ns - kLookBackNs : 0;
  uint64_t hour = std::max(first_start_ns, oldest_ns) / kHourNs;
  const auto [at, is_first] = known_.try_emplace(tenant);
  Known& known = at->second;
  if (is_first) {
    const Error error = Read(tenant, {.start_ns = hour * kHourNs}, &known);
    if (!error.ok()) known_.erase(at);
    if (error.ok()) known.since_hour = hour;
    return error;
  }
  const uint64_t end = std::min(last_start_ns / kHourNs + 1, known.since_hour);
  for (; hour < end; ++hour) {
    if (known.hours.contains(hour)) continue;
    WEFT_RETURN_IF_ERROR(Read(tenant, {hour * kHourNs, (hour + 1) * kHourNs}, &known));
    known.hours.insert(hour);
  }
  return Error::Ok();
}

namespace {

Error SkipDamaged(const model::TenantId& tenant, const Error& error) {
  if (error.code() != ErrorCode::kCorrupt) return error;
  LogWarn("spans that were stored before the start can't be recognised when they come again",
          {{"tenant", tenant}, {"error", error.message()}});
  return Error::Ok();
}

}  // namespace

Error EarlierTraces::Read(const model::TenantId& tenant, TimeRange range, Known* known) const {
  const auto groups = stored_.Snapshot(tenant, range, {});
  if (!groups.ok()) return SkipDamaged(tenant, groups.error());
  for (const auto& group : *groups) {
    if (const Error error = group->LoadTraces(); !error.ok()) return SkipDamaged(tenant, error);
    for (uint32_t t = 0; t < group->trace_count(); ++t) {
      if (known->traces.size() >= kTracesMax) return Error::Ok();
      known->traces.insert(group->trace_id(t).Hash());
    }
  }
  return Error::Ok();
}

bool EarlierTraces::MayHold(const model::TenantId& tenant, model::TraceId id) const {
  const auto at = known_.find(tenant);
  return at != known_.end() && at->second.traces.contains(id.Hash());
}

}  // namespace weft::live
