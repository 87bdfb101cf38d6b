#include "query/insight/trace_paths.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <tuple>
#include <utility>

#include <absl/container/flat_hash_map.h>

#include "base/read_account.h"
#include "block/renewal.h"
#include "query/exec/group_filter.h"
#include "query/exec/plan_rows.h"
#include "query/exec/row_labels.h"
#include "query/exec/span_describer.h"
#include "query/exec/value_key.h"
#include "query/insight/critical_path.h"
#include "query/insight/retiming.h"

namespace weft::query::insight {
namespace {

using block::Column;
using block::Intrinsic;
using exec::Bitmap;
using exec::Budget;
using exec::BudgetClock;
using exec::GroupColumns;
using exec::PlanRows;
using plan::PathQuery;

using GroupKey = std::vector<exec::ValueKey>;
struct GroupSums {
  int64_t own_ns = 0;
  uint64_t spans = 0;
  uint64_t traces = 0;
};

// What one thread has found.
struct Found {
  uint64_t traces = 0;
  uint64_t roots = 0;
  int64_t total_ns = 0;
  absl::flat_hash_map<GroupKey, GroupSums> groups;
  uint64_t group_bytes = 0;
  uint64_t changed_spans = 0;
  uint64_t changed_roots = 0;
  std::vector<int64_t> before, after;  // durations of roots
  CriticalPath path;
  Retiming retiming;
  BlockingTimes times;
  std::vector<int64_t> own_ns;

  size_t bytes() const {
    return group_bytes + 8 * (before.capacity() + after.capacity() + own_ns.capacity()) +
           8 * (times.from.capacity() + times.to.capacity());
  }
};

uint64_t BytesOf(const GroupKey& key) {
  uint64_t bytes = sizeof(GroupKey) + sizeof(GroupSums) + 16;
  for (const exec::ValueKey& value : key) bytes += sizeof(value) + value.value.text.size();
  return bytes;
}

void AddTo(const GroupKey& key, const GroupSums& sums, Found* found) {
  const auto [group, is_new] = found->groups.try_emplace(key);
  if (is_new) found->group_bytes += BytesOf(key);
  group->second.own_ns += sums.own_ns;
  group->second.spans += sums.spans;
  group->second.traces += sums.traces;
}

// The paths of the traces of one part.
class PartPaths {
 public:
  PartPaths(const PathQuery& query, const PlanRows::Part& part, GroupColumns* columns, Found* found)
      : query_(query),
        group_(*part.group),
        chosen_(part.rows),
        columns_(*columns),
        found_(*found) {}

  Error Run() {
    WEFT_RETURN_IF_ERROR(Open());
    found_.times.Compute(rows_, there_);
    return query_.kind == PathQuery::Kind::kCriticalPath ? AddPaths() : AddRetimed();
  }

 private:
  Error Open() {
    WEFT_RETURN_IF_ERROR(group_.LoadTraces());
    WEFT_ASSIGN_OR_RETURN(const Column* start, columns_.Read(Intrinsic::kStartTime));
    WEFT_ASSIGN_OR_RETURN(const Column* duration, columns_.Read(Intrinsic::kDuration));
    WEFT_ASSIGN_OR_RETURN(const Column* parent, columns_.Read(Intrinsic::kParentRow));
    WEFT_ASSIGN_OR_RETURN(const Column* subtree, columns_.Read(Intrinsic::kSubtreeSize));
    WEFT_ASSIGN_OR_RETURN(const Column* resource, columns_.Read(Intrinsic::kResource));
    WEFT_ASSIGN_OR_RETURN(const Column* kind, columns_.Read(Intrinsic::kKind));
    const uint32_t size = group_.row_count();
    kinds_.resize(size);
    for (uint32_t row = 0; row < size; ++row)
      kinds_[row] = static_cast<uint8_t>(block::NumberAt(*kind, row));
    rows_ = {size,
             start->ints.data(),
             duration->ints.data(),
             parent->ints.data(),
             subtree->ints.data(),
             resource->ints.data(),
             kinds_.data()};
    FindRows();
    return Error::Ok();
  }

  // All rows of the traces but those that are left out, and their roots.
  void FindRows() {
    const std::vector<uint32_t>& trace_of_row = group_.trace_of_row();
    Bitmap traces(group_.trace_count());
    chosen_.ForEach([&](uint32_t row) { traces.Set(trace_of_row[row]); });
    found_.traces += traces.Count();
    there_ = Bitmap(rows_.size);
    for (uint32_t row = 0; row < rows_.size; ++row) {
      if (traces.Test(trace_of_row[row])) there_.Set(row);
    }
    there_.AndNotWords(group_.excluded_rows());
    there_.ForEach([&](uint32_t row) {
      if (rows_.parent_row[row] == 0) roots_.push_back(row);
    });
    found_.roots += roots_.size();
    for (const uint32_t root : roots_)
      found_.total_ns += std::max<int64_t>(0, rows_.duration[root]);
  }

  Error AddPaths() {
    found_.own_ns.assign(rows_.size, 0);
    for (const uint32_t root : roots_) found_.path.Walk(rows_, found_.times, root, &found_.own_ns);
    Bitmap on_path(rows_.size);
    for (uint32_t row = 0; row < rows_.size; ++row) {
      if (found_.own_ns[row] > 0) on_path.Set(row);
    }
    WEFT_ASSIGN_OR_RETURN(const exec::RowLabels labels,
                          exec::RowLabels::Open(query_.by, on_path, &columns_, nullptr));
    std::vector<GroupSums> sums(labels.size());
    std::vector<uint32_t> last_trace(labels.size(), UINT32_MAX);
    const std::vector<uint32_t>& trace_of_row = group_.trace_of_row();
    on_path.ForEach([&](uint32_t row) {
      const uint32_t combination = labels.of(row);
      GroupSums& of = sums[combination];
      of.own_ns += found_.own_ns[row];
      ++of.spans;
      if (std::exchange(last_trace[combination], trace_of_row[row]) != trace_of_row[row])
        ++of.traces;
    });
    for (uint32_t i = 0; i < sums.size(); ++i) {
      if (sums[i].spans == 0) continue;
      GroupKey key;
      for (plan::Value& value : labels.Values(i)) key.push_back({std::move(value)});
      AddTo(key, sums[i], &found_);
    }
    return Error::Ok();
  }

  Error AddRetimed() {
    WEFT_ASSIGN_OR_RETURN(const Bitmap changed,
                          exec::GroupFilter(&columns_, nullptr).Filter(query_.condition, there_));
    found_.changed_spans += changed.Count();
    for (const uint32_t root : roots_) {
      const int64_t before = std::max<int64_t>(0, rows_.duration[root]);
      const int64_t after =
          found_.retiming.DurationOf(rows_, found_.times, root, changed, query_.factor);
      if (after != before) ++found_.changed_roots;
      found_.before.push_back(before);
      found_.after.push_back(after);
    }
    return Error::Ok();
  }

  const PathQuery& query_;
  const block::RowGroup& group_;
  const Bitmap& chosen_;
  GroupColumns& columns_;
  Found& found_;
  TreeRows rows_;
  std::vector<uint8_t> kinds_;
  Bitmap there_;
  std::vector<uint32_t> roots_;
};

DurationSummary Summarize(std::vector<int64_t> durations) {
  DurationSummary out;
  if (durations.empty()) return out;
  const auto count = static_cast<double>(durations.size());
  double sum = 0;
  for (const int64_t duration : durations) sum += static_cast<double>(duration);
  out.mean_ns = std::llround(sum / count);
  const auto quantile = [&](double q) {
    const auto rank = std::max<size_t>(1, static_cast<size_t>(std::ceil(q * count)));
    const auto at = durations.begin() + static_cast<ptrdiff_t>(rank - 1);
    std::nth_element(durations.begin(), at, durations.end());
    return *at;
  };
  out.p50_ns = quantile(0.5);
  out.p95_ns = quantile(0.95);
  out.p99_ns = quantile(0.99);
  return out;
}

class PathRun {
 public:
  PathRun(const block::RowSource& source, const Env& env, exec::TaskRunner& runner,
          const PathQuery& query, const PathRequest& request, const Budget& budget)
      : query_(query),
        request_(request),
        budget_(budget),
        clock_(budget, env),
        rows_(source, runner, &clock_, query.spans, request.tenant, request.range,
              /*whole_traces=*/true) {}

  Result<PathAnswer> Run() {
    std::vector<Found> found(rows_.width());
    const auto visit = [&](const PlanRows::Part& part, GroupColumns* columns, size_t thread) {
      WEFT_RETURN_IF_ERROR(PartPaths(query_, part, columns, &found[thread]).Run());
      return CheckMemory(found[thread]);
    };
    WEFT_RETURN_IF_ERROR(rows_.ForEach(visit));
    for (size_t i = 1; i < found.size(); ++i) Merge(std::move(found[i]), found.data());
    PathAnswer answer = MakeAnswer(std::move(found[0]));
    answer.complete = rows_.reason().empty();
    answer.reason = rows_.reason();
    rows_.AddStats(&answer.stats);
    answer.stats.elapsed_us = clock_.elapsed_ns() / 1000;
    if (const ReadAccount* const reads = ReadAccount::Current()) {
      answer.stats.store_requests = reads->requests;
      answer.stats.store_bytes = reads->bytes;
      answer.stats.store_hits = reads->hits;
    }
    return answer;
  }

 private:
  Error CheckMemory(const Found& found) const {
    if (budget_.memory_bytes == 0 || found.bytes() * rows_.width() <= budget_.memory_bytes)
      return Error::Ok();
    return {ErrorCode::kResourceExhausted,
            "the memory limit of " + std::to_string(budget_.memory_bytes) +
                " bytes ran out; group by fewer values or ask for fewer traces"};
  }

  static void Merge(Found from, Found* to) {
    to->traces += from.traces;
    to->roots += from.roots;
    to->total_ns += from.total_ns;
    to->changed_spans += from.changed_spans;
    to->changed_roots += from.changed_roots;
    for (const auto& [key, sums] : from.groups) AddTo(key, sums, to);
    to->before.insert(to->before.end(), from.before.begin(), from.before.end());
    to->after.insert(to->after.end(), from.after.begin(), from.after.end());
  }

  PathAnswer MakeAnswer(Found found) const {
    PathAnswer answer;
    answer.kind = query_.kind;
    answer.traces = found.traces;
    answer.roots = found.roots;
    answer.total_ns = found.total_ns;
    answer.factor = query_.factor;
    answer.changed_spans = found.changed_spans;
    answer.changed_roots = found.changed_roots;
    answer.before = Summarize(std::move(found.before));
    answer.after = Summarize(std::move(found.after));
    for (const auto& [key, sums] : found.groups) {
      PathGroup group{{}, sums.own_ns, sums.spans, sums.traces};
      for (size_t i = 0; i < key.size(); ++i) {
        group.labels.push_back(exec::ToFoundValue(query_.by[i].name, plan::Scalar::Of(key[i].value),
                                                  query_.by[i].meaning));
      }
      answer.groups.push_back(std::move(group));
    }
    std::sort(answer.groups.begin(), answer.groups.end(), ComesFirst);
    answer.group_count = answer.groups.size();
    if (answer.groups.size() > request_.limit) answer.groups.resize(request_.limit);
    return answer;
  }

  static bool ComesFirst(const PathGroup& a, const PathGroup& b) {
    if (a.own_ns != b.own_ns) return a.own_ns > b.own_ns;
    const auto key = [](const exec::FoundValue& v) {
      return std::tuple(v.type, std::string_view(v.text), v.number, v.real);
    };
    return std::ranges::lexicographical_compare(a.labels, b.labels, {}, key, key);
  }

  const PathQuery& query_;
  const PathRequest& request_;
  const Budget& budget_;
  BudgetClock clock_;
  PlanRows rows_;
};

}  // namespace

Result<PathAnswer> PathExecutor::Run(const PathQuery& query, const PathRequest& request,
                                     const Budget& budget) const {
  return block::WithRenewal<PathAnswer>(
      source_, [&] { return PathRun(source_, env_, runner_, query, request, budget).Run(); });
}

}  // namespace weft::query::insight
