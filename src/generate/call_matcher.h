// Calls between services, found while spans arrive: the two spans of a call meet by trace id and
// the id of the caller's span.
//
// 1. A span of a client or a producer waits for the one of the server or consumer whose parent it
// is,
//    and the other way round, kWaitNs at most; when too many wait, the longest goes early.
// 2. A client's span that says db.* is a whole call, and so is a root that serves (the client is
//    `user`).
// 3. A client's or producer's span for which nobody came is a call to whom its attributes name, if
//    they do; a server's for which nobody came is none.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "base/env.h"
#include "base/metrics.h"
#include "base/mutex.h"
#include "generate/series_store.h"
#include "model/ids.h"
#include "model/peer.h"
#include "model/span_batch.h"

namespace weft::generate {

// Texts of a batch that its sides share.
struct CallNames {
  std::vector<std::string> services;  // of resources
  std::vector<model::Peer> peers;
};

// A span that takes part in a call.
struct CallSide {
  static constexpr uint32_t kNobody = UINT32_MAX;

  model::TraceId trace_id;
  model::SpanId caller;  // the span of the client or producer; 0 for a server that is a root
  bool calls = false;    // client or producer; else server or consumer
  bool messaging = false;
  bool failed = false;
  int64_t duration_ns = 0;  // at least 0
  uint64_t end_ns = 0;
  std::shared_ptr<const CallNames> names;
  uint32_t service_index = 0;
  uint32_t peer_index = kNobody;  // of those who call and say whom

  const std::string& service() const { return names->services[service_index]; }
  // Null where it does not say.
  const model::Peer* peer() const {
    return peer_index == kNobody ? nullptr : &names->peers[peer_index];
  }
};

// Those of a batch.
std::vector<CallSide> CallSidesOf(const model::SpanBatch& batch);

// Any thread.
class CallMatcher {
 public:
  static constexpr int64_t kWaitNs = 10'000'000'000;
  static constexpr size_t kWaitingMax = 20'000;

  // References outlive this.
  CallMatcher(const Env& env, MetricRegistry& metrics, SeriesStore* store);

  // Counts the calls that are complete now, and those for which nobody came in time.
  void Add(const model::TenantId& tenant, std::vector<CallSide> sides) WEFT_EXCLUDES(mutex_);

 private:
  // Who waits.
  struct Key {
    uint64_t tenant = 0;  // a hash of its name
    model::TraceId trace_id;
    model::SpanId caller;
    bool calls = false;

    bool operator==(const Key&) const = default;
    template <typename H>
    friend H AbslHashValue(H h, const Key& k) {
      return H::combine(std::move(h), k.tenant, k.trace_id.high, k.trace_id.low, k.caller.value,
                        k.calls);
    }
  };
  struct Waiting {
    model::TenantId tenant;
    CallSide side;
    uint64_t number = 0;    // of order_
    bool answered = false;  // a producer that waits for more consumers
  };
  struct Order {
    Key key;
    uint64_t number = 0;
    int64_t until_ns = 0;
  };
  class Found;

  void Expire(int64_t now_ns, Found* found) WEFT_REQUIRES(mutex_);
  void Put(const model::TenantId& tenant, CallSide side, int64_t now_ns, Found* found)
      WEFT_REQUIRES(mutex_);
  void ForgetAnswered() WEFT_REQUIRES(mutex_);
  void Wait(const model::TenantId& tenant, CallSide side, bool answered, int64_t now_ns)
      WEFT_REQUIRES(mutex_);

  const Env& env_;
  SeriesStore& store_;
  Counter& unmatched_;
  Mutex mutex_;
  absl::flat_hash_map<Key, Waiting> waiting_ WEFT_GUARDED_BY(mutex_);
  std::deque<Order> order_ WEFT_GUARDED_BY(mutex_);  // by time; may name what is gone
  uint64_t next_ WEFT_GUARDED_BY(mutex_) = 0;
};

}  // namespace weft::generate
