// The parameters of a request's query string, read strictly: whoever misspells a name or a value is
// told, not ignored.
//
//   WEFT_ASSIGN_OR_RETURN(auto parameters, Parameters::Read(request.query, {"q", "limit", "start",
//   "end"})); WEFT_ASSIGN_OR_RETURN(const uint32_t limit, parameters.Whole("limit", 20, 1, 1000));
//
// Every error is kInvalidArgument and names the parameter. One thread at a time.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>

#include "base/error.h"
#include "base/time_range.h"
#include "net/http_message.h"

namespace weft::api {

// Known everywhere: it is no endpoint's own (see ApiServer).
inline constexpr std::string_view kExplainParameter = "explain";

class Parameters {
 public:
  // Refuses names that are not `known` (and says which known one is nearest) and names that come
  // twice. `query` must outlive it.
  static Result<Parameters> Read(const net::HttpParameters& query,
                                 std::initializer_list<std::string_view> known);

  // As given; nothing when absent. Values over `bytes_max` are refused.
  Result<std::optional<std::string_view>> Text(std::string_view name,
                                               size_t bytes_max = 4096) const;
  // A whole number from `min` to `max`; `otherwise` when absent.
  Result<uint32_t> Whole(std::string_view name, uint32_t otherwise, uint32_t min,
                         uint32_t max) const;
  // One of `choices`; nothing when absent.
  Result<std::optional<std::string_view>> OneOf(std::string_view name,
                                                std::span<const std::string_view> choices) const;
  // `start` and `end` (see ParseTime); a missing bound does not limit. Refused when start is after
  // end.
  Result<TimeRange> Range(int64_t now_ns) const;

 private:
  explicit Parameters(const net::HttpParameters& query) : query_(&query) {}
  Result<uint64_t> Time(std::string_view name, uint64_t otherwise, int64_t now_ns) const;

  const net::HttpParameters* query_;
};

}  // namespace weft::api
