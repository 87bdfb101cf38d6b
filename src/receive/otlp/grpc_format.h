// OTLP/gRPC: opentelemetry.proto.collector.{trace,logs,metrics}.v1.*Service/Export (OTLP
// specification, section OTLP/gRPC). It stores traces; logs and metrics get a partial success, as
// over HTTP.
#pragma once

#include <memory>

#include "receive/grpc_receiver.h"

namespace weft::receive::otlp {

std::unique_ptr<GrpcFormat> MakeGrpcFormat();

}  // namespace weft::receive::otlp
