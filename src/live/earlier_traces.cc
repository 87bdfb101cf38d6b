#include "live/earlier_traces.h"

#include <algorithm>

#include "base/log.h"

namespace weft::live {
namespace {

constexpr uint64_t kHourNs = 3'600'000'000'000;
constexpr uint64_t kLookBackNs = 24 * kHourNs;
// Of the newest blocks: 16 bytes each.
constexpr size_t kTracesMax = 2'000'000;

}  // namespace

Error EarlierTraces::Load(const model::TenantId& tenant, uint64_t first_start_ns,
                          uint64_t last_start_ns) {
  const uint64_t oldest_ns = last_start_ns > kLookBackNs ? last_start_ns - kLookBackNs : 0;
  // By the hour: spans that are a little older each time are not worth a look each time.
  const uint64_t from_ns = std::max(first_start_ns, oldest_ns) / kHourNs * kHourNs;
  const auto at = known_.find(tenant);
  if (at != known_.end() && from_ns >= at->second.from_ns) return Error::Ok();
  Known known{from_ns, {}};
  const auto groups = stored_.Snapshot(tenant, {.start_ns = from_ns}, {});
  if (groups.ok()) {
    for (const auto& group : *groups) {
      for (uint32_t t = 0; t < group->trace_count() && known.traces.size() < kTracesMax; ++t) {
        known.traces.insert(group->trace_id(t).Hash());
      }
    }
  } else if (groups.error().code() != ErrorCode::kCorrupt) {
    return groups.error();
  } else {
    LogWarn("spans that were stored before the start can't be recognised when they come again",
            {{"tenant", tenant}, {"error", groups.error().message()}});
  }
  known_[tenant] = std::move(known);
  return Error::Ok();
}

bool EarlierTraces::MayHold(const model::TenantId& tenant, model::TraceId id) const {
  const auto at = known_.find(tenant);
  return at != known_.end() && at->second.traces.contains(id.Hash());
}

}  // namespace weft::live
