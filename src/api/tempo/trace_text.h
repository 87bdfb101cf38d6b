// One trace in the forms of Tempo's API.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "api/trace_columns.h"
#include "model/ids.h"
#include "model/span_batch.h"

namespace weft::api::tempo {

// Puts the attributes of every span, event, link, resource and scope in the order of their keys, as
// Tempo gives them.
void SortAttributes(model::SpanBatch* batch);

// Which spans of a trace an answer holds, and what it says about that.
struct TraceAnswer {
  const OrderedTrace* trace = nullptr;
  std::span<const uint32_t> rows;  // of the batch
  std::string partial;             // why these are not all; empty when they are

  const model::SpanBatch& batch() const { return *trace->batch; }
};

// {"batches":[...]} and opentelemetry.proto.trace.v1.TracesData.
std::string EncodeV1Json(const TraceAnswer& answer);
std::string EncodeV1Proto(const TraceAnswer& answer);
// tempopb.TraceByIDResponse; the trace is empty when `answer` has no rows.
std::string EncodeV2Json(const TraceAnswer& answer);
std::string EncodeV2Proto(const TraceAnswer& answer);
// The shape for language models: grouped by service, attributes as plain members.
std::string EncodeLlm(const TraceAnswer& answer, model::TraceId id);

}  // namespace weft::api::tempo
