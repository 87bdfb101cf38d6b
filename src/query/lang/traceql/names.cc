#include "query/lang/traceql/names.h"

#include <algorithm>
#include <array>
#include <limits>

namespace weft::query::lang::traceql {
namespace {

using plan::Property;

struct Spelling {
  std::string_view name;
  Property property;
};
// The canonical spelling of a property comes first.
constexpr std::array<Spelling, 29> kIntrinsics{{
    {"duration", Property::kDuration},
    {"span:duration", Property::kDuration},
    {"name", Property::kName},
    {"span:name", Property::kName},
    {"status", Property::kStatus},
    {"span:status", Property::kStatus},
    {"statusMessage", Property::kStatusMessage},
    {"span:statusMessage", Property::kStatusMessage},
    {"kind", Property::kKind},
    {"span:kind", Property::kKind},
    {"span:id", Property::kSpanId},
    {"span:parentID", Property::kParentSpanId},
    {"span:childCount", Property::kChildCount},
    {"nestedSetLeft", Property::kNestedSetLeft},
    {"nestedSetRight", Property::kNestedSetRight},
    {"nestedSetParent", Property::kNestedSetParent},
    {"trace:id", Property::kTraceId},
    {"traceDuration", Property::kTraceDuration},
    {"trace:duration", Property::kTraceDuration},
    {"rootName", Property::kRootName},
    {"trace:rootName", Property::kRootName},
    {"rootServiceName", Property::kRootServiceName},
    {"trace:rootService", Property::kRootServiceName},
    {"event:name", Property::kEventName},
    {"event:timeSinceStart", Property::kEventTimeSinceStart},
    {"link:traceID", Property::kLinkTraceId},
    {"link:spanID", Property::kLinkSpanId},
    {"instrumentation:name", Property::kScopeName},
    {"instrumentation:version", Property::kScopeVersion},
}};

constexpr std::array<std::string_view, 3> kStatuses{"unset", "ok", "error"};
constexpr std::array<std::string_view, 6> kKinds{"unspecified", "internal", "server",
                                                 "client",      "producer", "consumer"};
constexpr std::array<std::string_view, 5> kAggregates{"count", "min", "max", "avg", "sum"};
constexpr std::array<std::string_view, 9> kMetrics{
    "rate",          "count_over_time",     "min_over_time",      "max_over_time", "sum_over_time",
    "avg_over_time", "histogram_over_time", "quantile_over_time", "compare"};

constexpr std::array<std::string_view, 43> kFieldWords{"duration",
                                                       "name",
                                                       "status",
                                                       "statusMessage",
                                                       "kind",
                                                       "rootName",
                                                       "rootServiceName",
                                                       "traceDuration",
                                                       "span:id",
                                                       "span:parentID",
                                                       "span:childCount",
                                                       "span:duration",
                                                       "span:name",
                                                       "span:status",
                                                       "span:statusMessage",
                                                       "span:kind",
                                                       "trace:id",
                                                       "trace:duration",
                                                       "trace:rootName",
                                                       "trace:rootService",
                                                       "event:name",
                                                       "event:timeSinceStart",
                                                       "link:traceID",
                                                       "link:spanID",
                                                       "instrumentation:name",
                                                       "instrumentation:version",
                                                       "nestedSetLeft",
                                                       "nestedSetRight",
                                                       "nestedSetParent",
                                                       "true",
                                                       "false",
                                                       "nil",
                                                       "error",
                                                       "ok",
                                                       "unset",
                                                       "server",
                                                       "client",
                                                       "internal",
                                                       "producer",
                                                       "consumer",
                                                       "unspecified",
                                                       "minInt",
                                                       "maxInt"};
constexpr std::array<std::string_view, 21> kStageWords{"by",
                                                       "select",
                                                       "coalesce",
                                                       "count",
                                                       "min",
                                                       "max",
                                                       "avg",
                                                       "sum",
                                                       "rate",
                                                       "count_over_time",
                                                       "min_over_time",
                                                       "max_over_time",
                                                       "sum_over_time",
                                                       "avg_over_time",
                                                       "histogram_over_time",
                                                       "quantile_over_time",
                                                       "compare",
                                                       "topk",
                                                       "bottomk",
                                                       "critical_path",
                                                       "what_if"};
constexpr std::array<std::string_view, 16> kHints{"most_recent",
                                                  "sample",
                                                  "span_sample",
                                                  "trace_sample",
                                                  "exemplars",
                                                  "extrapolate",
                                                  "job_size",
                                                  "time_overlap_cutoff",
                                                  "concurrent_blocks",
                                                  "debug",
                                                  "info",
                                                  "debug_return_in",
                                                  "debug_std_dev",
                                                  "debug_data_factor",
                                                  "skip_ast_transformations",
                                                  "spanonly_fetch"};

template <size_t N>
std::optional<int64_t> IndexOf(const std::array<std::string_view, N>& names,
                               std::string_view word) {
  const auto found = std::find(names.begin(), names.end(), word);
  if (found == names.end()) return std::nullopt;
  return found - names.begin();
}

Literal NumberLiteral(LiteralType type, int64_t number) { return {type, number, 0, {}}; }

}  // namespace

std::optional<Property> IntrinsicNamed(std::string_view word) {
  for (const Spelling& s : kIntrinsics) {
    if (s.name == word) return s.property;
  }
  return std::nullopt;
}

std::string_view IntrinsicName(Property property) {
  for (const Spelling& s : kIntrinsics) {
    if (s.property == property) return s.name;
  }
  return {};
}

std::optional<Literal> LiteralNamed(std::string_view word) {
  using Limits = std::numeric_limits<int64_t>;
  if (word == "nil") return Literal();
  if (word == "true" || word == "false") return NumberLiteral(LiteralType::kBool, word == "true");
  if (word == "minInt") return NumberLiteral(LiteralType::kInt, Limits::min());
  if (word == "maxInt") return NumberLiteral(LiteralType::kInt, Limits::max());
  if (const auto status = IndexOf(kStatuses, word))
    return NumberLiteral(LiteralType::kStatus, *status);
  if (const auto kind = IndexOf(kKinds, word)) return NumberLiteral(LiteralType::kKind, *kind);
  return std::nullopt;
}

std::string_view StatusName(int64_t status) { return kStatuses[static_cast<size_t>(status)]; }
std::string_view KindName(int64_t kind) { return kKinds[static_cast<size_t>(kind)]; }

std::span<const std::string_view> FieldWords() { return kFieldWords; }
std::span<const std::string_view> StageWords() { return kStageWords; }
std::span<const std::string_view> HintNames() { return kHints; }

bool IsAggregate(std::string_view word) { return IndexOf(kAggregates, word).has_value(); }
bool IsMetric(std::string_view word) { return IndexOf(kMetrics, word).has_value(); }
bool IsPath(std::string_view word) { return word == "critical_path" || word == "what_if"; }

}  // namespace weft::query::lang::traceql
