// Writes traces.parquet: one row per trace.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "block/block.h"
#include "block/column_filler.h"
#include "block/table_writer.h"
#include "model/ids.h"
#include "model/string_table.h"

namespace weft::block {

// What traces.parquet says about one trace. Codes are of the string table that goes with the rows.
struct TraceRow {
  uint64_t first_row = 0;  // of spans.parquet
  uint32_t span_count = 0;
  uint32_t error_count = 0;
  uint64_t start_ns = UINT64_MAX;
  uint64_t end_ns = 0;
  model::Code root_service = 0;  // empty while no root is known
  model::Code root_name = 0;
  model::Code services = 0;  // ["a","b"]: see ServicesText
  uint32_t flags = 0;        // TraceFlag
};

class TracesWriter {
 public:
  explicit TracesWriter(const BlockWriterOptions& options);

  // Writes the row group of row group `ordinal` of spans.parquet.
  Error Write(std::span<const TraceRow> traces, int32_t ordinal, model::StringTable* strings);
  TableWriter* file() { return &file_; }

 private:
  TableWriter file_;
  ColumnFiller filler_;
};

// The code of a trace id's 16 bytes.
model::Code InternTraceId(model::TraceId id, model::StringTable* strings);

// Appends the names as a JSON array, sorted, each once; `names` is changed.
void AppendServicesText(std::vector<std::string_view>* names, std::string* out);

}  // namespace weft::block
