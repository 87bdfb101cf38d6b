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

#include "block/attributed_table.h"
#include "block/block.h"
#include "block/column_filler.h"
#include "block/key_flood.h"
#include "block/operation_counts.h"
#include "block/overflow_writer.h"
#include "block/row_grouping.h"
#include "block/schema.h"
#include "block/side_table.h"
#include "block/side_tables_writer.h"
#include "block/string_translator.h"
#include "block/trace_summary.h"
#include "block/traces_writer.h"

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
        traces_writer_(options),
        overflow_writer_(options) {
    block_.meta = std::move(meta);
  }

  Result<EncodedBlock> Run() {
    BeginMeta();
    const std::vector<TraceGroup> groups = GroupTraces(input_, options_.row_group_rows_max);
    CountAttributes();
    for (size_t g = 0; g < groups.size(); ++g) {
      WEFT_RETURN_IF_ERROR(WriteGroup(groups[g], static_cast<int32_t>(g)));
    }
    SideTablesWriter side_tables(batches_, &keys_, &strings_, options_);
    WEFT_RETURN_IF_ERROR(side_tables.Write(resources_, scopes_, &overflow_writer_));
    block_.meta.many_keys =
        FindManyKeys(input_, {span_table_.plan, event_table_.plan, link_table_.plan,
                              side_tables.resources_plan(), side_tables.scopes_plan()});
    WEFT_RETURN_IF_ERROR(AddFile(kSpansFile, span_table_.file.get()));
    WEFT_RETURN_IF_ERROR(AddFile(kEventsFile, event_table_.file.get()));
    WEFT_RETURN_IF_ERROR(AddFile(kLinksFile, link_table_.file.get()));
    WEFT_RETURN_IF_ERROR(AddFile(kResourcesFile, side_tables.resources_file()));
    WEFT_RETURN_IF_ERROR(AddFile(kScopesFile, side_tables.scopes_file()));
    WEFT_RETURN_IF_ERROR(AddFile(kTracesFile, traces_writer_.file()));
    WEFT_RETURN_IF_ERROR(AddFile(kAttributesFile, overflow_writer_.file()));
    WEFT_RETURN_IF_ERROR(AddCounts(counter_.Take(), options_, &block_));
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
    CountOperations();
    const uint64_t first_row = span_table_.rows_written;
    WEFT_RETURN_IF_ERROR(WriteTraces(group, ordinal));
    WEFT_RETURN_IF_ERROR(WriteSpans(group, ordinal));
    WEFT_RETURN_IF_ERROR(WriteEvents(ordinal, first_row));
    WEFT_RETURN_IF_ERROR(WriteLinks(ordinal, first_row));
    return overflow_writer_.Write(overflow_, ordinal, strings_.mutable_strings());
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

  void CountOperations() {
    name_codes_.clear();
    for (const RowRef ref : rows_.rows) {
      const SpanBatch& b = batch(ref);
      const Code name = strings_.Translate(ref.batch, b.name[ref.row]);
      const uint32_t resource = resources_.RowOf(ref.batch, b.resource[ref.row]);
      if (name >= name_codes_.size()) name_codes_.resize(name + 1, StringTable::kMissing);
      if (resource >= service_codes_.size()) {
        service_codes_.resize(resource + 1, StringTable::kMissing);
      }
      if (name_codes_[name] == StringTable::kMissing) {
        name_codes_[name] = counter_.Intern(strings_.strings()[name]);
      }
      Code& service = service_codes_[resource];
      if (service == StringTable::kMissing) {
        service = counter_.Intern(services_.Of(ref.batch, b.resource[ref.row]));
      }
      counter_.AddSpan(service, name_codes_[name], b.kind[ref.row],
                       b.status[ref.row] == static_cast<uint8_t>(model::StatusCode::kError),
                       b.start_ns[ref.row],
                       static_cast<int64_t>(b.end_ns[ref.row] - b.start_ns[ref.row]));
    }
  }

  // A number column of spans: value(batch, row).
  template <typename F>
  Error WriteSpanNumbers(F value) {
    return filler_.WriteNumbers(span_table_.file.get(), rows_.size(), [&](uint32_t i) {
      const RowRef ref = rows_.rows[i];
      return uint64_t{value(*batches_[ref.batch], ref.row)};
    });
  }
  // A column of a span's strings of its batch.
  template <typename F>
  Error WriteSpanStrings(bool optional, F code) {
    const auto translated = [&](uint32_t i) {
      const RowRef ref = rows_.rows[i];
      return strings_.Translate(ref.batch, code(*batches_[ref.batch], ref.row));
    };
    TableWriter* file = span_table_.file.get();
    if (optional) {
      return filler_.WriteOptionalCodes(file, rows_.size(), strings_.strings(), translated);
    }
    return filler_.WriteCodes(file, rows_.size(), strings_.strings(), translated);
  }
  // A column of numbers that are stored as words.
  template <typename F, typename Text>
  Error WriteSpanWords(Text text, F number) {
    std::array<Code, 256> words;
    words.fill(StringTable::kMissing);
    return filler_.WriteCodes(span_table_.file.get(), rows_.size(), strings_.strings(),
                              [&](uint32_t i) {
                                const RowRef ref = rows_.rows[i];
                                const uint8_t n = number(*batches_[ref.batch], ref.row);
                                if (words[n] == StringTable::kMissing)
                                  words[n] = strings_.Intern(text(n));
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
        filler_.WriteNumbers(file, rows_.size(), [&](uint32_t i) { return rows_.parent[i]; }));
    WEFT_RETURN_IF_ERROR(filler_.WriteNumbers(file, rows_.size(),
                                              [&](uint32_t i) { return rows_.subtree_size[i]; }));
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
        filler_.WriteNumbers(file, rows_.size(), [&](uint32_t i) { return rows_.marks[i]; }));
    WEFT_RETURN_IF_ERROR(
        span_table_.WriteAttributes(rows_.rows, span_table_.rows_written, &overflow_));
    span_table_.rows_written += rows_.size();
    block_.meta.span_count += rows_.size();
    return file->EndRowGroup();
  }

  Error WriteTraceIds(const TraceGroup& group) {
    codes_.clear();
    for (const uint32_t t : group.traces) {
      codes_.insert(codes_.end(), input_.traces[t].row_count,
                    InternTraceId(input_.traces[t].id, strings_.mutable_strings()));
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
    WEFT_RETURN_IF_ERROR(
        filler_.WriteNumbers(span_table_.file.get(), rows_.size(), [&](uint32_t i) {
          const RowRef ref = rows_.rows[i];
          return resources_.RowOf(ref.batch, batch(ref).resource[ref.row]);
        }));
    return filler_.WriteNumbers(span_table_.file.get(), rows_.size(), [&](uint32_t i) {
      const RowRef ref = rows_.rows[i];
      return scopes_.RowOf(ref.batch, batch(ref).scope[ref.row]);
    });
  }

  // What traces.parquet says of a trace whose rows of the group begin at `first_row`.
  TraceRow Summarize(const BlockInput::Trace& input_trace, uint32_t first_row) {
    TraceRow trace{.first_row = span_table_.rows_written + first_row,
                   .span_count = input_trace.row_count,
                   .flags = input_trace.flags};
    names_.clear();
    bool root = false;
    for (uint32_t i = first_row; i < first_row + input_trace.row_count; ++i) {
      const RowRef ref = rows_.rows[i];
      const SpanBatch& b = batch(ref);
      trace.start_ns = std::min(trace.start_ns, b.start_ns[ref.row]);
      trace.end_ns = std::max({trace.end_ns, b.end_ns[ref.row], b.start_ns[ref.row]});
      trace.error_count += b.status[ref.row] == static_cast<uint8_t>(model::StatusCode::kError);
      trace.flags |= FlagsOfMarks(rows_.marks[i]);
      root |= !b.parent_span_id[ref.row].valid();
      group_meta_.last_start_ns = std::max(group_meta_.last_start_ns, b.start_ns[ref.row]);
      const std::string_view service = services_.Of(ref.batch, b.resource[ref.row]);
      if (std::find(names_.begin(), names_.end(), service) == names_.end()) {
        names_.push_back(service);
      }
    }
    if (!root) trace.flags |= kTraceRootMissing;
    // Roots come first among the rows, true ones before orphans.
    const RowRef first = rows_.rows[first_row];
    if (!batch(first).parent_span_id[first.row].valid()) {
      trace.root_service =
          strings_.Intern(services_.Of(first.batch, batch(first).resource[first.row]));
      trace.root_name = strings_.Translate(first.batch, batch(first).name[first.row]);
    }
    text_.clear();
    AppendServicesText(&names_, &text_);
    trace.services = strings_.Intern(text_);
    return trace;
  }

  void AddToMeta(const TraceRow& trace) {
    group_meta_.first_start_ns = std::min(group_meta_.first_start_ns, trace.start_ns);
    group_meta_.last_trace_start_ns = std::max(group_meta_.last_trace_start_ns, trace.start_ns);
    block_.meta.last_end_ns = std::max(block_.meta.last_end_ns, trace.end_ns);
  }

  Error WriteTraces(const TraceGroup& group, int32_t ordinal) {
    group_meta_ = {.span_count = rows_.size(),
                   .trace_count = group.traces.size(),
                   .first_start_ns = UINT64_MAX};
    trace_rows_.clear();
    for (size_t t = 0; t < group.traces.size(); ++t) {
      trace_rows_.push_back(Summarize(input_.traces[group.traces[t]], rows_.first_row[t]));
      AddToMeta(trace_rows_.back());
    }
    FinishGroupMeta();
    return traces_writer_.Write(trace_rows_, ordinal, strings_.mutable_strings());
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
    WEFT_RETURN_IF_ERROR(
        filler_.WriteNumbers(file, count, [&](uint32_t i) { return owner_rows_[i]; }));
    WEFT_RETURN_IF_ERROR(filler_.WriteNumbers(
        file, count, [&](uint32_t i) { return events(i).time_ns[owned_[i].row]; }));
    WEFT_RETURN_IF_ERROR(filler_.WriteCodes(file, count, strings_.strings(), [&](uint32_t i) {
      return strings_.Translate(owned_[i].batch, events(i).name[owned_[i].row]);
    }));
    WEFT_RETURN_IF_ERROR(filler_.WriteNumbers(
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
    WEFT_RETURN_IF_ERROR(
        filler_.WriteNumbers(file, count, [&](uint32_t i) { return owner_rows_[i]; }));
    WEFT_RETURN_IF_ERROR(filler_.WriteCodes(file, count, strings_.strings(), [&](uint32_t i) {
      return InternTraceId(links(i).trace_id[owned_[i].row], strings_.mutable_strings());
    }));
    WEFT_RETURN_IF_ERROR(filler_.WriteNumbers(
        file, count, [&](uint32_t i) { return links(i).span_id[owned_[i].row].value; }));
    WEFT_RETURN_IF_ERROR(
        filler_.WriteOptionalCodes(file, count, strings_.strings(), [&](uint32_t i) {
          return strings_.Translate(owned_[i].batch, links(i).trace_state[owned_[i].row]);
        }));
    WEFT_RETURN_IF_ERROR(filler_.WriteNumbers(
        file, count, [&](uint32_t i) { return links(i).flags[owned_[i].row]; }));
    WEFT_RETURN_IF_ERROR(filler_.WriteNumbers(
        file, count, [&](uint32_t i) { return links(i).dropped_attributes[owned_[i].row]; }));
    WEFT_RETURN_IF_ERROR(link_table_.WriteAttributes(owned_, link_table_.rows_written, &overflow_));
    link_table_.rows_written += count;
    block_.meta.link_count += count;
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
  TracesWriter traces_writer_;
  OverflowWriter overflow_writer_;
  OperationCounter counter_;
  std::vector<Code> service_codes_;  // of the counter, by row of resources_
  EncodedBlock block_;
  // Of the current row group.
  GroupRows rows_;
  RowGroupMeta group_meta_;
  OverflowRows overflow_;
  std::vector<RowRef> owned_;
  std::vector<uint64_t> owner_rows_;
  std::vector<TraceRow> trace_rows_;
  std::vector<Code> name_codes_;  // of the counter, by code of strings_
  // Scratch.
  ColumnFiller filler_;
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
