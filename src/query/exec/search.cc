#include "query/exec/search.h"

#include <algorithm>
#include <optional>

#include "base/read_account.h"
#include "query/exec/candidates.h"
#include "query/exec/cursor.h"
#include "query/exec/found_spans.h"
#include "query/exec/group_filter.h"
#include "query/exec/renewal.h"

namespace weft::query::exec {
namespace {

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
        joiner_(source, request.tenant) {}

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
    const block::SnapshotOptions options{.tree = plan_.needs_tree(), .lazy = true};
    WEFT_ASSIGN_OR_RETURN(auto groups, source_.Snapshot(request_.tenant, request_.range, options));
    std::stable_sort(groups.begin(), groups.end(), [](const auto& a, const auto& b) {
      return a->last_trace_start_ns() > b->last_trace_start_ns();
    });
    for (auto& group : groups) {
      if (group->row_count() == 0 ||
          !request_.range.Touches(group->first_start_ns(), group->last_start_ns())) {
        ++answer_.stats.row_groups_skipped;
        continue;
      }
      queue_.AddGroup(static_cast<uint32_t>(groups_.size()), group->last_trace_start_ns());
      groups_.push_back({std::move(group), {}});
    }
    return Error::Ok();
  }

  // One more result than asked for says that there is a next page.
  Error FindResults() {
    while (!queue_.empty() && results_.size() <= request_.limit) {
      if (answer_.complete) answer_.reason = clock_.Exhausted();
      if (!answer_.reason.empty()) {
        if (clock_.cancelled()) return Error::Ok();
        answer_.complete = false;
        if (results_.size() == request_.limit) return Error::Ok();
      }
      WEFT_RETURN_IF_ERROR(Advance(queue_.Take()));
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

  // Filters the next groups in their order, as many as there are threads: the first is wanted now,
  // the others soon.
  Error FilterNext() {
    const size_t first = filtered_;
    const size_t count = std::min(runner_.width(), groups_.size() - first);
    std::vector<Error> errors(count);
    runner_.Run(count, [&](size_t i) { errors[i] = FilterGroup(&groups_[first + i]); });
    filtered_ += count;
    for (const Error& error : errors) WEFT_RETURN_IF_ERROR(error);
    return Error::Ok();
  }

  Error FilterGroup(FilteredGroup* group) {
    WEFT_RETURN_IF_ERROR(group->group->Load());
    if (group->group->row_count() == 0) return Error::Ok();
    group->matched = Bitmap(group->group->row_count());
    for (const plan::Stage& stage : plan_.stages) {
      WEFT_ASSIGN_OR_RETURN(const bool may, MayMatch(stage.predicate, *group->group));
      if (!may) return Error::Ok();
    }
    GroupColumns columns(*group->group);
    WEFT_ASSIGN_OR_RETURN(group->matched, RowsInRange(&columns, request_.range));
    for (const plan::Stage& stage : plan_.stages) {
      GroupFilter filter(&columns, &joiner_);
      WEFT_ASSIGN_OR_RETURN(group->matched, filter.Filter(stage.predicate, group->matched));
      if (!group->matched.Any()) return Error::Ok();
    }
    return group->group->LoadTraces();
  }

  Error Resolve(uint32_t index) {
    const Candidate& candidate = queue_.candidate(index);
    WEFT_ASSIGN_OR_RETURN(const auto joined, joiner_.Summarize(candidate.id));
    if (joined->summary.span_count > 0) {
      queue_.Resolve(index, joined->summary);
      return Error::Ok();
    }
    // Expired since the snapshot was taken: what the group knows is all there is.
    const MatchedPart& part = candidate.parts.front();
    WEFT_ASSIGN_OR_RETURN(block::TraceSummary summary,
                          groups_[part.group].group->Summary(part.trace));
    queue_.Resolve(index, std::move(summary));
    return Error::Ok();
  }

  Error WriteAnswer() {
    const bool more = results_.size() > request_.limit;
    if (more) results_.resize(request_.limit);
    for (uint32_t index : results_) {
      Candidate& candidate = queue_.candidate(index);
      FoundTrace trace;
      const SpanFinder finder(groups_, source_, request_.tenant);
      WEFT_ASSIGN_OR_RETURN(MatchedSpans found,
                            finder.Find(candidate.id, candidate.parts, request_.spans_per_trace));
      trace.matched = found.matched;
      trace.spans = std::move(found.spans);
      trace.summary = candidate.summary;
      answer_.traces.push_back(std::move(trace));
    }
    if (more && answer_.complete && !results_.empty()) {
      const Candidate& last = queue_.candidate(results_.back());
      answer_.next_cursor = Cursor{last.start_ns, last.id}.Encode();
    }
    answer_.stats.row_groups_skipped += groups_.size() - answer_.stats.row_groups;
    answer_.stats.elapsed_us = clock_.elapsed_ns() / 1000;
    if (const ReadAccount* const reads = ReadAccount::Current()) {
      answer_.stats.store_requests = reads->requests;
      answer_.stats.store_bytes = reads->bytes;
      answer_.stats.store_hits = reads->hits;
    }
    return Error::Ok();
  }

  const block::RowSource& source_;
  TaskRunner& runner_;
  const plan::Plan& plan_;
  const SearchRequest& request_;
  BudgetClock clock_;
  TraceJoiner joiner_;
  std::optional<Cursor> cursor_;
  std::vector<FilteredGroup> groups_;  // latest first
  size_t filtered_ = 0;                // this many of them are filtered
  CandidateQueue queue_;
  std::vector<uint32_t> results_;  // candidates
  SearchAnswer answer_;
};

}  // namespace

Result<SearchAnswer> SearchExecutor::Run(const plan::Plan& plan, const SearchRequest& request,
                                         const Budget& budget) const {
  return WithRenewal<SearchAnswer>(
      source_, [&] { return SearchRun(source_, env_, runner_, plan, request, budget).Run(); });
}

}  // namespace weft::query::exec
