#include "query/insight/propagation.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace weft::query::insight {
namespace {

// A service is worth a finding from this many unanswered calls on.
constexpr uint64_t kUnansweredMin = 10;

constexpr const char* kSetPropagators = "set OTEL_PROPAGATORS=tracecontext,baggage on both sides";

std::string Quoted(const std::string& name) {
  return name.empty() ? std::string("a service without service.name") : name;
}

std::string Library(const std::string& library, const std::string& service) {
  return library.empty() ? "the instrumentation of " + Quoted(service)
                         : library + " in " + Quoted(service);
}

class Doctor {
 public:
  explicit Doctor(const CallSurvey& survey) : survey_(survey), graph_(survey.found.graph) {}

  PropagationReport Run() {
    AddUpEdges();
    FindLostContext();
    FindSpansBetween();
    FindOrphans();
    FindQueues();
    FindUnanswered();
    FindSkew();
    std::sort(out_.findings.begin(), out_.findings.end(), [](const Finding& a, const Finding& b) {
      return std::tie(b.count, a.kind, a.client, a.server, a.client_library, a.server_library,
                      a.queue) < std::tie(a.count, b.kind, b.client, b.server, b.client_library,
                                          b.server_library, b.queue);
    });
    out_.complete = survey_.complete;
    out_.reason = survey_.reason;
    out_.stats = survey_.stats;
    return std::move(out_);
  }

 private:
  using Pair = std::pair<uint32_t, uint32_t>;  // nodes: client and server
  struct Sums {
    uint64_t requests = 0;
    uint64_t torn = 0;
    uint64_t unanswered = 0;
    uint64_t failed = 0;
    model::TraceId example;

    uint64_t intact() const { return requests - torn - unanswered; }
  };

  bool IsService(uint32_t node) const { return graph_.node(node).kind == NodeKind::kService; }
  const std::string& NameOf(uint32_t node) const { return graph_.node(node).name; }
  std::string TextOf(uint32_t text) const {
    return text == CallGraph::kNone ? std::string() : graph_.text(text);
  }

  void AddUpEdges() {
    for (uint32_t i = 0; i < graph_.edge_count(); ++i) {
      const CallGraph::Edge& edge = graph_.edge(i);
      const CallCounts& counts = graph_.counts(i);
      if (counts.requests == 0 || !IsService(edge.client) || !IsService(edge.server)) continue;
      Sums& sums = pairs_[{edge.client, edge.server}];
      sums.requests += counts.requests;
      sums.torn += counts.torn;
      sums.unanswered += counts.unanswered;
      sums.failed += counts.failed;
      sums.example = std::max(sums.example, counts.example);
      out_.calls += counts.requests;
      if (edge.client == edge.server) continue;
      const uint64_t intact = counts.requests - counts.torn - counts.unanswered;
      arrived_from_[edge.client] += intact;
      arrived_at_[edge.server] += intact;
    }
  }

  // --- 1

  void FindLostContext() {
    for (const auto& [key, counts] : survey_.torn) {
      const Sums& pair = pairs_[{key.client, key.server}];
      torn_by_pair_[{key.client, key.server}] += counts.calls;
      Finding finding;
      finding.kind = FindingKind::kContextLost;
      finding.client = NameOf(key.client);
      finding.server = NameOf(key.server);
      finding.client_library = TextOf(key.client_scope);
      finding.server_library = TextOf(key.server_scope);
      finding.count = counts.calls;
      finding.of = std::max(pair.requests, counts.calls);
      finding.client_example = counts.client_example;
      finding.server_example = counts.server_example;
      const bool others_work = arrived_from_[key.client] > pair.intact();
      const bool others_arrive = arrived_at_[key.server] > pair.intact();
      finding.what = Quoted(finding.server) + " begins traces of its own when " +
                     Quoted(finding.client) + " calls it. ";
      if (pair.intact() > 0) {
        BlameWhatDiffers(pair, &finding);
      } else if (others_work && !others_arrive) {
        BlameCallee(&finding);
      } else if (!others_work && others_arrive) {
        BlameCaller(&finding);
      } else {
        BlameBetween(others_work, &finding);
      }
      out_.findings.push_back(std::move(finding));
    }
  }

  static void BlameWhatDiffers(const Sums& pair, Finding* f) {
    f->culprit = Culprit::kBetween;
    f->what += "The context arrives with " + std::to_string(pair.intact()) +
               " calls between the two and is lost with others.";
    f->advice =
        "compare an example of each kind: a route, a version or an instance differs, such as a "
        "client that is not instrumented or a proxy on one way that drops the `traceparent` header";
  }

  static void BlameCallee(Finding* f) {
    f->culprit = Culprit::kCallee;
    f->what += "The context of " + Quoted(f->client) +
               " arrives at other services, and nobody's arrives at " + Quoted(f->server) + ".";
    f->advice = "see that " + Library(f->server_library, f->server) +
                " reads the `traceparent` header (" + kSetPropagators +
                "), and that no proxy before it drops that header";
  }

  static void BlameCaller(Finding* f) {
    f->culprit = Culprit::kCaller;
    f->what += "The context of others arrives at " + Quoted(f->server) + ", that of " +
               Quoted(f->client) + " nowhere.";
    f->advice = "see that " + Library(f->client_library, f->client) +
                " writes the `traceparent` header into what it sends (" + kSetPropagators + ")";
  }

  static void BlameBetween(bool others_work, Finding* f) {
    f->culprit = others_work ? Culprit::kBetween : Culprit::kUnknown;
    f->what += others_work
                   ? "Both pass the context on with other services, so it is lost between them."
                   : "No other call of the two tells whose fault it is.";
    f->advice =
        "look for a proxy, gateway or load balancer between the two that drops the "
        "`traceparent` header, and compare the propagators of both: " +
        std::string(kSetPropagators);
  }

  // --- 2

  void FindSpansBetween() {
    for (const auto& [pair, sums] : pairs_) {
      const auto known = torn_by_pair_.find(pair);
      const uint64_t apart = known == torn_by_pair_.end() ? 0 : known->second;
      if (sums.torn <= apart) continue;
      Finding finding;
      finding.kind = FindingKind::kSpansBetween;
      finding.client = NameOf(pair.first);
      finding.server = NameOf(pair.second);
      finding.culprit = Culprit::kBetween;
      finding.count = sums.torn - apart;
      finding.of = sums.requests;
      finding.client_example = finding.server_example = sums.example;
      finding.what = "Spans between " + Quoted(finding.client) + " and " + Quoted(finding.server) +
                     " never came, though their ids were passed on.";
      finding.advice =
          "find what stands between the two (a proxy, a mesh, a service with another backend or "
          "sampler): let it send its spans here, or pass the context on as it came";
      out_.findings.push_back(std::move(finding));
    }
  }

  // --- 3 and 4

  static FindingKind KindOf(const OrphanKey& key) {
    const auto kind = static_cast<model::SpanKind>(key.kind);
    if (kind != model::SpanKind::kServer && kind != model::SpanKind::kConsumer)
      return FindingKind::kParentMissing;
    return key.root_missing ? FindingKind::kRootMissing : FindingKind::kCallerMissing;
  }

  void FindOrphans() {
    std::map<std::tuple<FindingKind, uint32_t, uint32_t>, OrphanCounts> found;
    for (const auto& [key, counts] : survey_.found.orphans) {
      found[{KindOf(key), key.service, key.scope}].Add(counts.spans, counts.example,
                                                       counts.example_ns);
    }
    for (const auto& [key, counts] : found) {
      Finding finding;
      finding.kind = std::get<0>(key);
      finding.server = NameOf(std::get<1>(key));
      finding.server_library = TextOf(std::get<2>(key));
      finding.count = counts.spans;
      finding.client_example = finding.server_example = counts.example;
      Explain(&finding);
      out_.findings.push_back(std::move(finding));
    }
  }

  static void Explain(Finding* f) {
    if (f->kind == FindingKind::kRootMissing) {
      f->culprit = Culprit::kCaller;
      f->what = "Whoever calls " + Quoted(f->server) +
                " first passes a context on and sends no spans: the traces have no root.";
      f->advice =
          "let the gateway, browser or job that begins these traces send its spans here, "
          "with the same sampling; or let it stop sending `traceparent`";
    } else if (f->kind == FindingKind::kCallerMissing) {
      f->culprit = Culprit::kBetween;
      f->what = "The span that called " + Quoted(f->server) +
                " never came, though other spans of the traces did.";
      f->advice =
          "find the service that should have sent it: look for dropped spans in its "
          "exporter and collector, and for a sampler that does not follow its parent";
    } else {
      f->culprit = Culprit::kCallee;
      f->what = "Spans of " + Quoted(f->server) +
                " have parents that never came: it loses spans of its own.";
      f->advice = "see that " + Library(f->server_library, f->server) +
                  " ends every span, that the process flushes when it stops, and that its exporter "
                  "drops none (its queue, OTEL_BSP_MAX_QUEUE_SIZE, and the collector's)";
    }
  }

  // --- 5

  void FindQueues() {
    std::map<uint32_t, std::vector<uint32_t>> senders, takers;  // edges by queue
    for (uint32_t i = 0; i < graph_.edge_count(); ++i) {
      if (graph_.counts(i).requests == 0) continue;
      const CallGraph::Edge& edge = graph_.edge(i);
      if (graph_.node(edge.server).kind == NodeKind::kQueue) senders[edge.server].push_back(i);
      if (graph_.node(edge.client).kind == NodeKind::kQueue) takers[edge.client].push_back(i);
    }
    for (const auto& [queue, edges] : senders) {
      const auto found = takers.find(queue);
      if (found == takers.end()) continue;
      for (const uint32_t sender : edges) {
        for (const uint32_t taker : found->second) AddQueue(queue, sender, taker);
      }
    }
  }

  void AddQueue(uint32_t queue, uint32_t sender, uint32_t taker) {
    Finding finding;
    finding.kind = FindingKind::kQueueContextLost;
    finding.client = NameOf(graph_.edge(sender).client);
    finding.server = NameOf(graph_.edge(taker).server);
    finding.queue = NameOf(queue);
    finding.count = std::min(graph_.counts(sender).requests, graph_.counts(taker).requests);
    finding.of = graph_.counts(taker).requests;
    finding.client_example = graph_.counts(sender).example;
    finding.server_example = graph_.counts(taker).example;
    finding.what = Quoted(finding.server) + " takes messages from the queue " + finding.queue +
                   " without the context in which " + Quoted(finding.client) + " sent them.";
    finding.advice =
        "see that the sender's instrumentation writes `traceparent` into the message's headers, "
        "and that the receiver's continues it or links to it";
    out_.findings.push_back(std::move(finding));
  }

  // --- 6

  void FindUnanswered() {
    for (const auto& [pair, sums] : pairs_) {
      const bool failed_on_the_way = sums.failed >= sums.unanswered;
      if (sums.unanswered < kUnansweredMin || 2 * sums.unanswered <= sums.requests ||
          failed_on_the_way) {
        continue;
      }
      Finding finding;
      finding.kind = FindingKind::kUnanswered;
      finding.client = NameOf(pair.first);
      finding.server = NameOf(pair.second);
      finding.culprit = Culprit::kCallee;
      finding.count = sums.unanswered;
      finding.of = sums.requests;
      finding.client_example = finding.server_example = sums.example;
      finding.what = "Most calls from " + Quoted(finding.client) + " to " + Quoted(finding.server) +
                     " are not seen by it, though it sends spans of others.";
      finding.advice =
          "see that the part of the service that these calls reach is instrumented, and that its "
          "sampler follows its parent (OTEL_TRACES_SAMPLER=parentbased_always_on)";
      out_.findings.push_back(std::move(finding));
    }
  }

  // --- 7

  void FindSkew() {
    for (const auto& [edge, skew] : survey_.found.skews) {
      const bool ahead = skew.ahead.count() >= skew.behind.count();
      const exec::LatencyHistogram& offsets = ahead ? skew.ahead : skew.behind;
      Finding finding;
      finding.kind = FindingKind::kClockSkew;
      finding.client = NameOf(graph_.edge(edge).client);
      finding.server = NameOf(graph_.edge(edge).server);
      finding.count = skew.count();
      finding.of = graph_.counts(edge).requests;
      finding.client_example = finding.server_example = skew.example;
      finding.offset_ns = static_cast<int64_t>(offsets.Quantile(0.5)) * (ahead ? 1 : -1);
      BlameHost(skew, &finding);
      finding.what = "The clocks of " + Quoted(finding.client) + " and " + Quoted(finding.server) +
                     " disagree: calls seem to arrive before they are sent, or to end later.";
      finding.advice =
          finding.host.empty()
              ? "see that the machines of both keep their time (chrony, NTP)"
              : "set the clock of " + finding.host + ": it is on one side of all of these calls";
      out_.findings.push_back(std::move(finding));
    }
  }

  // The one machine that is on one side of all of the calls.
  void BlameHost(const SkewCounts& skew, Finding* finding) const {
    for (const bool of_server : {true, false}) {
      for (const auto& [host, count] : skew.hosts) {
        if (host.first != of_server || count != skew.count()) continue;
        finding->culprit = of_server ? Culprit::kCallee : Culprit::kCaller;
        finding->host = graph_.text(host.second);
        return;
      }
    }
  }

  const CallSurvey& survey_;
  const CallGraph& graph_;
  std::map<Pair, Sums> pairs_;
  std::map<Pair, uint64_t> torn_by_pair_;
  std::map<uint32_t, uint64_t> arrived_from_, arrived_at_;  // intact calls by service
  PropagationReport out_;
};

}  // namespace

Result<PropagationReport> FindBrokenPropagation(const CallSurveyor& surveyor,
                                                const CallQuery& query,
                                                const std::optional<std::string>& service,
                                                const exec::Budget& budget) {
  WEFT_ASSIGN_OR_RETURN(const CallSurvey survey, surveyor.Run(query, budget));
  PropagationReport report = Doctor(survey).Run();
  if (service) {
    std::erase_if(report.findings, [&](const Finding& finding) {
      return finding.client != *service && finding.server != *service;
    });
  }
  return report;
}

std::string_view FindingKindName(FindingKind kind) {
  switch (kind) {
    case FindingKind::kContextLost: return "context_lost";
    case FindingKind::kSpansBetween: return "spans_between_missing";
    case FindingKind::kRootMissing: return "root_missing";
    case FindingKind::kCallerMissing: return "caller_missing";
    case FindingKind::kParentMissing: return "parent_missing";
    case FindingKind::kQueueContextLost: return "queue_context_lost";
    case FindingKind::kUnanswered: return "unanswered";
    case FindingKind::kClockSkew: return "clock_skew";
  }
  return "";
}

std::string_view CulpritName(Culprit culprit) {
  switch (culprit) {
    case Culprit::kUnknown: return "unknown";
    case Culprit::kCaller: return "caller";
    case Culprit::kCallee: return "callee";
    case Culprit::kBetween: return "between";
  }
  return "";
}

}  // namespace weft::query::insight
