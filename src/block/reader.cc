#include "block/reader.h"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>
#include <utility>

#include "block/bloom_filter.h"
#include "block/operation_counts.h"
#include "block/overflow_reader.h"
#include "block/schema.h"
#include "block/stored_row_group.h"
#include "block/trace_assembler.h"

namespace weft::block {
namespace {

// Entries of the cache that are no column; per row group but for the first and the last one.
enum CacheItem : uint32_t {
  kServiceNamesItem,
  kTraceIndexItem,
  kTracesItem,
  kTraceOfRowItem,
  kOverflowItem,
  kCountsItem,
};

Error Corrupt(std::string what) { return {ErrorCode::kCorrupt, std::move(what)}; }

// The file starts with the fixed columns of its version, with their types.
Error CheckColumns(const TableReader& table, uint32_t format_version) {
  const std::span<const ColumnSpec> fixed = FixedColumns(table.name(), format_version);
  const std::vector<ColumnSpec>& columns = table.columns();
  if (columns.size() < fixed.size() || !std::equal(fixed.begin(), fixed.end(), columns.begin())) {
    return Corrupt(table.name() + " lacks columns that every block has");
  }
  return Error::Ok();
}

struct OpenFile {
  const FileMeta* meta = nullptr;
  std::unique_ptr<ReadableFile> file;
};

Result<const FileMeta*> FindMeta(std::string_view name, const BlockMeta& meta) {
  const auto file_meta = std::find_if(meta.files.begin(), meta.files.end(),
                                      [name](const FileMeta& file) { return file.name == name; });
  if (file_meta == meta.files.end()) {
    return Corrupt("meta.json does not list " + std::string(name));
  }
  return &*file_meta;
}

// What finding a trace begins with: the footer, and before it which row groups may have the trace.
uint64_t IdFilterBytes(const BlockMeta& meta) {
  uint64_t bytes = 0;
  for (const RowGroupMeta& group : meta.row_groups) {
    bytes += BloomFilter::StoredBytesFor(group.trace_count);
  }
  return meta.row_groups.size() > 1 ? bytes : 0;
}

// Says at once what will be read: the ends of all files, and all of a small one, are fetched side
// by side.
void WillReadEnd(const FileMeta& meta, uint64_t end_bytes, const ReadableFile& file) {
  constexpr uint64_t kWholeBytesMax = 1 << 20;
  const uint64_t size = file.size_bytes();
  const uint64_t wanted = size <= kWholeBytesMax ? size : std::min(end_bytes, size);
  if (meta.tail_bytes > size) return;  // which opening it says
  const ByteRange end{size - wanted, wanted};
  file.WillRead({&end, 1});
}

Result<OpenFile> FindFile(std::string_view name, const BlockMeta& meta, const FileOpener& opener) {
  WEFT_ASSIGN_OR_RETURN(const FileMeta* file_meta, FindMeta(name, meta));
  WEFT_ASSIGN_OR_RETURN(auto file, opener.Open(name));
  const uint64_t before = name == kSpansFile ? IdFilterBytes(meta) : 0;
  WillReadEnd(*file_meta, file_meta->tail_bytes + before, *file);
  return OpenFile{file_meta, std::move(file)};
}

Result<std::shared_ptr<const TableReader>> OpenTable(OpenFile opened, const BlockMeta& meta,
                                                     std::shared_ptr<ColumnCache> cache,
                                                     const TableReader::Options& options) {
  WEFT_ASSIGN_OR_RETURN(auto table, TableReader::Open(std::move(opened.file), *opened.meta,
                                                      std::move(cache), options));
  WEFT_RETURN_IF_ERROR(CheckColumns(*table, meta.format_version));
  return table;
}

// A file that its owner may open again when opening its table has failed.
class SharedFile final : public ReadableFile {
 public:
  explicit SharedFile(std::shared_ptr<const ReadableFile> file) : file_(std::move(file)) {}
  Error ReadAt(uint64_t offset, size_t length, char* out) const override {
    return file_->ReadAt(offset, length, out);
  }
  uint64_t size_bytes() const override { return file_->size_bytes(); }
  void WillRead(std::span<const ByteRange> ranges) const override { file_->WillRead(ranges); }
  std::string_view mapped() const override { return file_->mapped(); }

 private:
  std::shared_ptr<const ReadableFile> file_;
};

uint32_t ServiceColumn(const TableReader& resources) {
  for (uint32_t c = 0; c < resources.columns().size(); ++c) {
    const auto attribute = ParseAttributeColumn(resources.columns()[c]);
    if (attribute && attribute->key == "service.name" &&
        attribute->type == model::ValueType::kString) {
      return c;
    }
  }
  return UINT32_MAX;
}

void CopyTexts(const Column& column, std::vector<std::string>* names) {
  for (uint32_t row = 0; row < column.row_count && row < names->size(); ++row) {
    if (column.has(row)) (*names)[row] = column.dictionary->strings[column.codes[row]];
  }
}

// The summaries of two parts of one trace as one.
void Join(const TraceSummary& part, TraceSummary* whole) {
  if (whole->span_count == 0) {
    *whole = part;
    return;
  }
  whole->start_ns = std::min(whole->start_ns, part.start_ns);
  whole->end_ns = std::max(whole->end_ns, part.end_ns);
  if (whole->flags & kTraceRootMissing) {
    whole->root_service = part.root_service;
    whole->root_name = part.root_name;
  }
  const uint32_t root_missing = whole->flags & part.flags & kTraceRootMissing;
  whole->flags |= part.flags | kTraceFragment;
  if (root_missing == 0) whole->flags &= ~uint32_t{kTraceRootMissing};
  whole->span_count += part.span_count;
  whole->error_count += part.error_count;
  std::map<std::string, ServiceCount> services;
  whole->services.insert(whole->services.end(), part.services.begin(), part.services.end());
  for (const ServiceCount& service : whole->services) {
    ServiceCount& sum = services[service.name];
    sum.name = service.name;
    sum.span_count += service.span_count;
    sum.error_count += service.error_count;
  }
  whole->services.clear();
  for (const auto& [name, service] : services) whole->services.push_back(service);
}

}  // namespace

Result<std::shared_ptr<const Block>> Block::Open(BlockMeta meta, const FileOpener& opener,
                                                 const std::shared_ptr<ColumnCache>& cache,
                                                 TableReader::Options options) {
  std::shared_ptr<Block> block(new Block());
  block->cache_owner_ = ColumnCache::NewOwner();
  block->cache_ = cache;
  const auto open = [&](OpenFile* file) {
    return OpenTable(std::move(*file), meta, cache, options);
  };
  std::array<OpenFile, std::tuple_size_v<decltype(block->tables_)>> files;
  for (uint8_t s = 0; s < files.size(); ++s) {
    WEFT_ASSIGN_OR_RETURN(files[s], FindFile(FileOf(static_cast<Scope>(s)), meta, opener));
  }
  WEFT_ASSIGN_OR_RETURN(OpenFile traces, FindFile(kTracesFile, meta, opener));
  WEFT_ASSIGN_OR_RETURN(OpenFile overflow, FindFile(kAttributesFile, meta, opener));
  for (uint8_t s = 0; s < files.size(); ++s) {
    WEFT_ASSIGN_OR_RETURN(block->tables_[s], open(&files[s]));
  }
  WEFT_ASSIGN_OR_RETURN(block->traces_, open(&traces));
  WEFT_ASSIGN_OR_RETURN(block->overflow_, open(&overflow));
  if (meta.format_version >= 4) {
    WEFT_RETURN_IF_ERROR(FindMeta(kCountsFile, meta).error());
    WEFT_ASSIGN_OR_RETURN(block->counts_file_, opener.Open(kCountsFile));
  }
  block->options_ = options;
  block->meta_ = std::move(meta);
  WEFT_RETURN_IF_ERROR(block->CheckShape());
  return std::shared_ptr<const Block>(std::move(block));
}

Block::~Block() {
  if (cache_) cache_->Forget(cache_owner_);
}

// meta.json and the footers agree about the row groups.
Error Block::CheckShape() const {
  const std::vector<FileRowGroup>& spans = table(Scope::kSpan).row_groups();
  const std::vector<FileRowGroup>& traces = traces_->row_groups();
  if (spans.size() != meta_.row_groups.size() || traces.size() != meta_.row_groups.size()) {
    return Corrupt("meta.json and spans.parquet differ in their row groups");
  }
  for (size_t g = 0; g < spans.size(); ++g) {
    if (spans[g].row_count != meta_.row_groups[g].span_count ||
        traces[g].row_count != meta_.row_groups[g].trace_count ||
        spans[g].span_row_group != static_cast<int32_t>(g) ||
        traces[g].span_row_group != static_cast<int32_t>(g)) {
      return Corrupt("meta.json and the files differ in row group " + std::to_string(g));
    }
  }
  for (const Scope side : {Scope::kResource, Scope::kInstrumentation}) {
    if (table(side).row_groups().size() > 1) {
      return Corrupt(table(side).name() + " has more than one row group");
    }
  }
  return Error::Ok();
}

std::optional<uint32_t> Block::GroupOf(Scope scope, uint32_t span_row_group) const {
  const bool whole = scope == Scope::kResource || scope == Scope::kInstrumentation;
  return table(scope).RowGroupOf(whole ? -1 : static_cast<int32_t>(span_row_group));
}

std::vector<std::shared_ptr<const RowGroup>> Block::RowGroups(TimeRange range,
                                                              const RowSetPtr& deleted) const {
  std::vector<std::shared_ptr<const RowGroup>> groups;
  for (uint32_t g = 0; g < row_group_count(); ++g) {
    const RowGroupMeta& meta = meta_.row_groups[g];
    if (!range.Touches(meta.first_start_ns, meta.last_start_ns)) continue;
    const FileRowGroup& rows = table(Scope::kSpan).row_groups()[g];
    if (deleted && deleted->CountIn(rows.first_row, rows.row_count) == rows.row_count) continue;
    groups.push_back(OpenRowGroup(g, deleted));
  }
  return groups;
}

std::shared_ptr<const RowGroup> Block::OpenRowGroup(uint32_t row_group,
                                                    const RowSetPtr& deleted) const {
  return StoredRowGroup::Make(shared_from_this(), row_group, deleted.get());
}

Result<std::shared_ptr<const Block::GroupTraces>> Block::TracesOf(uint32_t row_group,
                                                                  ByteCounter* bytes) const {
  const ColumnCache::Key key{cache_owner_, row_group, kTracesItem};
  if (auto known = cache_->Find<GroupTraces>(key)) return known;
  auto traces = std::make_shared<GroupTraces>();
  WEFT_RETURN_IF_ERROR(LoadTraces(row_group, traces.get(), bytes));
  cache_->Insert(key, traces, 256 + traces->size() * 48);
  return std::shared_ptr<const GroupTraces>(std::move(traces));
}

std::shared_ptr<const std::vector<uint32_t>> Block::TraceOfRow(uint32_t row_group,
                                                               const GroupTraces& traces) const {
  const ColumnCache::Key key{cache_owner_, row_group, kTraceOfRowItem};
  if (auto known = cache_->Find<std::vector<uint32_t>>(key)) return known;
  auto rows = std::make_shared<std::vector<uint32_t>>();
  rows->reserve(meta_.row_groups[row_group].span_count);
  for (uint32_t t = 0; t < traces.size(); ++t) rows->insert(rows->end(), traces.row_count[t], t);
  cache_->Insert(key, rows, 64 + rows->size() * sizeof(uint32_t));
  return rows;
}

uint32_t Block::IndexOf(TraceColumn column) const {
  return meta_.format_version == 1 ? column + 1 : column;
}

Result<ColumnPtr> Block::ReadTraceColumn(uint32_t row_group, TraceColumn column,
                                         ByteCounter* bytes) const {
  return traces_->Read(row_group, IndexOf(column), bytes);
}

// Version 1 stored them a second time in traces.parquet. Since then they are those of the traces'
// first rows: all that the dictionary has, in its order, unless an id comes twice.
Error Block::LoadTraceIds(uint32_t row_group, GroupTraces* traces, ByteCounter* bytes) const {
  const auto add = [traces](std::string_view id) {
    traces->id.push_back(model::TraceId::FromBytes(id.data()));
  };
  const TableReader& spans = table(Scope::kSpan);
  if (meta_.format_version > 1) {
    WEFT_ASSIGN_OR_RETURN(const auto dictionary,
                          spans.DictionaryOf(row_group, kSpanTraceId, bytes));
    if (dictionary && dictionary->size() == traces->first_row.size()) {
      for (const std::string_view id : dictionary->strings) add(id);
      return Error::Ok();
    }
  }
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr ids,
                        meta_.format_version == 1
                            ? traces_->Read(row_group, 0, bytes)
                            : spans.ReadRows(row_group, kSpanTraceId, traces->first_row, bytes));
  for (uint32_t t = 0; t < ids->row_count; ++t) add(ids->dictionary->strings[ids->codes[t]]);
  return Error::Ok();
}

// Traces tile the rows of their row group.
Error Block::LoadTraces(uint32_t row_group, GroupTraces* traces, ByteCounter* bytes) const {
  const auto read = [&](TraceColumn column) { return ReadTraceColumn(row_group, column, bytes); };
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr first_rows, read(kTraceFirstRow));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr counts, read(kTraceSpanCount));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr starts, read(kTraceStartTime));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr durations, read(kTraceDuration));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr errors, read(kTraceErrorCount));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr flags, read(kTraceFlags));
  const FileRowGroup& rows = table(Scope::kSpan).row_groups()[row_group];
  uint64_t next = 0;
  for (uint32_t t = 0; t < counts->row_count; ++t) {
    const int64_t count = counts->ints[t];
    if (count <= 0 || static_cast<uint64_t>(first_rows->ints[t]) != rows.first_row + next ||
        static_cast<uint64_t>(count) > rows.row_count - next) {
      return Corrupt("traces.parquet and spans.parquet differ at trace " + std::to_string(t) +
                     " of row group " + std::to_string(row_group));
    }
    traces->first_row.push_back(static_cast<uint32_t>(next));
    traces->row_count.push_back(static_cast<uint32_t>(count));
    traces->start_ns.push_back(static_cast<uint64_t>(starts->ints[t]));
    traces->end_ns.push_back(static_cast<uint64_t>(starts->ints[t]) +
                             static_cast<uint64_t>(durations->ints[t]));
    traces->error_count.push_back(static_cast<uint32_t>(errors->ints[t]));
    traces->flags.push_back(static_cast<uint32_t>(flags->ints[t]));
    next += static_cast<uint64_t>(count);
  }
  if (next != rows.row_count) {
    return Corrupt("traces.parquet does not cover row group " + std::to_string(row_group));
  }
  return LoadTraceIds(row_group, traces, bytes);
}

// A block of one row group needs no filter, and older blocks have none.
Result<std::vector<uint32_t>> Block::GroupsThatMayHave(model::TraceId id) const {
  const TableReader& spans = table(Scope::kSpan);
  std::array<char, 16> bytes;
  id.ToBytes(bytes.data());
  const uint64_t hash = BloomFilter::Hash({bytes.data(), bytes.size()});
  std::vector<uint32_t> groups;
  for (uint32_t g = 0; g < row_group_count(); ++g) {
    if (row_group_count() > 1) {
      WEFT_ASSIGN_OR_RETURN(const auto filter, spans.FilterOf(g, kSpanTraceId, nullptr));
      if (filter && !filter->MayHave(hash)) continue;
    }
    groups.push_back(g);
  }
  return groups;
}

Result<std::shared_ptr<const Block::TraceIndex>> Block::TraceIndexOf(uint32_t row_group) const {
  const ColumnCache::Key key{cache_owner_, row_group, kTraceIndexItem};
  if (auto known = cache_->Find<TraceIndex>(key)) return known;
  WEFT_ASSIGN_OR_RETURN(const auto traces, TracesOf(row_group, nullptr));
  auto index = std::make_shared<TraceIndex>();
  index->reserve(traces->size());
  for (uint32_t t = 0; t < traces->size(); ++t) index->push_back({traces->id[t], row_group, t});
  std::sort(index->begin(), index->end(), [](const TracePlace& a, const TracePlace& b) {
    return a.id != b.id ? a.id < b.id : a.trace < b.trace;
  });
  cache_->Insert(key, index, 64 + index->capacity() * sizeof(TracePlace));
  return std::shared_ptr<const TraceIndex>(std::move(index));
}

void Block::WillReadTracesOf(std::span<const uint32_t> row_groups) const {
  std::vector<uint32_t> missing;
  for (const uint32_t g : row_groups) {
    if (!cache_->Find<GroupTraces>({cache_owner_, g, kTracesItem})) missing.push_back(g);
  }
  if (missing.empty()) return;
  constexpr uint32_t kIds[] = {kSpanTraceId};
  table(Scope::kSpan).WillReadColumns(missing, kIds);
  traces_->WillReadColumns(missing, {});
}

Result<RowSet::Run> Block::RowsAt(const TracePlace& place) const {
  WEFT_ASSIGN_OR_RETURN(const auto traces, TracesOf(place.row_group, nullptr));
  const FileRowGroup& rows = table(Scope::kSpan).row_groups()[place.row_group];
  return RowSet::Run{rows.first_row + traces->first_row[place.trace],
                     traces->row_count[place.trace]};
}

Result<std::vector<RowSet::Run>> Block::RowsOfTrace(model::TraceId id,
                                                    const RowSetPtr& deleted) const {
  WEFT_ASSIGN_OR_RETURN(const auto places, PlacesOf(id, deleted));
  std::vector<RowSet::Run> runs;
  for (const TracePlace& place : places) {
    WEFT_ASSIGN_OR_RETURN(runs.emplace_back(), RowsAt(place));
  }
  return runs;
}

Result<std::vector<Block::TracePlace>> Block::PlacesOf(model::TraceId id,
                                                       const RowSetPtr& deleted) const {
  WEFT_ASSIGN_OR_RETURN(const std::vector<uint32_t> groups, GroupsThatMayHave(id));
  WillReadTracesOf(groups);
  std::vector<TracePlace> places;
  for (const uint32_t g : groups) {
    WEFT_ASSIGN_OR_RETURN(const auto index, TraceIndexOf(g));
    auto place =
        std::lower_bound(index->begin(), index->end(), id,
                         [](const TracePlace& place, model::TraceId i) { return place.id < i; });
    for (; place != index->end() && place->id == id; ++place) {
      if (deleted) {
        WEFT_ASSIGN_OR_RETURN(const RowSet::Run rows, RowsAt(*place));
        if (deleted->Contains(rows.first)) continue;
      }
      places.push_back(*place);
    }
  }
  return places;
}

Result<model::SpanBatch> Block::SpansOf(uint32_t row_group, uint32_t first_row,
                                        uint32_t count) const {
  model::SpanBatch spans;
  TraceAssembler assembler(*this, &spans);
  WEFT_RETURN_IF_ERROR(assembler.AddRows(row_group, first_row, count));
  return spans;
}

Result<model::SpanBatch> Block::SideTables() const {
  model::SpanBatch tables;
  WEFT_RETURN_IF_ERROR(TraceAssembler(*this, &tables).AddSideTables());
  return tables;
}

Result<model::SpanBatch> Block::FindTrace(model::TraceId id, const RowSetPtr& deleted) const {
  WEFT_ASSIGN_OR_RETURN(const auto places, PlacesOf(id, deleted));
  model::SpanBatch spans;
  TraceAssembler assembler(*this, &spans);
  for (const TracePlace& place : places) {
    WEFT_ASSIGN_OR_RETURN(const auto traces, TracesOf(place.row_group, nullptr));
    WEFT_RETURN_IF_ERROR(assembler.AddRows(place.row_group, traces->first_row[place.trace],
                                           traces->row_count[place.trace]));
  }
  return spans;
}

Result<std::vector<model::SpanId>> Block::SpanIdsOf(model::TraceId id,
                                                    const RowSetPtr& deleted) const {
  WEFT_ASSIGN_OR_RETURN(const auto places, PlacesOf(id, deleted));
  std::vector<model::SpanId> ids;
  for (const TracePlace& place : places) {
    WEFT_ASSIGN_OR_RETURN(const auto traces, TracesOf(place.row_group, nullptr));
    const uint32_t first = traces->first_row[place.trace];
    const uint32_t end = first + traces->row_count[place.trace];
    WEFT_ASSIGN_OR_RETURN(
        const ColumnPtr column,
        table(Scope::kSpan).ReadRange(place.row_group, kSpanSpanId, first, end, nullptr));
    for (const int64_t span_id : column->ints) ids.push_back({static_cast<uint64_t>(span_id)});
  }
  return ids;
}

Result<TraceSummary> Block::Summary(model::TraceId id, const RowSetPtr& deleted) const {
  WEFT_ASSIGN_OR_RETURN(const auto places, PlacesOf(id, deleted));
  TraceSummary whole{.id = id};
  for (const TracePlace& place : places) {
    WEFT_ASSIGN_OR_RETURN(const TraceSummary part,
                          SummaryOf(place.row_group, place.trace, nullptr));
    Join(part, &whole);
  }
  return whole;
}

Result<TraceSummary> Block::SummaryOf(uint32_t row_group, uint32_t trace,
                                      ByteCounter* bytes) const {
  WEFT_ASSIGN_OR_RETURN(const auto traces, TracesOf(row_group, bytes));
  WEFT_ASSIGN_OR_RETURN(const auto services, ServiceNames(bytes));
  const std::span<const uint32_t> row(&trace, 1);
  const uint32_t begin = traces->first_row[trace];
  const uint32_t end = begin + traces->row_count[trace];
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr root_service,
                        traces_->ReadRows(row_group, IndexOf(kTraceRootService), row, bytes));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr root_name,
                        traces_->ReadRows(row_group, IndexOf(kTraceRootName), row, bytes));
  const TableReader& spans = table(Scope::kSpan);
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr resources,
                        spans.ReadRange(row_group, kSpanResourceId, begin, end, bytes));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr status,
                        spans.ReadRange(row_group, kSpanStatusCode, begin, end, bytes));
  TraceSummary summary{.id = traces->id[trace],
                       .start_ns = traces->start_ns[trace],
                       .end_ns = traces->end_ns[trace],
                       .span_count = end - begin,
                       .error_count = traces->error_count[trace],
                       .flags = traces->flags[trace]};
  const auto text = [](const Column& column) {
    return column.has(0) ? std::string(column.dictionary->strings[column.codes[0]]) : std::string();
  };
  summary.root_service = text(*root_service);
  summary.root_name = text(*root_name);
  std::map<std::string_view, ServiceCount> counts;
  for (uint32_t i = 0; i < end - begin; ++i) {
    const uint64_t resource = static_cast<uint64_t>(resources->ints[i]);
    if (resource >= services->size()) return Corrupt("spans.parquet names an unknown resource");
    ServiceCount& count = counts[(*services)[resource]];
    ++count.span_count;
    count.error_count += status->dictionary->strings[status->codes[i]] == "error";
  }
  for (auto& [name, count] : counts) {
    count.name = name;
    summary.services.push_back(std::move(count));
  }
  return summary;
}

Result<std::shared_ptr<const OverflowReader>> Block::Overflow(int32_t row_group,
                                                              ByteCounter* bytes) const {
  const ColumnCache::Key key{cache_owner_, static_cast<uint32_t>(row_group), kOverflowItem};
  if (auto known = cache_->Find<OverflowReader>(key)) return known;
  WEFT_ASSIGN_OR_RETURN(OverflowReader reader, OverflowReader::Load(*overflow_, row_group, bytes));
  auto overflow = std::make_shared<OverflowReader>(std::move(reader));
  cache_->Insert(key, overflow, overflow->bytes());
  return std::shared_ptr<const OverflowReader>(std::move(overflow));
}

Result<std::shared_ptr<const TableReader>> Block::CountsTable() const {
  const MutexLock lock(counts_mutex_);
  if (counts_ == nullptr) {
    WEFT_ASSIGN_OR_RETURN(const FileMeta* meta, FindMeta(kCountsFile, meta_));
    WEFT_ASSIGN_OR_RETURN(counts_, OpenTable({meta, std::make_unique<SharedFile>(counts_file_)},
                                             meta_, cache_, options_));
  }
  return counts_;
}

Result<std::shared_ptr<const OperationCounts>> Block::Counts(ByteCounter* bytes) const {
  if (meta_.format_version < 4) return std::shared_ptr<const OperationCounts>();
  const ColumnCache::Key key{cache_owner_, 0, kCountsItem};
  if (auto known = cache_->Find<OperationCounts>(key)) return known;
  WEFT_ASSIGN_OR_RETURN(const auto table, CountsTable());
  WEFT_ASSIGN_OR_RETURN(OperationCounts read, DecodeCounts(*table, bytes));
  auto counts = std::make_shared<const OperationCounts>(std::move(read));
  cache_->Insert(key, counts, counts->bytes());
  return counts;
}

Result<std::shared_ptr<const std::vector<std::string>>> Block::ServiceNames(
    ByteCounter* bytes) const {
  const ColumnCache::Key key{cache_owner_, 0, kServiceNamesItem};
  if (auto known = cache_->Find<std::vector<std::string>>(key)) return known;
  const TableReader& resources = table(Scope::kResource);
  const auto group = GroupOf(Scope::kResource, 0);
  const uint32_t rows = group ? resources.row_groups()[*group].row_count : 0;
  auto names = std::make_shared<std::vector<std::string>>(rows);
  const uint32_t column = ServiceColumn(resources);
  if (group && column != UINT32_MAX) {
    WEFT_ASSIGN_OR_RETURN(const ColumnPtr texts, resources.Read(*group, column, bytes));
    CopyTexts(*texts, names.get());
  } else if (group) {
    // Too few resources have one for a column.
    WEFT_ASSIGN_OR_RETURN(const auto overflow, Overflow(-1, bytes));
    for (const ColumnPtr& texts : overflow->Columns(Scope::kResource, "service.name", 0, rows)) {
      if (texts->type == model::ValueType::kString) CopyTexts(*texts, names.get());
    }
  }
  cache_->Insert(key, names, 64 + names->size() * 48);
  return std::shared_ptr<const std::vector<std::string>>(std::move(names));
}

}  // namespace weft::block
