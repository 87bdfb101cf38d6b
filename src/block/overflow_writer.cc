#include "block/overflow_writer.h"

#include <algorithm>

#include "block/schema.h"

namespace weft::block {

using model::Code;
using model::ValueType;

namespace {

std::vector<ColumnSpec> Columns() {
  const std::span<const ColumnSpec> fixed = FixedColumns(kAttributesFile);
  return {fixed.begin(), fixed.end()};
}

}  // namespace

OverflowWriter::OverflowWriter(const BlockWriterOptions& options) : file_(Columns(), options) {}

// The order of these calls is that of the enum AttributeColumnIndex.
Error OverflowWriter::Write(const OverflowRows& overflow, int32_t span_row_group,
                            model::StringTable* strings) {
  const auto& rows = overflow.rows;
  if (rows.empty()) return Error::Ok();
  const uint32_t count = static_cast<uint32_t>(rows.size());
  WEFT_RETURN_IF_ERROR(file_.BeginRowGroup(count, span_row_group));
  WEFT_RETURN_IF_ERROR(filler_.WriteCodes(&file_, count, *strings, [&](uint32_t i) {
    return strings->Intern(ScopeText(rows[i].scope));
  }));
  WEFT_RETURN_IF_ERROR(
      filler_.WriteNumbers(&file_, count, [&](uint32_t i) { return rows[i].row; }));
  WEFT_RETURN_IF_ERROR(
      filler_.WriteCodes(&file_, count, *strings, [&](uint32_t i) { return rows[i].key; }));
  WEFT_RETURN_IF_ERROR(filler_.WriteCodes(&file_, count, *strings, [&](uint32_t i) {
    return strings->Intern(model::ValueTypeName(rows[i].type));
  }));
  WEFT_RETURN_IF_ERROR(WriteValues(overflow,
                                   {ValueType::kString, ValueType::kArray, ValueType::kKvList},
                                   /*numbers=*/false, *strings));
  WEFT_RETURN_IF_ERROR(WriteValues(overflow, {ValueType::kInt}, /*numbers=*/true, *strings));
  WEFT_RETURN_IF_ERROR(WriteValues(overflow, {ValueType::kDouble}, /*numbers=*/true, *strings));
  WEFT_RETURN_IF_ERROR(WriteValues(overflow, {ValueType::kBool}, /*numbers=*/true, *strings));
  WEFT_RETURN_IF_ERROR(WriteValues(overflow, {ValueType::kBytes}, /*numbers=*/false, *strings));
  return file_.EndRowGroup();
}

// A value column: rows whose type is one of `types` have a value.
Error OverflowWriter::WriteValues(const OverflowRows& overflow,
                                  std::initializer_list<ValueType> types, bool numbers,
                                  const model::StringTable& strings) {
  const uint32_t count = static_cast<uint32_t>(overflow.rows.size());
  validity_.assign((count + 63) / 64, 0);
  codes_.clear();
  numbers_.clear();
  for (uint32_t i = 0; i < count; ++i) {
    const OverflowRows::Row& row = overflow.rows[i];
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
  values.strings = &strings;
  return file_.WriteColumn(values);
}

}  // namespace weft::block
