#include "block/parquet_schema.h"

#include <optional>

#include <parquet/types.h>

namespace weft::block {
namespace {

using parquet::LogicalType;
using parquet::Type;

struct ParquetType {
  Type::type physical;
  std::shared_ptr<const LogicalType> logical;
  int length = -1;
};

ParquetType TypeOf(ColumnKind kind) {
  switch (kind) {
    case ColumnKind::kString: return {Type::BYTE_ARRAY, LogicalType::String()};
    case ColumnKind::kJson: return {Type::BYTE_ARRAY, LogicalType::JSON()};
    case ColumnKind::kBytes: return {Type::BYTE_ARRAY, LogicalType::None()};
    case ColumnKind::kUuid: return {Type::FIXED_LEN_BYTE_ARRAY, LogicalType::UUID(), 16};
    case ColumnKind::kId16: return {Type::FIXED_LEN_BYTE_ARRAY, LogicalType::None(), 16};
    case ColumnKind::kId8: return {Type::FIXED_LEN_BYTE_ARRAY, LogicalType::None(), 8};
    case ColumnKind::kInt32: return {Type::INT32, LogicalType::None()};
    case ColumnKind::kUint32: return {Type::INT32, LogicalType::Int(32, /*is_signed=*/false)};
    case ColumnKind::kInt64: return {Type::INT64, LogicalType::None()};
    case ColumnKind::kTimestamp:
      return {Type::INT64,
              LogicalType::Timestamp(/*is_adjusted_to_utc=*/true, LogicalType::TimeUnit::NANOS)};
    case ColumnKind::kDouble: return {Type::DOUBLE, LogicalType::None()};
    case ColumnKind::kBool: return {Type::BOOLEAN, LogicalType::None()};
  }
  return {Type::BYTE_ARRAY, LogicalType::None()};
}

std::optional<ColumnKind> ByteArrayKind(const LogicalType& logical) {
  if (logical.is_string()) return ColumnKind::kString;
  if (logical.is_JSON()) return ColumnKind::kJson;
  if (logical.is_none()) return ColumnKind::kBytes;
  return std::nullopt;
}

std::optional<ColumnKind> FixedKind(const LogicalType& logical, int length) {
  if (length == 16) return logical.is_UUID() ? ColumnKind::kUuid : ColumnKind::kId16;
  if (length == 8) return ColumnKind::kId8;
  return std::nullopt;
}

std::optional<ColumnKind> KindOf(const parquet::ColumnDescriptor& column) {
  const LogicalType& logical = *column.logical_type();
  switch (column.physical_type()) {
    case Type::BYTE_ARRAY: return ByteArrayKind(logical);
    case Type::FIXED_LEN_BYTE_ARRAY: return FixedKind(logical, column.type_length());
    case Type::INT32: return logical.is_int() ? ColumnKind::kUint32 : ColumnKind::kInt32;
    case Type::INT64: return logical.is_timestamp() ? ColumnKind::kTimestamp : ColumnKind::kInt64;
    case Type::DOUBLE: return ColumnKind::kDouble;
    case Type::BOOLEAN: return ColumnKind::kBool;
    default: return std::nullopt;
  }
}

}  // namespace

std::shared_ptr<parquet::schema::GroupNode> MakeParquetSchema(std::span<const ColumnSpec> columns) {
  parquet::schema::NodeVector fields;
  fields.reserve(columns.size());
  for (const ColumnSpec& column : columns) {
    const ParquetType type = TypeOf(column.kind);
    const auto repetition =
        column.optional ? parquet::Repetition::OPTIONAL : parquet::Repetition::REQUIRED;
    fields.push_back(parquet::schema::PrimitiveNode::Make(column.name, repetition, type.logical,
                                                          type.physical, type.length));
  }
  return std::static_pointer_cast<parquet::schema::GroupNode>(
      parquet::schema::GroupNode::Make("schema", parquet::Repetition::REQUIRED, fields));
}

Result<std::vector<ColumnSpec>> ReadParquetSchema(const parquet::SchemaDescriptor& schema) {
  std::vector<ColumnSpec> columns;
  for (int i = 0; i < schema.num_columns(); ++i) {
    const parquet::ColumnDescriptor& column = *schema.Column(i);
    const std::optional<ColumnKind> kind = KindOf(column);
    if (!kind || column.max_repetition_level() != 0 || column.max_definition_level() > 1) {
      return Error(ErrorCode::kCorrupt,
                   "column " + column.name() + " has a type that weft does not write");
    }
    columns.push_back({column.name(), *kind, column.max_definition_level() == 1});
  }
  return columns;
}

}  // namespace weft::block
