// Jaeger's formats into a SpanBatch (jaeger-idl: jaeger.thrift, agent.thrift,
// api_v2/collector.proto).
//
// Spans with invalid ids are counted in `rejected` and left out; bytes that can't be read at all
// are kInvalidArgument, those with too many elements kTooLarge, and then `batch` is of no use.
// `batch` and `rejected` are empty. Any thread.
#pragma once

#include <string_view>

#include "base/error.h"
#include "model/span_batch.h"
#include "receive/batch_builder.h"
#include "receive/rejected_spans.h"
#include "receive/thrift_reader.h"

namespace weft::receive::jaeger {

// A bare struct `Batch` in the binary protocol: what is posted over HTTP.
Error DecodeThrift(std::string_view bytes, const DecodeLimits& limits, model::SpanBatch* batch,
                   RejectedSpans* rejected);
// The call Agent.emitBatch(batch): what is sent over UDP.
Error DecodeThriftCall(std::string_view bytes, ThriftProtocol protocol, const DecodeLimits& limits,
                       model::SpanBatch* batch, RejectedSpans* rejected);
// jaeger.api_v2.PostSpansRequest.
Error DecodeProto(std::string_view bytes, const DecodeLimits& limits, model::SpanBatch* batch,
                  RejectedSpans* rejected);

}  // namespace weft::receive::jaeger
