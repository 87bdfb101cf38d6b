// Deletion: the record of a request to delete spans: the report that is kept for ever and, until
// compaction has rewritten the blocks, the rows that do not count any more.
//
// What is deleted is hidden by whole traces: the record names the rows of every trace that loses a
// span, and what such traces keep has been written to a block of its own before
// (BlockMeta::deletion names the record). So the one moment in which the record becomes durable
// hides everything. docs/block-format.md describes the file. It holds nothing of what the spans
// said.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time_range.h"
#include "block/row_set.h"
#include "model/span_sink.h"

namespace weft::block {

struct Deletion {
  static constexpr uint32_t kFormatVersion = 1;

  // The report.
  std::string id;  // as block ids, see NewBlockId
  model::TenantId tenant;
  uint64_t created_ns = 0;
  std::string requested_by;     // what whoever asked says of themselves; may be empty
  std::string query;            // its values replaced by `?`; empty for trace ids
  uint64_t trace_id_count = 0;  // ids asked for; 0 for a query
  TimeRange range;
  uint64_t span_count = 0;         // deleted
  uint64_t trace_count = 0;        // that lost spans
  uint64_t block_count = 0;        // that held them
  uint64_t unreadable_blocks = 0;  // damaged, and so not looked into
  uint64_t done_ns = 0;            // when the last byte was gone; 0 while some is there

  // Rows of spans.parquet of these blocks do not count any more. Empty once done.
  struct Part {
    std::string block_id;
    RowSet rows;
  };
  std::vector<Part> parts;

  bool done() const { return done_ns != 0; }

  // The text ends with a checksum of itself, which FromJson verifies: kCorrupt when it is not what
  // was written, kUnsupported for a format version of a later weft.
  std::string ToJson() const;
  static Result<Deletion> FromJson(std::string_view json);
};

}  // namespace weft::block
