// TableReader: one Parquet file of a block, opened.
//
// Columns are decoded when asked for: whole ones go through the block's cache, some rows of one
// read only the pages that hold them. Every page's checksum is verified before its content is
// looked at; what does not hold is kCorrupt and names file, column and rows.
// Thread rule: any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "base/env.h"
#include "base/error.h"
#include "block/block.h"
#include "block/bloom_filter.h"
#include "block/column.h"
#include "block/column_assembler.h"
#include "block/column_cache.h"
#include "block/parquet_footer.h"

namespace weft::block {

// Counts the bytes that a reader fetches from files; null counts nothing.
using ByteCounter = std::atomic<uint64_t>;

class TableReader {
 public:
  struct Options {
    bool verify_checksums = true;  // off only in fuzzers, to get past them
    // A row group that claims more is refused: a few bytes can stand for any number of equal rows.
    uint32_t rows_max = 1u << 28;
  };

  static Result<std::shared_ptr<const TableReader>> Open(std::unique_ptr<ReadableFile> file,
                                                         const FileMeta& meta,
                                                         std::shared_ptr<ColumnCache> cache,
                                                         Options options);
  ~TableReader();

  const std::string& name() const { return name_; }
  const std::vector<ColumnSpec>& columns() const { return footer_.columns; }
  const std::vector<FileRowGroup>& row_groups() const { return footer_.row_groups; }
  // The index of a column, or nothing.
  std::optional<uint32_t> FindColumn(std::string_view name) const;
  // The columns of an attribute, one per type that it has in this file.
  std::span<const uint32_t> AttributeColumns(std::string_view key) const;
  // The type of an attribute column, or of what a fixed column decodes to.
  model::ValueType TypeOf(uint32_t column) const { return shapes_[column].type; }
  // The row group whose rows belong to a row group of spans.parquet (-1: to the whole block).
  std::optional<uint32_t> RowGroupOf(int32_t span_row_group) const;
  bool AllNull(uint32_t row_group, uint32_t column) const {
    const FileRowGroup& group = footer_.row_groups[row_group];
    return group.chunks[column].nulls == group.row_count;
  }

  // Which values a column of a row group has, roughly; null where there is no filter.
  Result<std::shared_ptr<const BloomFilter>> FilterOf(uint32_t row_group, uint32_t column,
                                                      ByteCounter* bytes) const;
  // The dictionary of a column of a row group; null when its values are stored one by one.
  Result<std::shared_ptr<const Dictionary>> DictionaryOf(uint32_t row_group, uint32_t column,
                                                         ByteCounter* bytes) const;
  // The whole column of a row group.
  Result<ColumnPtr> Read(uint32_t row_group, uint32_t column, ByteCounter* bytes) const;
  // The same, values alone; not kept in the cache. Byte strings that are stored one by one have an
  // entry of the dictionary each; UUIDs are their 16 bytes if `raw_uuids`.
  Result<PackedColumnPtr> ReadPacked(uint32_t row_group, uint32_t column, bool raw_uuids) const;
  // The same, values alone, kept in the cache.
  Result<PackedColumnPtr> ReadValues(uint32_t row_group, uint32_t column, ByteCounter* bytes) const;
  // Rows [begin, end) of it.
  Result<ColumnPtr> ReadRange(uint32_t row_group, uint32_t column, uint32_t begin, uint32_t end,
                              ByteCounter* bytes) const;
  // The same from the pages themselves, even where the footer says that no row has a value.
  Result<ColumnPtr> ReadPages(uint32_t row_group, uint32_t column, uint32_t begin,
                              uint32_t end) const;
  // Some rows of it, ascending.
  Result<ColumnPtr> ReadRows(uint32_t row_group, uint32_t column, std::span<const uint32_t> rows,
                             ByteCounter* bytes) const;

  // Hints (ReadableFile::WillRead): all columns' rows [begin, end) of a row group; the whole of
  // some columns of row groups, or of all columns if none is named.
  void WillReadRows(uint32_t row_group, uint32_t begin, uint32_t end) const;
  void WillReadColumns(std::span<const uint32_t> row_groups,
                       std::span<const uint32_t> columns) const;

  // Bytes [offset, offset + size) of the file, mapped or read.
  struct Bytes {
    std::string_view view;
    std::shared_ptr<const void> owner;  // of what is not mapped
  };
  Result<Bytes> Fetch(uint64_t offset, size_t size, ByteCounter* bytes) const;
  uint64_t size_bytes() const { return file_->size_bytes(); }

 private:
  TableReader() = default;

  Result<Bytes> FetchPage(const ChunkPlace& chunk, uint64_t offset, uint32_t size, bool dictionary,
                          uint32_t value_count, ByteCounter* bytes) const;
  Result<std::shared_ptr<const Dictionary>> ReadDictionary(const ColumnShape& shape,
                                                           uint32_t row_group, uint32_t column,
                                                           ByteCounter* bytes) const;
  Result<ColumnAssembler> Assemble(const ColumnShape& shape, uint32_t row_group, uint32_t column,
                                   uint32_t begin, uint32_t end, bool trust_nulls,
                                   ByteCounter* bytes) const;
  Error AddRows(uint32_t row_group, uint32_t column, uint32_t begin, uint32_t end,
                ColumnAssembler* assembler, ByteCounter* bytes) const;
  ColumnPtr FindWhole(uint32_t row_group, uint32_t column) const;
  ColumnShape ShapeOf(uint32_t row_group, uint32_t column) const;
  Error Explain(const Error& error, uint32_t row_group, uint32_t column, uint32_t begin,
                uint32_t end) const;

  std::string name_;
  Options options_;
  std::unique_ptr<ReadableFile> file_;
  std::shared_ptr<ColumnCache> cache_;
  uint64_t owner_ = 0;  // in the cache
  ParquetFooter footer_;
  std::vector<ColumnShape> shapes_;  // per column; the encoding is per chunk
  absl::flat_hash_map<std::string, std::vector<uint32_t>> columns_of_key_;
};

// The rows of a column that are asked for, in that order.
ColumnPtr GatherRows(const Column& column, std::span<const uint32_t> rows);

}  // namespace weft::block
