// How much a request of logs or metrics holds: what its sender is told was not stored. Any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "receive/otlp/response.h"

namespace weft::receive::otlp {

// Log records of an ExportLogsServiceRequest, or data points of an ExportMetricsServiceRequest.
// kInvalidArgument when the body is not the message. `signal` is kLogs or kMetrics.
Result<uint64_t> CountRecords(Encoding encoding, Signal signal, std::string_view body);

}  // namespace weft::receive::otlp
