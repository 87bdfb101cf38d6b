// What the metrics that are made of spans are called: names, labels and latency buckets, those of
// Grafana Tempo's metrics generator. The same for what is counted on arrival (generate/) and what
// is counted of stored spans when somebody asks (query/prometheus/).
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace weft::model {

// --- names
inline constexpr std::string_view kCallsTotal = "traces_spanmetrics_calls_total";
inline constexpr std::string_view kSizeTotal = "traces_spanmetrics_size_total";  // bytes as OTLP
inline constexpr std::string_view kLatency = "traces_spanmetrics_latency";  // histogram, seconds
inline constexpr std::string_view kTargetInfo = "traces_target_info";

// Of calls between services.
inline constexpr std::string_view kGraphRequests = "traces_service_graph_request_total";
inline constexpr std::string_view kGraphFailed = "traces_service_graph_request_failed_total";
inline constexpr std::string_view kGraphServer = "traces_service_graph_request_server_seconds";
inline constexpr std::string_view kGraphClient = "traces_service_graph_request_client_seconds";

// --- labels of span metrics, before those of dimensions
inline constexpr std::string_view kServiceLabel = "service";
inline constexpr std::string_view kSpanNameLabel = "span_name";
inline constexpr std::string_view kSpanKindLabel = "span_kind";
inline constexpr std::string_view kStatusCodeLabel = "status_code";
// The label, with the value "true", of the series in which everything is counted that found no
// place.
inline constexpr std::string_view kOverflowLabel = "metric_overflow";

// "SPAN_KIND_SERVER", "STATUS_CODE_ERROR"; unspecified and unset for numbers that OTLP has not.
std::string_view SpanKindText(uint8_t kind);
std::string_view StatusCodeText(uint8_t status);

// Upper bounds of latency buckets: `first_ns`, its double, ... `count` of them, and infinity.
struct LatencyBounds {
  static constexpr uint32_t kCountMax = 14;

  uint64_t first_ns;
  uint32_t count;

  // From 0 to count, which is that of infinity. A bound belongs to its bucket; negative durations
  // count as 0.
  uint32_t BucketOf(int64_t duration_ns) const {
    if (duration_ns <= static_cast<int64_t>(first_ns)) return 0;
    const auto above = (static_cast<uint64_t>(duration_ns) - 1) / first_ns;
    const auto bucket = static_cast<uint32_t>(std::bit_width(above));
    return bucket < count ? bucket : count;
  }
  // The label `le` of a bucket: "0.002", "+Inf".
  std::string Text(uint32_t bucket) const;
};
inline constexpr LatencyBounds kSpanLatencyBounds{2'000'000, 14};  // 2 ms to 16.384 s

inline constexpr LatencyBounds kGraphLatencyBounds{100'000'000, 8};  // 100 ms to 12.8 s

// An attribute, of the span or else of its resource, that becomes a label.
struct SpanDimension {
  std::string key;
  std::string label;
};
inline constexpr size_t kDimensionsMax = 16;

// Labels are the keys with everything but [A-Za-z0-9_] as '_', and with "__" before those that
// would be one of the labels above. kInvalidArgument for an empty key, for two keys with one label,
// and for more than kDimensionsMax.
Result<std::vector<SpanDimension>> SpanDimensions(const std::vector<std::string>& keys);

// A key as a label's name: [A-Za-z_][A-Za-z0-9_]*, "_" where nothing is left.
std::string LabelName(std::string_view key);
// A text as a label's value: at most 2048 bytes of it, whole characters, and U+FFFD for bytes that
// are no UTF-8.
std::string LabelValue(std::string_view text);
// Numbers as a label's value: the shortest text that reads back as the same number.
std::string LabelValue(double number);

}  // namespace weft::model
