// google.rpc.Status with its RetryInfo and BadRequest details: what a receiver answers over gRPC,
// and OTLP's over HTTP, when it is not a success.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace weft::receive {

enum class Encoding : uint8_t { kProtobuf, kJson };

// "application/x-protobuf" or "application/json".
std::string_view ContentTypeOf(Encoding encoding);

// The number of a canonical gRPC status (google.rpc.Code).
enum class RpcCode : uint8_t {
  kOk = 0,
  kCancelled = 1,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kResourceExhausted = 8,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
};
RpcCode RpcCodeOf(const Error& error);
// "INVALID_ARGUMENT".
std::string_view RpcCodeName(RpcCode code);

// google.rpc.Status of an error: RetryInfo when it has a retry time, BadRequest when the request is
// at fault.
std::string EncodeStatus(Encoding encoding, RpcCode code, const Error& error);

}  // namespace weft::receive
