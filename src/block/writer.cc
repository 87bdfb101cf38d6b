// WriteBlock.
//
// 1. Group and order the traces (row_grouping.h).
// 2. Count attributes of spans, events and links over the whole block and choose their columns.
// 3. For each row group: spans, their events, links and traces, and what did not get a column.
// 4. Resources and scopes, whose rows were found on the way.
#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>

#include "block/attribute_pivot.h"
#include "block/attribute_plan.h"
#include "block/block.h"
#include "block/json_text.h"
#include "block/row_grouping.h"
#include "block/schema.h"
#include "block/side_table.h"
#include "block/string_translator.h"
#include "block/table_writer.h"
#include "block/trace_summary.h"

namespace weft::block {
namespace {

using model::Code;
using model::SpanBatch;
using model::StringTable;
using model::ValueType;

// The rows of one row group, in file order.
struct GroupRows {
  std::vector<RowRef> rows;
  std::vector<uint32_t> parent;
  std::vector<uint32_t> subtree_size;
  std::vector<uint8_t> marks;
  std::vector<uint32_t> first_row;  // of each trace of the group, in the group
  uint32_t size() const { return static_cast<uint32_t>(rows.size()); }
};

// What traces.parquet says about one trace.
struct TraceRow {
  uint64_t start_ns = UINT64_MAX;
  uint64_t end_ns = 0;
  uint32_t errors = 0;
  uint32_t flags = 0;
};

std::vector<ColumnSpec> ColumnsOf(std::string_view file, const AttributePlan* plan) {
  const std::span<const ColumnSpec> fixed = FixedColumns(file);
  std::vector<ColumnSpec> columns(fixed.begin(), fixed.end());
  if (plan) columns.insert(columns.end(), plan->columns().begin(), plan->columns().end());
  return columns;
}

// Whole traces tile the rows, and every reference points inside.
Error CheckInput(const BlockInput& input) {
  Error bad(ErrorCode::kInvalidArgument, "the input of a block is inconsistent");
  const size_t rows = input.rows.size();
  if (input.parent.size() != rows || input.subtree_size.size() != rows ||
      input.marks.size() != rows || rows > UINT32_MAX / 2) {
    return bad;
  }
  uint64_t covered = 0;
  for (const BlockInput::Trace& trace : input.traces) {
    if (trace.row_count == 0 || uint64_t{trace.first_row} + trace.row_count > rows) return bad;
    covered += trace.row_count;
    for (uint32_t i = 0; i < trace.row_count; ++i) {
      const uint32_t row = trace.first_row + i;
      if (input.parent[row] > i || input.subtree_size[row] >= trace.row_count - i) return bad;
    }
  }
  for (const RowRef ref : input.rows) {
    if (ref.batch >= input.batches.size() || ref.row >= input.batches[ref.batch]->size()) {
      return bad;
    }
  }
  return covered == rows ? Error::Ok() : bad;
}

// A table with attribute columns: its plan, its pivot and its file.
struct AttributedTable {
  AttributedTable(Scope table_scope, const std::vector<const SpanBatch*>& batches, KeyIndex* keys)
      : scope(table_scope), plan(table_scope, batches, keys) {}

  // Fixed columns are known and attributes counted: open the file.
  void Open(const std::vector<const SpanBatch*>& batches, StringTranslator* strings,
            const BlockWriterOptions& options) {
    plan.Choose();
    pivot.emplace(&plan, batches, strings);
    file = std::make_unique<TableWriter>(ColumnsOf(FileOf(scope), &plan), options);
  }
  Error WriteAttributes(std::span<const RowRef> owners, uint64_t first_row,
                        OverflowRows* overflow) {
    pivot->Run(owners, first_row, overflow);
    for (uint32_t c = 0; c < plan.columns().size(); ++c) {
      WEFT_RETURN_IF_ERROR(file->WriteColumn(pivot->values(c)));
    }
    return Error::Ok();
  }

  Scope scope;
  AttributePlan plan;
  std::optional<AttributePivot> pivot;
  std::unique_ptr<TableWriter> file;
  uint64_t rows_written = 0;
};

class BlockWriter {
 public:
  BlockWriter(const BlockInput& input, BlockMeta meta, const BlockWriterOptions& options)
      : input_(input),
        options_(options),
        batches_(input.batches),
        strings_(batches_),
        keys_(batches_),
        services_(batches_),
        resources_(Scope::kResource, batches_),
        scopes_(Scope::kInstrumentation, batches_),
        span_table_(Scope::kSpan, batches_, &keys_),
        event_table_(Scope::kEvent, batches_, &keys_),
        link_table_(Scope::kLink, batches_, &keys_),
        trace_file_(ColumnsOf(kTracesFile, nullptr), options),
        attribute_file_(ColumnsOf(kAttributesFile, nullptr), options) {
    block_.meta = std::move(meta);
  }

  Result<EncodedBlock> Run() {
    BeginMeta();
    const std::vector<TraceGroup> groups = GroupTraces(input_, options_.row_group_rows_max);
    CountAttributes();
    for (size_t g = 0; g < groups.size(); ++g) {
      WEFT_RETURN_IF_ERROR(WriteGroup(groups[g], static_cast<int32_t>(g)));
    }
    AttributedTable resources(Scope::kResource, batches_, &keys_);
    AttributedTable scopes(Scope::kInstrumentation, batches_, &keys_);
    WEFT_RETURN_IF_ERROR(WriteSideTables(&resources, &scopes));
    WEFT_RETURN_IF_ERROR(AddFile(kSpansFile, span_table_.file.get()));
    WEFT_RETURN_IF_ERROR(AddFile(kEventsFile, event_table_.file.get()));
    WEFT_RETURN_IF_ERROR(AddFile(kLinksFile, link_table_.file.get()));
    WEFT_RETURN_IF_ERROR(AddFile(kResourcesFile, resources.file.get()));
    WEFT_RETURN_IF_ERROR(AddFile(kScopesFile, scopes.file.get()));
    WEFT_RETURN_IF_ERROR(AddFile(kTracesFile, &trace_file_));
    WEFT_RETURN_IF_ERROR(AddFile(kAttributesFile, &attribute_file_));
    return std::move(block_);
  }

 private:
  const SpanBatch& batch(RowRef ref) const { return *batches_[ref.batch]; }

  void BeginMeta() {
    BlockMeta& meta = block_.meta;
    meta.format_version = BlockMeta::kFormatVersion;
    meta.span_count = meta.event_count = meta.link_count = 0;
    meta.trace_count = input_.traces.size();
    meta.first_start_ns = UINT64_MAX;
    meta.last_start_ns = meta.last_end_ns = 0;
    meta.row_groups.clear();
    meta.files.clear();
  }

  void CountAttributes() {
    span_table_.plan.Count(input_.rows);
    std::vector<RowRef> events;
    std::vector<RowRef> links;
    for (const RowRef ref : input_.rows) {
      AppendOwned(ref, batch(ref).EventsOf(ref.row), &events);
      AppendOwned(ref, batch(ref).LinksOf(ref.row), &links);
    }
    event_table_.plan.Count(events);
    link_table_.plan.Count(links);
    for (AttributedTable* table : {&span_table_, &event_table_, &link_table_}) {
      table->Open(batches_, &strings_, options_);
    }
  }

  static void AppendOwned(RowRef span, model::IndexRange range, std::vector<RowRef>* out) {
    for (uint32_t i = range.begin; i < range.end; ++i) out->push_back({span.batch, i});
  }

  Error WriteGroup(const TraceGroup& group, int32_t ordinal) {
    strings_.Clear();
    overflow_.rows.clear();
    LayOut(group);
    const uint64_t first_row = span_table_.rows_written;
    WEFT_RETURN_IF_ERROR(WriteTraces(group, ordinal, first_row));
    WEFT_RETURN_IF_ERROR(WriteSpans(group, ordinal));
    WEFT_RETURN_IF_ERROR(WriteEvents(ordinal, first_row));
    WEFT_RETURN_IF_ERROR(WriteLinks(ordinal, first_row));
    return WriteOverflow(ordinal);
  }

  // Copies the group's traces side by side.
  void LayOut(const TraceGroup& group) {
    rows_ = {};
    for (const uint32_t t : group.traces) {
      const BlockInput::Trace& trace = input_.traces[t];
      const size_t begin = trace.first_row;
      const size_t end = begin + trace.row_count;
      const auto copy = [begin, end](const auto& from, auto* to) {
        to->insert(to->end(), from.begin() + begin, from.begin() + end);
      };
      rows_.first_row.push_back(rows_.size());
      copy(input_.rows, &rows_.rows);
      copy(input_.parent, &rows_.parent);
      copy(input_.subtree_size, &rows_.subtree_size);
      copy(input_.marks, &rows_.marks);
    }
  }

  // Writes a number column: value(i) for each of `count` rows.
  template <typename F>
  Error WriteNumbers(TableWriter* file, uint32_t count, F value) {
    numbers_.resize(count);
    for (uint32_t i = 0; i < count; ++i) numbers_[i] = value(i);
    return file->WriteColumn({.rows = count, .numbers = numbers_});
  }
  // The same for a span column: value(batch, row).
  template <typename F>
  Error WriteSpanNumbers(F value) {
    return WriteNumbers(span_table_.file.get(), rows_.size(), [&](uint32_t i) {
      const RowRef ref = rows_.rows[i];
      return uint64_t{value(*batches_[ref.batch], ref.row)};
    });
  }
  // Writes a column of byte strings: code(i) in `strings` for each row.
  template <typename F>
  Error WriteCodes(TableWriter* file, uint32_t count, const StringTable& strings, F code) {
    codes_.resize(count);
    for (uint32_t i = 0; i < count; ++i) codes_[i] = code(i);
    return file->WriteColumn({.rows = count, .codes = codes_, .strings = &strings});
  }
  // The same with NULL for the empty string (code 0).
  template <typename F>
  Error WriteOptionalCodes(TableWriter* file, uint32_t count, F code) {
    codes_.clear();
    validity_.assign((count + 63) / 64, 0);
    for (uint32_t i = 0; i < count; ++i) {
      const uint32_t c = code(i);
      if (c == 0) continue;
      validity_[i / 64] |= uint64_t{1} << (i % 64);
      codes_.push_back(c);
    }
    return file->WriteColumn({.rows = count,
                              .validity = validity_.data(),
                              .codes = codes_,
                              .strings = &strings_.strings()});
  }
  // A column of a span's strings of its batch.
  template <typename F>
  Error WriteSpanStrings(bool optional, F code) {
    const auto translated = [&](uint32_t i) {
      const RowRef ref = rows_.rows[i];
      return strings_.Translate(ref.batch, code(*batches_[ref.batch], ref.row));
    };
    TableWriter* file = span_table_.file.get();
    if (optional) return WriteOptionalCodes(file, rows_.size(), translated);
    return WriteCodes(file, rows_.size(), strings_.strings(), translated);
  }
  // A column of numbers that are stored as words.
  template <typename F, typename Text>
  Error WriteSpanWords(Text text, F number) {
    std::array<Code, 256> words;
    words.fill(StringTable::kMissing);
    return WriteCodes(span_table_.file.get(), rows_.size(), strings_.strings(), [&](uint32_t i) {
      const RowRef ref = rows_.rows[i];
      const uint8_t n = number(*batches_[ref.batch], ref.row);
      if (words[n] == StringTable::kMissing) words[n] = strings_.Intern(text(n));
      return words[n];
    });
  }

  // The order of these calls is that of the enum SpanColumn.
  Error WriteSpans(const TraceGroup& group, int32_t ordinal) {
    TableWriter* file = span_table_.file.get();
    WEFT_RETURN_IF_ERROR(file->BeginRowGroup(rows_.size(), ordinal));
    WEFT_RETURN_IF_ERROR(WriteTraceIds(group));
    WEFT_RETURN_IF_ERROR(
        WriteSpanNumbers([](const SpanBatch& b, uint32_t r) { return b.span_id[r].value; }));
    WEFT_RETURN_IF_ERROR(WriteParentSpanIds());
    WEFT_RETURN_IF_ERROR(
        WriteNumbers(file, rows_.size(), [&](uint32_t i) { return rows_.parent[i]; }));
    WEFT_RETURN_IF_ERROR(
        WriteNumbers(file, rows_.size(), [&](uint32_t i) { return rows_.subtree_size[i]; }));
    WEFT_RETURN_IF_ERROR(
        WriteSpanNumbers([](const SpanBatch& b, uint32_t r) { return b.start_ns[r]; }));
    WEFT_RETURN_IF_ERROR(WriteSpanNumbers(
        [](const SpanBatch& b, uint32_t r) { return b.end_ns[r] - b.start_ns[r]; }));
    WEFT_RETURN_IF_ERROR(
        WriteSpanStrings(false, [](const SpanBatch& b, uint32_t r) { return b.name[r]; }));
    WEFT_RETURN_IF_ERROR(
        WriteSpanWords(KindText, [](const SpanBatch& b, uint32_t r) { return b.kind[r]; }));
    WEFT_RETURN_IF_ERROR(
        WriteSpanWords(StatusText, [](const SpanBatch& b, uint32_t r) { return b.status[r]; }));
    WEFT_RETURN_IF_ERROR(
        WriteSpanStrings(true, [](const SpanBatch& b, uint32_t r) { return b.status_message[r]; }));
    WEFT_RETURN_IF_ERROR(
        WriteSpanStrings(true, [](const SpanBatch& b, uint32_t r) { return b.trace_state[r]; }));
    WEFT_RETURN_IF_ERROR(
        WriteSpanNumbers([](const SpanBatch& b, uint32_t r) { return b.flags[r]; }));
    WEFT_RETURN_IF_ERROR(WriteSideIds());
    WEFT_RETURN_IF_ERROR(
        WriteSpanNumbers([](const SpanBatch& b, uint32_t r) { return b.dropped_attributes[r]; }));
    WEFT_RETURN_IF_ERROR(
        WriteSpanNumbers([](const SpanBatch& b, uint32_t r) { return b.dropped_events[r]; }));
    WEFT_RETURN_IF_ERROR(
        WriteSpanNumbers([](const SpanBatch& b, uint32_t r) { return b.dropped_links[r]; }));
    WEFT_RETURN_IF_ERROR(
        WriteNumbers(file, rows_.size(), [&](uint32_t i) { return rows_.marks[i]; }));
    WEFT_RETURN_IF_ERROR(
        span_table_.WriteAttributes(rows_.rows, span_table_.rows_written, &overflow_));
    span_table_.rows_written += rows_.size();
    block_.meta.span_count += rows_.size();
    return file->EndRowGroup();
  }

  Code InternId(model::TraceId id) {
    char bytes[16];
    id.ToBytes(bytes);
    return strings_.Intern({bytes, sizeof bytes});
  }

  Error WriteTraceIds(const TraceGroup& group) {
    codes_.clear();
    for (const uint32_t t : group.traces) {
      codes_.insert(codes_.end(), input_.traces[t].row_count, InternId(input_.traces[t].id));
    }
    return span_table_.file->WriteColumn(
        {.rows = rows_.size(), .codes = codes_, .strings = &strings_.strings()});
  }

  // Only those that the tree does not give back.
  Error WriteParentSpanIds() {
    numbers_.clear();
    validity_.assign((rows_.size() + 63) / 64, 0);
    for (uint32_t i = 0; i < rows_.size(); ++i) {
      const RowRef ref = rows_.rows[i];
      const uint64_t parent_id = batch(ref).parent_span_id[ref.row].value;
      uint64_t derived = 0;
      if (rows_.parent[i] != 0) {
        const RowRef parent = rows_.rows[i - rows_.parent[i]];
        derived = batch(parent).span_id[parent.row].value;
      }
      if (parent_id == derived) continue;
      validity_[i / 64] |= uint64_t{1} << (i % 64);
      numbers_.push_back(parent_id);
    }
    return span_table_.file->WriteColumn(
        {.rows = rows_.size(), .validity = validity_.data(), .numbers = numbers_});
  }

  Error WriteSideIds() {
    WEFT_RETURN_IF_ERROR(WriteNumbers(span_table_.file.get(), rows_.size(), [&](uint32_t i) {
      const RowRef ref = rows_.rows[i];
      return resources_.RowOf(ref.batch, batch(ref).resource[ref.row]);
    }));
    return WriteNumbers(span_table_.file.get(), rows_.size(), [&](uint32_t i) {
      const RowRef ref = rows_.rows[i];
      return scopes_.RowOf(ref.batch, batch(ref).scope[ref.row]);
    });
  }

  TraceRow Summarize(uint32_t first_row, uint32_t count, uint32_t flags) {
    TraceRow trace{.flags = flags};
    bool root = false;
    for (uint32_t i = first_row; i < first_row + count; ++i) {
      const RowRef ref = rows_.rows[i];
      const SpanBatch& b = batch(ref);
      trace.start_ns = std::min(trace.start_ns, b.start_ns[ref.row]);
      trace.end_ns = std::max({trace.end_ns, b.end_ns[ref.row], b.start_ns[ref.row]});
      trace.errors += b.status[ref.row] == static_cast<uint8_t>(model::StatusCode::kError);
      trace.flags |= FlagsOfMarks(rows_.marks[i]);
      root |= !b.parent_span_id[ref.row].valid();
      group_meta_.last_start_ns = std::max(group_meta_.last_start_ns, b.start_ns[ref.row]);
    }
    if (!root) trace.flags |= kTraceRootMissing;
    return trace;
  }

  void AddToMeta(const TraceRow& trace) {
    group_meta_.first_start_ns = std::min(group_meta_.first_start_ns, trace.start_ns);
    group_meta_.last_trace_start_ns = std::max(group_meta_.last_trace_start_ns, trace.start_ns);
    block_.meta.last_end_ns = std::max(block_.meta.last_end_ns, trace.end_ns);
  }

  // ["a","b"]: the services of a trace by name, each once.
  Code ServicesText(uint32_t first_row, uint32_t count) {
    names_.clear();
    for (uint32_t i = first_row; i < first_row + count; ++i) {
      const RowRef ref = rows_.rows[i];
      const std::string_view name = services_.Of(ref.batch, batch(ref).resource[ref.row]);
      if (std::find(names_.begin(), names_.end(), name) == names_.end()) names_.push_back(name);
    }
    std::sort(names_.begin(), names_.end());
    text_.assign(1, '[');
    for (const std::string_view name : names_) {
      if (text_.size() > 1) text_.push_back(',');
      AppendJsonString(name, &text_);
    }
    text_.push_back(']');
    return strings_.Intern(text_);
  }

  // The trace's true root: a row without a parent id. Roots come first among the rows, true ones
  // before orphans.
  std::optional<RowRef> RootOf(uint32_t first_row) const {
    const RowRef ref = rows_.rows[first_row];
    if (batch(ref).parent_span_id[ref.row].valid()) return std::nullopt;
    return ref;
  }

  // The order of these calls is that of the enum TraceColumn.
  Error WriteTraces(const TraceGroup& group, int32_t ordinal, uint64_t first_row) {
    const uint32_t count = static_cast<uint32_t>(group.traces.size());
    group_meta_ = {.span_count = rows_.size(), .trace_count = count, .first_start_ns = UINT64_MAX};
    std::vector<TraceRow> traces(count);
    for (uint32_t t = 0; t < count; ++t) {
      const BlockInput::Trace& trace = input_.traces[group.traces[t]];
      traces[t] = Summarize(rows_.first_row[t], trace.row_count, trace.flags);
      AddToMeta(traces[t]);
    }
    FinishGroupMeta();
    TableWriter* file = &trace_file_;
    const auto input_trace = [&](uint32_t t) -> const BlockInput::Trace& {
      return input_.traces[group.traces[t]];
    };
    WEFT_RETURN_IF_ERROR(file->BeginRowGroup(count, ordinal));
    WEFT_RETURN_IF_ERROR(WriteCodes(file, count, strings_.strings(),
                                    [&](uint32_t t) { return InternId(input_trace(t).id); }));
    WEFT_RETURN_IF_ERROR(WriteNumbers(file, count, [&](uint32_t) { return ordinal; }));
    WEFT_RETURN_IF_ERROR(
        WriteNumbers(file, count, [&](uint32_t t) { return first_row + rows_.first_row[t]; }));
    WEFT_RETURN_IF_ERROR(
        WriteNumbers(file, count, [&](uint32_t t) { return input_trace(t).row_count; }));
    WEFT_RETURN_IF_ERROR(WriteNumbers(file, count, [&](uint32_t t) { return traces[t].errors; }));
    WEFT_RETURN_IF_ERROR(WriteNumbers(file, count, [&](uint32_t t) { return traces[t].start_ns; }));
    WEFT_RETURN_IF_ERROR(WriteNumbers(
        file, count, [&](uint32_t t) { return traces[t].end_ns - traces[t].start_ns; }));
    WEFT_RETURN_IF_ERROR(WriteOptionalCodes(file, count, [&](uint32_t t) {
      const std::optional<RowRef> root = RootOf(rows_.first_row[t]);
      if (!root) return Code{0};
      return strings_.Intern(services_.Of(root->batch, batch(*root).resource[root->row]));
    }));
    WEFT_RETURN_IF_ERROR(WriteOptionalCodes(file, count, [&](uint32_t t) {
      const std::optional<RowRef> root = RootOf(rows_.first_row[t]);
      return root ? strings_.Translate(root->batch, batch(*root).name[root->row]) : Code{0};
    }));
    WEFT_RETURN_IF_ERROR(WriteCodes(file, count, strings_.strings(), [&](uint32_t t) {
      return ServicesText(rows_.first_row[t], input_trace(t).row_count);
    }));
    WEFT_RETURN_IF_ERROR(WriteNumbers(file, count, [&](uint32_t t) { return traces[t].flags; }));
    return file->EndRowGroup();
  }

  void FinishGroupMeta() {
    BlockMeta& meta = block_.meta;
    meta.first_start_ns = std::min(meta.first_start_ns, group_meta_.first_start_ns);
    meta.last_start_ns = std::max(meta.last_start_ns, group_meta_.last_start_ns);
    meta.row_groups.push_back(group_meta_);
  }

  // Lists what the group's spans own (events or links), and each one's span row in the file.
  template <typename F>
  void ListOwned(uint64_t first_row, F range) {
    owned_.clear();
    owner_rows_.clear();
    for (uint32_t i = 0; i < rows_.size(); ++i) {
      const RowRef ref = rows_.rows[i];
      AppendOwned(ref, range(batch(ref), ref.row), &owned_);
      owner_rows_.resize(owned_.size(), first_row + i);
    }
  }

  // The order of these calls is that of the enum EventColumn.
  Error WriteEvents(int32_t ordinal, uint64_t first_row) {
    ListOwned(first_row, [](const SpanBatch& b, uint32_t row) { return b.EventsOf(row); });
    if (owned_.empty()) return Error::Ok();
    const uint32_t count = static_cast<uint32_t>(owned_.size());
    const auto events = [&](uint32_t i) -> const model::EventColumns& {
      return batch(owned_[i]).events;
    };
    TableWriter* file = event_table_.file.get();
    WEFT_RETURN_IF_ERROR(file->BeginRowGroup(count, ordinal));
    WEFT_RETURN_IF_ERROR(WriteNumbers(file, count, [&](uint32_t i) { return owner_rows_[i]; }));
    WEFT_RETURN_IF_ERROR(
        WriteNumbers(file, count, [&](uint32_t i) { return events(i).time_ns[owned_[i].row]; }));
    WEFT_RETURN_IF_ERROR(WriteCodes(file, count, strings_.strings(), [&](uint32_t i) {
      return strings_.Translate(owned_[i].batch, events(i).name[owned_[i].row]);
    }));
    WEFT_RETURN_IF_ERROR(WriteNumbers(
        file, count, [&](uint32_t i) { return events(i).dropped_attributes[owned_[i].row]; }));
    WEFT_RETURN_IF_ERROR(
        event_table_.WriteAttributes(owned_, event_table_.rows_written, &overflow_));
    event_table_.rows_written += count;
    block_.meta.event_count += count;
    return file->EndRowGroup();
  }

  // The order of these calls is that of the enum LinkColumn.
  Error WriteLinks(int32_t ordinal, uint64_t first_row) {
    ListOwned(first_row, [](const SpanBatch& b, uint32_t row) { return b.LinksOf(row); });
    if (owned_.empty()) return Error::Ok();
    const uint32_t count = static_cast<uint32_t>(owned_.size());
    const auto links = [&](uint32_t i) -> const model::LinkColumns& {
      return batch(owned_[i]).links;
    };
    TableWriter* file = link_table_.file.get();
    WEFT_RETURN_IF_ERROR(file->BeginRowGroup(count, ordinal));
    WEFT_RETURN_IF_ERROR(WriteNumbers(file, count, [&](uint32_t i) { return owner_rows_[i]; }));
    WEFT_RETURN_IF_ERROR(WriteCodes(file, count, strings_.strings(), [&](uint32_t i) {
      return InternId(links(i).trace_id[owned_[i].row]);
    }));
    WEFT_RETURN_IF_ERROR(WriteNumbers(
        file, count, [&](uint32_t i) { return links(i).span_id[owned_[i].row].value; }));
    WEFT_RETURN_IF_ERROR(WriteOptionalCodes(file, count, [&](uint32_t i) {
      return strings_.Translate(owned_[i].batch, links(i).trace_state[owned_[i].row]);
    }));
    WEFT_RETURN_IF_ERROR(
        WriteNumbers(file, count, [&](uint32_t i) { return links(i).flags[owned_[i].row]; }));
    WEFT_RETURN_IF_ERROR(WriteNumbers(
        file, count, [&](uint32_t i) { return links(i).dropped_attributes[owned_[i].row]; }));
    WEFT_RETURN_IF_ERROR(link_table_.WriteAttributes(owned_, link_table_.rows_written, &overflow_));
    link_table_.rows_written += count;
    block_.meta.link_count += count;
    return file->EndRowGroup();
  }

  // A value column of attributes.parquet: rows whose type is one of `types` have a value.
  Error WriteOverflowValues(std::initializer_list<ValueType> types, bool numbers) {
    const uint32_t count = static_cast<uint32_t>(overflow_.rows.size());
    validity_.assign((count + 63) / 64, 0);
    codes_.clear();
    numbers_.clear();
    for (uint32_t i = 0; i < count; ++i) {
      const OverflowRows::Row& row = overflow_.rows[i];
      if (std::find(types.begin(), types.end(), row.type) == types.end()) continue;
      validity_[i / 64] |= uint64_t{1} << (i % 64);
      if (numbers) {
        numbers_.push_back(row.value);
      } else {
        codes_.push_back(static_cast<Code>(row.value));
      }
    }
    ColumnValues values{.rows = count, .validity = validity_.data(), .numbers = numbers_};
    if (!numbers) values.codes = codes_;
    values.strings = &strings_.strings();
    return attribute_file_.WriteColumn(values);
  }

  // The order of these calls is that of the enum AttributeColumnIndex.
  Error WriteOverflow(int32_t ordinal) {
    const auto& rows = overflow_.rows;
    if (rows.empty()) return Error::Ok();
    const uint32_t count = static_cast<uint32_t>(rows.size());
    TableWriter* file = &attribute_file_;
    WEFT_RETURN_IF_ERROR(file->BeginRowGroup(count, ordinal));
    WEFT_RETURN_IF_ERROR(WriteCodes(file, count, strings_.strings(), [&](uint32_t i) {
      return strings_.Intern(ScopeText(rows[i].scope));
    }));
    WEFT_RETURN_IF_ERROR(WriteNumbers(file, count, [&](uint32_t i) { return rows[i].row; }));
    WEFT_RETURN_IF_ERROR(
        WriteCodes(file, count, strings_.strings(), [&](uint32_t i) { return rows[i].key; }));
    WEFT_RETURN_IF_ERROR(WriteCodes(file, count, strings_.strings(), [&](uint32_t i) {
      return strings_.Intern(model::ValueTypeName(rows[i].type));
    }));
    WEFT_RETURN_IF_ERROR(WriteOverflowValues(
        {ValueType::kString, ValueType::kArray, ValueType::kKvList}, /*numbers=*/false));
    WEFT_RETURN_IF_ERROR(WriteOverflowValues({ValueType::kInt}, /*numbers=*/true));
    WEFT_RETURN_IF_ERROR(WriteOverflowValues({ValueType::kDouble}, /*numbers=*/true));
    WEFT_RETURN_IF_ERROR(WriteOverflowValues({ValueType::kBool}, /*numbers=*/true));
    WEFT_RETURN_IF_ERROR(WriteOverflowValues({ValueType::kBytes}, /*numbers=*/false));
    return file->EndRowGroup();
  }

  Error WriteSideTables(AttributedTable* resources, AttributedTable* scopes) {
    strings_.Clear();
    overflow_.rows.clear();
    WEFT_RETURN_IF_ERROR(WriteResources(resources));
    WEFT_RETURN_IF_ERROR(WriteScopes(scopes));
    return WriteOverflow(TableWriter::kWholeBlock);
  }

  // The order of these calls is that of the enum ResourceColumn.
  Error WriteResources(AttributedTable* table) {
    const std::vector<RowRef>& rows = resources_.rows();
    const uint32_t count = static_cast<uint32_t>(rows.size());
    table->plan.Count(rows);
    table->Open(batches_, &strings_, options_);
    if (count == 0) return Error::Ok();
    TableWriter* file = table->file.get();
    const auto columns = [&](uint32_t i) -> const model::ResourceColumns& {
      return batch(rows[i]).resources;
    };
    WEFT_RETURN_IF_ERROR(file->BeginRowGroup(count, TableWriter::kWholeBlock));
    WEFT_RETURN_IF_ERROR(WriteNumbers(file, count, [](uint32_t i) { return i; }));
    WEFT_RETURN_IF_ERROR(WriteOptionalCodes(file, count, [&](uint32_t i) {
      return strings_.Translate(rows[i].batch, columns(i).schema_url[rows[i].row]);
    }));
    WEFT_RETURN_IF_ERROR(WriteNumbers(
        file, count, [&](uint32_t i) { return columns(i).dropped_attributes[rows[i].row]; }));
    WEFT_RETURN_IF_ERROR(table->WriteAttributes(rows, 0, &overflow_));
    return file->EndRowGroup();
  }

  // The order of these calls is that of the enum ScopeColumn.
  Error WriteScopes(AttributedTable* table) {
    const std::vector<RowRef>& rows = scopes_.rows();
    const uint32_t count = static_cast<uint32_t>(rows.size());
    table->plan.Count(rows);
    table->Open(batches_, &strings_, options_);
    if (count == 0) return Error::Ok();
    TableWriter* file = table->file.get();
    const auto columns = [&](uint32_t i) -> const model::ScopeColumns& {
      return batch(rows[i]).scopes;
    };
    WEFT_RETURN_IF_ERROR(file->BeginRowGroup(count, TableWriter::kWholeBlock));
    WEFT_RETURN_IF_ERROR(WriteNumbers(file, count, [](uint32_t i) { return i; }));
    WEFT_RETURN_IF_ERROR(WriteCodes(file, count, strings_.strings(), [&](uint32_t i) {
      return strings_.Translate(rows[i].batch, columns(i).name[rows[i].row]);
    }));
    WEFT_RETURN_IF_ERROR(WriteCodes(file, count, strings_.strings(), [&](uint32_t i) {
      return strings_.Translate(rows[i].batch, columns(i).version[rows[i].row]);
    }));
    WEFT_RETURN_IF_ERROR(WriteOptionalCodes(file, count, [&](uint32_t i) {
      return strings_.Translate(rows[i].batch, columns(i).schema_url[rows[i].row]);
    }));
    WEFT_RETURN_IF_ERROR(WriteNumbers(
        file, count, [&](uint32_t i) { return columns(i).dropped_attributes[rows[i].row]; }));
    WEFT_RETURN_IF_ERROR(table->WriteAttributes(rows, 0, &overflow_));
    return file->EndRowGroup();
  }

  Error AddFile(std::string_view name, TableWriter* file) {
    WEFT_ASSIGN_OR_RETURN(TableWriter::Finished finished, file->Finish());
    block_.AddFile(std::string(name), std::move(finished.bytes), finished.tail_bytes);
    return Error::Ok();
  }

  const BlockInput& input_;
  BlockWriterOptions options_;
  std::vector<const SpanBatch*> batches_;
  StringTranslator strings_;
  KeyIndex keys_;
  ServiceNames services_;
  SideTable resources_;
  SideTable scopes_;
  AttributedTable span_table_;
  AttributedTable event_table_;
  AttributedTable link_table_;
  TableWriter trace_file_;
  TableWriter attribute_file_;
  EncodedBlock block_;
  // Of the current row group.
  GroupRows rows_;
  RowGroupMeta group_meta_;
  OverflowRows overflow_;
  std::vector<RowRef> owned_;
  std::vector<uint64_t> owner_rows_;
  // Scratch.
  std::vector<uint64_t> numbers_;
  std::vector<uint32_t> codes_;
  std::vector<uint64_t> validity_;
  std::vector<std::string_view> names_;
  std::string text_;
};

}  // namespace

Result<EncodedBlock> WriteBlock(const BlockInput& input, BlockMeta meta,
                                const BlockWriterOptions& options) {
  WEFT_RETURN_IF_ERROR(CheckInput(input));
  return BlockWriter(input, std::move(meta), options).Run();
}

}  // namespace weft::block
