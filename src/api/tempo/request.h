// The parameters of a request to Tempo's API, read as Tempo reads them: unknown names are ignored,
// of a name that comes twice the first counts, an empty value is none.
//
// Every error is kInvalidArgument, in Tempo's words where these are known.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/time_range.h"
#include "model/ids.h"
#include "net/http_message.h"

namespace weft::api::tempo {

// The value; nothing when absent or empty.
std::optional<std::string_view> FindValue(const net::HttpRequest& request, std::string_view name);

// 1 to 32 hex digits.
Result<model::TraceId> ReadTraceId(std::string_view text);

// A whole number >= 0 that fits; `otherwise` when absent.
Result<uint32_t> ReadCount(const net::HttpRequest& request, std::string_view name,
                           uint32_t otherwise);

// "true", "1", ... as Go reads them; false when absent.
Result<bool> ReadBool(const net::HttpRequest& request, std::string_view name);

// A Go duration such as "1h30m" in ns; nothing when absent.
Result<std::optional<int64_t>> ReadDuration(const net::HttpRequest& request, std::string_view name);

// Spans that start from `start` to `end`, in Unix seconds, both inclusive. Without end until now;
// without start `distance_ns` back from the end, or with 0 all times before it. Refused unless
// start comes before end.
Result<TimeRange> MakeRange(std::optional<uint32_t> start, std::optional<uint32_t> end,
                            int64_t distance_ns, int64_t now_ns);

// `start` and `end`, in Unix seconds, both inclusive; `since` in place of them, a duration back
// from now. Without any of them `otherwise_ns` back from now, or with 0 all times; without one of
// them now, or `otherwise_ns` before the end. Refused unless start comes before end.
Result<TimeRange> ReadRange(const net::HttpRequest& request, int64_t now_ns, int64_t otherwise_ns);

}  // namespace weft::api::tempo
