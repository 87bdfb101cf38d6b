#include "block/check.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "base/checksum.h"
#include "block/json_text.h"
#include "block/operation_counts.h"
#include "block/page_header.h"
#include "block/schema.h"
#include "block/trace_summary.h"

namespace weft::block {
namespace {

constexpr size_t kCacheBytes = 64 << 20;
constexpr size_t kReadBytes = 1 << 20;
// One broken column can break every row that depends on it; that is said a few times only.
constexpr size_t kFindingsMax = 200;

class Checker {
 public:
  Checker(const BlockMeta& meta, const FileOpener& opener) : meta_(meta), opener_(opener) {}

  std::vector<CheckFinding> Run() {
    for (const FileMeta& file : meta_.files) CheckFile(file);
    auto opened = Block::Open(meta_, opener_, std::make_shared<ColumnCache>(kCacheBytes));
    if (!opened.ok()) {
      Add("", "", 0, 0, opened.error().message());
      return std::move(findings_);
    }
    block_ = *opened;
    for (uint8_t s = 0; s < 5; ++s) CheckTable(block_->table(static_cast<Scope>(s)));
    CheckTable(block_->traces());
    CheckTable(block_->overflow_table());
    CheckCountsTable();
    for (uint32_t g = 0; g < block_->row_group_count(); ++g) CheckRowGroup(g);
    CheckSideTable(Scope::kResource, kResourceId);
    CheckSideTable(Scope::kInstrumentation, kScopeId);
    CheckOverflow(-1);
    CheckCounts();
    CheckMeta();
    return std::move(findings_);
  }

 private:
  void Add(std::string_view file, std::string_view column, uint64_t first_row, uint64_t row_count,
           std::string what) {
    if (findings_.size() >= kFindingsMax) return;
    findings_.push_back(
        {std::string(file), std::string(column), first_row, row_count, std::move(what)});
  }

  void CheckFile(const FileMeta& file) {
    auto opened = opener_.Open(file.name);
    if (!opened.ok()) return Add(file.name, "", 0, 0, opened.error().message());
    const ReadableFile& bytes = **opened;
    if (bytes.size_bytes() != file.size_bytes) {
      return Add(file.name, "", 0, 0,
                 "it has " + std::to_string(bytes.size_bytes()) + " bytes instead of " +
                     std::to_string(file.size_bytes));
    }
    std::string buffer(kReadBytes, '\0');
    uint32_t crc = Crc32c("");
    for (uint64_t at = 0; at < file.size_bytes; at += kReadBytes) {
      const size_t size = std::min<uint64_t>(kReadBytes, file.size_bytes - at);
      const Error error = bytes.ReadAt(at, size, buffer.data());
      if (!error.ok()) return Add(file.name, "", 0, 0, error.message());
      crc = Crc32cExtend(crc, std::string_view(buffer).substr(0, size));
    }
    if (crc == file.crc32c) return;
    Add(file.name, "", 0, 0, "it does not match its checksum");
    damaged_files_.insert(file.name);
  }

  // Reads every page of every column.
  void CheckTable(const TableReader& table) {
    for (uint32_t g = 0; g < table.row_groups().size(); ++g) {
      for (uint32_t c = 0; c < table.columns().size(); ++c) {
        CheckColumn(table, g, c);
        CheckFilter(table, g, c);
      }
    }
  }

  void CheckColumn(const TableReader& table, uint32_t group, uint32_t column) {
    const FileRowGroup& rows = table.row_groups()[group];
    const ColumnSpec& spec = table.columns()[column];
    const ChunkPlace& chunk = rows.chunks[column];
    if (chunk.dictionary_offset != 0) {
      CheckHeader(table, group, column, chunk.dictionary_offset, chunk.dictionary_bytes, 0,
                  rows.row_count);
    }
    for (size_t p = 0; p < chunk.pages.size(); ++p) {
      const uint32_t begin = chunk.pages[p].first_row;
      const uint32_t end =
          p + 1 == chunk.pages.size() ? rows.row_count : chunk.pages[p + 1].first_row;
      const Result<ColumnPtr> read = table.ReadPages(group, column, begin, end);
      if (read.ok()) {
        CheckHeader(table, group, column, chunk.pages[p].offset, chunk.pages[p].size_bytes, begin,
                    end);
      }
      if (!read.ok()) {
        Add(table.name(), spec.name, rows.first_row + begin, end - begin, read.error().message());
      } else if (spec.kind == ColumnKind::kJson) {
        CheckTexts(table, spec, rows.first_row + begin, **read);
      }
    }
  }

  // No checksum of its own covers a page's header, and not each of its bytes is needed to read the
  // page: where the file's checksum says that something is wrong, headers are looked at closely.
  void CheckHeader(const TableReader& table, uint32_t group, uint32_t column, uint64_t offset,
                   uint32_t size, uint32_t begin, uint32_t end) {
    if (!damaged_files_.contains(table.name())) return;
    const auto bytes = table.Fetch(offset, size, nullptr);
    PageHeader header;
    std::string_view rest = bytes.ok() ? bytes->view : std::string_view();
    const bool sound = ReadPageHeader(&rest, &header) &&
                       bytes->view.substr(0, size - rest.size()) == PageHeaderBytes(header);
    if (sound) return;
    Add(table.name(), table.columns()[column].name, table.row_groups()[group].first_row + begin,
        end - begin, "the header of a page is not what was written");
  }

  void CheckFilter(const TableReader& table, uint32_t group, uint32_t column) {
    const FileRowGroup& rows = table.row_groups()[group];
    if (rows.chunks[column].filter_offset == 0) return;
    const std::string& name = table.columns()[column].name;
    const auto filter = table.FilterOf(group, column, nullptr);
    if (!filter.ok()) {
      return Add(table.name(), name, rows.first_row, rows.row_count, filter.error().message());
    }
    const ColumnPtr values = Read(table, group, column);
    if (!values) return;
    for (uint32_t row = 0; row < values->row_count; ++row) {
      if (!values->has(row)) continue;
      const std::optional<uint64_t> hash =
          HashOfWanted(table.columns()[column].kind, ValueAt(*values, row));
      if (hash && (*filter)->MayHave(*hash)) continue;
      return Add(table.name(), name, rows.first_row + row, 1,
                 "the filter of the column does not know its value");
    }
  }

  static WantedValue ValueAt(const Column& column, uint32_t row) {
    if (column.type == model::ValueType::kString) {
      return {.text = column.dictionary->strings[column.codes[row]]};
    }
    return {.type = model::ValueType::kInt, .number = static_cast<int64_t>(NumberAt(column, row))};
  }

  void CheckTexts(const TableReader& table, const ColumnSpec& spec, uint64_t first_row,
                  const Column& column) {
    std::vector<bool> known(column.dictionary->size(), false);
    model::SpanBatch scratch;
    for (uint32_t row = 0; row < column.row_count; ++row) {
      if (!column.has(row) || known[column.codes[row]]) continue;
      known[column.codes[row]] = true;
      scratch.Clear();
      const auto parsed = ParseJsonText(column.dictionary->strings[column.codes[row]], &scratch);
      if (!parsed.ok()) {
        Add(table.name(), spec.name, first_row + row, 1, parsed.error().message());
      }
    }
  }

  // A fixed column of a row group; nothing when it cannot be read (which has been said).
  ColumnPtr Read(const TableReader& table, uint32_t group, uint32_t column) {
    auto read = table.Read(group, column, nullptr);
    return read.ok() ? *read : nullptr;
  }

  void CheckRowGroup(uint32_t group) {
    auto traces = block_->TracesOf(group, nullptr);
    if (!traces.ok()) {
      Add(kTracesFile, "", block_->traces().row_groups()[group].first_row,
          block_->traces().row_groups()[group].row_count, traces.error().message());
    } else {
      CheckTraceIds(group, **traces);
      CheckPreorder(group, **traces);
      CheckTraceFacts(group, **traces);
    }
    CheckReferences(group, kSpanResourceId, Scope::kResource);
    CheckReferences(group, kSpanScopeId, Scope::kInstrumentation);
    CheckOwned(group, Scope::kEvent, kEventSpanRow);
    CheckOwned(group, Scope::kLink, kLinkSpanRow);
    CheckOverflow(static_cast<int32_t>(group));
  }

  const TableReader& spans() const { return block_->table(Scope::kSpan); }
  uint64_t FirstRow(uint32_t group) const { return spans().row_groups()[group].first_row; }

  void CheckTraceIds(uint32_t group, const Block::GroupTraces& traces) {
    const ColumnPtr ids = Read(spans(), group, kSpanTraceId);
    if (!ids) return;
    const auto trace_of_row = block_->TraceOfRow(group, traces);
    for (uint32_t row = 0; row < ids->row_count; ++row) {
      const auto id = model::TraceId::FromBytes(ids->dictionary->strings[ids->codes[row]].data());
      if (id != traces.id[(*trace_of_row)[row]]) {
        Add(kSpansFile, "trace_id", FirstRow(group) + row, 1,
            "the row stands among those of another trace");
      }
    }
  }

  // In preorder the parent of a row is on the path from the row before it to its root, and a
  // subtree ends where the path first leaves it.
  void CheckPreorder(uint32_t group, const Block::GroupTraces& traces) {
    const ColumnPtr parents = Read(spans(), group, kSpanParent);
    const ColumnPtr sizes = Read(spans(), group, kSpanSubtreeSize);
    if (!parents || !sizes) return;
    for (uint32_t t = 0; t < traces.size(); ++t) {
      const uint32_t begin = traces.first_row[t];
      const std::span<const int64_t> back(parents->ints.data() + begin, traces.row_count[t]);
      const std::span<const int64_t> said(sizes->ints.data() + begin, traces.row_count[t]);
      CheckTree(FirstRow(group) + begin, back, said);
    }
  }

  void CheckTree(uint64_t first_row, std::span<const int64_t> back, std::span<const int64_t> said) {
    std::vector<uint32_t> path;
    for (uint32_t i = 0; i < back.size(); ++i) {
      const bool inside = back[i] >= 0 && back[i] <= int64_t{i};
      const uint32_t parent = inside ? i - static_cast<uint32_t>(back[i]) : 0;
      while (!path.empty() && (back[i] == 0 || path.back() != parent)) path.pop_back();
      if (!inside || (back[i] != 0 && path.empty())) {
        Add(kSpansFile, "parent", first_row + i, 1, "the rows of a trace are not in preorder");
        return;
      }
      path.push_back(i);
    }
    std::vector<int64_t> descendants(back.size(), 0);
    for (size_t i = back.size(); i-- > 0;) {
      if (back[i] != 0) descendants[i - static_cast<size_t>(back[i])] += 1 + descendants[i];
      if (said[i] == descendants[i]) continue;
      Add(kSpansFile, "subtree_size", first_row + i, 1,
          "the tree has " + std::to_string(descendants[i]) + " descendants here");
    }
  }

  struct TraceFacts {
    uint64_t start_ns = UINT64_MAX;
    uint64_t end_ns = 0;
    uint32_t errors = 0;
    uint32_t flags = 0;
  };

  void CheckTraceFacts(uint32_t group, const Block::GroupTraces& traces) {
    const ColumnPtr starts = Read(spans(), group, kSpanStartTime);
    const ColumnPtr durations = Read(spans(), group, kSpanDuration);
    const ColumnPtr statuses = Read(spans(), group, kSpanStatusCode);
    const ColumnPtr marks = Read(spans(), group, kSpanMarks);
    if (!starts || !durations || !statuses || !marks) return;
    const auto trace_of_row = block_->TraceOfRow(group, traces);
    std::vector<TraceFacts> facts(traces.size());
    RowGroupMeta seen{.first_start_ns = UINT64_MAX};
    for (uint32_t row = 0; row < starts->row_count; ++row) {
      TraceFacts& fact = facts[(*trace_of_row)[row]];
      const uint64_t start = static_cast<uint64_t>(starts->ints[row]);
      fact.start_ns = std::min(fact.start_ns, start);
      fact.end_ns =
          std::max({fact.end_ns, start, start + static_cast<uint64_t>(durations->ints[row])});
      fact.errors += statuses->dictionary->strings[statuses->codes[row]] == "error";
      fact.flags |= FlagsOfMarks(static_cast<uint8_t>(marks->ints[row]));
      seen.first_start_ns = std::min(seen.first_start_ns, start);
      seen.last_start_ns = std::max(seen.last_start_ns, start);
    }
    for (uint32_t t = 0; t < traces.size(); ++t) {
      seen.last_trace_start_ns = std::max(seen.last_trace_start_ns, facts[t].start_ns);
      last_end_ns_ = std::max(last_end_ns_, facts[t].end_ns);
      CompareTrace(group, t, facts[t], traces);
    }
    const RowGroupMeta& said = meta_.row_groups[group];
    if (said.first_start_ns != seen.first_start_ns || said.last_start_ns != seen.last_start_ns ||
        said.last_trace_start_ns != seen.last_trace_start_ns) {
      Add(kMetaFile, "", 0, 0,
          "the times of row group " + std::to_string(group) + " are not those of its spans");
    }
  }

  void CompareTrace(uint32_t group, uint32_t trace, const TraceFacts& facts,
                    const Block::GroupTraces& traces) {
    const auto differ = [&](const char* column) {
      Add(kTracesFile, column, block_->traces().row_groups()[group].first_row + trace, 1,
          "the spans say something else");
    };
    if (traces.start_ns[trace] != facts.start_ns) differ("start_time");
    if (traces.end_ns[trace] != facts.end_ns) differ("duration_ns");
    if (traces.error_count[trace] != facts.errors) differ("error_count");
    if ((facts.flags & ~traces.flags[trace]) != 0) differ("flags");
  }

  void CheckReferences(uint32_t group, SpanColumn column, Scope scope) {
    const ColumnPtr rows = Read(spans(), group, column);
    const auto side = block_->GroupOf(scope, group);
    const int64_t limit = side ? block_->table(scope).row_groups()[*side].row_count : 0;
    if (!rows) return;
    for (uint32_t row = 0; row < rows->row_count; ++row) {
      if (rows->ints[row] < 0 || rows->ints[row] >= limit) {
        Add(kSpansFile, FixedColumns(kSpansFile)[column].name, FirstRow(group) + row, 1,
            "it names a row that " + std::string(FileOf(scope)) + " does not have");
      }
    }
  }

  void CheckOwned(uint32_t group, Scope scope, uint32_t column) {
    const auto own = block_->GroupOf(scope, group);
    if (!own) return;
    const TableReader& table = block_->table(scope);
    const ColumnPtr rows = Read(table, *own, column);
    if (!rows) return;
    int64_t last = static_cast<int64_t>(FirstRow(group));
    const int64_t end = last + spans().row_groups()[group].row_count;
    for (uint32_t row = 0; row < rows->row_count; ++row) {
      if (rows->ints[row] < last || rows->ints[row] >= end) {
        Add(table.name(), "span_row", table.row_groups()[*own].first_row + row, 1,
            "it is out of order or names a span of another row group");
        return;
      }
      last = rows->ints[row];
    }
  }

  // The first column counts the rows.
  void CheckSideTable(Scope scope, uint32_t column) {
    const auto group = block_->GroupOf(scope, 0);
    if (!group) return;
    const ColumnPtr ids = Read(block_->table(scope), *group, column);
    if (!ids) return;
    for (uint32_t row = 0; row < ids->row_count; ++row) {
      if (ids->ints[row] != int64_t{row}) {
        Add(FileOf(scope), block_->table(scope).columns()[column].name, row, 1,
            "it is not the number of its row");
        return;
      }
    }
  }

  void CheckOverflow(int32_t group) {
    auto loaded = block_->Overflow(group, nullptr);
    if (!loaded.ok()) return Add(kAttributesFile, "", 0, 0, loaded.error().message());
    const OverflowReader& overflow = **loaded;
    const auto place = block_->overflow_table().RowGroupOf(group);
    const uint64_t first = place ? block_->overflow_table().row_groups()[*place].first_row : 0;
    model::SpanBatch scratch;
    for (uint32_t i = 0; i < overflow.size(); ++i) {
      const OverflowReader::Entry entry = overflow.entry(i);
      if (!OwnerExists(group, entry)) {
        Add(kAttributesFile, "row", first + i, 1, "it names a row that does not exist");
      }
      const bool nested =
          entry.type == model::ValueType::kArray || entry.type == model::ValueType::kKvList;
      scratch.Clear();
      if (nested && !ParseJsonText(entry.text, &scratch).ok()) {
        Add(kAttributesFile, "value_string", first + i, 1, "its JSON text cannot be read");
      }
    }
  }

  bool OwnerExists(int32_t group, const OverflowReader::Entry& entry) const {
    const bool side = entry.scope == Scope::kResource || entry.scope == Scope::kInstrumentation;
    if (side != (group < 0)) return false;
    const auto own = block_->GroupOf(entry.scope, static_cast<uint32_t>(std::max(group, 0)));
    if (!own) return false;
    const FileRowGroup& rows = block_->table(entry.scope).row_groups()[*own];
    return entry.row >= rows.first_row && entry.row - rows.first_row < rows.row_count;
  }

  // The block itself opens this file only when it is asked for counts.
  void CheckCountsTable() {
    for (const FileMeta& file : meta_.files) {
      if (file.name != kCountsFile) continue;
      auto opened = opener_.Open(file.name);
      if (!opened.ok()) return;  // which has been said
      const auto table = TableReader::Open(std::move(opened).value(), file,
                                           std::make_shared<ColumnCache>(kCacheBytes), {});
      if (!table.ok()) return Add(kCountsFile, "", 0, 0, table.error().message());
      CheckTable(**table);
    }
  }

  void CheckCounts() {
    const auto counts = block_->Counts(nullptr);
    if (!counts.ok()) return Add(kCountsFile, "", 0, 0, counts.error().message());
    if (*counts == nullptr) return;
    OperationCounter spans;
    const auto groups = block_->RowGroups();
    for (const auto& group : groups) {
      if (!spans.AddGroup(*group).ok()) return;  // which has been said
    }
    if (!(*counts)->SaysTheSame(spans.Take())) {
      Add(kCountsFile, "", 0, 0, "counting the spans gives something else");
    }
  }

  uint64_t RowsOf(const TableReader& table) const {
    uint64_t rows = 0;
    for (const FileRowGroup& group : table.row_groups()) rows += group.row_count;
    return rows;
  }

  void CheckMeta() {
    const auto expect = [&](const char* what, uint64_t said, uint64_t found) {
      if (said == found) return;
      Add(kMetaFile, "", 0, 0,
          std::string(what) + " is " + std::to_string(said) + ", the files have " +
              std::to_string(found));
    };
    expect("span_count", meta_.span_count, RowsOf(spans()));
    expect("trace_count", meta_.trace_count, RowsOf(block_->traces()));
    expect("event_count", meta_.event_count, RowsOf(block_->table(Scope::kEvent)));
    expect("link_count", meta_.link_count, RowsOf(block_->table(Scope::kLink)));
    uint64_t first = UINT64_MAX;
    uint64_t last = 0;
    for (const RowGroupMeta& group : meta_.row_groups) {
      first = std::min(first, group.first_start_ns);
      last = std::max(last, group.last_start_ns);
    }
    expect("first_start_ns", meta_.first_start_ns, first);
    expect("last_start_ns", meta_.last_start_ns, last);
    expect("last_end_ns", meta_.last_end_ns, last_end_ns_);
  }

  const BlockMeta& meta_;
  const FileOpener& opener_;
  std::set<std::string, std::less<>> damaged_files_;
  std::shared_ptr<const Block> block_;
  uint64_t last_end_ns_ = 0;
  std::vector<CheckFinding> findings_;
};

}  // namespace

std::string CheckFinding::ToText() const {
  std::string text = file;
  if (!column.empty()) text += " column " + column;
  if (row_count > 0) {
    text += " rows " + std::to_string(first_row) + ".." + std::to_string(first_row + row_count);
  }
  return text.empty() ? what : text + ": " + what;
}

std::vector<CheckFinding> CheckBlock(const BlockMeta& meta, const FileOpener& opener) {
  return Checker(meta, opener).Run();
}

}  // namespace weft::block
