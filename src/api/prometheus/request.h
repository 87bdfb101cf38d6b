// What a request to Prometheus' API asks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "net/http_message.h"
#include "query/prometheus/evaluator.h"

namespace weft::api::prometheus {

// The parameters of the query string, and of the body where that is a form. kInvalidArgument for a
// form that cannot be read.
Result<net::HttpParameters> ReadParameters(const net::HttpRequest& request);

std::string TextOf(const net::HttpParameters& parameters, std::string_view name);
std::vector<std::string> AllOf(const net::HttpParameters& parameters, std::string_view name);

// Unix seconds, also with a fraction, or RFC 3339; `otherwise_ms` where it is absent.
Result<int64_t> ReadTime(const net::HttpParameters& parameters, std::string_view name,
                         std::optional<int64_t> otherwise_ms);

// `time`, or now.
Result<query::prometheus::Evaluation> ReadInstant(const net::HttpParameters& parameters,
                                                  int64_t now_ms);
// `start`, `end`, `step` (a duration or seconds).
Result<query::prometheus::Evaluation> ReadRange(const net::HttpParameters& parameters);

struct Found {
  int64_t start_ms = 0;
  int64_t end_ms = 0;
};
// `start` and `end` of a question about series: the hour before the end, or before now, where they
// are absent.
Result<Found> ReadBounds(const net::HttpParameters& parameters, int64_t now_ms);

// `limit`; 0, or absent: none.
Result<size_t> ReadLimit(const net::HttpParameters& parameters);

}  // namespace weft::api::prometheus
