// Column specs as the Parquet library's schema, and back.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include <parquet/schema.h>

#include "base/error.h"
#include "block/schema.h"

namespace weft::block {

// Keys of the Parquet key-value metadata.
inline constexpr char kFormatVersionKey[] = "weft.format_version";
// For each row group of the file the row group of spans.parquet it belongs to, separated by
// spaces; `-` for rows that belong to the whole block.
inline constexpr char kSpanRowGroupsKey[] = "weft.span_row_groups";
// The CRC-32C of each Bloom filter with its header, by row group and column, in decimal, separated
// by spaces; left out where there are none.
inline constexpr char kFilterChecksumsKey[] = "weft.bloom_filter_crc32c";

std::shared_ptr<parquet::schema::GroupNode> MakeParquetSchema(std::span<const ColumnSpec> columns);

// kCorrupt when a column has a type that weft does not write.
Result<std::vector<ColumnSpec>> ReadParquetSchema(const parquet::SchemaDescriptor& schema);

}  // namespace weft::block
