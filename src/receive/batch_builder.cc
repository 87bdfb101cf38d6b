#include "receive/batch_builder.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace weft::receive {
namespace {

using model::Code;

constexpr size_t kFirstTraceSlots = 64;

template <typename T>
T Load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

// Whether n bytes are equal, for sizeof(T) <= n <= 2 * sizeof(T): two loads that may overlap.
template <typename T>
bool SameEnds(const char* a, const char* b, size_t n) {
  const size_t last = n - sizeof(T);
  return ((Load<T>(a) ^ Load<T>(b)) | (Load<T>(a + last) ^ Load<T>(b + last))) == 0;
}

// memcmp is a call; keys and values are short and mostly equal.
inline bool SameBytes(std::string_view x, std::string_view y) {
  size_t n = x.size();
  if (n != y.size()) return false;
  const char* a = x.data();
  const char* b = y.data();
  for (; n > 16; n -= 8, a += 8, b += 8) {
    if (Load<uint64_t>(a) != Load<uint64_t>(b)) return false;
  }
  if (n >= 8) return SameEnds<uint64_t>(a, b, n);
  if (n >= 4) return SameEnds<uint32_t>(a, b, n);
  if (n >= 2) return SameEnds<uint16_t>(a, b, n);
  return n == 0 || *a == *b;
}

}  // namespace

Error TooManyElements(const DecodeLimits& limits) {
  return {ErrorCode::kTooLarge, "the request holds more than " +
                                    std::to_string(limits.elements_max) +
                                    " attributes, elements, events and links"};
}

inline uint32_t& BatchBuilder::SlotOf(Code code, std::vector<uint32_t>* memory) {
  if (code >= memory->size()) [[unlikely]] {
    memory->resize(std::max<size_t>(code + 1, 2 * memory->size()), 0);
  }
  return (*memory)[code];
}

Code BatchBuilder::Key(std::string_view key) {
  uint32_t& guess = SlotOf(previous_key_, &next_key_);
  if (!SameBytes(batch_.strings[guess], key)) guess = batch_.strings.Intern(key);
  previous_key_ = guess;
  return previous_key_;
}

Code BatchBuilder::ValueOf(Code key, std::string_view value) {
  uint32_t& guess = SlotOf(key, &last_value_);
  if (!SameBytes(batch_.strings[guess], value)) guess = batch_.strings.Intern(value);
  return guess;
}

model::NestedRange BatchBuilder::CloseContainer(size_t opened) {
  const model::NestedRange range{batch_.nested.size(),
                                 static_cast<uint32_t>(open_elements_.size() - opened)};
  for (size_t i = opened; i < open_elements_.size(); ++i) batch_.nested.Add(open_elements_[i]);
  open_elements_.resize(opened);
  return range;
}

BatchMark BatchBuilder::Mark() const {
  return {batch_.size(),        batch_.attributes.size(),
          batch_.events.size(), batch_.events.attributes.size(),
          batch_.links.size(),  batch_.links.attributes.size(),
          batch_.nested.size()};
}

void BatchBuilder::RollBack(const BatchMark& mark) {
  model::SpanBatch& b = batch_;
  open_elements_.clear();
  b.attributes.Truncate(mark.attributes);
  b.nested.Truncate(mark.nested);
  b.events.time_ns.resize(mark.events);
  b.events.name.resize(mark.events);
  b.events.dropped_attributes.resize(mark.events);
  b.events.attribute_end.resize(mark.events);
  b.events.attributes.Truncate(mark.event_attributes);
  b.links.trace_id.resize(mark.links);
  b.links.span_id.resize(mark.links);
  b.links.trace_state.resize(mark.links);
  b.links.flags.resize(mark.links);
  b.links.dropped_attributes.resize(mark.links);
  b.links.attribute_end.resize(mark.links);
  b.links.attributes.Truncate(mark.link_attributes);
  for (auto* column : {&b.trace, &b.name, &b.status_message, &b.trace_state, &b.flags, &b.resource,
                       &b.scope, &b.dropped_attributes, &b.dropped_events, &b.dropped_links,
                       &b.attribute_end, &b.event_end, &b.link_end}) {
    column->resize(mark.spans);
  }
  for (auto* column : {&b.start_ns, &b.end_ns}) column->resize(mark.spans);
  for (auto* column : {&b.span_id, &b.parent_span_id}) column->resize(mark.spans);
  for (auto* column : {&b.kind, &b.status}) column->resize(mark.spans);
}

void BatchBuilder::CommitSpan(const SpanFields& fields, uint32_t resource, uint32_t scope) {
  model::SpanBatch& b = batch_;
  b.trace.push_back(TraceIndex(fields.trace_id));
  b.span_id.push_back(fields.span_id);
  b.parent_span_id.push_back(fields.parent_span_id);
  b.start_ns.push_back(fields.start_ns);
  b.end_ns.push_back(fields.end_ns);
  b.name.push_back(fields.name);
  b.kind.push_back(fields.kind);
  b.status.push_back(fields.status);
  b.status_message.push_back(fields.status_message);
  b.trace_state.push_back(fields.trace_state);
  b.flags.push_back(fields.flags);
  b.resource.push_back(resource);
  b.scope.push_back(scope);
  b.dropped_attributes.push_back(fields.dropped_attributes);
  b.dropped_events.push_back(fields.dropped_events);
  b.dropped_links.push_back(fields.dropped_links);
  b.attribute_end.push_back(b.attributes.size());
  b.event_end.push_back(b.events.size());
  b.link_end.push_back(b.links.size());
}

void BatchBuilder::Reserve(size_t spans) {
  model::SpanBatch& b = batch_;
  const size_t wanted = b.size() + spans;
  if (wanted <= b.span_id.capacity()) return;
  const size_t room = std::max(wanted, 2 * b.span_id.capacity());
  for (auto* column : {&b.trace, &b.name, &b.status_message, &b.trace_state, &b.flags, &b.resource,
                       &b.scope, &b.dropped_attributes, &b.dropped_events, &b.dropped_links,
                       &b.attribute_end, &b.event_end, &b.link_end}) {
    column->reserve(room);
  }
  for (auto* column : {&b.start_ns, &b.end_ns}) column->reserve(room);
  for (auto* column : {&b.span_id, &b.parent_span_id}) column->reserve(room);
  for (auto* column : {&b.kind, &b.status}) column->reserve(room);
}

uint32_t BatchBuilder::TraceIndex(const model::TraceId& id) {
  std::vector<model::TraceId>& traces = batch_.traces;
  if (last_trace_ < traces.size() && traces[last_trace_] == id) return last_trace_;
  if (2 * (traces.size() + 1) > trace_slots_.size()) GrowTraceSlots();
  const size_t mask = trace_slots_.size() - 1;
  size_t slot = id.Hash() & mask;
  while (trace_slots_[slot] != 0 && traces[trace_slots_[slot] - 1] != id) slot = (slot + 1) & mask;
  if (trace_slots_[slot] == 0) {
    traces.push_back(id);
    trace_slots_[slot] = static_cast<uint32_t>(traces.size());
  }
  last_trace_ = trace_slots_[slot] - 1;
  return last_trace_;
}

void BatchBuilder::GrowTraceSlots() {
  trace_slots_.assign(std::max(kFirstTraceSlots, 2 * trace_slots_.size()), 0);
  const size_t mask = trace_slots_.size() - 1;
  for (uint32_t i = 0; i < batch_.traces.size(); ++i) {
    size_t slot = batch_.traces[i].Hash() & mask;
    while (trace_slots_[slot] != 0) slot = (slot + 1) & mask;
    trace_slots_[slot] = i + 1;
  }
}

}  // namespace weft::receive
