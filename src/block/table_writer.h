// TableWriter: one Parquet file in memory, written row group by row group and column by column.
//
// The Parquet library makes the container (page headers with CRC, page index, footer); the content
// of the pages comes from ChunkEncoder and is compressed here. One thread at a time. Columns must
// be written in the order of the schema, each once per row group.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "block/block.h"
#include "block/chunk_encoder.h"
#include "block/schema.h"

namespace weft::block {

class TableWriter {
 public:
  TableWriter(std::vector<ColumnSpec> columns, const BlockWriterOptions& options);
  ~TableWriter();

  // Room for a file of about so many bytes: a file that grows holds its memory one and a half
  // times.
  void Reserve(size_t bytes);
  const std::vector<ColumnSpec>& columns() const;

  // `span_row_group` says which row group of spans.parquet its rows belong to; kWholeBlock for rows
  // that belong to all.
  static constexpr int32_t kWholeBlock = -1;
  Error BeginRowGroup(uint32_t rows, int32_t span_row_group);
  Error WriteColumn(const ColumnValues& values);
  Error EndRowGroup();

  struct Finished {
    std::string bytes;
    uint64_t tail_bytes = 0;  // page index and footer: the end of the file
  };
  // Writes the page index and the footer. The writer is of no use afterwards.
  Result<Finished> Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft::block
