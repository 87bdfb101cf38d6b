#include "query/exec/found_spans.h"

#include <algorithm>
#include <tuple>

#include "query/exec/row_values.h"

namespace weft::query::exec {
namespace {

using block::Column;
using block::ColumnPtr;
using block::Intrinsic;

// What the order is decided by.
struct Found {
  uint64_t start_ns;
  uint64_t span_id;
  int64_t kind;
  uint32_t group;
  uint32_t row;

  auto Key() const { return std::tie(start_ns, span_id, kind); }
  bool operator<(const Found& o) const { return Key() < o.Key(); }
};

Error AddRows(const FilteredGroup& filtered, const MatchedPart& part, std::vector<Found>* out) {
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

Result<FoundSpan> Describe(const block::RowGroup& group, const Found& found) {
  const uint32_t rows[] = {found.row};
  FoundSpan out;
  out.span_id = {found.span_id};
  out.start_ns = found.start_ns;
  out.kind = static_cast<uint8_t>(found.kind);
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

}  // namespace

Result<std::vector<FoundSpan>> FindSpans(const std::vector<FilteredGroup>& groups,
                                         const std::vector<MatchedPart>& parts, uint32_t count) {
  std::vector<FoundSpan> out;
  if (count == 0) return out;
  std::vector<Found> found;
  for (const MatchedPart& part : parts)
    WEFT_RETURN_IF_ERROR(AddRows(groups[part.group], part, &found));
  const size_t shown = std::min<size_t>(count, found.size());
  std::partial_sort(found.begin(), found.begin() + static_cast<ptrdiff_t>(shown), found.end());
  for (size_t i = 0; i < shown; ++i) {
    WEFT_ASSIGN_OR_RETURN(FoundSpan span, Describe(*groups[found[i].group].group, found[i]));
    out.push_back(std::move(span));
  }
  return out;
}

}  // namespace weft::query::exec
