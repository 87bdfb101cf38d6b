#include "block/side_tables_writer.h"

namespace weft::block {

SideTablesWriter::SideTablesWriter(std::span<const model::SpanBatch* const> batches, KeyIndex* keys,
                                   StringTranslator* strings, const BlockWriterOptions& options)
    : batches_(batches),
      strings_(strings),
      options_(options),
      resources_(Scope::kResource, batches, keys),
      scopes_(Scope::kInstrumentation, batches, keys) {}

Error SideTablesWriter::Write(const SideTable& resources, const SideTable& scopes,
                              OverflowWriter* overflow_file) {
  strings_->Clear();
  overflow_.rows.clear();
  WEFT_RETURN_IF_ERROR(WriteResources(resources.rows()));
  WEFT_RETURN_IF_ERROR(WriteScopes(scopes.rows()));
  return overflow_file->Write(overflow_, TableWriter::kWholeBlock, strings_->mutable_strings());
}

// The order of these calls is that of the enum ResourceColumn.
Error SideTablesWriter::WriteResources(const std::vector<RowRef>& rows) {
  const uint32_t count = static_cast<uint32_t>(rows.size());
  resources_.plan.Count(rows);
  resources_.Open(batches_, strings_, options_);
  if (count == 0) return Error::Ok();
  TableWriter* file = resources_.file.get();
  const auto columns = [&](uint32_t i) -> const model::ResourceColumns& {
    return batch(rows[i]).resources;
  };
  WEFT_RETURN_IF_ERROR(file->BeginRowGroup(count, TableWriter::kWholeBlock));
  WEFT_RETURN_IF_ERROR(filler_.WriteNumbers(file, count, [](uint32_t i) { return i; }));
  WEFT_RETURN_IF_ERROR(
      filler_.WriteOptionalCodes(file, count, strings_->strings(), [&](uint32_t i) {
        return strings_->Translate(rows[i].batch, columns(i).schema_url[rows[i].row]);
      }));
  WEFT_RETURN_IF_ERROR(filler_.WriteNumbers(
      file, count, [&](uint32_t i) { return columns(i).dropped_attributes[rows[i].row]; }));
  WEFT_RETURN_IF_ERROR(resources_.WriteAttributes(rows, 0, &overflow_));
  return file->EndRowGroup();
}

// The order of these calls is that of the enum ScopeColumn.
Error SideTablesWriter::WriteScopes(const std::vector<RowRef>& rows) {
  const uint32_t count = static_cast<uint32_t>(rows.size());
  scopes_.plan.Count(rows);
  scopes_.Open(batches_, strings_, options_);
  if (count == 0) return Error::Ok();
  TableWriter* file = scopes_.file.get();
  const auto columns = [&](uint32_t i) -> const model::ScopeColumns& {
    return batch(rows[i]).scopes;
  };
  const model::StringTable& strings = strings_->strings();
  WEFT_RETURN_IF_ERROR(file->BeginRowGroup(count, TableWriter::kWholeBlock));
  WEFT_RETURN_IF_ERROR(filler_.WriteNumbers(file, count, [](uint32_t i) { return i; }));
  WEFT_RETURN_IF_ERROR(filler_.WriteCodes(file, count, strings, [&](uint32_t i) {
    return strings_->Translate(rows[i].batch, columns(i).name[rows[i].row]);
  }));
  WEFT_RETURN_IF_ERROR(filler_.WriteCodes(file, count, strings, [&](uint32_t i) {
    return strings_->Translate(rows[i].batch, columns(i).version[rows[i].row]);
  }));
  WEFT_RETURN_IF_ERROR(filler_.WriteOptionalCodes(file, count, strings, [&](uint32_t i) {
    return strings_->Translate(rows[i].batch, columns(i).schema_url[rows[i].row]);
  }));
  WEFT_RETURN_IF_ERROR(filler_.WriteNumbers(
      file, count, [&](uint32_t i) { return columns(i).dropped_attributes[rows[i].row]; }));
  WEFT_RETURN_IF_ERROR(scopes_.WriteAttributes(rows, 0, &overflow_));
  return file->EndRowGroup();
}

}  // namespace weft::block
