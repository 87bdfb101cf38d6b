// CheckBlock: is a stored block what was written? Reads all of it.
//
// 1. Each file has the size and the CRC-32C that meta.json says.
// 2. Each page has its CRC and decodes; each column has as many rows as its row group.
//    Each Bloom filter has its checksum and knows every value of its column.
// 3. Traces tile the rows; parent and subtree_size are one preorder; counts, times and flags of
//    traces.parquet and meta.json are those of the spans.
// 4. Events, links, resources, scopes and attributes without a column belong to rows that exist,
//    in order; every JSON text can be read.
// Damage of one place does not hide that of another: everything that can still be read is checked.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "block/block.h"
#include "block/reader.h"

namespace weft::block {

struct CheckFinding {
  std::string file;
  std::string column;      // empty: the whole file
  uint64_t first_row = 0;  // of the file; rows [first_row, first_row + row_count), 0 rows: unknown
  uint64_t row_count = 0;
  std::string what;

  // "spans.parquet column name rows 0..8192: a page does not match its checksum"
  std::string ToText() const;
};

// Empty when the block is sound. Any thread; uses the calling thread and about 64 MiB.
std::vector<CheckFinding> CheckBlock(const BlockMeta& meta, const FileOpener& opener);

}  // namespace weft::block
