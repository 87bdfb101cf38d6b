// One trace as the compact columns that the UI reads: components/schemas/TraceColumns of
// proto/openapi.yaml.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/ids.h"
#include "model/preorder.h"
#include "model/span_batch.h"

namespace weft::api {

// The spans of one trace put in order: sent-twice spans left out, rows in preorder, oddities
// marked.
struct OrderedTrace {
  const model::SpanBatch* batch = nullptr;
  model::Preorder tree;   // tree.input: row -> span of the batch
  uint64_t start_ns = 0;  // of the earliest span
  uint64_t end_ns = 0;    // of the latest end; never before start_ns
  uint32_t flags =
      0;  // block::TraceFlag, as the spans show it (no kTraceFragment: spans don't know)

  uint32_t size() const { return tree.size(); }
};

// `batch` must hold well-formed spans of one trace, and outlive the answer.
OrderedTrace OrderTrace(const model::SpanBatch& batch);

// The JSON text. `flags` (block::TraceFlag) are added to those of the trace. Memory: the text and a
// few bytes a span.
std::string EncodeTraceColumns(const OrderedTrace& trace, model::TraceId id, uint32_t flags);

}  // namespace weft::api
