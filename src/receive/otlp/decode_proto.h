// OTLP's ExportTraceServiceRequest (and TracesData, which has the same wire form) into a SpanBatch.
//
// Field numbers: opentelemetry-proto, trace.v1, common.v1, resource.v1. Everything is kept but
// entity refs and what is unknown. Strings are not checked to be UTF-8. Any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "model/span_batch.h"
#include "receive/batch_builder.h"
#include "receive/rejected_spans.h"

namespace weft::receive::otlp {

// Decodes in one pass into `batch`, which must be empty. Spans with faults of their own are left
// out and counted in `rejected`. kInvalidArgument when the bytes are not the message, kTooLarge
// when they hold more elements than the limits allow; `batch` is then not to be used.
Error DecodeTraces(std::string_view bytes, const DecodeLimits& limits, model::SpanBatch* batch,
                   RejectedSpans* rejected);

}  // namespace weft::receive::otlp
