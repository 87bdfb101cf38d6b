#include "query/insight/call_graph.h"

#include <algorithm>
#include <tuple>

namespace weft::query::insight {
namespace {

void AddDuration(int64_t duration_ns, const std::vector<int64_t>& bounds_ns, int64_t* sum_ns,
                 std::vector<uint64_t>* counts) {
  if (counts->empty()) counts->assign(bounds_ns.size() + 1, 0);
  const auto bound = std::lower_bound(bounds_ns.begin(), bounds_ns.end(), duration_ns);
  ++(*counts)[static_cast<size_t>(bound - bounds_ns.begin())];
  *sum_ns += duration_ns;
}

void AddAll(const std::vector<uint64_t>& from, std::vector<uint64_t>* to) {
  if (to->size() < from.size()) to->resize(from.size(), 0);
  for (size_t i = 0; i < from.size(); ++i) (*to)[i] += from[i];
}

// The step of a call; null outside the axis and where there is none.
StepCounts* StepOf(uint64_t at_ns, const GraphSteps* steps, std::vector<StepCounts>* counts) {
  if (steps == nullptr || !steps->axis.range().Contains(at_ns)) return nullptr;
  if (counts->empty()) counts->resize(steps->axis.count);
  return &(*counts)[steps->axis.StepOf(at_ns)];
}

}  // namespace

void CallCounts::OfferExample(const model::TraceId& id, uint64_t at_ns, bool is_failed) {
  if (std::tie(is_failed, at_ns, id) <= std::tie(example_failed, example_ns, example)) return;
  example = id;
  example_ns = at_ns;
  example_failed = is_failed;
}

void CallCounts::Add(const CallSample& call, const GraphSteps* graph_steps) {
  const bool is_failed = call.client_error || call.server_error;
  ++requests;
  if (call.server_error) ++errors;
  if (is_failed) ++failed;
  if (call.torn) ++torn;
  if (call.client_ns >= 0) client.Add(call.client_ns);
  if (call.server_ns >= 0) server.Add(call.server_ns);
  OfferExample(call.trace_id, call.at_ns, is_failed);
  StepCounts* const step = StepOf(call.at_ns, graph_steps, &steps);
  if (step == nullptr) return;
  ++step->requests;
  if (is_failed) ++step->failed;
  const std::vector<int64_t>& bounds_ns = graph_steps->bounds_ns;
  if (call.client_ns >= 0)
    AddDuration(call.client_ns, bounds_ns, &step->client_sum_ns, &step->client);
  if (call.server_ns >= 0)
    AddDuration(call.server_ns, bounds_ns, &step->server_sum_ns, &step->server);
}

void CallCounts::AddServer(const CallSample& call, bool client_failed,
                           const GraphSteps* graph_steps) {
  if (call.server_error) ++errors;
  const bool newly_failed = call.server_error && !client_failed;
  if (newly_failed) ++failed;
  if (call.torn) ++torn;
  server.Add(call.server_ns);
  OfferExample(call.trace_id, call.at_ns, call.server_error || client_failed);
  StepCounts* const step = StepOf(call.at_ns, graph_steps, &steps);
  if (step == nullptr) return;
  if (newly_failed) ++step->failed;
  AddDuration(call.server_ns, graph_steps->bounds_ns, &step->server_sum_ns, &step->server);
}

void CallCounts::Merge(const CallCounts& other) {
  requests += other.requests;
  errors += other.errors;
  failed += other.failed;
  torn += other.torn;
  unanswered += other.unanswered;
  client.Merge(other.client);
  server.Merge(other.server);
  if (other.requests != 0) OfferExample(other.example, other.example_ns, other.example_failed);
  if (steps.size() < other.steps.size()) steps.resize(other.steps.size());
  for (size_t i = 0; i < other.steps.size(); ++i) {
    const StepCounts& from = other.steps[i];
    StepCounts& to = steps[i];
    to.requests += from.requests;
    to.failed += from.failed;
    to.client_sum_ns += from.client_sum_ns;
    to.server_sum_ns += from.server_sum_ns;
    AddAll(from.client, &to.client);
    AddAll(from.server, &to.server);
  }
}

size_t CallCounts::bytes() const {
  size_t bytes = sizeof(CallCounts) + client.bytes() + server.bytes();
  for (const StepCounts& step : steps) {
    bytes += sizeof(StepCounts) + 8 * (step.client.capacity() + step.server.capacity());
  }
  return bytes;
}

uint32_t CallGraph::NodeOf(NodeName name) {
  const auto [found, is_new] = node_numbers_.try_emplace(name, node_count());
  if (is_new) {
    nodes_.push_back(std::move(name));
    entries_.emplace_back();
  }
  return found->second;
}

uint32_t CallGraph::TextOf(std::string_view text) {
  const auto found = text_numbers_.find(text);
  if (found != text_numbers_.end()) return found->second;
  const auto number = static_cast<uint32_t>(texts_.size());
  texts_.emplace_back(text);
  text_numbers_.emplace(texts_.back(), number);
  return number;
}

uint32_t CallGraph::EdgeOf(const Edge& edge) {
  const auto [found, is_new] = edge_numbers_.try_emplace(edge, edge_count());
  if (is_new) {
    edges_.push_back(edge);
    counts_.emplace_back();
  }
  return found->second;
}

CallGraph::Numbers CallGraph::Merge(const CallGraph& other) {
  Numbers numbers;
  for (uint32_t i = 0; i < other.node_count(); ++i) {
    numbers.nodes.push_back(NodeOf(other.nodes_[i]));
    entries_[numbers.nodes[i]].Merge(other.entries_[i]);
  }
  for (const std::string& text : other.texts_) numbers.texts.push_back(TextOf(text));
  for (uint32_t i = 0; i < other.edge_count(); ++i) {
    const Edge& edge = other.edges_[i];
    numbers.edges.push_back(EdgeOf({numbers.node(edge.client), numbers.node(edge.server),
                                    edge.connection, numbers.text(edge.via)}));
    counts_[numbers.edges[i]].Merge(other.counts_[i]);
  }
  return numbers;
}

size_t CallGraph::bytes() const {
  size_t bytes = 0;
  for (const CallCounts& counts : counts_) bytes += counts.bytes() + 64;
  for (const CallCounts& counts : entries_) bytes += counts.bytes() + 64;
  for (const NodeName& node : nodes_) bytes += 2 * (sizeof(NodeName) + node.name.size()) + 16;
  for (const std::string& text : texts_) bytes += 2 * (sizeof(std::string) + text.size()) + 16;
  return bytes;
}

}  // namespace weft::query::insight
