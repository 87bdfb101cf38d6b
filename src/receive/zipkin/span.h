// A span as Zipkin's formats have it (zipkin-api: zipkin2-api.yaml, zipkin.proto), its strings
// interned in the batch that it will stand in.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "model/ids.h"
#include "model/span_batch.h"
#include "receive/rejected_spans.h"

namespace weft::receive::zipkin {

struct Endpoint {
  model::Code service = 0;
  model::Code ipv4 = 0;  // as text
  model::Code ipv6 = 0;
  uint32_t port = 0;

  bool empty() const { return service == 0 && ipv4 == 0 && ipv6 == 0 && port == 0; }
};

struct Annotation {
  uint64_t time_us = 0;
  model::Code value = 0;
};

struct Tag {
  model::Code key = 0;
  model::Code value = 0;
};

// The ids that all versions have. `fault` is set by whoever reads them.
struct SpanIds {
  model::TraceId trace_id;
  model::SpanId span_id;
  model::SpanId parent_id;
  std::optional<RejectReason> fault;
};

struct Span {
  SpanIds ids;
  model::SpanKind kind = model::SpanKind::kUnspecified;
  model::Code name = 0;
  uint64_t time_us = 0;  // 0: not known
  uint64_t duration_us = 0;
  Endpoint local;
  Endpoint remote;
  std::vector<Annotation> annotations;
  std::vector<Tag> tags;
  bool debug = false;
  bool shared = false;

  // For the next span; keeps the memory.
  void Clear();
};

}  // namespace weft::receive::zipkin
