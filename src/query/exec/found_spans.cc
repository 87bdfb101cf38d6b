#include "query/exec/found_spans.h"

#include <algorithm>
#include <tuple>

#include "query/exec/row_values.h"

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

namespace {

// service.name of a row of the resource table.
Result<std::string> ServiceOf(const block::RowGroup& group, int64_t resource) {
  WEFT_ASSIGN_OR_RETURN(const std::vector<ColumnPtr> columns,
                        group.ReadAttribute(block::Scope::kResource, "service.name"));
  for (const ColumnPtr& column : columns) {
    if (column->type != model::ValueType::kString) continue;
    return std::string(ScalarAt(*column, static_cast<uint32_t>(resource)).text);
  }
  return std::string();
}

}  // namespace

Error SpanFinder::AddRows(const MatchedPart& part, std::vector<Row>* out) const {
  const FilteredGroup& filtered = groups_[part.group];
  const block::RowGroup& group = *filtered.group;
  std::vector<uint32_t> rows;
  filtered.matched.ForEachIn(part.first_row, part.last_row + 1, [&](uint32_t row) {
    if (group.trace_of_row()[row] == part.trace) rows.push_back(row);
  });
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr start, group.ReadAt(Intrinsic::kStartTime, rows));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr span_id, group.ReadAt(Intrinsic::kSpanId, rows));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr kind, group.ReadAt(Intrinsic::kKind, rows));
  for (uint32_t i = 0; i < rows.size(); ++i) {
    out->push_back({static_cast<uint64_t>(start->ints[i]), static_cast<uint64_t>(span_id->ints[i]),
                    ScalarAt(*kind, i).number, part.group, rows[i]});
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

Result<FoundSpan> SpanFinder::Describe(const Row& row) const {
  const block::RowGroup& group = *groups_[row.group].group;
  const uint32_t rows[] = {row.row};
  FoundSpan out;
  out.span_id = {row.span_id};
  out.start_ns = row.start_ns;
  out.kind = static_cast<uint8_t>(row.kind);
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr name, group.ReadAt(Intrinsic::kName, rows));
  out.name = std::string(ScalarAt(*name, 0).text);
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr status, group.ReadAt(Intrinsic::kStatus, rows));
  out.status = static_cast<uint8_t>(ScalarAt(*status, 0).number);
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr duration, group.ReadAt(Intrinsic::kDuration, rows));
  out.duration_ns = duration->ints[0];
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr resource, group.ReadAt(Intrinsic::kResource, rows));
  WEFT_ASSIGN_OR_RETURN(out.service, ServiceOf(group, resource->ints[0]));
  return out;
}

Result<MatchedSpans> SpanFinder::Find(model::TraceId id, const std::vector<MatchedPart>& parts,
                                      uint32_t count) const {
  MatchedSpans out;
  for (const MatchedPart& part : parts) out.matched += part.count;
  if (count == 0 && parts.size() == 1) return out;
  std::vector<Row> rows;
  for (const MatchedPart& part : parts) WEFT_RETURN_IF_ERROR(AddRows(part, &rows));
  size_t shown = std::min<size_t>(count, rows.size());
  if (parts.size() == 1) {
    std::partial_sort(rows.begin(), rows.begin() + static_cast<ptrdiff_t>(shown), rows.end());
  } else {
    std::sort(rows.begin(), rows.end());
    WEFT_RETURN_IF_ERROR(DropDuplicates(id, &rows));
    out.matched = rows.size();
    shown = std::min<size_t>(count, rows.size());
  }
  for (size_t i = 0; i < shown; ++i) {
    WEFT_ASSIGN_OR_RETURN(FoundSpan span, Describe(rows[i]));
    out.spans.push_back(std::move(span));
  }
  return out;
}

}  // namespace weft::query::exec
