// What is found of calls while row groups are walked (call_finder.h), before all of it is put
// together (call_report.h).
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include "model/ids.h"
#include "query/insight/call_graph.h"

namespace weft::query::insight {

// A span anywhere.
struct SpanKey {
  model::TraceId trace_id;
  model::SpanId span_id;

  auto operator<=>(const SpanKey&) const = default;
  template <typename H>
  friend H AbslHashValue(H h, const SpanKey& k) {
    return H::combine(std::move(h), k.trace_id.high, k.trace_id.low, k.span_id.value);
  }
};

// A call of which only one side is known.
struct HalfCall {
  SpanKey span;
  uint64_t start_ns = 0;
  int64_t duration_ns = 0;  // at least 0
  bool error = false;
  uint32_t service = CallGraph::kNone;  // node
  uint32_t scope = CallGraph::kNone;    // text: the instrumentation
  uint32_t peer = CallGraph::kNone;     // node that the span names; of a root its client
  uint64_t key = 0;                     // CallKeys

  uint64_t end_ns() const { return start_ns + static_cast<uint64_t>(duration_ns); }
};

// A span to which a link leads.
struct LinkedSender {
  uint32_t service = CallGraph::kNone;  // node
  uint32_t via = CallGraph::kNone;      // text: the queue
  int64_t duration_ns = 0;
  bool error = false;
};

// A span with links and where they lead.
struct LinkedReceiver {
  HalfCall call;
  bool is_root = false;  // and receives: without its links it would come from call.peer
  std::vector<SpanKey> senders;
};

// Spans whose parent never came, alike.
struct OrphanKey {
  uint32_t service = CallGraph::kNone;  // node
  uint32_t scope = CallGraph::kNone;    // text
  uint8_t kind = 0;                     // model::SpanKind
  bool root_missing = false;            // no span of its trace is without a parent id
  bool service_seen = false;            // spans of its service stand elsewhere in its trace, too

  auto operator<=>(const OrphanKey&) const = default;
};
struct OrphanCounts {
  uint64_t spans = 0;
  model::TraceId example;  // the latest
  uint64_t example_ns = 0;

  void Add(uint64_t count, const model::TraceId& id, uint64_t at_ns);
};

// Calls of which the two clocks can't both be right, by how far the server's is from the client's.
struct SkewCounts {
  static constexpr size_t kHostsMax = 256;

  exec::LatencyHistogram ahead, behind;
  model::TraceId example;  // the latest
  uint64_t example_ns = 0;
  // How often by side (true: the server's) and host (text); of further hosts nothing is known.
  std::map<std::pair<bool, uint32_t>, uint64_t> hosts;

  uint64_t count() const { return ahead.count() + behind.count(); }
  void AddHost(bool of_server, uint32_t host, uint64_t count);
};

// One thread.
struct FoundCalls {
  // Of each list of half calls; what comes after is only counted in the graph.
  static constexpr size_t kHalfCallsMax = 500'000;

  explicit FoundCalls(const GraphSteps* steps) : graph(steps) {}

  CallGraph graph;
  std::vector<HalfCall> lone;   // sent to whom nobody knows to send spans; in the graph already
  std::vector<HalfCall> roots;  // received from nobody known; not in the graph
  bool dropped_half_calls = false;
  std::vector<LinkedReceiver> receivers;
  size_t link_count = 0;  // of all receivers
  absl::flat_hash_map<SpanKey, LinkedSender> senders;
  // Who has answered calls to whom: pairs of the node that clients name and the service that it
  // was.
  absl::flat_hash_set<std::pair<uint32_t, uint32_t>> answered;
  std::map<OrphanKey, OrphanCounts> orphans;
  std::map<uint32_t, SkewCounts> skews;  // by edge

  // Keeps a root, or counts it in the graph where there are too many.
  void AddRoot(const HalfCall& root);
  void Merge(const FoundCalls& other);
  size_t bytes() const;
};

// The call that a root is when nobody else can be said to have sent it.
void CountRoot(const HalfCall& root, CallGraph* graph);

}  // namespace weft::query::insight
