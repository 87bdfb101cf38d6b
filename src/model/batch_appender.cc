// How spans move between batches: every string, trace, resource and scope of a source is looked up
// in the destination once, the first time a span needs it; after that a span costs array copies and
// table look-ups by number.
#include <algorithm>
#include <numeric>

#include "model/span_batch.h"

namespace weft::model {
namespace {

// Finds `hash` in an open-addressing table of index + 1; `equal(index)` decides. Returns the slot
// where it is or belongs.
template <typename Equal>
size_t FindSlot(const std::vector<uint32_t>& slots, uint64_t hash, Equal equal) {
  const size_t mask = slots.size() - 1;
  size_t i = hash & mask;
  while (slots[i] != 0 && !equal(slots[i] - 1)) i = (i + 1) & mask;
  return i;
}

// Makes the table larger when it is half full; `hash_of(index)` gives back each entry's hash.
template <typename HashOf>
void GrowIfFull(std::vector<uint32_t>& slots, uint32_t count, HashOf hash_of) {
  if (!slots.empty() && 2 * (count + 1) <= slots.size()) return;
  // A destination that was not empty at the start brings many entries at once.
  size_t size = std::max<size_t>(16, slots.size());
  while (size < 2 * (size_t{count} + 1)) size *= 2;
  slots.assign(size, 0);
  for (uint32_t index = 0; index < count; ++index) {
    slots[FindSlot(slots, hash_of(index), [](uint32_t) { return false; })] = index + 1;
  }
}

// Appends value(row) for each row.
template <typename T, typename F>
void AppendColumn(std::vector<T>* to, std::span<const uint32_t> rows, F value) {
  const size_t base = to->size();
  to->resize(base + rows.size());
  T* out = to->data() + base;
  for (const uint32_t row : rows) *out++ = value(row);
}

}  // namespace

BatchAppender::BatchAppender(SpanBatch* destination) : out_(destination) {
  for (uint32_t r = 0; r < out_->resources.size(); ++r)
    resource_hashes_.push_back(ResourceContentHash(*out_, r));
  for (uint32_t s = 0; s < out_->scopes.size(); ++s)
    scope_hashes_.push_back(ScopeContentHash(*out_, s));
}

void BatchAppender::Append(const SpanBatch& source, std::span<const uint32_t> rows) {
  BeginSource(source);
  CopySpans(source, rows);
}

void BatchAppender::AppendAll(const SpanBatch& source) {
  std::vector<uint32_t> rows(source.size());
  std::iota(rows.begin(), rows.end(), 0);
  Append(source, rows);
}

void BatchAppender::BeginSource(const SpanBatch& source) {
  codes_.assign(source.strings.size(), kUnmapped);
  codes_[0] = 0;
  traces_.assign(source.traces.size(), kUnmapped);
  resources_.assign(source.resources.size(), kUnmapped);
  scopes_.assign(source.scopes.size(), kUnmapped);
}

Code BatchAppender::Translate(const SpanBatch& source, Code code) {
  Code& mapped = codes_[code];
  if (mapped == kUnmapped)
    mapped = out_->strings.InternHashed(source.strings[code], source.strings.hash(code));
  return mapped;
}

uint64_t BatchAppender::CopyValue(const SpanBatch& source, ValueType type, uint64_t value) {
  switch (type) {
    case ValueType::kString:
    case ValueType::kBytes: return Translate(source, static_cast<Code>(value));
    case ValueType::kArray:
    case ValueType::kKvList: return CopyNested(source, NestedRange::Unpack(value));
    default: return value;
  }
}

void BatchAppender::CopyAttribute(const SpanBatch& source, const Attribute& a,
                                  AttributeArray* out) {
  out->Add(Translate(source, a.key), a.type, CopyValue(source, a.type, a.value));
}

void BatchAppender::CopyAttributes(const SpanBatch& source, const AttributeArray& from,
                                   IndexRange range, AttributeArray* to) {
  for (uint32_t i = range.begin; i < range.end; ++i) CopyAttribute(source, from[i], to);
}

// Those of many spans: room is made once.
void BatchAppender::CopySpanAttributes(const SpanBatch& source, std::span<const uint32_t> rows) {
  size_t count = 0;
  for (const uint32_t row : rows) count += source.AttributesOf(row).size();
  AttributeArray& to = out_->attributes;
  const uint32_t base = to.size();
  to.keys().resize(base + count);
  to.values().resize(base + count);
  uint32_t* keys = to.keys().data() + base;
  uint64_t* values = to.values().data() + base;
  AppendColumn(&out_->attribute_end, rows, [&](uint32_t row) {
    const IndexRange range = source.AttributesOf(row);
    for (uint32_t i = range.begin; i < range.end; ++i) {
      const auto type = source.attributes.type(i);
      *keys++ = Translate(source, source.attributes.key(i)) << 3 | static_cast<uint32_t>(type);
      *values++ = CopyValue(source, type, source.attributes.value(i));
    }
    return static_cast<uint32_t>(keys - to.keys().data());
  });
}

// Inner containers first, so that the elements of this one end up side by side. As deep as the
// value (kNestingMax).
uint64_t BatchAppender::CopyNested(const SpanBatch& source, NestedRange range) {
  AttributeArray elements;
  for (uint32_t i = 0; i < range.count; ++i)
    CopyAttribute(source, source.nested[range.begin + i], &elements);
  const NestedRange copied{out_->nested.size(), range.count};
  for (uint32_t i = 0; i < elements.size(); ++i) out_->nested.Add(elements[i]);
  return copied.Pack();
}

uint32_t BatchAppender::TranslateTrace(const SpanBatch& source, uint32_t trace) {
  uint32_t& mapped = traces_[trace];
  if (mapped != kUnmapped) return mapped;
  std::vector<TraceId>& traces = out_->traces;
  GrowIfFull(trace_slots_, static_cast<uint32_t>(traces.size()),
             [&](uint32_t i) { return traces[i].Hash(); });
  const TraceId id = source.traces[trace];
  const size_t slot =
      FindSlot(trace_slots_, id.Hash(), [&](uint32_t i) { return traces[i] == id; });
  if (trace_slots_[slot] == 0) {
    traces.push_back(id);
    trace_slots_[slot] = static_cast<uint32_t>(traces.size());
  }
  return mapped = trace_slots_[slot] - 1;
}

// Equal hashes are taken as equal content: 64 bits over the few thousand distinct resources that a
// destination holds.
uint32_t BatchAppender::TranslateResource(const SpanBatch& source, uint32_t r) {
  uint32_t& mapped = resources_[r];
  if (mapped != kUnmapped) return mapped;
  ResourceColumns& to = out_->resources;
  const ResourceColumns& from = source.resources;
  const uint64_t hash = ResourceContentHash(source, r);
  GrowIfFull(resource_slots_, to.size(), [&](uint32_t i) { return resource_hashes_[i]; });
  const size_t slot =
      FindSlot(resource_slots_, hash, [&](uint32_t i) { return resource_hashes_[i] == hash; });
  if (resource_slots_[slot] == 0) {
    CopyAttributes(source, from.attributes, source.ResourceAttributesOf(r), &to.attributes);
    to.attribute_end.push_back(to.attributes.size());
    to.schema_url.push_back(Translate(source, from.schema_url[r]));
    to.dropped_attributes.push_back(from.dropped_attributes[r]);
    resource_hashes_.push_back(hash);
    resource_slots_[slot] = to.size();
  }
  return mapped = resource_slots_[slot] - 1;
}

uint32_t BatchAppender::TranslateScope(const SpanBatch& source, uint32_t s) {
  uint32_t& mapped = scopes_[s];
  if (mapped != kUnmapped) return mapped;
  ScopeColumns& to = out_->scopes;
  const ScopeColumns& from = source.scopes;
  const uint64_t hash = ScopeContentHash(source, s);
  GrowIfFull(scope_slots_, to.size(), [&](uint32_t i) { return scope_hashes_[i]; });
  const size_t slot =
      FindSlot(scope_slots_, hash, [&](uint32_t i) { return scope_hashes_[i] == hash; });
  if (scope_slots_[slot] == 0) {
    CopyAttributes(source, from.attributes, source.ScopeAttributesOf(s), &to.attributes);
    to.attribute_end.push_back(to.attributes.size());
    to.name.push_back(Translate(source, from.name[s]));
    to.version.push_back(Translate(source, from.version[s]));
    to.schema_url.push_back(Translate(source, from.schema_url[s]));
    to.dropped_attributes.push_back(from.dropped_attributes[s]);
    scope_hashes_.push_back(hash);
    scope_slots_[slot] = to.size();
  }
  return mapped = scope_slots_[slot] - 1;
}

void BatchAppender::CopyEvents(const SpanBatch& source, IndexRange range) {
  EventColumns& to = out_->events;
  for (uint32_t e = range.begin; e < range.end; ++e) {
    to.time_ns.push_back(source.events.time_ns[e]);
    to.name.push_back(Translate(source, source.events.name[e]));
    to.dropped_attributes.push_back(source.events.dropped_attributes[e]);
    CopyAttributes(source, source.events.attributes, source.EventAttributesOf(e), &to.attributes);
    to.attribute_end.push_back(to.attributes.size());
  }
}

void BatchAppender::CopyLinks(const SpanBatch& source, IndexRange range) {
  LinkColumns& to = out_->links;
  for (uint32_t l = range.begin; l < range.end; ++l) {
    to.trace_id.push_back(source.links.trace_id[l]);
    to.span_id.push_back(source.links.span_id[l]);
    to.trace_state.push_back(Translate(source, source.links.trace_state[l]));
    to.flags.push_back(source.links.flags[l]);
    to.dropped_attributes.push_back(source.links.dropped_attributes[l]);
    CopyAttributes(source, source.links.attributes, source.LinkAttributesOf(l), &to.attributes);
    to.attribute_end.push_back(to.attributes.size());
  }
}

// Column by column: each is made room for once and filled by a loop of its own.
void BatchAppender::CopySpans(const SpanBatch& source, std::span<const uint32_t> rows) {
  SpanBatch& to = *out_;
  const auto copy = [&](auto SpanBatch::* column) {
    AppendColumn(&(to.*column), rows,
                 [from = (source.*column).data()](uint32_t row) { return from[row]; });
  };
  const auto translate = [&](std::vector<Code> SpanBatch::* column) {
    AppendColumn(&(to.*column), rows, [&, from = (source.*column).data()](uint32_t row) {
      return Translate(source, from[row]);
    });
  };
  AppendColumn(&to.trace, rows,
               [&](uint32_t row) { return TranslateTrace(source, source.trace[row]); });
  copy(&SpanBatch::span_id);
  copy(&SpanBatch::parent_span_id);
  copy(&SpanBatch::start_ns);
  copy(&SpanBatch::end_ns);
  translate(&SpanBatch::name);
  copy(&SpanBatch::kind);
  copy(&SpanBatch::status);
  translate(&SpanBatch::status_message);
  translate(&SpanBatch::trace_state);
  copy(&SpanBatch::flags);
  AppendColumn(&to.resource, rows,
               [&](uint32_t row) { return TranslateResource(source, source.resource[row]); });
  AppendColumn(&to.scope, rows,
               [&](uint32_t row) { return TranslateScope(source, source.scope[row]); });
  copy(&SpanBatch::dropped_attributes);
  copy(&SpanBatch::dropped_events);
  copy(&SpanBatch::dropped_links);
  CopySpanAttributes(source, rows);
  AppendColumn(&to.event_end, rows, [&](uint32_t row) {
    CopyEvents(source, source.EventsOf(row));
    return to.events.size();
  });
  AppendColumn(&to.link_end, rows, [&](uint32_t row) {
    CopyLinks(source, source.LinksOf(row));
    return to.links.size();
  });
}

}  // namespace weft::model
