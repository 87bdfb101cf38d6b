// The graph of services as it is shown: who calls whom, how often, how well and how long.
//
// For series over time ask CallSurveyor with CallQuery::steps and read CallCounts::steps of each
// edge of the graph: requests, failed requests, and for both sides the sum of the durations and how
// many lie up to each of the given bounds.
#pragma once

#include <string>
#include <vector>

#include "query/insight/call_survey.h"

namespace weft::query::insight {

struct GraphNode {
  NodeName name;
  // What arrived there, and what began there without a call. Durations are in `server`: for nodes
  // that send no spans as their clients saw them.
  CallCounts counts;
};

struct GraphEdge {
  NodeName client, server;
  Connection connection = Connection::kCall;
  std::string via;  // the queue between the two
  CallCounts counts;
};

struct ServiceGraph {
  std::vector<GraphNode> nodes;  // by name
  std::vector<GraphEdge> edges;  // most requests first, then by names
  bool complete = true;
  std::string reason;
  exec::SearchStats stats;
};

// Any thread, any number at once; everything handed in must outlive it. Errors as CallSurveyor's.
Result<ServiceGraph> MakeServiceGraph(const CallSurveyor& surveyor, const CallQuery& query,
                                      const exec::Budget& budget);

// `service`, `database`, `queue`, `external`, `user`, `missing`.
std::string_view NodeKindName(NodeKind kind);
// As the metrics generator of Tempo labels it: ``, `messaging_system`, `database`, `virtual_node`.
std::string_view ConnectionName(Connection connection);

}  // namespace weft::query::insight
