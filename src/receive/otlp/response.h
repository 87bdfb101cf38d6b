// What OTLP receivers answer to a success, in the encoding of the request:
// Export*ServiceResponse with its partial success (collector/*/v1).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "receive/rpc_status.h"

namespace weft::receive::otlp {

enum class Signal : uint8_t { kTraces, kLogs, kMetrics };

// What senders of logs and metrics are told.
const char* NotStored(Signal signal);

// A success; `rejected` and `message` as in partial_success: both empty for a full one, a message
// alone is a warning. The sender must not send what was rejected again.
std::string EncodeExportResponse(Encoding encoding, Signal signal, uint64_t rejected,
                                 std::string_view message);

}  // namespace weft::receive::otlp
