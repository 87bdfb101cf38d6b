// Writes resources.parquet and scopes.parquet from the distinct resources and scopes of a block.
#pragma once

#include <span>

#include "base/error.h"
#include "block/attributed_table.h"
#include "block/overflow_writer.h"
#include "block/side_table.h"
#include "block/string_translator.h"

namespace weft::block {

class SideTablesWriter {
 public:
  // All must outlive it.
  SideTablesWriter(std::span<const model::SpanBatch* const> batches, KeyIndex* keys,
                   StringTranslator* strings, const BlockWriterOptions& options);

  // Writes both, and to `overflow_file` what has no column; to be called once. Clears the
  // translator.
  Error Write(const SideTable& resources, const SideTable& scopes, OverflowWriter* overflow_file);
  TableWriter* resources_file() { return resources_.file.get(); }
  // Once written.
  const AttributePlan& resources_plan() const { return resources_.plan; }
  const AttributePlan& scopes_plan() const { return scopes_.plan; }
  TableWriter* scopes_file() { return scopes_.file.get(); }

 private:
  Error WriteResources(const std::vector<RowRef>& rows);
  Error WriteScopes(const std::vector<RowRef>& rows);
  const model::SpanBatch& batch(RowRef ref) const { return *batches_[ref.batch]; }

  std::span<const model::SpanBatch* const> batches_;
  StringTranslator* strings_;
  BlockWriterOptions options_;
  AttributedTable resources_;
  AttributedTable scopes_;
  OverflowRows overflow_;
  ColumnFiller filler_;
};

}  // namespace weft::block
