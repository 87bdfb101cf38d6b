// Block: a stored block, opened for queries.
//
// Opening reads meta.json's facts and the end of each file; everything else is read when asked for
// and kept in a ColumnCache that the caller bounds. What does not hold (a flipped bit, a file cut
// short, counts that differ) is kCorrupt and names the file and the column.
// Thread rule: any thread. A Block lives as long as one of its row groups does.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/env.h"
#include "base/error.h"
#include "base/mutex.h"
#include "base/time_range.h"
#include "block/block.h"
#include "block/column_cache.h"
#include "block/overflow_reader.h"
#include "block/row_set.h"
#include "block/row_source.h"
#include "block/schema.h"
#include "block/table_reader.h"
#include "model/ids.h"
#include "model/span_batch.h"

namespace weft::block {

// Opens the files of one block. Any thread.
class FileOpener {
 public:
  virtual ~FileOpener() = default;
  virtual Result<std::unique_ptr<ReadableFile>> Open(std::string_view name) const = 0;
};

class Block : public std::enable_shared_from_this<Block> {
 public:
  static Result<std::shared_ptr<const Block>> Open(BlockMeta meta, const FileOpener& opener,
                                                   const std::shared_ptr<ColumnCache>& cache,
                                                   TableReader::Options options = {});

  const BlockMeta& meta() const { return meta_; }

  // `deleted` are rows of spans.parquet that do not count any more, whole traces; null for none.

  // The row groups with a span that starts in `range`.
  std::vector<std::shared_ptr<const RowGroup>> RowGroups(TimeRange range = {},
                                                         const RowSetPtr& deleted = nullptr) const;

  std::shared_ptr<const RowGroup> OpenRowGroup(uint32_t row_group,
                                               const RowSetPtr& deleted = nullptr) const;

  // All spans of a trace in this block, in preorder; an empty batch when there are none.
  Result<model::SpanBatch> FindTrace(model::TraceId id, const RowSetPtr& deleted = nullptr) const;
  // The ids of these spans: reads that column alone.
  Result<std::vector<model::SpanId>> SpanIdsOf(model::TraceId id,
                                               const RowSetPtr& deleted = nullptr) const;
  // Its summary; span_count 0 when it is not here. Fragments of it in this block are joined.
  Result<TraceSummary> Summary(model::TraceId id, const RowSetPtr& deleted = nullptr) const;
  // The rows of spans.parquet of a trace, one run for each fragment.
  Result<std::vector<RowSet::Run>> RowsOfTrace(model::TraceId id,
                                               const RowSetPtr& deleted = nullptr) const;

  // ---- For the parts of the reader and for checks; queries go through row groups.

  // The traces of one row group: what traces.parquet says of them.
  struct GroupTraces {
    std::vector<model::TraceId> id;
    std::vector<uint32_t> first_row;  // in the row group
    std::vector<uint32_t> row_count;
    std::vector<uint64_t> start_ns;
    std::vector<uint64_t> end_ns;
    std::vector<uint32_t> error_count;
    std::vector<uint32_t> flags;

    uint32_t size() const { return static_cast<uint32_t>(id.size()); }
  };
  uint32_t row_group_count() const { return static_cast<uint32_t>(meta_.row_groups.size()); }
  Result<std::shared_ptr<const GroupTraces>> TracesOf(uint32_t row_group, ByteCounter* bytes) const;
  // The trace of each row: an index into them.
  std::shared_ptr<const std::vector<uint32_t>> TraceOfRow(uint32_t row_group,
                                                          const GroupTraces& traces) const;
  Result<TraceSummary> SummaryOf(uint32_t row_group, uint32_t trace, ByteCounter* bytes) const;
  Result<model::SpanBatch> SpansOf(uint32_t row_group, uint32_t first_row, uint32_t count) const;

  // Its resources and scopes in the order of the files, without any spans.
  Result<model::SpanBatch> SideTables() const;

  const TableReader& table(Scope scope) const { return *tables_[static_cast<size_t>(scope)]; }
  const TableReader& traces() const { return *traces_; }
  Result<ColumnPtr> ReadTraceColumn(uint32_t row_group, TraceColumn column,
                                    ByteCounter* bytes) const;
  const TableReader& overflow_table() const { return *overflow_; }
  // The attributes without a column of a row group of spans and of what it owns; -1: of the
  // resources and scopes.
  Result<std::shared_ptr<const OverflowReader>> Overflow(int32_t row_group,
                                                         ByteCounter* bytes) const;
  ColumnCache& cache() const { return *cache_; }
  uint64_t cache_owner() const { return cache_owner_; }
  // The row group of a scope's table that belongs to a row group of spans (resources and scopes
  // have one for all); nothing when it has no rows.
  std::optional<uint32_t> GroupOf(Scope scope, uint32_t span_row_group) const;
  // What counts.parquet says; null for blocks of before version 4, which have none.
  Result<std::shared_ptr<const OperationCounts>> Counts(ByteCounter* bytes) const;
  // service.name of each row of resources.parquet.
  Result<std::shared_ptr<const std::vector<std::string>>> ServiceNames(ByteCounter* bytes) const;

  ~Block();

 private:
  Result<std::shared_ptr<const TableReader>> CountsTable() const WEFT_EXCLUDES(counts_mutex_);

  // Where the traces of a row group are: sorted by id.
  struct TracePlace {
    model::TraceId id;
    uint32_t row_group = 0;
    uint32_t trace = 0;
  };
  using TraceIndex = std::vector<TracePlace>;

  Block() = default;
  Error CheckShape() const;
  Result<std::vector<uint32_t>> GroupsThatMayHave(model::TraceId id) const;
  Result<std::shared_ptr<const TraceIndex>> TraceIndexOf(uint32_t row_group) const;
  void WillReadTracesOf(std::span<const uint32_t> row_groups) const;
  Result<std::vector<TracePlace>> PlacesOf(model::TraceId id, const RowSetPtr& deleted) const;
  // In spans.parquet.
  Result<RowSet::Run> RowsAt(const TracePlace& place) const;
  uint32_t IndexOf(TraceColumn column) const;
  Error LoadTraceIds(uint32_t row_group, GroupTraces* traces, ByteCounter* bytes) const;
  Error LoadTraces(uint32_t row_group, GroupTraces* traces, ByteCounter* bytes) const;

  BlockMeta meta_;
  std::shared_ptr<ColumnCache> cache_;
  uint64_t cache_owner_ = 0;
  std::array<std::shared_ptr<const TableReader>, 5> tables_;  // by Scope
  std::shared_ptr<const TableReader> traces_;
  std::shared_ptr<const TableReader> overflow_;
  // Opened by the first who asks: most never do.
  mutable Mutex counts_mutex_;
  std::shared_ptr<const ReadableFile> counts_file_;
  mutable std::shared_ptr<const TableReader> counts_ WEFT_GUARDED_BY(counts_mutex_);
  TableReader::Options options_;
};

}  // namespace weft::block
