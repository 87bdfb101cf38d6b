#include "query/exec/found_spans.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "query/exec/row_values.h"
#include "query/exec/span_describer.h"

namespace weft::query::exec {

using block::ColumnPtr;
using block::Intrinsic;

// A matching row, by what the order is decided by.
struct SpanFinder::Row {
  uint64_t start_ns = 0;
  uint64_t span_id = 0;
  int64_t kind = 0;
  uint32_t group = 0;
  uint32_t row = 0;

  auto Key() const { return std::tie(start_ns, span_id, kind); }
  bool operator<(const Row& o) const { return Key() < o.Key(); }
};

// The matching rows of all traces in one group, by trace.
Error SpanFinder::AddRows(uint32_t index, const PartsOfGroup& parts,
                          std::vector<std::vector<Row>>* out) const {
  const FilteredGroup& filtered = groups_[index];
  const block::RowGroup& group = *filtered.group;
  std::vector<std::pair<uint32_t, size_t>> rows;  // and whose they are
  for (const auto& [part, trace] : parts) {
    filtered.matched.ForEachIn(part->first_row, part->last_row + 1, [&](uint32_t row) {
      if (group.trace_of_row()[row] == part->trace) rows.emplace_back(row, trace);
    });
  }
  std::ranges::sort(rows);
  std::vector<uint32_t> numbers;
  for (const auto& [row, trace] : rows) numbers.push_back(row);
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr start, group.ReadAt(Intrinsic::kStartTime, numbers));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr span_id, group.ReadAt(Intrinsic::kSpanId, numbers));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr kind, group.ReadAt(Intrinsic::kKind, numbers));
  for (uint32_t i = 0; i < rows.size(); ++i) {
    (*out)[rows[i].second].push_back({static_cast<uint64_t>(start->ints[i]),
                                      static_cast<uint64_t>(span_id->ints[i]),
                                      ScalarAt(*kind, i).number, index, rows[i].first});
  }
  return Error::Ok();
}

// Of rows with one key as many stay as the joined trace has spans with it.
Error SpanFinder::DropDuplicates(model::TraceId id, std::vector<Row>* sorted) const {
  const auto same = [](const Row& a, const Row& b) { return a.Key() == b.Key(); };
  if (std::adjacent_find(sorted->begin(), sorted->end(), same) == sorted->end()) {
    return Error::Ok();
  }
  WEFT_ASSIGN_OR_RETURN(const model::SpanBatch trace, source_.FindTrace(tenant_, id));
  std::vector<Row> spans;
  for (uint32_t i = 0; i < trace.size(); ++i) {
    spans.push_back({trace.start_ns[i], trace.span_id[i].value, trace.kind[i], 0, i});
  }
  std::sort(spans.begin(), spans.end());
  std::vector<Row> kept;
  for (size_t i = 0; i < sorted->size();) {
    const Row& first = (*sorted)[i];
    const auto [begin, end] = std::equal_range(spans.begin(), spans.end(), first);
    const auto there = std::max<ptrdiff_t>(1, end - begin);
    size_t next = i;
    for (; next < sorted->size() && same(first, (*sorted)[next]); ++next) {
      if (static_cast<ptrdiff_t>(next - i) < there) kept.push_back((*sorted)[next]);
    }
    i = next;
  }
  *sorted = std::move(kept);
  return Error::Ok();
}

// Of each trace the spans `rows`, in their order.
Error SpanFinder::Describe(const std::vector<std::vector<Row>>& rows,
                           std::vector<FoundSpanset>* out) const {
  std::map<uint32_t, std::vector<uint32_t>> by_group;
  for (const std::vector<Row>& of_trace : rows) {
    for (const Row& row : of_trace) by_group[row.group].push_back(row.row);
  }
  std::map<std::pair<uint32_t, uint32_t>, FoundSpan> described;
  for (auto& [group, numbers] : by_group) {
    std::ranges::sort(numbers);
    SpanDescriber describer(*groups_[group].group, shown_, joiner_);
    WEFT_ASSIGN_OR_RETURN(std::vector<FoundSpan> spans, describer.Describe(numbers));
    for (size_t i = 0; i < numbers.size(); ++i) {
      described.emplace(std::pair(group, numbers[i]), std::move(spans[i]));
    }
  }
  for (size_t trace = 0; trace < rows.size(); ++trace) {
    for (const Row& row : rows[trace]) {
      (*out)[trace].spans.push_back(std::move(described.at({row.group, row.row})));
    }
  }
  return Error::Ok();
}

Result<std::vector<FoundSpanset>> SpanFinder::Find(const std::vector<const Candidate*>& traces,
                                                   uint32_t count) {
  std::vector<FoundSpanset> out(traces.size());
  std::map<uint32_t, PartsOfGroup> by_group;
  for (size_t trace = 0; trace < traces.size(); ++trace) {
    const std::vector<MatchedPart>& parts = traces[trace]->parts;
    for (const MatchedPart& part : parts) {
      out[trace].matched += part.count;
      if (count > 0 || parts.size() > 1) by_group[part.group].emplace_back(&part, trace);
    }
  }
  std::vector<std::vector<Row>> rows(traces.size());
  for (const auto& [group, parts] : by_group) {
    WEFT_RETURN_IF_ERROR(AddRows(group, parts, &rows));
  }
  for (size_t trace = 0; trace < traces.size(); ++trace) {
    std::vector<Row>& of_trace = rows[trace];
    std::sort(of_trace.begin(), of_trace.end());
    if (traces[trace]->parts.size() > 1) {
      WEFT_RETURN_IF_ERROR(DropDuplicates(traces[trace]->id, &of_trace));
      out[trace].matched = of_trace.size();
    }
    if (of_trace.size() > count) of_trace.erase(of_trace.begin() + count, of_trace.end());
  }
  WEFT_RETURN_IF_ERROR(Describe(rows, &out));
  return out;
}

}  // namespace weft::query::exec
