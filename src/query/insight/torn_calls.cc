#include "query/insight/torn_calls.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "query/insight/peer.h"

namespace weft::query::insight {
namespace {

constexpr uint32_t kNone = CallGraph::kNone;
// By how much clocks may differ where the address says already who was called.
constexpr uint64_t kClockSlackNs = 5'000'000;
// So many calls before a root are looked at.
constexpr size_t kCandidatesMax = 256;

bool Earlier(const HalfCall& a, const HalfCall& b) {
  return std::tie(a.start_ns, a.span) < std::tie(b.start_ns, b.span);
}

class Joiner {
 public:
  explicit Joiner(CallSurvey* survey)
      : survey_(*survey), found_(survey->found), graph_(survey->found.graph) {}

  void Run() {
    std::sort(found_.lone.begin(), found_.lone.end(), Earlier);
    FindServices();
    IndexLoneCalls();
    CountOtherRoots();
    std::sort(found_.roots.begin(), found_.roots.end(), Earlier);
    MatchRoots();
    MoveEdges();
    for (const Match& match : matches_) AddTorn(match);
    found_.lone = {};
    found_.roots = {};
  }

 private:
  struct Match {
    uint32_t lone = 0;  // index
    uint32_t root = 0;
  };

  // --- whose address it is

  // Services by the nodes that clients name.
  void FindServices() {
    service_of_.assign(graph_.node_count(), kNone);
    std::vector<bool> ambiguous(graph_.node_count(), false);
    for (const auto& [name, service] : found_.answered) {
      if (service_of_[name] != kNone && service_of_[name] != service) ambiguous[name] = true;
      service_of_[name] = service;
    }
    std::map<std::string, uint32_t, std::less<>> by_name;
    for (uint32_t node = 0; node < graph_.node_count(); ++node) {
      if (graph_.node(node).kind == NodeKind::kService && !graph_.node(node).name.empty())
        by_name.emplace(graph_.node(node).name, node);
    }
    for (uint32_t node = 0; node < graph_.node_count(); ++node) {
      if (ambiguous[node]) service_of_[node] = kNone;
      if (graph_.node(node).kind != NodeKind::kExternal) service_of_[node] = kNone;
      if (service_of_[node] != kNone || ambiguous[node] ||
          graph_.node(node).kind != NodeKind::kExternal) {
        continue;
      }
      const std::string& name = graph_.node(node).name;
      auto found = by_name.find(name);
      if (found == by_name.end()) found = by_name.find(HostLabel(name));
      if (found != by_name.end()) service_of_[node] = found->second;
    }
  }

  // --- which root belongs to which call

  void IndexLoneCalls() {
    for (uint32_t i = 0; i < found_.lone.size(); ++i) {
      const HalfCall& call = found_.lone[i];
      const uint32_t service = call.peer == kNone ? kNone : service_of_[call.peer];
      if (service != kNone) {
        by_service_[service].push_back(i);
      } else if (call.key != 0) {
        by_key_[call.key].push_back(i);
      }
    }
    taken_.assign(found_.lone.size(), false);
  }

  // Most roots can't belong to any call.
  void CountOtherRoots() {
    std::erase_if(found_.roots, [&](const HalfCall& root) {
      const bool may_match =
          graph_.node(root.peer).kind == NodeKind::kUser &&
          (by_service_.contains(root.service) || (root.key != 0 && by_key_.contains(root.key)));
      if (!may_match) CountRoot(root, &graph_);
      return !may_match;
    });
  }

  void MatchRoots() {
    for (uint32_t i = 0; i < found_.roots.size(); ++i) {
      const HalfCall& root = found_.roots[i];
      uint32_t lone = BestOf(by_service_, root.service, root, kClockSlackNs);
      if (lone == kNone && root.key != 0) lone = BestOf(by_key_, root.key, root, 0);
      if (lone == kNone) {
        CountRoot(root, &graph_);
      } else {
        taken_[lone] = true;
        matches_.push_back({lone, i});
      }
    }
  }

  template <typename Key>
  uint32_t BestOf(const absl::flat_hash_map<Key, std::vector<uint32_t>>& index, Key key,
                  const HalfCall& root, uint64_t slack_ns) const {
    const auto found = index.find(key);
    if (found == index.end()) return kNone;
    const std::vector<uint32_t>& calls = found->second;
    const auto starts_later = [&](uint64_t start_ns, uint32_t call) {
      return start_ns < found_.lone[call].start_ns;
    };
    auto at = std::upper_bound(calls.begin(), calls.end(), root.start_ns + slack_ns, starts_later);
    uint32_t best = kNone;
    for (size_t seen = 0; at != calls.begin() && seen < kCandidatesMax; ++seen) {
      --at;
      if (taken_[*at] || !Fits(found_.lone[*at], root, slack_ns)) continue;
      if (best == kNone || found_.lone[*at].duration_ns < found_.lone[best].duration_ns) best = *at;
    }
    return best;
  }

  static bool Fits(const HalfCall& call, const HalfCall& root, uint64_t slack_ns) {
    if (call.key != 0 && root.key != 0 && call.key != root.key) return false;
    if (call.span.trace_id == root.span.trace_id) return false;
    return root.duration_ns <= call.duration_ns && root.end_ns() <= call.end_ns() + slack_ns;
  }

  // --- the graph

  // Calls to addresses of services become calls to these, of which nothing shows yet that they
  // arrived. Where matches have told of an address all of its calls follow, if they agree.
  void MoveEdges() {
    LearnFromMatches();
    const uint32_t edges = graph_.edge_count();
    for (uint32_t i = 0; i < edges; ++i) {
      const CallGraph::Edge edge = graph_.edge(i);
      if (graph_.node(edge.server).kind != NodeKind::kExternal) continue;
      const uint32_t service = service_of_[edge.server];
      if (service == kNone) continue;
      CallCounts counts = std::move(graph_.counts(i));
      graph_.counts(i) = {};
      counts.unanswered = counts.requests;
      const uint32_t to = graph_.EdgeOf({edge.client, service, Connection::kCall, kNone});
      graph_.counts(to).Merge(counts);
    }
  }

  void LearnFromMatches() {
    std::map<uint32_t, uint32_t> learned;  // kNone: they do not agree
    for (const Match& match : matches_) {
      const uint32_t peer = found_.lone[match.lone].peer;
      if (peer == kNone || service_of_[peer] != kNone) continue;
      const auto [entry, is_new] = learned.emplace(peer, found_.roots[match.root].service);
      if (entry->second != found_.roots[match.root].service) entry->second = kNone;
    }
    for (const auto& [peer, service] : learned) service_of_[peer] = service;
  }

  void AddTorn(const Match& match) {
    const HalfCall& lone = found_.lone[match.lone];
    const HalfCall& root = found_.roots[match.root];
    const bool counted = lone.peer != kNone && service_of_[lone.peer] == root.service;
    CallSample call;
    call.at_ns = root.start_ns;
    call.server_ns = root.duration_ns;
    call.server_error = root.error;
    call.torn = true;
    call.trace_id = lone.span.trace_id;
    if (counted) {
      // Its client's side is in the edge already.
      CallCounts& counts =
          graph_.counts(graph_.EdgeOf({lone.service, root.service, Connection::kCall, kNone}));
      --counts.unanswered;
      counts.AddServer(call, lone.error, graph_.steps());
    } else {
      // Through an address that stands for several services, or for none.
      const bool has_address = lone.peer != kNone;
      if (!has_address) {
        call.client_ns = lone.duration_ns;
        call.client_error = lone.error;
      }
      const uint32_t edge =
          graph_.EdgeOf({has_address ? lone.peer : lone.service, root.service,
                         has_address ? Connection::kVirtual : Connection::kCall, kNone});
      graph_.counts(edge).Add(call, graph_.steps());
    }
    TornCounts& torn = survey_.torn[{lone.service, root.service, lone.scope, root.scope}];
    ++torn.calls;
    if (std::tie(root.start_ns, root.span.trace_id) <
        std::tie(torn.example_ns, torn.server_example)) {
      return;
    }
    torn.example_ns = root.start_ns;
    torn.client_example = lone.span.trace_id;
    torn.server_example = root.span.trace_id;
  }

  CallSurvey& survey_;
  FoundCalls& found_;
  CallGraph& graph_;
  std::vector<uint32_t> service_of_;                                 // by node
  absl::flat_hash_map<uint32_t, std::vector<uint32_t>> by_service_;  // lone calls, by start
  absl::flat_hash_map<uint64_t, std::vector<uint32_t>> by_key_;
  std::vector<bool> taken_;  // by lone call
  std::vector<Match> matches_;
};

}  // namespace

void JoinTornCalls(CallSurvey* survey) { Joiner(survey).Run(); }

}  // namespace weft::query::insight
