#include "block/attributed_table.h"

namespace weft::block {

std::vector<ColumnSpec> ColumnsOf(std::string_view file, std::span<const ColumnSpec> attributes) {
  const std::span<const ColumnSpec> fixed = FixedColumns(file);
  std::vector<ColumnSpec> columns(fixed.begin(), fixed.end());
  columns.insert(columns.end(), attributes.begin(), attributes.end());
  return columns;
}

void AttributedTable::Open(std::span<const model::SpanBatch* const> batches,
                           StringTranslator* strings, const BlockWriterOptions& options) {
  plan.Choose();
  pivot.emplace(&plan, batches, strings);
  file = std::make_unique<TableWriter>(ColumnsOf(FileOf(scope), plan.columns()), options);
}

Error AttributedTable::WriteAttributes(std::span<const RowRef> owners, uint64_t first_row,
                                       OverflowRows* overflow) {
  pivot->Run(owners, first_row, overflow);
  for (uint32_t c = 0; c < plan.columns().size(); ++c) {
    WEFT_RETURN_IF_ERROR(file->WriteColumn(pivot->values(c)));
  }
  return Error::Ok();
}

}  // namespace weft::block
