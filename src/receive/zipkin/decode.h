// Zipkin's formats into a SpanBatch: JSON of version 2 and 1, protobuf of version 2, Thrift of
// version 1 (zipkin-api: zipkin2-api.yaml, zipkin-api.yaml, zipkin.proto, zipkinCore.thrift).
//
// Spans with invalid ids are counted in `rejected` and left out; a body that can't be read at all
// is kInvalidArgument, one with too many elements kTooLarge, and then `batch` is of no use. An
// empty body is a list of no spans. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "model/span_batch.h"
#include "receive/batch_builder.h"
#include "receive/rejected_spans.h"

namespace weft::receive::zipkin {

// `batch` and `rejected` are empty. The memory of `body` is padded for the parser, its text stays.
Error DecodeJson(std::string* body, const DecodeLimits& limits, model::SpanBatch* batch,
                 RejectedSpans* rejected);
Error DecodeJsonV1(std::string* body, const DecodeLimits& limits, model::SpanBatch* batch,
                   RejectedSpans* rejected);
Error DecodeProto(std::string_view body, const DecodeLimits& limits, model::SpanBatch* batch,
                  RejectedSpans* rejected);
Error DecodeThriftV1(std::string_view body, const DecodeLimits& limits, model::SpanBatch* batch,
                     RejectedSpans* rejected);

}  // namespace weft::receive::zipkin
