// The graph of calls between services: its nodes and edges, and what is counted of them.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "model/ids.h"
#include "query/exec/latency_histogram.h"
#include "query/exec/series.h"

namespace weft::query::insight {

enum class NodeKind : uint8_t {
  kService,   // it sends spans
  kDatabase,  // the rest are known by those who talk to them
  kQueue,
  kExternal,
  kUser,     // whoever calls a service without having a span of it
  kMissing,  // a caller whose span never came
};

struct NodeName {
  NodeKind kind = NodeKind::kService;
  std::string name;
  std::string system;  // postgresql, kafka, grpc, ...; empty where that is not known

  auto operator<=>(const NodeName&) const = default;
  template <typename H>
  friend H AbslHashValue(H h, const NodeName& n) {
    return H::combine(std::move(h), static_cast<int>(n.kind), n.name, n.system);
  }
};

enum class Connection : uint8_t {
  kCall,       // from one service to another
  kMessaging,  // through a queue, or to or from one
  kDatabase,
  kVirtual,  // one end is kExternal, kUser or kMissing
};

// One request, as far as it was seen.
struct CallSample {
  uint64_t at_ns = 0;      // start of the server's span, or where there is none of the client's
  int64_t client_ns = -1;  // durations; -1 where the side has no span
  int64_t server_ns = -1;  //
  bool client_error = false;
  bool server_error = false;
  bool torn = false;
  model::TraceId trace_id;
};

// Counts over time besides the sums: by steps, and by bounds of durations. Histograms of
// Prometheus are made of these.
struct GraphSteps {
  exec::TimeAxis axis;
  std::vector<int64_t>
      bounds_ns;  // ascending; a duration is counted at the first that it does not exceed
};

struct StepCounts {
  uint64_t requests = 0;
  uint64_t failed = 0;
  int64_t client_sum_ns = 0;
  int64_t server_sum_ns = 0;
  std::vector<uint64_t> client;  // one for each bound and one for what is above all; empty for none
  std::vector<uint64_t> server;
};

// What is known of the calls over an edge, or of what arrives at a node.
struct CallCounts {
  uint64_t requests = 0;
  uint64_t errors = 0;      // of which the server's side says so
  uint64_t failed = 0;      // of which either side says so
  uint64_t torn = 0;        // whose two sides are in different traces, or miss spans between them
  uint64_t unanswered = 0;  // to a service that sends spans, of which none shows this call
  exec::LatencyHistogram client;
  exec::LatencyHistogram server;
  // The latest trace of all, of the failed ones if there are some.
  model::TraceId example;
  uint64_t example_ns = 0;
  bool example_failed = false;
  std::vector<StepCounts> steps;  // one for each step of GraphSteps; empty while there are none

  void Add(const CallSample& call, const GraphSteps* steps);
  // The side of the server, of a call whose client was added before.
  void AddServer(const CallSample& call, bool client_failed, const GraphSteps* steps);
  void Merge(const CallCounts& other);
  void OfferExample(const model::TraceId& id, uint64_t at_ns, bool failed);
  size_t bytes() const;
};

// Nodes, texts and edges get numbers as they are met. One thread.
class CallGraph {
 public:
  explicit CallGraph(const GraphSteps* steps) : steps_(steps) {}

  // What stands for no text and no node.
  static constexpr uint32_t kNone = UINT32_MAX;

  struct Edge {
    uint32_t client = kNone;
    uint32_t server = kNone;
    Connection connection = Connection::kCall;
    uint32_t via = kNone;  // text: the queue between the two

    bool operator==(const Edge&) const = default;
    template <typename H>
    friend H AbslHashValue(H h, const Edge& e) {
      return H::combine(std::move(h), e.client, e.server, static_cast<int>(e.connection), e.via);
    }
  };

  uint32_t NodeOf(NodeName name);
  uint32_t TextOf(std::string_view text);
  uint32_t EdgeOf(const Edge& edge);

  const NodeName& node(uint32_t i) const { return nodes_[i]; }
  uint32_t node_count() const { return static_cast<uint32_t>(nodes_.size()); }
  const std::string& text(uint32_t i) const { return texts_[i]; }
  const Edge& edge(uint32_t i) const { return edges_[i]; }
  uint32_t edge_count() const { return static_cast<uint32_t>(edges_.size()); }
  CallCounts& counts(uint32_t edge) { return counts_[edge]; }
  const CallCounts& counts(uint32_t edge) const { return counts_[edge]; }
  // What begins at a service without a call: jobs, workers, clients that nobody calls.
  CallCounts& entries(uint32_t node) { return entries_[node]; }
  const CallCounts& entries(uint32_t node) const { return entries_[node]; }
  const GraphSteps* steps() const { return steps_; }

  // The numbers here of another graph's nodes, texts and edges.
  struct Numbers {
    std::vector<uint32_t> nodes, texts, edges;

    uint32_t node(uint32_t i) const { return i == kNone ? kNone : nodes[i]; }
    uint32_t text(uint32_t i) const { return i == kNone ? kNone : texts[i]; }
  };
  Numbers Merge(const CallGraph& other);
  size_t bytes() const;

 private:
  const GraphSteps* steps_;
  std::vector<NodeName> nodes_;
  std::vector<CallCounts> entries_;  // by node
  std::vector<std::string> texts_;
  std::vector<Edge> edges_;
  std::vector<CallCounts> counts_;  // by edge
  absl::flat_hash_map<NodeName, uint32_t> node_numbers_;
  std::map<std::string, uint32_t, std::less<>> text_numbers_;
  absl::flat_hash_map<Edge, uint32_t> edge_numbers_;
};

}  // namespace weft::query::insight
