// The workload as a table of the shape that the OpenTelemetry Collector's ClickHouse exporter
// (otel_traces) inserts, for stores that take columns: ids in hex, attributes as maps from text to
// text, events and links as lists side by side.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "model/span_batch.h"

namespace arrow {
class RecordBatch;
}

namespace weft::bench {

// Collects spans. One thread.
class SpanTable {
 public:
  SpanTable();
  ~SpanTable();

  void Append(const model::SpanBatch& batch);
  uint64_t spans() const;
  // Writes what was appended since the last time as one Arrow IPC file with one record batch, not
  // compressed.
  Error WriteFile(const std::string& path);

 private:
  struct Columns;
  std::unique_ptr<Columns> columns_;
};

}  // namespace weft::bench
