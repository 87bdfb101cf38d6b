// OTLP/JSON (ProtoJSON with the exceptions of the OTLP specification, section "JSON Protobuf
// Encoding") into a SpanBatch. The same result as DecodeTraces gives for the same spans in
// protobuf.
//
// Accepted beyond the letter: snake_case names, enumerators by name, 64-bit integers as numbers,
// hex in any case, surrogates cut in half (they become U+FFFD). Null is not set; unknown members
// are ignored. Any thread.
#pragma once

#include <string>

#include "base/error.h"
#include "model/span_batch.h"
#include "receive/batch_builder.h"
#include "receive/rejected_spans.h"

namespace weft::receive::otlp {

// As DecodeTraces. The memory of `body` is padded in place, its text is not changed. An empty body
// is an empty request.
Error DecodeTracesJson(std::string* body, const DecodeLimits& limits, model::SpanBatch* batch,
                       RejectedSpans* rejected);

}  // namespace weft::receive::otlp
