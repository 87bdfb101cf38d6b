// A SpanBatch as OTLP: protobuf or JSON of opentelemetry.proto.trace.v1.TracesData (the same wire
// form as ExportTraceServiceRequest).
//
// Spans are grouped by resource and then by scope, in the order in which these first appear among
// `rows`; within a scope in the order of `rows`. Decoding the result gives spans with the same
// ContentHash. Any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "model/span_batch.h"

namespace weft::model {

// Appends to `out` the spans `rows` of `batch`.
void EncodeOtlpProto(const SpanBatch& batch, std::span<const uint32_t> rows, std::string* out);
void EncodeOtlpJson(const SpanBatch& batch, std::span<const uint32_t> rows, std::string* out);

// All spans.
std::string EncodeOtlpProto(const SpanBatch& batch);
std::string EncodeOtlpJson(const SpanBatch& batch);

}  // namespace weft::model
