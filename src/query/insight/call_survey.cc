#include "query/insight/call_survey.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "base/read_account.h"
#include "block/renewal.h"
#include "model/span_batch.h"
#include "query/exec/plan_rows.h"
#include "query/insight/call_finder.h"
#include "query/insight/torn_calls.h"

namespace weft::query::insight {
namespace {

using exec::Budget;
using exec::BudgetClock;
using exec::GroupColumns;
using exec::PlanRows;
using model::SpanKind;

// Traces outside the range that are looked up because links lead there.
constexpr size_t kLookedUpTraces = 1000;

class Surveying {
 public:
  Surveying(const block::RowSource& source, const Env& env, exec::TaskRunner& runner,
            const CallQuery& query, const Budget& budget)
      : source_(source),
        query_(query),
        budget_(budget),
        clock_(budget, env),
        rows_(source, runner, &clock_, query.spans, query.tenant, query.range,
              /*whole_traces=*/true),
        survey_(query.steps ? &*query.steps : nullptr) {}

  Result<CallSurvey> Run() {
    WEFT_RETURN_IF_ERROR(FindLinked());
    WEFT_RETURN_IF_ERROR(Find());
    WEFT_RETURN_IF_ERROR(JoinLinks());
    JoinTornCalls(&survey_);
    NoteReason(rows_.reason());
    if (survey_.found.dropped_half_calls) {
      NoteReason("torn calls were looked for among " + std::to_string(FoundCalls::kHalfCallsMax) +
                 " root spans and lone calls at most; ask for a shorter time range");
    }
    rows_.AddStats(&survey_.stats);
    survey_.stats.elapsed_us = clock_.elapsed_ns() / 1000;
    if (const ReadAccount* const reads = ReadAccount::Current()) {
      survey_.stats.store_requests = reads->requests;
      survey_.stats.store_bytes = reads->bytes;
      survey_.stats.store_hits = reads->hits;
    }
    return std::move(survey_);
  }

 private:
  void NoteReason(const std::string& reason) {
    if (reason.empty() || !survey_.complete) return;
    survey_.complete = false;
    survey_.reason = reason;
  }

  Error CheckMemory(size_t bytes) const {
    if (budget_.memory_bytes == 0 || bytes * rows_.width() <= budget_.memory_bytes)
      return Error::Ok();
    return {ErrorCode::kResourceExhausted,
            "the memory limit of " + std::to_string(budget_.memory_bytes) +
                " bytes ran out; ask for a shorter time range, for longer steps, or for fewer "
                "spans with q"};
  }

  Error FindLinked() {
    WEFT_ASSIGN_OR_RETURN(const auto groups,
                          source_.Snapshot(query_.tenant, query_.range, {.lazy = true}));
    std::vector<LinkTargets> linked(rows_.width());
    const auto collect = [&](size_t i, size_t thread) -> Error {
      const block::RowGroup& group = *groups[i];
      WEFT_RETURN_IF_ERROR(group.Load());
      if (group.row_count() == 0 ||
          !query_.range.Touches(group.first_start_ns(), group.last_start_ns())) {
        return Error::Ok();
      }
      GroupColumns columns(group);
      WEFT_RETURN_IF_ERROR(CollectLinked(&columns, query_.range, &linked[thread]));
      return CheckMemory(linked[thread].bytes());
    };
    WEFT_RETURN_IF_ERROR(rows_.InParallel(groups.size(), collect));
    for (const LinkTargets& of_thread : linked) linked_.Merge(of_thread);
    return Error::Ok();
  }

  Error Find() {
    std::vector<FoundCalls> found;
    for (size_t i = 0; i < rows_.width(); ++i) found.emplace_back(survey_.found.graph.steps());
    const auto find = [&](const PlanRows::Part& part, GroupColumns* columns, size_t thread) {
      WEFT_RETURN_IF_ERROR(FindCalls(part, columns, query_.range, linked_, &found[thread]));
      return CheckMemory(found[thread].bytes());
    };
    WEFT_RETURN_IF_ERROR(rows_.ForEach(find));
    for (FoundCalls& of_thread : found) {
      survey_.found.Merge(of_thread);
      of_thread = FoundCalls(nullptr);
    }
    return Error::Ok();
  }

  Error JoinLinks() {
    WEFT_RETURN_IF_ERROR(LookUpSenders());
    CallGraph& graph = survey_.found.graph;
    for (const LinkedReceiver& receiver : survey_.found.receivers) {
      bool joined = false;
      for (const SpanKey& key : receiver.senders) {
        const auto sender = survey_.found.senders.find(key);
        if (sender == survey_.found.senders.end()) continue;
        joined = true;
        AddLinked(receiver.call, sender->second, &graph);
      }
      if (!joined && receiver.is_root) survey_.found.AddRoot(receiver.call);
    }
    survey_.found.receivers = {};
    survey_.found.senders = {};
    return Error::Ok();
  }

  static void AddLinked(const HalfCall& receiver, const LinkedSender& sender, CallGraph* graph) {
    CallSample call;
    call.at_ns = receiver.start_ns;
    call.client_ns = sender.duration_ns;
    call.server_ns = receiver.duration_ns;
    call.client_error = sender.error;
    call.server_error = receiver.error;
    call.trace_id = receiver.span.trace_id;
    const NodeName& queue = graph->node(receiver.peer);
    const uint32_t via = queue.kind == NodeKind::kQueue ? graph->TextOf(queue.name) : sender.via;
    const uint32_t edge =
        graph->EdgeOf({sender.service, receiver.service, Connection::kMessaging, via});
    graph->counts(edge).Add(call, graph->steps());
  }

  // Senders of which no span is in the range or left by the query.
  Error LookUpSenders() {
    std::map<model::TraceId, std::set<model::SpanId>> wanted;
    for (const LinkedReceiver& receiver : survey_.found.receivers) {
      for (const SpanKey& key : receiver.senders) {
        if (survey_.found.senders.contains(key)) continue;
        if (wanted.size() >= kLookedUpTraces && !wanted.contains(key.trace_id)) {
          NoteReason("links lead to more than " + std::to_string(kLookedUpTraces) +
                     " traces outside the range");
          continue;
        }
        wanted[key.trace_id].insert(key.span_id);
      }
    }
    for (const auto& [trace_id, spans] : wanted) {
      if (clock_.cancelled()) return {ErrorCode::kCancelled, "the query was cancelled"};
      if (const std::string why = clock_.Exhausted(); !why.empty()) {
        NoteReason(why);
        return Error::Ok();
      }
      WEFT_ASSIGN_OR_RETURN(const model::SpanBatch trace,
                            source_.FindTrace(query_.tenant, trace_id));
      for (uint32_t i = 0; i < trace.size(); ++i) {
        if (spans.contains(trace.span_id[i])) AddSender(trace, i);
      }
    }
    return Error::Ok();
  }

  void AddSender(const model::SpanBatch& trace, uint32_t span) {
    const auto kind = static_cast<SpanKind>(trace.kind[span]);
    if (kind != SpanKind::kProducer && kind != SpanKind::kClient) return;
    CallGraph& graph = survey_.found.graph;
    const std::string_view service = trace.strings[trace.ServiceName(trace.resource[span])];
    LinkedSender sender;
    sender.service = graph.NodeOf({NodeKind::kService, std::string(service), {}});
    if (trace.end_ns[span] > trace.start_ns[span])
      sender.duration_ns = static_cast<int64_t>(trace.end_ns[span] - trace.start_ns[span]);
    sender.error = trace.status[span] == static_cast<uint8_t>(model::StatusCode::kError);
    survey_.found.senders[{trace.traces[trace.trace[span]], trace.span_id[span]}] = sender;
  }

  const block::RowSource& source_;
  const CallQuery& query_;
  const Budget& budget_;
  BudgetClock clock_;
  PlanRows rows_;
  LinkTargets linked_;
  CallSurvey survey_;
};

}  // namespace

Result<CallSurvey> CallSurveyor::Run(const CallQuery& query, const Budget& budget) const {
  return block::WithRenewal<CallSurvey>(
      source_, [&] { return Surveying(source_, env_, runner_, query, budget).Run(); });
}

}  // namespace weft::query::insight
