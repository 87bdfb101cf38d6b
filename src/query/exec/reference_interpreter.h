// What a query means, said as plainly as possible: for tests, to compare the engine with.
//
// Works on TraceQL's tree and on one struct per span; shares no code with plan/ and the rest of
// exec/. Spans of one trace must have distinct ids and no cycles.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/time_range.h"
#include "model/span_batch.h"
#include "query/lang/traceql/tree.h"

namespace weft::query::exec {

struct PlainValue {
  enum class Type : uint8_t {
    kNil,
    kBool,
    kInt,
    kFloat,
    kText,
    kArray,
    kOpaque
  };  // kOpaque: there, and equal to nothing
  Type type = Type::kNil;
  int64_t number = 0;  // kBool, kInt
  double real = 0;
  std::string text;
  std::vector<PlainValue> elements;
};

using PlainAttributes = std::map<std::string, PlainValue>;

struct PlainEvent {
  std::string name;
  int64_t since_start_ns = 0;
  PlainAttributes attributes;
};

struct PlainLink {
  std::string trace_id, span_id;
  PlainAttributes attributes;
};

struct PlainSpan {
  model::TraceId trace;
  model::SpanId id, parent;
  uint64_t start_ns = 0;
  int64_t duration_ns = 0;
  std::string name, status_message, scope_name, scope_version;
  int64_t kind = 0, status = 0;
  PlainAttributes attributes, resource, scope;
  std::vector<PlainEvent> events;
  std::vector<PlainLink> links;
  // Of its trace and of its place there.
  uint64_t trace_start_ns = 0;
  int64_t trace_duration_ns = 0;
  std::string root_name, root_service;
  int64_t child_count = 0, left = 0, right = 0, parent_left = 0;
  const PlainSpan* parent_span = nullptr;  // one of the same vector
};

std::vector<PlainSpan> ToPlainSpans(const model::SpanBatch& batch);

// Whether `condition`, what stands inside braces, selects the span.
bool Selects(const lang::traceql::Node& condition, const PlainSpan& span);

struct PlainSpanset {
  std::vector<const PlainSpan*> spans;  // by (start, id)
  // What by() and comparisons of aggregates found out about it: `by(name)`, its value.
  std::vector<std::pair<std::string, PlainValue>> values;
};

struct PlainTrace {
  model::TraceId id;
  uint64_t start_ns = 0;
  std::vector<PlainSpanset> spansets;
};

// What a search of `query` must find, newest first.
std::vector<PlainTrace> PlainSearch(const lang::traceql::Node& query,
                                    const std::vector<PlainSpan>& spans, TimeRange range);

}  // namespace weft::query::exec
