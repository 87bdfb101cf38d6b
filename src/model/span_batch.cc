#include "model/span_batch.h"

#include <algorithm>

#include <xxhash.h>

namespace weft::model {
namespace {

template <typename T>
size_t HeldBytes(const std::vector<T>& v) {
  return v.capacity() * sizeof(T);
}

// Every end is at least the one before and the last is `total`.
bool EndsCover(const std::vector<uint32_t>& ends, size_t owners, uint32_t total) {
  if (ends.size() != owners) return false;
  uint32_t last = 0;
  for (uint32_t end : ends) {
    if (end < last) return false;
    last = end;
  }
  return last == total;
}

bool AllBelow(const std::vector<uint32_t>& values, size_t owners, uint32_t limit) {
  return values.size() == owners &&
         std::all_of(values.begin(), values.end(), [limit](uint32_t v) { return v < limit; });
}

// The depth of each element of `nested`; empty when a container's elements do not all stand before
// it (which is how decoders write them, and what makes cycles impossible) or when one is too deep.
std::vector<uint8_t> NestedDepths(const AttributeArray& nested) {
  std::vector<uint8_t> depths(nested.size(), 0);
  for (uint32_t i = 0; i < nested.size(); ++i) {
    if (nested.type(i) != ValueType::kArray && nested.type(i) != ValueType::kKvList) continue;
    const NestedRange range = nested[i].as_nested();
    if (uint64_t{range.begin} + range.count > i) return {};
    for (uint32_t e = 0; e < range.count; ++e) {
      depths[i] = std::max<uint8_t>(depths[i], depths[range.begin + e] + 1);
    }
    if (depths[i] >= kNestingMax) return {};
  }
  return depths;
}

bool AttributesWellFormed(const AttributeArray& attributes, uint32_t strings,
                          uint32_t nested_size) {
  if (attributes.keys().size() != attributes.values().size()) return false;
  for (uint32_t i = 0; i < attributes.size(); ++i) {
    const Attribute a = attributes[i];
    if (a.key >= strings) return false;
    switch (a.type) {
      case ValueType::kString:
      case ValueType::kBytes:
        if (a.value >= strings) return false;
        break;
      case ValueType::kArray:
      case ValueType::kKvList:
        if (uint64_t{a.as_nested().begin} + a.as_nested().count > nested_size) return false;
        break;
      default: break;
    }
  }
  return true;
}

// Folds values into 64 bits, order mattering.
class ContentHasher {
 public:
  void Add(uint64_t value) { hash_ = MixBits(hash_ ^ value) + 0x9e3779b97f4a7c15ULL; }
  void Add(std::string_view s) {
    Add(s.size());
    Add(XXH3_64bits(s.data(), s.size()));
  }
  uint64_t hash() const { return hash_; }

 private:
  uint64_t hash_ = 0;
};

// Depth is bounded by what a decoder lets in; the recursion is as deep as the value.
void HashAttribute(ContentHasher* hasher, const SpanBatch& batch, const Attribute& a) {
  hasher->Add(batch.strings[a.key]);
  hasher->Add(static_cast<uint64_t>(a.type));
  switch (a.type) {
    case ValueType::kString:
    case ValueType::kBytes: hasher->Add(batch.strings[a.as_code()]); return;
    case ValueType::kArray:
    case ValueType::kKvList: {
      const NestedRange range = a.as_nested();
      hasher->Add(range.count);
      for (uint32_t i = 0; i < range.count; ++i)
        HashAttribute(hasher, batch, batch.nested[range.begin + i]);
      return;
    }
    default: hasher->Add(a.value);
  }
}

// Order-independent: stores need not keep the order of attributes, so it must not matter.
uint64_t HashAttributes(const SpanBatch& batch, const AttributeArray& attributes,
                        IndexRange range) {
  uint64_t sum = range.size();
  for (uint32_t i = range.begin; i < range.end; ++i) {
    ContentHasher hasher;
    HashAttribute(&hasher, batch, attributes[i]);
    sum += MixBits(hasher.hash());
  }
  return sum;
}

uint64_t HashResource(const SpanBatch& batch, uint32_t r) {
  ContentHasher hasher;
  hasher.Add(batch.strings[batch.resources.schema_url[r]]);
  hasher.Add(batch.resources.dropped_attributes[r]);
  hasher.Add(HashAttributes(batch, batch.resources.attributes, batch.ResourceAttributesOf(r)));
  return hasher.hash();
}

uint64_t HashScope(const SpanBatch& batch, uint32_t s) {
  ContentHasher hasher;
  hasher.Add(batch.strings[batch.scopes.name[s]]);
  hasher.Add(batch.strings[batch.scopes.version[s]]);
  hasher.Add(batch.strings[batch.scopes.schema_url[s]]);
  hasher.Add(batch.scopes.dropped_attributes[s]);
  hasher.Add(HashAttributes(batch, batch.scopes.attributes, batch.ScopeAttributesOf(s)));
  return hasher.hash();
}

void HashEvent(ContentHasher* hasher, const SpanBatch& batch, uint32_t e) {
  hasher->Add(batch.events.time_ns[e]);
  hasher->Add(batch.strings[batch.events.name[e]]);
  hasher->Add(batch.events.dropped_attributes[e]);
  hasher->Add(HashAttributes(batch, batch.events.attributes, batch.EventAttributesOf(e)));
}

void HashLink(ContentHasher* hasher, const SpanBatch& batch, uint32_t l) {
  hasher->Add(batch.links.trace_id[l].high);
  hasher->Add(batch.links.trace_id[l].low);
  hasher->Add(batch.links.span_id[l].value);
  hasher->Add(batch.strings[batch.links.trace_state[l]]);
  hasher->Add(batch.links.flags[l]);
  hasher->Add(batch.links.dropped_attributes[l]);
  hasher->Add(HashAttributes(batch, batch.links.attributes, batch.LinkAttributesOf(l)));
}

}  // namespace

const char* ValueTypeName(ValueType type) {
  static constexpr const char* kNames[] = {"empty", "string", "int",   "double",
                                           "bool",  "bytes",  "array", "kvlist"};
  return kNames[static_cast<uint8_t>(type) & 7];
}

size_t SpanBatch::bytes() const {
  return strings.bytes() + HeldBytes(traces) + HeldBytes(trace) + HeldBytes(span_id) +
         HeldBytes(parent_span_id) + HeldBytes(start_ns) + HeldBytes(end_ns) + HeldBytes(name) +
         HeldBytes(kind) + HeldBytes(status) + HeldBytes(status_message) + HeldBytes(trace_state) +
         HeldBytes(flags) + HeldBytes(resource) + HeldBytes(scope) + HeldBytes(dropped_attributes) +
         HeldBytes(dropped_events) + HeldBytes(dropped_links) + HeldBytes(attribute_end) +
         HeldBytes(event_end) + HeldBytes(link_end) + attributes.bytes() + nested.bytes() +
         HeldBytes(events.time_ns) + HeldBytes(events.name) + HeldBytes(events.dropped_attributes) +
         HeldBytes(events.attribute_end) + events.attributes.bytes() + HeldBytes(links.trace_id) +
         HeldBytes(links.span_id) + HeldBytes(links.trace_state) + HeldBytes(links.flags) +
         HeldBytes(links.dropped_attributes) + HeldBytes(links.attribute_end) +
         links.attributes.bytes() + resources.attributes.bytes() + scopes.attributes.bytes() +
         12 * resources.attribute_end.capacity() + 20 * scopes.attribute_end.capacity();
}

void SpanBatch::ReserveLike(const SpanBatch& other) {
  const auto reserve = [](auto* to, const auto& from) {
    to->reserve(from.size() + from.size() / 16);
  };
  reserve(&traces, other.traces);
  reserve(&trace, other.trace);
  reserve(&span_id, other.span_id);
  reserve(&parent_span_id, other.parent_span_id);
  reserve(&start_ns, other.start_ns);
  reserve(&end_ns, other.end_ns);
  reserve(&name, other.name);
  reserve(&kind, other.kind);
  reserve(&status, other.status);
  reserve(&status_message, other.status_message);
  reserve(&trace_state, other.trace_state);
  reserve(&flags, other.flags);
  reserve(&resource, other.resource);
  reserve(&scope, other.scope);
  reserve(&dropped_attributes, other.dropped_attributes);
  reserve(&dropped_events, other.dropped_events);
  reserve(&dropped_links, other.dropped_links);
  reserve(&attribute_end, other.attribute_end);
  reserve(&event_end, other.event_end);
  reserve(&link_end, other.link_end);
  reserve(&attributes.keys(), other.attributes.keys());
  reserve(&attributes.values(), other.attributes.values());
}

void SpanBatch::Clear() {
  strings.Clear();
  traces.clear();
  trace.clear();
  span_id.clear();
  parent_span_id.clear();
  start_ns.clear();
  end_ns.clear();
  name.clear();
  kind.clear();
  status.clear();
  status_message.clear();
  trace_state.clear();
  flags.clear();
  resource.clear();
  scope.clear();
  dropped_attributes.clear();
  dropped_events.clear();
  dropped_links.clear();
  attribute_end.clear();
  event_end.clear();
  link_end.clear();
  attributes.Clear();
  nested.Clear();
  events.time_ns.clear();
  events.name.clear();
  events.dropped_attributes.clear();
  events.attribute_end.clear();
  events.attributes.Clear();
  links.trace_id.clear();
  links.span_id.clear();
  links.trace_state.clear();
  links.flags.clear();
  links.dropped_attributes.clear();
  links.attribute_end.clear();
  links.attributes.Clear();
  resources.schema_url.clear();
  resources.dropped_attributes.clear();
  resources.attribute_end.clear();
  resources.attributes.Clear();
  scopes.name.clear();
  scopes.version.clear();
  scopes.schema_url.clear();
  scopes.dropped_attributes.clear();
  scopes.attribute_end.clear();
  scopes.attributes.Clear();
}

Code SpanBatch::ServiceName(uint32_t resource_index) const {
  const Code key = strings.Find("service.name");
  if (key == StringTable::kMissing) return 0;
  const IndexRange range = ResourceAttributesOf(resource_index);
  for (uint32_t i = range.begin; i < range.end; ++i) {
    const Attribute a = resources.attributes[i];
    if (a.key == key && a.type == ValueType::kString) return a.as_code();
  }
  return 0;
}

bool IsWellFormed(const SpanBatch& b) {
  const uint32_t n = b.size();
  const uint32_t strings = b.strings.size();
  const uint32_t nested = b.nested.size();
  const bool spans =
      b.parent_span_id.size() == n && b.start_ns.size() == n && b.end_ns.size() == n &&
      b.kind.size() == n && b.status.size() == n && b.flags.size() == n &&
      b.dropped_attributes.size() == n && b.dropped_events.size() == n &&
      b.dropped_links.size() == n && AllBelow(b.trace, n, static_cast<uint32_t>(b.traces.size())) &&
      AllBelow(b.name, n, strings) && AllBelow(b.status_message, n, strings) &&
      AllBelow(b.trace_state, n, strings) && AllBelow(b.resource, n, b.resources.size()) &&
      AllBelow(b.scope, n, b.scopes.size()) && EndsCover(b.attribute_end, n, b.attributes.size()) &&
      EndsCover(b.event_end, n, b.events.size()) && EndsCover(b.link_end, n, b.links.size());
  const uint32_t events = b.events.size();
  const bool events_ok = spans && AllBelow(b.events.name, events, strings) &&
                         b.events.dropped_attributes.size() == events &&
                         EndsCover(b.events.attribute_end, events, b.events.attributes.size());
  const uint32_t links = b.links.size();
  const bool links_ok = events_ok && b.links.span_id.size() == links &&
                        AllBelow(b.links.trace_state, links, strings) &&
                        b.links.flags.size() == links &&
                        b.links.dropped_attributes.size() == links &&
                        EndsCover(b.links.attribute_end, links, b.links.attributes.size());
  const uint32_t resources = b.resources.size();
  const uint32_t scopes = b.scopes.size();
  return links_ok && AllBelow(b.resources.schema_url, resources, strings) &&
         b.resources.dropped_attributes.size() == resources &&
         EndsCover(b.resources.attribute_end, resources, b.resources.attributes.size()) &&
         AllBelow(b.scopes.name, scopes, strings) && AllBelow(b.scopes.version, scopes, strings) &&
         AllBelow(b.scopes.schema_url, scopes, strings) &&
         b.scopes.dropped_attributes.size() == scopes &&
         EndsCover(b.scopes.attribute_end, scopes, b.scopes.attributes.size()) &&
         AttributesWellFormed(b.attributes, strings, nested) &&
         AttributesWellFormed(b.events.attributes, strings, nested) &&
         AttributesWellFormed(b.links.attributes, strings, nested) &&
         AttributesWellFormed(b.resources.attributes, strings, nested) &&
         AttributesWellFormed(b.scopes.attributes, strings, nested) &&
         AttributesWellFormed(b.nested, strings, nested) && NestedDepths(b.nested).size() == nested;
}

uint64_t ContentHash(const SpanBatch& b, uint32_t i) {
  ContentHasher hasher;
  hasher.Add(b.trace_id(i).high);
  hasher.Add(b.trace_id(i).low);
  hasher.Add(b.span_id[i].value);
  hasher.Add(b.parent_span_id[i].value);
  hasher.Add(b.start_ns[i]);
  hasher.Add(b.end_ns[i]);
  hasher.Add(b.strings[b.name[i]]);
  hasher.Add(b.kind[i]);
  hasher.Add(b.status[i]);
  hasher.Add(b.strings[b.status_message[i]]);
  hasher.Add(b.strings[b.trace_state[i]]);
  hasher.Add(b.flags[i]);
  hasher.Add(b.dropped_attributes[i]);
  hasher.Add(b.dropped_events[i]);
  hasher.Add(b.dropped_links[i]);
  hasher.Add(HashResource(b, b.resource[i]));
  hasher.Add(HashScope(b, b.scope[i]));
  hasher.Add(HashAttributes(b, b.attributes, b.AttributesOf(i)));
  const IndexRange events = b.EventsOf(i);
  hasher.Add(events.size());
  for (uint32_t e = events.begin; e < events.end; ++e) HashEvent(&hasher, b, e);
  const IndexRange links = b.LinksOf(i);
  hasher.Add(links.size());
  for (uint32_t l = links.begin; l < links.end; ++l) HashLink(&hasher, b, l);
  return hasher.hash();
}

uint64_t ResourceContentHash(const SpanBatch& batch, uint32_t resource) {
  return HashResource(batch, resource);
}
uint64_t ScopeContentHash(const SpanBatch& batch, uint32_t scope) {
  return HashScope(batch, scope);
}

}  // namespace weft::model
