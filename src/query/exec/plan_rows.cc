#include "query/exec/plan_rows.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <string_view>
#include <utility>

#include "base/fair_share.h"
#include "block/batch_row_group.h"
#include "query/exec/group_filter.h"
#include "query/exec/search.h"
#include "query/exec/spansets.h"

namespace weft::query::exec {
namespace {

// Traces are joined this many spans at a time.
constexpr size_t kJoinedSpans = 100'000;
// And looked up so many at a time.
constexpr size_t kJoinedTraces = 4096;

}  // namespace

PlanRows::PlanRows(const block::RowSource& source, TaskRunner& runner, BudgetClock* clock,
                   const plan::Plan& plan, model::TenantId tenant, TimeRange range,
                   bool whole_traces)
    : source_(source),
      runner_(runner),
      clock_(*clock),
      plan_(plan),
      tenant_(std::move(tenant)),
      range_(range),
      joiner_(source, tenant_),
      whole_traces_(whole_traces || plan_.of_whole_traces()),
      necessary_(NecessaryPredicate(plan_)) {}

Error PlanRows::ForEach(const Visit& visit, const Claim& claim) {
  Groups groups;
  {
    const StageTimer timer(clock_.profile(), Profile::Stage::kList);
    WEFT_ASSIGN_OR_RETURN(groups, source_.Snapshot(tenant_, range_, {.lazy = true}));
  }
  group_count_ = groups.size();
  if (claim) WEFT_RETURN_IF_ERROR(DropClaimed(claim, &groups));
  // A large one that came last would keep one thread busy while the others are done.
  std::ranges::stable_sort(groups, std::ranges::greater(), &block::RowGroup::row_count);
  const auto timed = [&](const Part& part, GroupColumns* columns, size_t thread) {
    const StageTimer timer(clock_.profile(), Profile::Stage::kCompute);
    return visit(part, columns, thread);
  };
  WEFT_RETURN_IF_ERROR(InParallel(groups.size(), [&](size_t i, size_t thread) {
    const Error error = VisitGroup(groups[i], timed, thread);
    clock_.AddRead(groups[i]->bytes_read());
    return error;
  }));
  return VisitJoinedTraces(timed);
}

Error PlanRows::DropClaimed(const Claim& claim, Groups* groups) {
  const StageTimer timer(clock_.profile(), Profile::Stage::kCompute);
  std::map<std::string_view, Groups> by_block;
  for (const auto& group : *groups) {
    if (!group->block_id().empty()) by_block[group->block_id()].push_back(group);
  }
  std::vector<const Groups*> blocks;
  for (const auto& [id, of_block] : by_block) blocks.push_back(&of_block);
  std::vector<uint8_t> claimed(blocks.size());
  WEFT_RETURN_IF_ERROR(InParallel(blocks.size(), [&](size_t i, size_t thread) {
    WEFT_ASSIGN_OR_RETURN(claimed[i], claim(*blocks[i], thread));
    return Error::Ok();
  }));
  std::set<std::string_view> gone;
  for (size_t i = 0; i < blocks.size(); ++i) {
    if (claimed[i] != 0) gone.insert(blocks[i]->front()->block_id());
  }
  const auto is_gone = [&](const auto& group) { return gone.contains(group->block_id()); };
  const auto count = static_cast<uint64_t>(std::ranges::count_if(*groups, is_gone));
  if (clock_.profile() != nullptr) clock_.profile()->AddSkipped(kAnsweredByCounts, count);
  Groups left;
  std::ranges::remove_copy_if(*groups, std::back_inserter(left), is_gone);
  groups->swap(left);
  return Error::Ok();
}

Error PlanRows::InParallel(size_t count,
                           const std::function<Error(size_t i, size_t thread)>& task) {
  std::atomic<size_t> next{0};
  std::atomic<bool> stop{false};
  std::vector<Error> errors(width());
  runner_.Run(width(), [&](size_t thread) {
    for (size_t i = next++; i < count && !stop; i = next++) {
      FairShare::Offer();
      if (!clock_.Exhausted().empty()) {
        stop = true;
        return;
      }
      errors[thread] = task(i, thread);
      if (!errors[thread].ok()) stop = true;
    }
  });
  for (const Error& error : errors) WEFT_RETURN_IF_ERROR(error);
  if (clock_.cancelled()) return {ErrorCode::kCancelled, "the query was cancelled"};
  if (stop) reason_ = clock_.Exhausted();
  return Error::Ok();
}

Error PlanRows::VisitGroup(const std::shared_ptr<const block::RowGroup>& group, const Visit& visit,
                           size_t thread) {
  const plan::Predicate& predicate = whole_traces_ ? necessary_ : *plan_.filter();
  WEFT_ASSIGN_OR_RETURN(ChosenRows chosen,
                        ChooseRows(*group, &predicate, range_, &joiner_, clock_.profile()));
  if (chosen.columns == nullptr) return Error::Ok();
  ++row_groups_;
  rows_ += group->row_count();
  return VisitRows(group, &chosen, visit, thread);
}

// `chosen`: what the predicate leaves, which is all there is of a filter.
Error PlanRows::VisitRows(const std::shared_ptr<const block::RowGroup>& group, ChosenRows* chosen,
                          const Visit& visit, size_t thread) {
  if (!chosen->Any()) return Error::Ok();
  GroupColumns* const columns = chosen->columns.get();
  if (!whole_traces_) return visit({group, std::move(chosen->rows), &joiner_}, columns, thread);
  WEFT_RETURN_IF_ERROR(group->LoadTraces());
  WEFT_ASSIGN_OR_RETURN(const Bitmap whole, TracesOnlyHere(*group, chosen->rows));
  Bitmap asked(chosen->in_range.size());
  const std::vector<uint32_t>& trace_of_row = group->trace_of_row();
  chosen->in_range.ForEach([&](uint32_t row) {
    if (whole.Test(trace_of_row[row])) asked.Set(row);
  });
  return VisitChosen(group, asked, columns, visit, thread);
}

// Which of the traces that have one of `rows` are nowhere else; the others are joined later.
Result<Bitmap> PlanRows::TracesOnlyHere(const block::RowGroup& group, const Bitmap& rows) {
  Bitmap found(group.trace_count());
  const std::vector<uint32_t>& trace_of_row = group.trace_of_row();
  rows.ForEach([&](uint32_t row) { found.Set(trace_of_row[row]); });
  std::vector<model::TraceId> ids;
  std::vector<uint32_t> traces;
  found.ForEach([&](uint32_t trace) {
    ids.push_back(group.trace_id(trace));
    traces.push_back(trace);
  });
  std::vector<bool> elsewhere(ids.size(), true);
  if (group.has_tree()) {
    WEFT_ASSIGN_OR_RETURN(elsewhere, source_.MayBeElsewhere(tenant_, ids, group.block_id()));
  }
  MutexLock lock(mutex_);
  const size_t before = to_join_.size();
  for (size_t i = 0; i < ids.size(); ++i) {
    if (!elsewhere[i]) continue;
    to_join_.insert(ids[i]);
    found.Reset(traces[i]);
  }
  clock_.AddMemory((to_join_.size() - before) * 48);
  return found;
}

Error PlanRows::VisitJoinedTraces(const Visit& visit) {
  std::vector<model::TraceId> ids;
  {
    MutexLock lock(mutex_);
    ids.assign(to_join_.begin(), to_join_.end());
  }
  const size_t chunks = (ids.size() + kJoinedTraces - 1) / kJoinedTraces;
  return InParallel(chunks, [&](size_t chunk, size_t thread) {
    const size_t end = std::min(ids.size(), (chunk + 1) * kJoinedTraces);
    model::SpanBatch spans;
    for (size_t i = chunk * kJoinedTraces; i < end; ++i) {
      WEFT_RETURN_IF_ERROR(Join(ids[i], &spans));
      if (spans.size() < kJoinedSpans && i + 1 < end) continue;
      if (spans.empty()) continue;
      WEFT_RETURN_IF_ERROR(VisitJoined(spans, visit, thread));
      spans = {};
    }
    return Error::Ok();
  });
}

Error PlanRows::Join(model::TraceId id, model::SpanBatch* spans) {
  const StageTimer timer(clock_.profile(), Profile::Stage::kJoin);
  WEFT_ASSIGN_OR_RETURN(const model::SpanBatch trace, source_.FindTrace(tenant_, id));
  model::BatchAppender(spans).AppendAll(trace);
  return Error::Ok();
}

Error PlanRows::VisitJoined(const model::SpanBatch& spans, const Visit& visit, size_t thread) {
  const std::shared_ptr<const block::RowGroup> group = block::InPreorder(spans);
  GroupColumns columns(*group);
  WEFT_ASSIGN_OR_RETURN(const Bitmap rows, RowsInRange(&columns, range_));
  return VisitChosen(group, rows, &columns, visit, thread);
}

// The rows that the stages leave of whole traces.
Error PlanRows::VisitChosen(std::shared_ptr<const block::RowGroup> group, const Bitmap& asked,
                            GroupColumns* columns, const Visit& visit, size_t thread) {
  if (!asked.Any()) return Error::Ok();
  Bitmap chosen(asked.size());
  if (const plan::Predicate* const filter = plan_.filter()) {
    WEFT_ASSIGN_OR_RETURN(chosen, GroupFilter(columns, nullptr).Filter(*filter, asked));
  } else {
    const StageTimer timer(clock_.profile(), Profile::Stage::kTree);
    WEFT_ASSIGN_OR_RETURN(const std::vector<Spanset> sets,
                          SpansetEvaluator(columns).Run(plan_.stages, asked));
    for (const Spanset& set : sets) {
      for (uint32_t row : set.rows) chosen.Set(row);
    }
  }
  if (!chosen.Any()) return Error::Ok();
  return visit({std::move(group), std::move(chosen), nullptr}, columns, thread);
}

void PlanRows::AddStats(SearchStats* stats) const {
  stats->row_groups += row_groups_;
  stats->row_groups_skipped += group_count_ - std::min<uint64_t>(row_groups_, group_count_);
  stats->rows += rows_;
}

}  // namespace weft::query::exec
