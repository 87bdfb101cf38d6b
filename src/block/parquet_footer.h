// What weft needs to know from the footer and the page index of one of its Parquet files, read once
// when a block is opened.
//
// Everything is checked before it is believed: offsets and sizes lie inside the file and do not
// overlap its tail, pages cover the rows of their row group without gap.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "block/chunk_encoder.h"
#include "block/schema.h"

namespace weft::block {

struct PagePlace {
  uint64_t offset = 0;      // of its header
  uint32_t size_bytes = 0;  // with header
  uint32_t first_row = 0;   // in its row group
};

struct ChunkPlace {
  ChunkEncoding encoding = ChunkEncoding::kPlain;
  bool compressed = false;  // zstd, else not at all
  uint32_t nulls = 0;
  uint64_t dictionary_offset = 0;   // 0: none
  uint32_t dictionary_bytes = 0;    // with header
  uint64_t uncompressed_bytes = 0;  // of all pages together
  uint64_t filter_offset = 0;       // of its Bloom filter; 0: none
  uint32_t filter_bytes = 0;        // with header
  uint32_t filter_crc32c = 0;
  std::vector<PagePlace> pages;
};

struct FileRowGroup {
  uint32_t row_count = 0;
  uint64_t first_row = 0;          // in the file
  int32_t span_row_group = -1;     // of spans.parquet; -1: of the whole block
  std::vector<ChunkPlace> chunks;  // one per column
};

struct ParquetFooter {
  std::vector<ColumnSpec> columns;
  std::vector<FileRowGroup> row_groups;
};

// `tail` is the end of a file of `file_bytes` bytes, from the page index on.
Result<ParquetFooter> ReadParquetFooter(std::string_view tail, uint64_t file_bytes);

}  // namespace weft::block
