// What is posted to Zipkin: POST /api/v2/spans in JSON or protobuf, POST /api/v1/spans in JSON or
// Thrift (zipkin-api: zipkin2-api.yaml, zipkin-api.yaml).
#pragma once

#include <memory>

#include "receive/posted_receiver.h"

namespace weft::receive::zipkin {

std::unique_ptr<PostedFormat> MakeFormat();

}  // namespace weft::receive::zipkin
