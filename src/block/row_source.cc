#include "block/row_source.h"

#include "block/column_assembler.h"

namespace weft::block {

Result<std::vector<PackedColumnPtr>> RowGroup::ReadAttributeValues(Scope scope,
                                                                   std::string_view key) const {
  WEFT_ASSIGN_OR_RETURN(const auto columns, ReadAttribute(scope, key));
  std::vector<PackedColumnPtr> out;
  for (const ColumnPtr& column : columns) {
    out.push_back(std::make_shared<PackedColumn>(Pack(*column)));
  }
  return out;
}

}  // namespace weft::block
