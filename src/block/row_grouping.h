// Which traces share a row group, and in which order their rows stand.
//
// 1. Traces are taken by their start time; a row group ends when the next trace would make it
//    larger than asked, so that it covers a narrow span of time. A trace is never split.
// 2. Inside a row group traces with the same root service and root name stand together, then by
//    start: like values beside like compress, and a column's nulls come in runs.
// The order depends on the content alone, not on the order of the input.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "block/block.h"
#include "model/ids.h"
#include "model/string_table.h"

namespace weft::block {

struct TraceGroup {
  std::vector<uint32_t> traces;  // indexes into what was grouped
  uint32_t row_count = 0;
};

// A trace as grouping sees it.
struct TraceToGroup {
  model::TraceId id;
  uint64_t start_ns = 0;
  model::Code operation = 0;  // of its first row, see OperationText
  uint32_t row_count = 0;
};
// `operations` are what the codes stand for.
std::vector<TraceGroup> GroupTraces(std::span<const TraceToGroup> traces,
                                    const model::StringTable& operations, uint32_t rows_max);
std::vector<TraceGroup> GroupTraces(const BlockInput& input, uint32_t rows_max);

// What orders operations: service and name of a trace's first row.
void SetOperationText(std::string_view service, std::string_view name, std::string* out);

// service.name of each resource of each batch, looked up once.
class ServiceNames {
 public:
  explicit ServiceNames(const std::vector<const model::SpanBatch*>& batches);

  std::string_view Of(uint32_t batch, uint32_t resource) {
    std::vector<model::Code>& codes = codes_[batch];
    if (codes.empty()) LookUp(batch);
    return (*batches_)[batch]->strings[codes[resource]];
  }

 private:
  void LookUp(uint32_t batch);

  const std::vector<const model::SpanBatch*>* batches_;
  std::vector<std::vector<model::Code>> codes_;
};

}  // namespace weft::block
