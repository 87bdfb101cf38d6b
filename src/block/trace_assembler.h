// TraceAssembler: rows of a stored block -> spans of a SpanBatch, with everything they had when the
// block was written but for the order of attributes.
//
// 1. Fixed columns of the rows are read and appended, resources and scopes once each.
// 2. Parent ids that the tree implies are filled in again.
// 3. Every attribute column that has a value in these rows is read; its values, and those of
//    attributes.parquet, are sorted back to their spans. The same for events and links.
// One thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "block/overflow_reader.h"
#include "block/reader.h"
#include "model/span_batch.h"

namespace weft::block {

class TraceAssembler {
 public:
  TraceAssembler(const Block& block, model::SpanBatch* out) : block_(block), out_(*out) {}

  // Appends the spans of rows [first_row, first_row + count) of a row group: whole traces.
  Error AddRows(uint32_t row_group, uint32_t first_row, uint32_t count);
  // Appends all resources and scopes of the block in the order of its files, and no spans; to an
  // empty batch.
  Error AddSideTables();

 private:
  // One attribute of one owner, before they are sorted to their owners.
  struct Loose {
    uint32_t owner = 0;  // row, counted from the first one read
    model::Attribute attribute;
  };
  // Events (or links) of a stretch of spans.
  struct Owned {
    uint32_t group = 0;  // row group of the table
    uint32_t begin = 0;  // rows of the table, in its row group
    uint32_t end = 0;
    std::vector<uint32_t> count_of_span;
  };

  Error AddSpanColumns(uint32_t row_group, uint32_t begin, uint32_t end);
  void AddTraceIds(const Column& ids);
  Error AddParents(const Column& parents, const Column& explicit_ids, uint32_t first);
  Error AddWords(const Column& kinds, const Column& statuses);
  Error AddSideRows(Scope scope, const Column& rows, std::vector<uint32_t>* out);
  Result<const OverflowReader*> SideOverflow();
  Error AddResource(uint32_t group, uint32_t row);
  Error AddScope(uint32_t group, uint32_t row);
  Error AddEvents(const Owned& owned, const OverflowReader& overflow);
  Error AddLinks(const Owned& owned, const OverflowReader& overflow);
  static void AddEnds(const Owned& owned, uint32_t base, std::vector<uint32_t>* ends);
  Result<Owned> FindOwned(Scope scope, uint32_t row_group, uint32_t first_row, uint32_t count);
  // Appends the attributes of rows [begin, end) of a scope's table, and where each row's end.
  Error AddAttributes(Scope scope, uint32_t table_group, uint32_t begin, uint32_t end,
                      const OverflowReader& overflow, model::AttributeArray* to,
                      std::vector<uint32_t>* ends);
  Error CollectColumn(const Column& column, std::string_view key);
  Error CollectOverflow(Scope scope, uint64_t first_row, uint32_t count,
                        const OverflowReader& overflow);
  Result<model::Attribute> MakeText(model::ValueType type, model::Code key, std::string_view text);
  void SortToOwners(uint32_t count, model::AttributeArray* to, std::vector<uint32_t>* ends);

  Result<ColumnPtr> Read(Scope scope, uint32_t group, uint32_t column, uint32_t begin,
                         uint32_t end) const;
  model::Code TextAt(const Column& column, uint32_t row);

  const Block& block_;
  model::SpanBatch& out_;
  std::unordered_map<uint32_t, uint32_t> resources_;  // row of the file -> index in out_
  std::unordered_map<uint32_t, uint32_t> scopes_;
  std::shared_ptr<const OverflowReader> side_overflow_;
  std::vector<Loose> loose_;
  std::vector<uint32_t> counts_;
};

}  // namespace weft::block
