// What OTLP receivers answer, in the encoding of the request.
//
// Export*ServiceResponse with its partial success (collector/*/v1), and google.rpc.Status with
// RetryInfo and BadRequest details for everything that is not a success.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace weft::receive::otlp {

enum class Encoding : uint8_t { kProtobuf, kJson };
enum class Signal : uint8_t { kTraces, kLogs, kMetrics };

// "application/x-protobuf" or "application/json".
std::string_view ContentTypeOf(Encoding encoding);

// A success; `rejected` and `message` as in partial_success: both empty for a full one, a message
// alone is a warning. The sender must not send what was rejected again.
std::string EncodeExportResponse(Encoding encoding, Signal signal, uint64_t rejected,
                                 std::string_view message);

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

}  // namespace weft::receive::otlp
