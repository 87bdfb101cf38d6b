#include "query/exec/test_spans.h"

namespace weft::query::exec {

void AddTrace(uint64_t id, uint64_t start_ns, std::string_view name, model::SpanBatch* out) {
  model::SpanBatch& b = *out;
  if (b.resources.size() == 0) {
    b.resources.schema_url.push_back(0);
    b.resources.dropped_attributes.push_back(0);
    b.resources.attribute_end.push_back(0);
    b.scopes.name.push_back(0);
    b.scopes.version.push_back(0);
    b.scopes.schema_url.push_back(0);
    b.scopes.dropped_attributes.push_back(0);
    b.scopes.attribute_end.push_back(0);
  }
  b.trace.push_back(static_cast<uint32_t>(b.traces.size()));
  b.traces.push_back({0, id});
  b.span_id.push_back({id});
  b.parent_span_id.push_back({});
  b.start_ns.push_back(start_ns);
  b.end_ns.push_back(start_ns + 1);
  b.name.push_back(b.strings.Intern(name));
  b.kind.push_back(1);
  b.status.push_back(0);
  for (auto* zeros :
       {&b.status_message, &b.trace_state, &b.flags, &b.resource, &b.scope, &b.dropped_attributes,
        &b.dropped_events, &b.dropped_links, &b.attribute_end, &b.event_end, &b.link_end}) {
    zeros->push_back(0);
  }
}

}  // namespace weft::query::exec
