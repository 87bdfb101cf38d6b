#include "query/exec/search.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include <absl/container/flat_hash_map.h>

#include "base/fair_share.h"
#include "base/read_account.h"
#include "block/batch_row_group.h"
#include "block/renewal.h"
#include "query/exec/candidates.h"
#include "query/exec/chosen_rows.h"
#include "query/exec/cursor.h"
#include "query/exec/found_spans.h"
#include "query/exec/group_filter.h"
#include "query/exec/span_describer.h"
#include "query/exec/spansets.h"
#include "query/plan/description.h"

namespace weft::query::exec {
namespace {

// The rows of `rows` in traces that have one of `some`.
Bitmap OfTheirTraces(const Bitmap& some, const Bitmap& rows, const block::RowGroup& group) {
  const std::vector<uint32_t>& trace_of_row = group.trace_of_row();
  Bitmap traces(group.trace_count());
  some.ForEach([&](uint32_t row) { traces.Set(trace_of_row[row]); });
  if (traces.All()) return rows;
  Bitmap out(rows.size());
  rows.ForEach([&](uint32_t row) {
    if (traces.Test(trace_of_row[row])) out.Set(row);
  });
  return out;
}

// One search while it runs.
class SearchRun {
 public:
  SearchRun(const block::RowSource& source, const Env& env, TaskRunner& runner,
            const plan::Plan& plan, const SearchRequest& request, const Budget& budget)
      : source_(source),
        runner_(runner),
        plan_(plan),
        request_(request),
        clock_(budget, env),
        profile_(budget.profile),
        joiner_(source, request.tenant),
        whole_traces_(plan.of_whole_traces()),
        necessary_(NecessaryPredicate(plan)),
        ahead_(std::max<size_t>(1, runner.width() / 4)) {}

  Result<SearchAnswer> Run() {
    if (!request_.cursor.empty()) {
      WEFT_ASSIGN_OR_RETURN(cursor_, Cursor::Decode(request_.cursor));
    }
    WEFT_RETURN_IF_ERROR(QueueGroups());
    WEFT_RETURN_IF_ERROR(FindResults());
    if (clock_.cancelled()) return Error(ErrorCode::kCancelled, "the search was cancelled");
    WEFT_RETURN_IF_ERROR(WriteAnswer());
    return std::move(answer_);
  }

 private:
  Error QueueGroups() {
    const StageTimer timer(profile_, Profile::Stage::kList);
    const block::SnapshotOptions options{.lazy = true};
    WEFT_ASSIGN_OR_RETURN(auto groups, source_.Snapshot(request_.tenant, request_.range, options));
    std::stable_sort(groups.begin(), groups.end(), [](const auto& a, const auto& b) {
      return a->last_trace_start_ns() > b->last_trace_start_ns();
    });
    for (auto& group : groups) {
      if (group->row_count() == 0 ||
          !request_.range.Touches(group->first_start_ns(), group->last_start_ns())) {
        ++answer_.stats.row_groups_skipped;
        if (profile_ != nullptr) profile_->AddSkipped(kOutsideRange);
        continue;
      }
      queue_.AddGroup(static_cast<uint32_t>(groups_.size()), group->last_trace_start_ns());
      groups_.push_back({.group = std::move(group)});
    }
    return Error::Ok();
  }

  // One more result than asked for says that there is a next page.
  Error FindResults() {
    while (!queue_.empty() && results_.size() <= request_.limit) {
      FairShare::Offer();
      if (answer_.complete) answer_.reason = clock_.Exhausted();
      if (!answer_.reason.empty()) {
        if (clock_.cancelled()) return Error::Ok();
        answer_.complete = false;
        if (results_.size() == request_.limit) return Error::Ok();
      }
      const auto entry = queue_.Take();
      if (!entry) return Error::Ok();
      WEFT_RETURN_IF_ERROR(Advance(*entry));
    }
    return Error::Ok();
  }

  Error Advance(const CandidateQueue::Entry& entry) {
    switch (entry.kind) {
      case CandidateQueue::Kind::kGroup:
        // When a limit has run out, what was found is still shown.
        return answer_.complete ? OpenGroup(entry.index) : Error::Ok();
      case CandidateQueue::Kind::kParts: return Error::Ok();  // never taken
      case CandidateQueue::Kind::kUnresolved: return Resolve(entry.index);
      case CandidateQueue::Kind::kResolved: {
        const Candidate& candidate = queue_.candidate(entry.index);
        const bool wanted = !cursor_ || cursor_->Precedes(candidate.start_ns, candidate.id);
        if (wanted) results_.push_back(entry.index);
        return Error::Ok();
      }
    }
    return Error::Ok();
  }

  Error OpenGroup(uint32_t index) {
    if (index >= filtered_) WEFT_RETURN_IF_ERROR(FilterNext());
    const FilteredGroup& opened = groups_[index];
    ++answer_.stats.row_groups;
    answer_.stats.rows += opened.group->row_count();
    answer_.stats.bytes += opened.group->bytes_read();
    const size_t before = queue_.bytes();
    if (opened.matched.Any()) {
      queue_.AddParts(*opened.group, PartsOf(*opened.group, opened.matched, index));
    }
    clock_.AddMemory(queue_.bytes() - before + opened.matched.bytes());
    return Error::Ok();
  }

  // Filters the next groups in their order. The first is wanted now; how many others are, nobody
  // knows: mostly none at first, and the longer a search finds nothing the more.
  Error FilterNext() {
    const size_t first = filtered_;
    const size_t count = std::min(ahead_, groups_.size() - first);
    ahead_ = std::min(runner_.width(), 2 * ahead_);
    std::vector<Error> errors(count);
    runner_.Run(count, [&](size_t i) {
      errors[i] = FilterGroup(&groups_[first + i]);
      clock_.AddRead(groups_[first + i].group->bytes_read());
    });
    filtered_ += count;
    for (const Error& error : errors) WEFT_RETURN_IF_ERROR(error);
    return Error::Ok();
  }

  Error FilterGroup(FilteredGroup* group) {
    const plan::Predicate& predicate = whole_traces_ ? necessary_ : *plan_.filter();
    WEFT_ASSIGN_OR_RETURN(ChosenRows chosen, ChooseRows(*group->group, &predicate, request_.range,
                                                        &joiner_, profile_));
    group->matched = std::move(chosen.rows);
    if (!group->matched.Any()) return Error::Ok();
    WEFT_RETURN_IF_ERROR(group->group->LoadTraces());
    if (!whole_traces_ || !group->group->has_tree()) return Error::Ok();
    const StageTimer timer(profile_, Profile::Stage::kTree);
    const Bitmap rows = OfTheirTraces(group->matched, chosen.in_range, *group->group);
    WEFT_ASSIGN_OR_RETURN(group->spansets,
                          SpansetEvaluator(chosen.columns.get()).Run(plan_.stages, rows));
    return DropWithoutSpansets(group);
  }

  // Traces of which nothing is left here, and that are nowhere else, are no candidates.
  Error DropWithoutSpansets(FilteredGroup* group) {
    const std::vector<uint32_t>& trace_of_row = group->group->trace_of_row();
    Bitmap kept(group->group->trace_count());
    for (const Spanset& set : group->spansets) kept.Set(set.trace);
    Bitmap asked(kept.size());
    group->matched.ForEach([&](uint32_t row) { asked.Set(trace_of_row[row]); });
    asked.AndNot(kept);
    std::vector<model::TraceId> ids;
    asked.ForEach([&](uint32_t trace) { ids.push_back(group->group->trace_id(trace)); });
    WEFT_ASSIGN_OR_RETURN(const std::vector<bool> elsewhere,
                          source_.MayBeElsewhere(request_.tenant, ids, group->group->block_id()));
    size_t i = 0;
    asked.ForEach([&](uint32_t trace) {
      if (elsewhere[i++]) kept.Set(trace);
    });
    Bitmap rows(group->matched.size());
    group->matched.ForEach([&](uint32_t row) {
      if (kept.Test(trace_of_row[row])) rows.Set(row);
    });
    group->matched = std::move(rows);
    return Error::Ok();
  }

  // A trace of which there is nothing after all is dropped.
  Error Resolve(uint32_t index) {
    const StageTimer timer(profile_, Profile::Stage::kJoin);
    const Candidate& candidate = queue_.candidate(index);
    WEFT_ASSIGN_OR_RETURN(const auto joined, joiner_.Summarize(candidate.id));
    block::TraceSummary summary = joined->summary;
    if (summary.span_count == 0) {
      // Expired since the snapshot was taken: what the group knows is all there is.
      const MatchedPart& part = candidate.parts.front();
      WEFT_ASSIGN_OR_RETURN(summary, groups_[part.group].group->Summary(part.trace));
    }
    if (whole_traces_) {
      WEFT_ASSIGN_OR_RETURN(const bool found, FindSpansets(candidate, index));
      if (!found) return Error::Ok();
    }
    queue_.Resolve(index, std::move(summary));
    return Error::Ok();
  }

  // Whether the plan leaves any spansets of a whole trace.
  Result<bool> FindSpansets(const Candidate& candidate, uint32_t index) {
    const MatchedPart& part = candidate.parts.front();
    const FilteredGroup& local = groups_[part.group];
    std::vector<bool> elsewhere(1, true);
    if (local.group->has_tree()) {
      WEFT_ASSIGN_OR_RETURN(elsewhere, source_.MayBeElsewhere(request_.tenant, {&candidate.id, 1},
                                                              local.group->block_id()));
    }
    if (!elsewhere[0]) {
      const auto of_trace =
          std::ranges::equal_range(local.spansets, part.trace, {}, &Spanset::trace);
      if (of_trace.empty()) return false;
      found_[index] = {local.group, {of_trace.begin(), of_trace.end()}};
      return true;
    }
    WEFT_ASSIGN_OR_RETURN(const model::SpanBatch spans,
                          source_.FindTrace(request_.tenant, candidate.id));
    if (spans.empty()) return false;  // expired
    WholeTrace whole{block::InPreorder(spans), {}};
    GroupColumns columns(*whole.group);
    WEFT_ASSIGN_OR_RETURN(const Bitmap rows, RowsInRange(&columns, request_.range));
    WEFT_ASSIGN_OR_RETURN(whole.spansets, SpansetEvaluator(&columns).Run(plan_.stages, rows));
    if (whole.spansets.empty()) return false;
    clock_.AddMemory(spans.bytes());
    found_[index] = std::move(whole);
    return true;
  }

  Error WriteAnswer() {
    const StageTimer timer(profile_, Profile::Stage::kDescribe);
    const bool more = results_.size() > request_.limit;
    if (more) results_.resize(request_.limit);
    for (const uint32_t index : results_) {
      answer_.traces.emplace_back().summary = queue_.candidate(index).summary;
    }
    WEFT_RETURN_IF_ERROR(whole_traces_ ? DescribeSpansets() : FindSpans());
    if (more && answer_.complete && !results_.empty()) {
      const Candidate& last = queue_.candidate(results_.back());
      answer_.next_cursor = Cursor{last.start_ns, last.id}.Encode();
    }
    answer_.stats.row_groups_skipped += groups_.size() - answer_.stats.row_groups;
    if (profile_ != nullptr) profile_->AddSkipped(NotReached(), groups_.size() - filtered_);
    answer_.stats.elapsed_us = clock_.elapsed_ns() / 1000;
    if (const ReadAccount* const reads = ReadAccount::Current()) {
      answer_.stats.store_requests = reads->requests;
      answer_.stats.store_bytes = reads->bytes;
      answer_.stats.store_hits = reads->hits;
    }
    return Error::Ok();
  }

  std::string NotReached() const {
    if (!answer_.complete) return answer_.reason;
    return "older than the " + std::to_string(request_.limit) + " newest traces found";
  }

  // A trace that is in the answer of a plan of whole traces.
  struct WholeTrace {
    std::shared_ptr<const block::RowGroup> group;
    std::vector<Spanset> spansets;
  };

  // Of a filter: a spanset a trace.
  Error FindSpans() {
    std::vector<const Candidate*> traces;
    for (const uint32_t index : results_) traces.push_back(&queue_.candidate(index));
    SpanFinder finder(groups_, plan_.shown, source_, &joiner_, request_.tenant);
    WEFT_ASSIGN_OR_RETURN(std::vector<FoundSpanset> found,
                          finder.Find(traces, request_.spans_per_trace));
    for (size_t i = 0; i < found.size(); ++i) {
      answer_.traces[i].spansets.push_back(std::move(found[i]));
    }
    return Error::Ok();
  }

  // Those of one group together.
  Error DescribeSpansets() {
    std::map<const block::RowGroup*, std::vector<std::pair<const Spanset*, FoundSpanset*>>>
        by_group;
    for (size_t i = 0; i < results_.size(); ++i) {
      const WholeTrace& whole = found_[results_[i]];
      std::vector<FoundSpanset>& sets = answer_.traces[i].spansets;
      sets.resize(whole.spansets.size());
      for (size_t set = 0; set < sets.size(); ++set) {
        by_group[whole.group.get()].emplace_back(&whole.spansets[set], &sets[set]);
      }
    }
    for (const auto& [group, sets] : by_group) {
      std::vector<const Rows*> rows;
      for (const auto& [set, found] : sets) rows.push_back(&set->rows);
      SpanDescriber describer(*group, plan_.shown, nullptr);
      WEFT_ASSIGN_OR_RETURN(auto spans, describer.DescribeFirst(rows, request_.spans_per_trace));
      for (size_t i = 0; i < sets.size(); ++i) {
        const auto& [set, found] = sets[i];
        found->matched = set->rows.size();
        found->spans = std::move(spans[i]);
        for (const SpansetAttribute& a : set->attributes) {
          found->values.push_back(ToFoundValue(*a.name, plan::Scalar::Of(a.value), a.meaning));
        }
      }
    }
    return Error::Ok();
  }

  const block::RowSource& source_;
  TaskRunner& runner_;
  const plan::Plan& plan_;
  const SearchRequest& request_;
  BudgetClock clock_;
  Profile* const profile_;
  TraceJoiner joiner_;
  const bool whole_traces_;
  const plan::Predicate necessary_;
  std::optional<Cursor> cursor_;
  std::vector<FilteredGroup> groups_;  // latest first
  size_t filtered_ = 0;                // this many of them are filtered
  size_t ahead_;                       // and this many are next
  CandidateQueue queue_;
  std::vector<uint32_t> results_;  // candidates
  // Of plans of whole traces.
  absl::flat_hash_map<uint32_t, WholeTrace> found_;  // by candidate
  SearchAnswer answer_;
};

}  // namespace

uint64_t FoundTrace::matched() const {
  uint64_t sum = 0;
  for (const FoundSpanset& set : spansets) sum += set.matched;
  return sum;
}

Result<SearchAnswer> SearchExecutor::Run(const plan::Plan& plan, const SearchRequest& request,
                                         const Budget& budget) const {
  if (budget.profile != nullptr) budget.profile->SetPlan(plan::Describe(plan));
  return block::WithRenewal<SearchAnswer>(
      source_, [&] { return SearchRun(source_, env_, runner_, plan, request, budget).Run(); });
}

}  // namespace weft::query::exec
