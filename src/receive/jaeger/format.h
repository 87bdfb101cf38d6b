// What is sent to Jaeger's collector: POST /api/traces with a Batch in Thrift (jaeger.thrift), and
// the gRPC method jaeger.api_v2.CollectorService/PostSpans.
#pragma once

#include <memory>

#include "receive/grpc_receiver.h"
#include "receive/posted_receiver.h"

namespace weft::receive::jaeger {

std::unique_ptr<PostedFormat> MakePostedFormat();
// A request of which some spans were refused is INVALID_ARGUMENT, after the others were stored.
std::unique_ptr<GrpcFormat> MakeGrpcFormat();

}  // namespace weft::receive::jaeger
