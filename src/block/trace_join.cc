#include "block/trace_join.h"

#include <algorithm>

#include "block/column_merger.h"
#include "block/schema.h"
#include "block/trace_summary.h"

namespace weft::block {

namespace {

bool IsError(const Column& status, uint32_t row) {
  return status.dictionary->strings[status.codes[row]] ==
         StatusText(static_cast<uint8_t>(model::StatusCode::kError));
}

}  // namespace

TraceJoin::TraceJoin(std::span<const MergePart> parts, std::span<const Fragment> fragments)
    : parts_(parts), shapes_(parts.size()) {
  std::vector<uint32_t> rows(parts.size(), 0);
  for (const Fragment fragment : fragments) {
    Shape& shape = shapes_[fragment.part];
    shape.traces.push_back(fragment.trace);
    shape.first_row.push_back(rows[fragment.part]);
    rows[fragment.part] += parts[fragment.part].traces->row_count[fragment.trace];
  }
}

Result<const TraceJoin::Shape*> TraceJoin::ShapeOf(uint32_t part) {
  Shape& shape = shapes_[part];
  if (!shape.loaded) WEFT_RETURN_IF_ERROR(Load(parts_[part], &shape));
  shape.loaded = true;
  return &shape;
}

Error TraceJoin::Load(const MergePart& part, Shape* shape) const {
  std::vector<uint32_t> rows;
  for (const uint32_t trace : shape->traces) {
    const uint32_t first = part.traces->first_row[trace];
    for (uint32_t i = 0; i < part.traces->row_count[trace]; ++i) rows.push_back(first + i);
  }
  const auto read = [&](SpanColumn column, ColumnPtr* to) -> Error {
    WEFT_ASSIGN_OR_RETURN(*to, part.ReadRows(Scope::kSpan, column, rows));
    return Error::Ok();
  };
  WEFT_RETURN_IF_ERROR(read(kSpanSpanId, &shape->span_id));
  WEFT_RETURN_IF_ERROR(read(kSpanParent, &shape->parent));
  WEFT_RETURN_IF_ERROR(read(kSpanParentSpanId, &shape->parent_span_id));
  WEFT_RETURN_IF_ERROR(read(kSpanStartTime, &shape->start));
  WEFT_RETURN_IF_ERROR(read(kSpanDuration, &shape->duration));
  WEFT_RETURN_IF_ERROR(read(kSpanName, &shape->name));
  WEFT_RETURN_IF_ERROR(read(kSpanKind, &shape->kind));
  WEFT_RETURN_IF_ERROR(read(kSpanStatusCode, &shape->status));
  WEFT_RETURN_IF_ERROR(read(kSpanResourceId, &shape->resource));
  for (const std::string_view text : shape->kind->dictionary->strings) {
    const auto kind = KindFromText(text);
    if (!kind) return {ErrorCode::kCorrupt, "spans.parquet has an unknown kind"};
    shape->kinds.push_back(*kind);
  }
  WEFT_ASSIGN_OR_RETURN(shape->services, part.block->ServiceNames(nullptr));
  return Error::Ok();
}

Error TraceJoin::AddFragment(Fragment fragment) {
  WEFT_ASSIGN_OR_RETURN(const Shape* shape, ShapeOf(fragment.part));
  const auto known = std::lower_bound(shape->traces.begin(), shape->traces.end(), fragment.trace);
  const uint32_t first_in_shape =
      shape->first_row[static_cast<size_t>(known - shape->traces.begin())];
  const Block::GroupTraces& traces = *parts_[fragment.part].traces;
  for (uint32_t i = 0; i < traces.row_count[fragment.trace]; ++i) {
    const uint32_t row = traces.first_row[fragment.trace] + i;
    if (parts_[fragment.part].IsLeftOut(Scope::kSpan, row)) continue;
    const uint32_t at = first_in_shape + i;
    model::TreeSpan span;
    span.span_id = {NumberAt(*shape->span_id, at)};
    const uint64_t back = NumberAt(*shape->parent, at);
    if (back > i) return {ErrorCode::kCorrupt, "column parent points outside the trace"};
    if (shape->parent_span_id != nullptr && shape->parent_span_id->has(at)) {
      span.parent_span_id = {NumberAt(*shape->parent_span_id, at)};
    } else if (back != 0) {
      span.parent_span_id = {NumberAt(*shape->span_id, at - static_cast<uint32_t>(back))};
    }
    span.start_ns = NumberAt(*shape->start, at);
    span.end_ns = span.start_ns + NumberAt(*shape->duration, at);
    span.kind = shape->kinds[shape->kind->codes[at]];
    spans_.push_back(span);
    rows_.push_back({fragment.part, row});
    shape_rows_.push_back(at);
  }
  return Error::Ok();
}

Result<uint64_t> TraceJoin::ContentHashOf(std::span<const Fragment> fragments, uint32_t input) {
  const uint32_t f = fragment_of_[input];
  const MergePart& part = parts_[fragments[f].part];
  const uint32_t first = part.traces->first_row[fragments[f].trace];
  if (contents_[f].empty()) {
    WEFT_ASSIGN_OR_RETURN(
        contents_[f],
        part.block->SpansOf(part.row_group, first, part.traces->row_count[fragments[f].trace]));
  }
  return model::ContentHash(contents_[f], rows_[input].row - first);
}

Result<JoinedTrace> TraceJoin::Join(std::span<const Fragment> fragments) {
  rows_.clear();
  shape_rows_.clear();
  spans_.clear();
  fragment_of_.clear();
  contents_.clear();
  contents_.resize(fragments.size());
  for (uint32_t f = 0; f < fragments.size(); ++f) {
    WEFT_RETURN_IF_ERROR(AddFragment(fragments[f]));
    fragment_of_.resize(rows_.size(), f);
  }
  Error failed;
  const model::Preorder& preorder = preorder_.Build(spans_, [&](uint32_t input) -> uint64_t {
    const auto hash = ContentHashOf(fragments, input);
    if (!hash.ok()) failed = hash.error();
    return hash.ok() ? *hash : 0;
  });
  WEFT_RETURN_IF_ERROR(failed);
  JoinedTrace joined;
  joined.parent = preorder.parent;
  joined.subtree_size = preorder.subtree_size;
  joined.marks = preorder.marks;
  joined.duplicate_count = static_cast<uint32_t>(preorder.duplicates.size());
  for (uint32_t row = 0; row < preorder.size(); ++row) {
    const uint32_t input = preorder.input[row];
    const PartRow at = rows_[input];
    const Shape& shape = shapes_[at.part];
    joined.rows.push_back(at);
    joined.span_id.push_back(spans_[input].span_id);
    joined.parent_id.push_back(spans_[input].parent_span_id);
    joined.start_ns = std::min(joined.start_ns, spans_[input].start_ns);
    joined.end_ns = std::max({joined.end_ns, spans_[input].start_ns, spans_[input].end_ns});
    joined.error_count += IsError(*shape.status, shape_rows_[input]);
    joined.flags |= FlagsOfMarks(joined.marks[row]);
    const uint64_t resource = NumberAt(*shape.resource, shape_rows_[input]);
    if (resource >= shape.services->size())
      return Error(ErrorCode::kCorrupt, "spans.parquet names an unknown resource");
    joined.services.push_back((*shape.services)[resource]);
  }
  const uint32_t first = preorder.input[0];
  const Column& names = *shapes_[rows_[first].part].name;
  joined.first_name = names.dictionary->strings[names.codes[shape_rows_[first]]];
  joined.root_known = !joined.parent_id[0].valid();
  bool any_root = false;
  for (const model::SpanId id : joined.parent_id) any_root |= !id.valid();
  if (!any_root) joined.flags |= kTraceRootMissing;
  return joined;
}

}  // namespace weft::block
