// Which traces the blocks of earlier processes may hold, so that a span is recognised that was sent
// or logged again across a restart. (Of its own blocks a Shard knows by itself.)
//
// Read from the store when the first block of a tenant is built: everything since the hour of its
// first span. Of older spans that come later the hours are read that they started in, each once,
// whatever their clocks say. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>

#include <absl/container/flat_hash_set.h>

#include "base/error.h"
#include "base/time_range.h"
#include "block/row_source.h"

namespace weft::live {

class EarlierTraces {
 public:
  // `stored` must outlive it.
  explicit EarlierTraces(const block::RowSource& stored) : stored_(stored) {}

  // Before MayHold is asked for traces with spans that started in [first, last]. Looks back a day
  // from `last_start_ns` at most. Fails when the store can't be read now; blocks that are damaged
  // are as good as not there.
  Error Load(const model::TenantId& tenant, uint64_t first_start_ns, uint64_t last_start_ns);
  bool MayHold(const model::TenantId& tenant, model::TraceId id) const;

 private:
  struct Known {
    uint64_t since_hour = 0;               // all that started since then, in hours since 1970
    absl::flat_hash_set<uint64_t> hours;   // and in these before it
    absl::flat_hash_set<uint64_t> traces;  // hashes
  };

  Error Read(const model::TenantId& tenant, TimeRange range, Known* known) const;

  const block::RowSource& stored_;
  std::map<model::TenantId, Known> known_;
};

}  // namespace weft::live
