#include "block/merge.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "base/borrowed_file.h"
#include "block/attribute_merge.h"
#include "block/attributed_table.h"
#include "block/column_merger.h"
#include "block/key_flood.h"
#include "block/merge_part.h"
#include "block/operation_counts.h"
#include "block/row_grouping.h"
#include "block/schema.h"
#include "block/side_table.h"
#include "block/side_tables_writer.h"
#include "block/trace_join.h"
#include "block/traces_writer.h"

namespace weft::block {
namespace {

using model::Code;
using model::SpanBatch;

constexpr uint64_t kNotHere = AttributeMerge::kNotHere;

// A trace of the output.
struct MergedTrace {
  Fragment only;                 // where it is, unless it is joined
  std::optional<uint32_t> join;  // index into the joined traces
};

// The table of spans, events or links, being written.
struct MergedTable {
  MergedTable(std::unique_ptr<AttributeMerge> merge, const BlockWriterOptions& options)
      : attributes_of(std::move(merge)),
        attributes(*attributes_of),
        file(ColumnsOf(FileOf(attributes.scope()), attributes.columns()), options) {}

  std::unique_ptr<AttributeMerge> attributes_of;
  const AttributeMerge& attributes;
  TableWriter file;
  uint64_t rows_written = 0;
};

class BlockMerger {
 public:
  BlockMerger(std::span<const std::shared_ptr<const Block>> inputs,
              std::span<const RowSetPtr> left_out, BlockMeta meta,
              const BlockWriterOptions& options)
      : inputs_(inputs),
        left_out_(left_out),
        options_(options),
        traces_writer_(options),
        overflow_writer_(options) {
    block_.meta = std::move(meta);
  }

  Result<EncodedBlock> Run() {
    BeginMeta();
    WEFT_RETURN_IF_ERROR(LoadInputs());
    WEFT_RETURN_IF_ERROR(ListTraces());
    WEFT_RETURN_IF_ERROR(OpenTable(Scope::kSpan, &spans_));
    WEFT_RETURN_IF_ERROR(OpenTable(Scope::kEvent, &events_));
    WEFT_RETURN_IF_ERROR(OpenTable(Scope::kLink, &links_));
    spans_->file.Reserve(SpanFileBytes());
    const auto groups = GroupTraces(to_group_, operations_, options_.row_group_rows_max);
    for (size_t g = 0; g < groups.size(); ++g) {
      WEFT_RETURN_IF_ERROR(WriteGroup(groups[g], static_cast<int32_t>(g)));
    }
    return Finish();
  }

 private:
  void BeginMeta() {
    BlockMeta& meta = block_.meta;
    meta.format_version = BlockMeta::kFormatVersion;
    meta.span_count = meta.trace_count = meta.event_count = meta.link_count = 0;
    meta.duplicate_count = 0;
    meta.first_start_ns = UINT64_MAX;
    meta.last_start_ns = meta.last_end_ns = 0;
    meta.row_groups.clear();
    meta.files.clear();
    meta.many_keys.clear();
    for (size_t i = 0; i < inputs_.size(); ++i) {
      meta.duplicate_count += inputs_[i]->meta().duplicate_count;
      // An example may be of a row that does not come along.
      const bool whole = left_out_.empty() || left_out_[i] == nullptr;
      if (whole) MergeManyKeys(inputs_[i]->meta().many_keys, &meta.many_keys);
    }
  }

  // Of the inputs: the output is smaller, if only by a little.
  size_t SpanFileBytes() const {
    size_t bytes = 0;
    for (const auto& input : inputs_) bytes += input->table(Scope::kSpan).size_bytes();
    return bytes;
  }

  Error LoadInputs() {
    side_batches_.resize(inputs_.size());
    for (uint32_t i = 0; i < inputs_.size(); ++i) {
      WEFT_ASSIGN_OR_RETURN(side_batches_[i], inputs_[i]->SideTables());
      batches_.push_back(&side_batches_[i]);
      const RowSet* left_out = left_out_.empty() ? nullptr : left_out_[i].get();
      for (uint32_t g = 0; g < inputs_[i]->row_group_count(); ++g) {
        const FileRowGroup& rows = inputs_[i]->table(Scope::kSpan).row_groups()[g];
        const bool none = left_out != nullptr &&
                          left_out->CountIn(rows.first_row, rows.row_count) == rows.row_count;
        if (none) continue;
        WEFT_ASSIGN_OR_RETURN(MergePart part, MergePart::Load(*inputs_[i], i, g, left_out));
        parts_.push_back(std::move(part));
      }
    }
    resources_.emplace(Scope::kResource, batches_);
    scopes_.emplace(Scope::kInstrumentation, batches_);
    return Error::Ok();
  }

  Error OpenTable(Scope scope, std::optional<MergedTable>* table) {
    WEFT_ASSIGN_OR_RETURN(auto attributes, AttributeMerge::Make(scope, parts_));
    table->emplace(std::move(attributes), options_);
    return Error::Ok();
  }

  // --- which traces there are

  struct Listed {
    model::TraceId id;
    Fragment at;
    Code operation = 0;
    bool whole = true;  // all its rows come along
  };

  Error ListTraces() {
    std::vector<Listed> listed;
    for (uint32_t p = 0; p < parts_.size(); ++p) WEFT_RETURN_IF_ERROR(ListPart(p, &listed));
    std::sort(listed.begin(), listed.end(), [](const Listed& a, const Listed& b) {
      if (a.id != b.id) return a.id < b.id;
      return a.at.part != b.at.part ? a.at.part < b.at.part : a.at.trace < b.at.trace;
    });
    TraceJoin join(parts_, FragmentsToJoin(listed));
    std::vector<Fragment> fragments;
    return ForEachTrace(listed, [&](std::span<const Listed> parts_of_it) -> Error {
      if (IsSingle(parts_of_it)) {
        AddSingle(parts_of_it[0]);
        return Error::Ok();
      }
      fragments.clear();
      for (const Listed& part : parts_of_it) fragments.push_back(part.at);
      return AddJoined(parts_of_it[0].id, fragments, &join);
    });
  }

  // Its rows are copied as they are.
  static bool IsSingle(std::span<const Listed> trace) {
    return trace.size() == 1 && trace[0].whole;
  }

  // Calls visit with all that is listed of one trace, for each; until it fails.
  template <typename F>
  static Error ForEachTrace(std::span<const Listed> listed, F visit) {
    for (size_t begin = 0; begin < listed.size();) {
      size_t end = begin + 1;
      while (end < listed.size() && listed[end].id == listed[begin].id) ++end;
      WEFT_RETURN_IF_ERROR(visit(listed.subspan(begin, end - begin)));
      begin = end;
    }
    return Error::Ok();
  }

  // By part and trace.
  static std::vector<Fragment> FragmentsToJoin(std::span<const Listed> listed) {
    std::vector<Fragment> fragments;
    [[maybe_unused]] const Error none = ForEachTrace(listed, [&](std::span<const Listed> trace) {
      for (const Listed& part : trace) {
        if (!IsSingle(trace)) fragments.push_back(part.at);
      }
      return Error::Ok();
    });
    std::sort(fragments.begin(), fragments.end(), [](Fragment a, Fragment b) {
      return a.part != b.part ? a.part < b.part : a.trace < b.trace;
    });
    return fragments;
  }

  // What orders the operation of a row of the columns given.
  Result<Code> OperationAt(const MergePart& part, const Column& names, const Column& resources,
                           uint32_t row) {
    WEFT_ASSIGN_OR_RETURN(const auto services, part.block->ServiceNames(nullptr));
    const uint64_t resource = NumberAt(resources, row);
    if (resource >= services->size())
      return Error(ErrorCode::kCorrupt, "spans.parquet names an unknown resource");
    SetOperationText((*services)[resource], names.dictionary->strings[names.codes[row]], &text_);
    return operations_.Intern(text_);
  }

  Error ListPart(uint32_t p, std::vector<Listed>* listed) {
    const MergePart& part = parts_[p];
    const std::span<const uint32_t> first_rows = part.traces->first_row;
    WEFT_ASSIGN_OR_RETURN(const ColumnPtr names,
                          part.ReadRows(Scope::kSpan, kSpanName, first_rows));
    WEFT_ASSIGN_OR_RETURN(const ColumnPtr resources,
                          part.ReadRows(Scope::kSpan, kSpanResourceId, first_rows));
    for (uint32_t t = 0; t < part.traces->size(); ++t) {
      const uint32_t rows = part.traces->row_count[t];
      const uint32_t kept = part.KeptSpans(part.traces->first_row[t], rows);
      if (kept == 0) continue;
      WEFT_ASSIGN_OR_RETURN(const Code operation, OperationAt(part, *names, *resources, t));
      listed->push_back({part.traces->id[t], {p, t}, operation, kept == rows});
    }
    return Error::Ok();
  }

  void AddSingle(const Listed& trace) {
    const Block::GroupTraces& traces = *parts_[trace.at.part].traces;
    const uint32_t t = trace.at.trace;
    merged_.push_back({trace.at, std::nullopt});
    to_group_.push_back({trace.id, traces.start_ns[t], trace.operation, traces.row_count[t]});
  }

  Error AddJoined(model::TraceId id, std::span<const Fragment> fragments, TraceJoin* join) {
    WEFT_ASSIGN_OR_RETURN(JoinedTrace joined, join->Join(fragments));
    block_.meta.duplicate_count += joined.duplicate_count;
    if (fragments.size() == 1) {
      // Its other fragments, if it has any, are not here.
      joined.flags |= parts_[fragments[0].part].traces->flags[fragments[0].trace] & kTraceFragment;
    }
    SetOperationText(joined.services[0], joined.first_name, &text_);
    to_group_.push_back({id, joined.start_ns, operations_.Intern(text_),
                         static_cast<uint32_t>(joined.rows.size())});
    JoinedRow row{std::move(joined), {}, {}, {}};
    row.root_name = row.trace.first_name;
    row.trace.first_name = {};
    std::vector<std::string_view> services = row.trace.services;
    AppendServicesText(&services, &row.services);
    row.root_service = std::string(row.trace.services[0]);
    row.trace.services.clear();
    merged_.push_back({{}, static_cast<uint32_t>(joined_.size())});
    joined_.push_back(std::move(row));
    return Error::Ok();
  }

  // --- one row group

  Error WriteGroup(const TraceGroup& group, int32_t ordinal) {
    strings_.Clear();
    overflow_.rows.clear();
    WEFT_RETURN_IF_ERROR(LayOut(group));
    const uint64_t first_row = spans_->rows_written;
    WEFT_RETURN_IF_ERROR(WriteSpans(group, ordinal));
    WEFT_RETURN_IF_ERROR(WriteTraces(group, ordinal, first_row));
    WEFT_RETURN_IF_ERROR(WriteEvents(ordinal, first_row));
    WEFT_RETURN_IF_ERROR(WriteLinks(ordinal, first_row));
    return overflow_writer_.Write(overflow_, ordinal, &strings_);
  }

  // The rows of the group's traces, and their trees.
  Error LayOut(const TraceGroup& group) {
    rows_.Clear();
    tree_ = {};
    used_.assign(parts_.size(), false);
    bool joined = false;
    for (const uint32_t t : group.traces) {
      const MergedTrace& trace = merged_[t];
      if (trace.join) {
        joined = true;
        for (const PartRow row : joined_[*trace.join].trace.rows) AddRows(row.part, row.row, 1);
        continue;
      }
      const Block::GroupTraces& traces = *parts_[trace.only.part].traces;
      const uint32_t t_in_part = trace.only.trace;
      AddRows(trace.only.part, traces.first_row[t_in_part], traces.row_count[t_in_part]);
    }
    return LayOutTrees(group, joined);
  }

  void AddRows(uint32_t part, uint32_t first_row, uint32_t row_count) {
    rows_.Add(part, first_row, row_count);
    used_[part] = true;
  }

  // Of traces that are whole the columns are copied one at a time; joined ones have trees of their
  // own.
  Error LayOutTrees(const TraceGroup& group, bool joined) {
    WEFT_RETURN_IF_ERROR(CopyNumbers(kSpanParent, &tree_.parent));
    WEFT_RETURN_IF_ERROR(CopyNumbers(kSpanSubtreeSize, &tree_.subtree_size));
    WEFT_RETURN_IF_ERROR(CopyNumbers(kSpanMarks, &tree_.marks));
    WEFT_ASSIGN_OR_RETURN(const ColumnValues ids, MergeColumn(*spans_, kSpanParentSpanId, rows_));
    if (joined) {
      JoinTrees(group, ids);
    } else {
      tree_.explicit_parent.assign(ids.validity, ids.validity + (ids.rows + 63) / 64);
      tree_.parent_id.assign(ids.numbers.begin(), ids.numbers.end());
    }
    return Error::Ok();
  }

  Error CopyNumbers(SpanColumn column, std::vector<uint64_t>* numbers) {
    WEFT_ASSIGN_OR_RETURN(const ColumnValues values, MergeColumn(*spans_, column, rows_));
    numbers->assign(values.numbers.begin(), values.numbers.end());
    return Error::Ok();
  }

  void JoinTrees(const TraceGroup& group, const ColumnValues& ids) {
    tree_.explicit_parent.assign((ids.rows + 63) / 64, 0);
    uint32_t row = 0;
    size_t next_id = 0;
    for (const uint32_t t : group.traces) {
      const JoinedTrace* trace = merged_[t].join ? &joined_[*merged_[t].join].trace : nullptr;
      if (trace != nullptr) SetJoinedTree(*trace, row);
      for (uint32_t i = 0; i < to_group_[t].row_count; ++i, ++row) {
        if ((ids.validity[row / 64] >> (row % 64) & 1) == 0) continue;
        const uint64_t id = ids.numbers[next_id++];
        if (trace == nullptr) tree_.SetParentId(row, id);
      }
    }
  }

  // A parent id is stored where the tree does not give it back.
  void SetJoinedTree(const JoinedTrace& trace, uint32_t first_row) {
    for (uint32_t i = 0; i < trace.rows.size(); ++i) {
      const uint32_t row = first_row + i;
      const uint32_t back = trace.parent[i];
      tree_.parent[row] = back;
      tree_.subtree_size[row] = trace.subtree_size[i];
      tree_.marks[row] = trace.marks[i];
      const uint64_t derived = back == 0 ? 0 : trace.span_id[i - back].value;
      if (trace.parent_id[i].value != derived) tree_.SetParentId(row, trace.parent_id[i].value);
    }
  }

  // What read(part) gives of each part that the group takes rows from; null for the others.
  template <typename Ptr, typename Read>
  Result<std::vector<Ptr>> ReadParts(Read read) const {
    std::vector<Ptr> columns(parts_.size());
    for (size_t p = 0; p < parts_.size(); ++p) {
      if (!used_[p]) continue;
      WEFT_ASSIGN_OR_RETURN(columns[p], read(parts_[p]));
    }
    return columns;
  }

  // The values are in the merger until it merges the next column.
  Result<ColumnValues> MergeColumn(const MergedTable& table, uint32_t column, const RunList& rows) {
    WEFT_ASSIGN_OR_RETURN(const auto columns,
                          ReadParts<PackedColumnPtr>([&](const MergePart& part) {
                            return part.ReadPacked(table.attributes.scope(), column);
                          }));
    return merger_.Merge(table.file.columns()[column], columns, rows);
  }
  Error CopyColumn(MergedTable* table, uint32_t column, const RunList& rows) {
    WEFT_ASSIGN_OR_RETURN(const ColumnValues values, MergeColumn(*table, column, rows));
    return table->file.WriteColumn(values);
  }

  // The last columns of the row group.
  Error CopyAttributes(MergedTable* table, const RunList& rows) {
    const auto& specs = table->attributes.columns();
    for (uint32_t c = 0; c < specs.size(); ++c) {
      WEFT_ASSIGN_OR_RETURN(const auto columns, table->attributes.Read(c, used_));
      WEFT_RETURN_IF_ERROR(table->file.WriteColumn(merger_.Merge(specs[c], columns, rows)));
    }
    WEFT_RETURN_IF_ERROR(CopyOverflow(table, rows));
    table->rows_written += rows.row_count();
    return table->file.EndRowGroup();
  }

  Error CopyOverflow(MergedTable* table, const RunList& rows) {
    std::vector<std::vector<uint64_t>> new_row(parts_.size());  // where the rows have gone
    bool any = false;
    for (size_t p = 0; p < parts_.size(); ++p) {
      if (!used_[p] || !table->attributes.MayHaveOverflow(parts_[p])) continue;
      new_row[p].assign(parts_[p].RowsOf(table->attributes.scope()), kNotHere);
      any = true;
    }
    if (!any) return Error::Ok();
    rows.ForEachRow([&](uint32_t part, uint32_t row, uint32_t place) {
      if (!new_row[part].empty()) new_row[part][row] = table->rows_written + place;
    });
    return table->attributes.AddOverflow(new_row, &overflow_, &strings_);
  }

  // The order of these calls is that of the enum SpanColumn.
  Error WriteSpans(const TraceGroup& group, int32_t ordinal) {
    TableWriter* file = &spans_->file;
    const uint32_t count = rows_.row_count();
    const auto copy = [&](SpanColumn column) { return CopyColumn(&*spans_, column, rows_); };
    WEFT_RETURN_IF_ERROR(file->BeginRowGroup(count, ordinal));
    WEFT_RETURN_IF_ERROR(WriteTraceIds(group));
    WEFT_RETURN_IF_ERROR(copy(kSpanSpanId));
    WEFT_RETURN_IF_ERROR(file->WriteColumn(
        {.rows = count, .validity = tree_.explicit_parent.data(), .numbers = tree_.parent_id}));
    WEFT_RETURN_IF_ERROR(file->WriteColumn({.rows = count, .numbers = tree_.parent}));
    WEFT_RETURN_IF_ERROR(file->WriteColumn({.rows = count, .numbers = tree_.subtree_size}));
    WEFT_RETURN_IF_ERROR(WriteStarts());
    for (const SpanColumn column : {kSpanDuration, kSpanName, kSpanKind, kSpanStatusCode,
                                    kSpanStatusMessage, kSpanTraceState, kSpanFlags}) {
      WEFT_RETURN_IF_ERROR(copy(column));
    }
    WEFT_RETURN_IF_ERROR(WriteSideIds(kSpanResourceId, &*resources_));
    WEFT_RETURN_IF_ERROR(WriteSideIds(kSpanScopeId, &*scopes_));
    for (const SpanColumn column :
         {kSpanDroppedAttributes, kSpanDroppedEvents, kSpanDroppedLinks}) {
      WEFT_RETURN_IF_ERROR(copy(column));
    }
    WEFT_RETURN_IF_ERROR(file->WriteColumn({.rows = count, .numbers = tree_.marks}));
    // Nobody reads these again, and the columns that follow, most of them, take as much.
    tree_ = {};
    codes_ = {};
    numbers_ = {};
    block_.meta.span_count += count;
    return CopyAttributes(&*spans_, rows_);
  }

  Error WriteStarts() {
    WEFT_ASSIGN_OR_RETURN(const ColumnValues starts, MergeColumn(*spans_, kSpanStartTime, rows_));
    last_start_ns_ = 0;
    for (const uint64_t start_ns : starts.numbers) {
      last_start_ns_ = std::max(last_start_ns_, start_ns);
    }
    return spans_->file.WriteColumn(starts);
  }

  Error WriteTraceIds(const TraceGroup& group) {
    codes_.clear();
    for (const uint32_t t : group.traces) {
      codes_.insert(codes_.end(), to_group_[t].row_count,
                    InternTraceId(to_group_[t].id, &strings_));
    }
    return spans_->file.WriteColumn(
        {.rows = rows_.row_count(), .codes = codes_, .strings = &strings_});
  }

  Error WriteSideIds(SpanColumn column, SideTable* table) {
    WEFT_ASSIGN_OR_RETURN(const ColumnValues ids, MergeColumn(*spans_, column, rows_));
    const bool resources = column == kSpanResourceId;
    numbers_.assign(ids.numbers.begin(), ids.numbers.end());
    uint32_t place = 0;
    for (const RowRun& run : rows_.runs()) {
      const uint32_t input = parts_[run.part].input;
      const SpanBatch& batch = side_batches_[input];
      const uint32_t limit = resources ? batch.resources.size() : batch.scopes.size();
      for (uint32_t i = 0; i < run.row_count; ++i, ++place) {
        if (numbers_[place] >= limit) {
          return {ErrorCode::kCorrupt, "spans.parquet names an unknown resource or scope"};
        }
        numbers_[place] = table->RowOf(input, static_cast<uint32_t>(numbers_[place]));
      }
    }
    return spans_->file.WriteColumn({.rows = rows_.row_count(), .numbers = numbers_});
  }

  // What spans own (events or links): rows of the parts' tables, and each one's span.
  Error ListOwned(Scope scope, uint32_t span_row_column, uint64_t first_row) {
    owned_.Clear();
    owner_rows_.clear();
    std::vector<std::vector<uint32_t>> ends(parts_.size());  // of each span's, by span row
    WEFT_ASSIGN_OR_RETURN(const auto owners, ReadParts<ColumnPtr>([&](const MergePart& part) {
                            return part.Read(scope, span_row_column);
                          }));
    bool any = false;
    for (size_t p = 0; p < parts_.size(); ++p) {
      if (!owners[p]) continue;
      WEFT_RETURN_IF_ERROR(FindEnds(parts_[p], scope, *owners[p], &ends[p]));
      any = true;
    }
    if (!any) return Error::Ok();
    rows_.ForEachRow([&](uint32_t part, uint32_t row, uint32_t place) {
      if (ends[part].empty()) return;
      const uint32_t begin = row == 0 ? 0 : ends[part][row - 1];
      const uint32_t count = ends[part][row] - begin;
      if (count == 0) return;
      owned_.Add(part, begin, count);
      owner_rows_.insert(owner_rows_.end(), count, first_row + place);
    });
    return Error::Ok();
  }

  static Error FindEnds(const MergePart& part, Scope scope, const Column& owners,
                        std::vector<uint32_t>* ends) {
    const uint64_t first = part.FirstRowOf(Scope::kSpan);
    const uint32_t spans = part.RowsOf(Scope::kSpan);
    uint32_t next = 0;
    for (uint32_t i = 0; i < owners.row_count; ++i) {
      const uint64_t owner = NumberAt(owners, i) - first;
      if (owner >= spans || owner + 1 < ends->size()) {
        return {ErrorCode::kCorrupt, std::string(FileOf(scope)) + " is not sorted"};
      }
      while (ends->size() <= owner) ends->push_back(next);
      ends->back() = ++next;
    }
    ends->resize(spans, next);
    return Error::Ok();
  }

  // The order of these calls is that of the enum EventColumn.
  Error WriteEvents(int32_t ordinal, uint64_t first_row) {
    WEFT_RETURN_IF_ERROR(ListOwned(Scope::kEvent, kEventSpanRow, first_row));
    block_.meta.event_count += owned_.row_count();
    return WriteOwned(&*events_, ordinal, FixedColumns(kEventsFile).size());
  }

  // The order of these calls is that of the enum LinkColumn.
  Error WriteLinks(int32_t ordinal, uint64_t first_row) {
    WEFT_RETURN_IF_ERROR(ListOwned(Scope::kLink, kLinkSpanRow, first_row));
    block_.meta.link_count += owned_.row_count();
    return WriteOwned(&*links_, ordinal, FixedColumns(kLinksFile).size());
  }

  // The span's row, then the other columns as they are.
  Error WriteOwned(MergedTable* table, int32_t ordinal, size_t fixed) {
    if (owned_.empty()) return Error::Ok();
    const uint32_t count = owned_.row_count();
    WEFT_RETURN_IF_ERROR(table->file.BeginRowGroup(count, ordinal));
    WEFT_RETURN_IF_ERROR(table->file.WriteColumn({.rows = count, .numbers = owner_rows_}));
    for (uint32_t c = 1; c < fixed; ++c) WEFT_RETURN_IF_ERROR(CopyColumn(table, c, owned_));
    return CopyAttributes(table, owned_);
  }

  // --- traces.parquet

  Error WriteTraces(const TraceGroup& group, int32_t ordinal, uint64_t first_row) {
    RowGroupMeta meta{.span_count = rows_.row_count(),
                      .trace_count = group.traces.size(),
                      .first_start_ns = UINT64_MAX,
                      .last_start_ns = last_start_ns_};
    std::array<std::vector<ColumnPtr>, 3> texts;
    constexpr TraceColumn kTexts[] = {kTraceRootService, kTraceRootName, kTraceServices};
    for (size_t i = 0; i < texts.size(); ++i) {
      WEFT_ASSIGN_OR_RETURN(texts[i], ReadParts<ColumnPtr>([&](const MergePart& part) {
                              return part.block->ReadTraceColumn(part.row_group, kTexts[i],
                                                                 nullptr);
                            }));
    }
    std::vector<TraceRow> traces;
    for (const uint32_t t : group.traces) {
      const MergedTrace& trace = merged_[t];
      traces.push_back(trace.join ? RowOfJoined(joined_[*trace.join])
                                  : RowOfSingle(trace.only, texts));
      TraceRow& row = traces.back();
      row.first_row = first_row;
      row.span_count = to_group_[t].row_count;
      first_row += row.span_count;
      meta.first_start_ns = std::min(meta.first_start_ns, row.start_ns);
      meta.last_trace_start_ns = std::max(meta.last_trace_start_ns, row.start_ns);
      block_.meta.last_end_ns = std::max(block_.meta.last_end_ns, row.end_ns);
    }
    AddToMeta(meta);
    return traces_writer_.Write(traces, ordinal, &strings_);
  }

  TraceRow RowOfSingle(Fragment at, const std::array<std::vector<ColumnPtr>, 3>& texts) {
    const Block::GroupTraces& traces = *parts_[at.part].traces;
    const auto text = [&](size_t i) {
      const Column& column = *texts[i][at.part];
      if (!column.has(at.trace)) return Code{0};
      return strings_.Intern(column.dictionary->strings[column.codes[at.trace]]);
    };
    return {.error_count = traces.error_count[at.trace],
            .start_ns = traces.start_ns[at.trace],
            .end_ns = traces.end_ns[at.trace],
            .root_service = text(0),
            .root_name = text(1),
            .services = text(2),
            .flags = traces.flags[at.trace]};
  }

  struct JoinedRow {
    JoinedTrace trace;
    std::string root_name;
    std::string root_service;
    std::string services;
  };
  TraceRow RowOfJoined(const JoinedRow& joined) {
    const bool root = joined.trace.root_known;
    return {.error_count = joined.trace.error_count,
            .start_ns = joined.trace.start_ns,
            .end_ns = joined.trace.end_ns,
            .root_service = root ? strings_.Intern(joined.root_service) : Code{0},
            .root_name = root ? strings_.Intern(joined.root_name) : Code{0},
            .services = strings_.Intern(joined.services),
            .flags = joined.trace.flags};
  }

  void AddToMeta(const RowGroupMeta& group) {
    BlockMeta& meta = block_.meta;
    meta.trace_count += group.trace_count;
    meta.first_start_ns = std::min(meta.first_start_ns, group.first_start_ns);
    meta.last_start_ns = std::max(meta.last_start_ns, group.last_start_ns);
    meta.row_groups.push_back(group);
  }

  // --- the end

  Result<EncodedBlock> Finish() {
    KeyIndex keys(batches_);
    StringTranslator strings(batches_);
    SideTablesWriter side_tables(batches_, &keys, &strings, options_);
    WEFT_RETURN_IF_ERROR(side_tables.Write(*resources_, *scopes_, &overflow_writer_));
    WEFT_RETURN_IF_ERROR(AddFile(kSpansFile, &spans_->file));
    WEFT_RETURN_IF_ERROR(AddFile(kEventsFile, &events_->file));
    WEFT_RETURN_IF_ERROR(AddFile(kLinksFile, &links_->file));
    WEFT_RETURN_IF_ERROR(AddFile(kResourcesFile, side_tables.resources_file()));
    WEFT_RETURN_IF_ERROR(AddFile(kScopesFile, side_tables.scopes_file()));
    WEFT_RETURN_IF_ERROR(AddFile(kTracesFile, traces_writer_.file()));
    WEFT_RETURN_IF_ERROR(AddFile(kAttributesFile, overflow_writer_.file()));
    WEFT_ASSIGN_OR_RETURN(const OperationCounts counts, Counts());
    WEFT_RETURN_IF_ERROR(AddCounts(counts, options_, &block_));
    return std::move(block_);
  }

  // The sums of the inputs, where all of their spans came along.
  Result<OperationCounts> Counts() const {
    OperationCounter counter;
    uint64_t spans = 0;
    for (const auto& input : inputs_) {
      WEFT_ASSIGN_OR_RETURN(const auto counts, input->Counts(nullptr));
      if (counts == nullptr) return CountAnew();
      counter.AddAll(*counts);
      spans += input->meta().span_count;
    }
    return spans == block_.meta.span_count ? counter.Take() : CountAnew();
  }

  // Of the output's own rows.
  Result<OperationCounts> CountAnew() const;

  Error AddFile(std::string_view name, TableWriter* file) {
    WEFT_ASSIGN_OR_RETURN(TableWriter::Finished finished, file->Finish());
    block_.AddFile(std::string(name), std::move(finished.bytes), finished.tail_bytes);
    return Error::Ok();
  }

  // Columns of spans that are not copied: one entry per row of the group.
  struct Trees {
    std::vector<uint64_t> parent;
    std::vector<uint64_t> subtree_size;
    std::vector<uint64_t> marks;
    std::vector<uint64_t> explicit_parent;  // bit per row
    std::vector<uint64_t> parent_id;        // of those

    // Row by row, upwards.
    void SetParentId(uint32_t row, uint64_t id) {
      explicit_parent[row / 64] |= uint64_t{1} << (row % 64);
      parent_id.push_back(id);
    }
  };

  std::span<const std::shared_ptr<const Block>> inputs_;
  std::span<const RowSetPtr> left_out_;  // of each input, or empty
  BlockWriterOptions options_;
  std::vector<MergePart> parts_;
  std::vector<SpanBatch> side_batches_;  // per input: its resources and scopes
  std::vector<const SpanBatch*> batches_;
  std::optional<SideTable> resources_;
  std::optional<SideTable> scopes_;
  // Traces of the output; the two are parallel.
  std::vector<MergedTrace> merged_;
  std::vector<TraceToGroup> to_group_;
  std::vector<JoinedRow> joined_;
  model::StringTable operations_;

  std::optional<MergedTable> spans_;
  std::optional<MergedTable> events_;
  std::optional<MergedTable> links_;
  TracesWriter traces_writer_;
  OverflowWriter overflow_writer_;
  EncodedBlock block_;

  // Of the current row group.
  RunList rows_;
  std::vector<bool> used_;  // per part: some rows are from it
  Trees tree_;
  uint64_t last_start_ns_ = 0;
  RunList owned_;
  std::vector<uint64_t> owner_rows_;
  OverflowRows overflow_;
  model::StringTable strings_;
  // Scratch.
  ColumnMerger merger_;
  std::vector<uint64_t> numbers_;
  std::vector<uint32_t> codes_;
  std::string text_;
};

// The files of the output, which are in memory.
class WrittenFiles final : public FileOpener {
 public:
  explicit WrittenFiles(const EncodedBlock& block) : block_(block) {}
  Result<std::unique_ptr<ReadableFile>> Open(std::string_view name) const override {
    for (const BlockFile& file : block_.files) {
      if (file.name == name) {
        return std::unique_ptr<ReadableFile>(std::make_unique<BorrowedFile>(file.bytes));
      }
    }
    return Error(ErrorCode::kNotFound, "there is no file " + std::string(name));
  }

 private:
  const EncodedBlock& block_;
};

Result<OperationCounts> BlockMerger::CountAnew() const {
  constexpr size_t kCacheBytes = 4 << 20;
  BlockMeta meta = block_.meta;
  meta.format_version = 3;  // which has no counts
  WEFT_ASSIGN_OR_RETURN(const auto written,
                        Block::Open(std::move(meta), WrittenFiles(block_),
                                    std::make_shared<ColumnCache>(kCacheBytes)));
  OperationCounter counter;
  for (const auto& group : written->RowGroups()) {
    WEFT_RETURN_IF_ERROR(counter.AddGroup(*group));
  }
  return counter.Take();
}

}  // namespace

Result<EncodedBlock> MergeBlocks(std::span<const std::shared_ptr<const Block>> inputs,
                                 BlockMeta meta, const BlockWriterOptions& options,
                                 std::span<const RowSetPtr> left_out) {
  return BlockMerger(inputs, left_out, std::move(meta), options).Run();
}

}  // namespace weft::block
