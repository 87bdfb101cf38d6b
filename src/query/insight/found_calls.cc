#include "query/insight/found_calls.h"

#include <tuple>

namespace weft::query::insight {
namespace {

void KeepLatest(const model::TraceId& id, uint64_t at_ns, model::TraceId* kept, uint64_t* kept_ns) {
  if (std::tie(at_ns, id) <= std::tie(*kept_ns, *kept)) return;
  *kept = id;
  *kept_ns = at_ns;
}

HalfCall Renumbered(HalfCall call, const CallGraph::Numbers& numbers) {
  call.service = numbers.node(call.service);
  call.peer = numbers.node(call.peer);
  call.scope = numbers.text(call.scope);
  return call;
}

}  // namespace

void OrphanCounts::Add(uint64_t count, const model::TraceId& id, uint64_t at_ns) {
  spans += count;
  KeepLatest(id, at_ns, &example, &example_ns);
}

void SkewCounts::AddHost(bool of_server, uint32_t host, uint64_t count) {
  const std::pair key(of_server, host);
  if (hosts.size() < kHostsMax || hosts.contains(key)) hosts[key] += count;
}

void CountRoot(const HalfCall& root, CallGraph* graph) {
  const Connection connection = graph->node(root.peer).kind == NodeKind::kQueue
                                    ? Connection::kMessaging
                                    : Connection::kVirtual;
  CallSample call;
  call.at_ns = root.start_ns;
  call.server_ns = root.duration_ns;
  call.server_error = root.error;
  call.trace_id = root.span.trace_id;
  const uint32_t edge = graph->EdgeOf({root.peer, root.service, connection, CallGraph::kNone});
  graph->counts(edge).Add(call, graph->steps());
}

void FoundCalls::AddRoot(const HalfCall& root) {
  if (roots.size() < kHalfCallsMax) {
    roots.push_back(root);
  } else {
    dropped_half_calls = true;
    CountRoot(root, &graph);
  }
}

void FoundCalls::Merge(const FoundCalls& other) {
  const CallGraph::Numbers numbers = graph.Merge(other.graph);
  for (const HalfCall& call : other.lone) lone.push_back(Renumbered(call, numbers));
  for (const HalfCall& call : other.roots) roots.push_back(Renumbered(call, numbers));
  dropped_half_calls |= other.dropped_half_calls;
  for (LinkedReceiver receiver : other.receivers) {
    receiver.call = Renumbered(receiver.call, numbers);
    receivers.push_back(std::move(receiver));
  }
  link_count += other.link_count;
  for (const auto& [key, sender] : other.senders) {
    senders[key] = {numbers.node(sender.service), numbers.text(sender.via), sender.duration_ns,
                    sender.error};
  }
  for (const auto& [name, service] : other.answered)
    answered.insert({numbers.node(name), numbers.node(service)});
  for (const auto& [key, counts] : other.orphans) {
    OrphanKey own = key;
    own.service = numbers.node(key.service);
    own.scope = numbers.text(key.scope);
    orphans[own].Add(counts.spans, counts.example, counts.example_ns);
  }
  for (const auto& [edge, from] : other.skews) {
    SkewCounts& to = skews[numbers.edges[edge]];
    to.ahead.Merge(from.ahead);
    to.behind.Merge(from.behind);
    KeepLatest(from.example, from.example_ns, &to.example, &to.example_ns);
    for (const auto& [host, count] : from.hosts)
      to.AddHost(host.first, numbers.text(host.second), count);
  }
}

size_t FoundCalls::bytes() const {
  size_t bytes = graph.bytes() + (lone.capacity() + roots.capacity()) * sizeof(HalfCall);
  bytes += receivers.capacity() * sizeof(LinkedReceiver) + link_count * sizeof(SpanKey);
  bytes += senders.capacity() * (sizeof(SpanKey) + sizeof(LinkedSender) + 1);
  bytes += answered.capacity() * 9 + orphans.size() * 128;
  for (const auto& [edge, skew] : skews)
    bytes += 256 + skew.ahead.bytes() + skew.behind.bytes() + skew.hosts.size() * 64;
  return bytes;
}

}  // namespace weft::query::insight
