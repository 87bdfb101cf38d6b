// Batches for the tests of this room.
#pragma once

#include <memory>
#include <string>

#include "model/span_batch.h"

namespace weft::live {

struct TestSpan {
  uint64_t trace = 1;
  uint64_t id = 1;
  uint64_t parent = 0;
  uint64_t start_ns = 1000;
  uint64_t end_ns = 2000;
  std::string name = "op";
  std::string service = "web";
  int64_t number = 0;
};

// One resource per service; each span has the attributes `note` (its name again), `number`, `list`
// (an array) and one event.
inline std::unique_ptr<model::SpanBatch> MakeBatch(const std::vector<TestSpan>& spans) {
  using model::ValueType;
  auto batch = std::make_unique<model::SpanBatch>();
  model::SpanBatch& b = *batch;
  b.scopes.name.push_back(b.strings.Intern("lib"));
  b.scopes.version.push_back(0);
  b.scopes.schema_url.push_back(0);
  b.scopes.dropped_attributes.push_back(0);
  b.scopes.attribute_end.push_back(0);
  for (const TestSpan& s : spans) {
    uint32_t resource = 0;
    while (resource < b.resources.size() && b.strings[b.ServiceName(resource)] != s.service)
      ++resource;
    if (resource == b.resources.size()) {
      b.resources.attributes.Add(b.strings.Intern("service.name"), ValueType::kString,
                                 b.strings.Intern(s.service));
      b.resources.attribute_end.push_back(b.resources.attributes.size());
      b.resources.schema_url.push_back(0);
      b.resources.dropped_attributes.push_back(0);
    }
    uint32_t trace = 0;
    while (trace < b.traces.size() && b.traces[trace].low != s.trace) ++trace;
    if (trace == b.traces.size()) b.traces.push_back({0, s.trace});
    b.trace.push_back(trace);
    b.span_id.push_back({s.id});
    b.parent_span_id.push_back({s.parent});
    b.start_ns.push_back(s.start_ns);
    b.end_ns.push_back(s.end_ns);
    b.name.push_back(b.strings.Intern(s.name));
    b.kind.push_back(2);
    b.status.push_back(0);
    b.status_message.push_back(0);
    b.trace_state.push_back(0);
    b.flags.push_back(1);
    b.resource.push_back(resource);
    b.scope.push_back(0);
    b.dropped_attributes.push_back(0);
    b.dropped_events.push_back(0);
    b.dropped_links.push_back(0);
    b.attributes.Add(b.strings.Intern("note"), ValueType::kString, b.name.back());
    b.attributes.Add(b.strings.Intern("number"), ValueType::kInt, static_cast<uint64_t>(s.number));
    b.nested.Add(0, ValueType::kInt, 7);
    b.attributes.Add(b.strings.Intern("list"), ValueType::kArray,
                     model::NestedRange{b.nested.size() - 1, 1}.Pack());
    b.attribute_end.push_back(b.attributes.size());
    b.events.time_ns.push_back(s.start_ns + 1);
    b.events.name.push_back(b.strings.Intern("event"));
    b.events.dropped_attributes.push_back(0);
    b.events.attribute_end.push_back(0);
    b.event_end.push_back(b.events.size());
    b.link_end.push_back(0);
  }
  return batch;
}

}  // namespace weft::live
