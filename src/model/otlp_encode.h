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
// How long the field of one span is, its tag and length included. Costs a fraction of encoding it.
uint64_t OtlpProtoBytes(const SpanBatch& batch, uint32_t span);
void EncodeOtlpJson(const SpanBatch& batch, std::span<const uint32_t> rows, std::string* out);

// Appends the array of ResourceSpans alone, `[{...},...]`, in the manner of Go's jsonpb: ids in
// base64, enumerators by their names, numbers that are zero left out, and a status for every span.
// So writes Grafana Tempo.
void EncodeOtlpJsonpb(const SpanBatch& batch, std::span<const uint32_t> rows, std::string* out);

// All spans.
std::string EncodeOtlpProto(const SpanBatch& batch);
std::string EncodeOtlpJson(const SpanBatch& batch);

}  // namespace weft::model
