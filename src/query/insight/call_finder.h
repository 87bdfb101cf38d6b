// The calls in one group of whole traces.
//
// Rows are walked from the last to the first, so that a span comes after its descendants:
//
// 1. A span whose parent is of another service, or that receives (server, consumer) what its parent
//    sends (client, producer), is a call from the one service to the other.
// 2. A span that sends and has no call under it within its service is a lone call: to the database,
//    queue or third party that its attributes name (peer.h), or to whoever links to it. Of senders
//    that stand in each other the innermost that names somebody counts.
// 3. A span that receives and has no parent id comes from a user, from a queue, or from those that
//    it links to. Other spans without a parent id are where work begins, and no calls.
// 4. A span that receives and whose parent never came belongs to the lone call of its own trace in
//    whose time it lies, if there is one: what stands between the two is missing. Else its caller
//    is.
//
// A call is at the time at which it was received, or sent where no receiver is known.
#pragma once

#include <vector>

#include <absl/container/flat_hash_set.h>

#include "base/error.h"
#include "base/time_range.h"
#include "query/exec/group_columns.h"
#include "query/exec/plan_rows.h"
#include "query/insight/found_calls.h"

namespace weft::query::insight {

// All spans to which links lead. One thread fills it, then any may look.
class LinkTargets {
 public:
  void Insert(const SpanKey& key) {
    keys_.insert(key);
    maybe_[SlotOf(key.span_id)] = true;
  }
  void Merge(const LinkTargets& other) {
    for (const SpanKey& key : other.keys_) Insert(key);
  }

  bool empty() const { return keys_.empty(); }
  // False is certain, and costs next to nothing.
  bool MayContain(model::SpanId id) const { return maybe_[SlotOf(id)]; }
  bool Contains(const SpanKey& key) const { return keys_.contains(key); }
  size_t bytes() const { return keys_.capacity() * (sizeof(SpanKey) + 1) + kSlots / 8; }

 private:
  static constexpr size_t kSlots = 1 << 18;
  // Ids are random already.
  static size_t SlotOf(model::SpanId id) { return (id.value ^ id.value >> 32) % kSlots; }

  absl::flat_hash_set<SpanKey> keys_;
  std::vector<bool> maybe_ = std::vector<bool>(kSlots, false);
};

// Adds the calls that are in `range` and of which one of the spans is in `part` to `found`.
// `linked` are all spans to which links lead. Any thread, one at a time for the same `found`.
Error FindCalls(const exec::PlanRows::Part& part, exec::GroupColumns* columns, TimeRange range,
                const LinkTargets& linked, FoundCalls* found);

// Adds the spans to which links of the group's spans in `range` lead.
Error CollectLinked(exec::GroupColumns* columns, TimeRange range, LinkTargets* linked);

}  // namespace weft::query::insight
