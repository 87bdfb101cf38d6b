#include "query/insight/service_graph.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace weft::query::insight {
namespace {

// What arrives over an edge, seen from its server.
void AddArriving(const CallCounts& edge, bool sends_spans, CallCounts* node) {
  CallCounts counts;
  counts.requests = edge.requests;
  counts.errors = sends_spans ? edge.errors : edge.failed;
  counts.failed = edge.failed;
  counts.torn = edge.torn;
  counts.unanswered = edge.unanswered;
  counts.server = sends_spans ? edge.server : edge.client;
  counts.example = edge.example;
  counts.example_ns = edge.example_ns;
  counts.example_failed = edge.example_failed;
  node->Merge(counts);
}

}  // namespace

std::string_view NodeKindName(NodeKind kind) {
  switch (kind) {
    case NodeKind::kService: return "service";
    case NodeKind::kDatabase: return "database";
    case NodeKind::kQueue: return "queue";
    case NodeKind::kExternal: return "external";
    case NodeKind::kUser: return "user";
    case NodeKind::kMissing: return "missing";
  }
  return "";
}

std::string_view ConnectionName(Connection connection) {
  switch (connection) {
    case Connection::kCall: return "";
    case Connection::kMessaging: return "messaging_system";
    case Connection::kDatabase: return "database";
    case Connection::kVirtual: return "virtual_node";
  }
  return "";
}

Result<ServiceGraph> MakeServiceGraph(const CallSurveyor& surveyor, const CallQuery& query,
                                      const exec::Budget& budget) {
  WEFT_ASSIGN_OR_RETURN(CallSurvey survey, surveyor.Run(query, budget));
  CallGraph& graph = survey.found.graph;
  ServiceGraph out;
  std::vector<CallCounts> nodes(graph.node_count());
  std::vector<bool> seen(graph.node_count(), false);
  for (uint32_t i = 0; i < graph.edge_count(); ++i) {
    const CallGraph::Edge& edge = graph.edge(i);
    if (graph.counts(i).requests == 0) continue;
    AddArriving(graph.counts(i), graph.node(edge.server).kind == NodeKind::kService,
                &nodes[edge.server]);
    seen[edge.client] = seen[edge.server] = true;
    out.edges.push_back({graph.node(edge.client), graph.node(edge.server), edge.connection,
                         edge.via == CallGraph::kNone ? "" : graph.text(edge.via),
                         std::move(graph.counts(i))});
  }
  for (uint32_t i = 0; i < graph.node_count(); ++i) {
    nodes[i].Merge(graph.entries(i));
    if (!seen[i] && nodes[i].requests == 0) continue;
    out.nodes.push_back({graph.node(i), std::move(nodes[i])});
  }
  std::sort(out.nodes.begin(), out.nodes.end(),
            [](const GraphNode& a, const GraphNode& b) { return a.name < b.name; });
  std::sort(out.edges.begin(), out.edges.end(), [](const GraphEdge& a, const GraphEdge& b) {
    return std::tie(b.counts.requests, a.client, a.server, a.connection, a.via) <
           std::tie(a.counts.requests, b.client, b.server, b.connection, b.via);
  });
  out.complete = survey.complete;
  out.reason = survey.reason;
  out.stats = survey.stats;
  return out;
}

}  // namespace weft::query::insight
