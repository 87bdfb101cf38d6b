// A span as Jaeger's formats have it (jaeger-idl: jaeger.thrift, api_v2/model.proto), its strings
// interned in the batch that it will stand in.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "model/attributes.h"
#include "model/ids.h"
#include "receive/rejected_spans.h"

namespace weft::receive::jaeger {

struct Reference {
  model::TraceId trace_id;
  model::SpanId span_id;
  bool follows_from = false;  // else it is a child of it
};

struct Log {
  uint64_t time_ns = 0;
  uint32_t field_end = 0;  // its fields are those of Span::fields from the end of the last log's
};

struct Span {
  model::TraceId trace_id;
  model::SpanId span_id;
  model::SpanId parent_id;  // of Thrift; else the references say it
  std::optional<RejectReason> fault;
  model::Code name = 0;
  uint32_t flags = 0;  // 1 sampled, 2 debug, 8 firehose
  uint64_t start_ns = 0;
  uint64_t duration_ns = 0;
  std::vector<model::Attribute> tags;
  std::vector<Reference> references;
  std::vector<Log> logs;
  std::vector<model::Attribute> fields;  // of all logs
  std::vector<model::Code> warnings;

  // For the next span; keeps the memory.
  void Clear();
};

// Who sent spans.
struct Process {
  model::Code service = 0;
  std::vector<model::Attribute> tags;
};

}  // namespace weft::receive::jaeger
