// SpanBatch: spans as a structure of arrays, the currency of the server. A request decodes into
// one; live traces keep them; a block is written from them; a trace that is read back is one.
//
// Every string is a Code into `strings`. "Ranges by ends": the attributes of span i are [i == 0 ? 0
// : span_attribute_end[i-1], span_attribute_end[i]) of span_attributes, and so for events, links,
// and the attributes of events, links, resources and scopes. Elements of arrays and kvlists stand
// in `nested`, those of one container side by side.
//
// Not thread-safe while it grows; may be read by any number of threads once it does not.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "model/attributes.h"
#include "model/ids.h"
#include "model/string_table.h"

namespace weft::model {

// Values as in OTLP (opentelemetry.proto.trace.v1); 0 and unknown kinds are kept as received.
enum class SpanKind : uint8_t {
  kUnspecified = 0,
  kInternal = 1,
  kServer = 2,
  kClient = 3,
  kProducer = 4,
  kConsumer = 5
};
enum class StatusCode : uint8_t { kUnset = 0, kOk = 1, kError = 2 };

// A half-open range of indexes.
struct IndexRange {
  uint32_t begin = 0;
  uint32_t end = 0;
  uint32_t size() const { return end - begin; }
};

inline IndexRange RangeByEnds(const std::vector<uint32_t>& ends, uint32_t i) {
  return {i == 0 ? 0 : ends[i - 1], ends[i]};
}

struct EventColumns {
  std::vector<uint64_t> time_ns;
  std::vector<Code> name;
  std::vector<uint32_t> dropped_attributes;
  std::vector<uint32_t> attribute_end;
  AttributeArray attributes;

  uint32_t size() const { return static_cast<uint32_t>(time_ns.size()); }
};

struct LinkColumns {
  std::vector<TraceId> trace_id;
  std::vector<SpanId> span_id;
  std::vector<Code> trace_state;
  std::vector<uint32_t> flags;
  std::vector<uint32_t> dropped_attributes;
  std::vector<uint32_t> attribute_end;
  AttributeArray attributes;

  uint32_t size() const { return static_cast<uint32_t>(trace_id.size()); }
};

struct ResourceColumns {
  std::vector<Code> schema_url;
  std::vector<uint32_t> dropped_attributes;
  std::vector<uint32_t> attribute_end;
  AttributeArray attributes;

  uint32_t size() const { return static_cast<uint32_t>(attribute_end.size()); }
};

struct ScopeColumns {
  std::vector<Code> name;
  std::vector<Code> version;
  std::vector<Code> schema_url;
  std::vector<uint32_t> dropped_attributes;
  std::vector<uint32_t> attribute_end;
  AttributeArray attributes;

  uint32_t size() const { return static_cast<uint32_t>(attribute_end.size()); }
};

struct SpanBatch {
  StringTable strings;

  std::vector<TraceId> traces;  // distinct, in order of first use

  // One entry per span.
  std::vector<uint32_t> trace;  // index into traces
  std::vector<SpanId> span_id;
  std::vector<SpanId> parent_span_id;  // 0 for a root
  std::vector<uint64_t> start_ns;      // since 1970
  std::vector<uint64_t> end_ns;        // may precede start_ns
  std::vector<Code> name;
  std::vector<uint8_t> kind;    // SpanKind
  std::vector<uint8_t> status;  // StatusCode
  std::vector<Code> status_message;
  std::vector<Code> trace_state;
  std::vector<uint32_t> flags;  // bits 0-7 W3C trace flags, 0x100 has-is-remote, 0x200 is-remote
  std::vector<uint32_t> resource;
  std::vector<uint32_t> scope;
  std::vector<uint32_t> dropped_attributes;
  std::vector<uint32_t> dropped_events;
  std::vector<uint32_t> dropped_links;
  std::vector<uint32_t> attribute_end;
  std::vector<uint32_t> event_end;
  std::vector<uint32_t> link_end;

  AttributeArray attributes;  // of spans
  EventColumns events;
  LinkColumns links;
  ResourceColumns resources;
  ScopeColumns scopes;
  AttributeArray nested;  // elements of arrays and kvlists of any owner

  uint32_t size() const { return static_cast<uint32_t>(span_id.size()); }
  bool empty() const { return span_id.empty(); }
  // Memory held, all arrays and the dictionary.
  size_t bytes() const;
  // Room for about as many spans with as many attributes: arrays that grow by doubling would hold
  // up to twice what is in them.
  void ReserveLike(const SpanBatch& other);
  // Empties it for reuse and keeps the memory.
  void Clear();

  IndexRange AttributesOf(uint32_t span) const { return RangeByEnds(attribute_end, span); }
  IndexRange EventsOf(uint32_t span) const { return RangeByEnds(event_end, span); }
  IndexRange LinksOf(uint32_t span) const { return RangeByEnds(link_end, span); }
  IndexRange EventAttributesOf(uint32_t event) const {
    return RangeByEnds(events.attribute_end, event);
  }
  IndexRange LinkAttributesOf(uint32_t link) const {
    return RangeByEnds(links.attribute_end, link);
  }
  IndexRange ResourceAttributesOf(uint32_t r) const {
    return RangeByEnds(resources.attribute_end, r);
  }
  IndexRange ScopeAttributesOf(uint32_t s) const { return RangeByEnds(scopes.attribute_end, s); }

  TraceId trace_id(uint32_t span) const { return traces[trace[span]]; }

  // The string attribute `service.name` of a resource; 0 when it has none.
  Code ServiceName(uint32_t resource_index) const;
};

// How deep values may be nested: what decoders let in and IsWellFormed accepts.
inline constexpr uint32_t kNestingMax = 64;

// Whether every index and code in `batch` points inside it and values are nested at most
// kNestingMax deep: what must hold before bytes from a disk are trusted.
bool IsWellFormed(const SpanBatch& batch);

// A hash of everything a span says (ids, times, attributes, events, links, resource, scope), equal
// for equal spans in whatever batch they stand. Two spans with equal ids and equal content hash are
// one span, sent twice. The order of attributes does not matter. Costs about a microsecond: for the
// few spans whose ids collide.
uint64_t ContentHash(const SpanBatch& batch, uint32_t span);
uint64_t ResourceContentHash(const SpanBatch& batch, uint32_t resource);
uint64_t ScopeContentHash(const SpanBatch& batch, uint32_t scope);

// Copies spans into `destination`, translating codes once per distinct value of a source batch.
//
// Resources and scopes with equal content become one. The destination must not be changed by anyone
// else between calls. One appender may take any number of source batches, each call for one; a
// source's translation tables live for one call.
class BatchAppender {
 public:
  explicit BatchAppender(SpanBatch* destination);

  // Appends the spans `rows` of `source` in that order.
  void Append(const SpanBatch& source, std::span<const uint32_t> rows);
  // Appends all spans.
  void AppendAll(const SpanBatch& source);

 private:
  Code Translate(const SpanBatch& source, Code code);
  uint64_t CopyValue(const SpanBatch& source, ValueType type, uint64_t value);
  void CopyAttribute(const SpanBatch& source, const Attribute& a, AttributeArray* out);
  void CopyAttributes(const SpanBatch& source, const AttributeArray& from, IndexRange range,
                      AttributeArray* to);
  uint64_t CopyNested(const SpanBatch& source, NestedRange range);
  uint32_t TranslateTrace(const SpanBatch& source, uint32_t trace);
  uint32_t TranslateResource(const SpanBatch& source, uint32_t resource);
  uint32_t TranslateScope(const SpanBatch& source, uint32_t scope);
  void CopyEvents(const SpanBatch& source, IndexRange range);
  void CopyLinks(const SpanBatch& source, IndexRange range);
  void CopySpans(const SpanBatch& source, std::span<const uint32_t> rows);
  void CopySpanAttributes(const SpanBatch& source, std::span<const uint32_t> rows);
  void BeginSource(const SpanBatch& source);

  static constexpr uint32_t kUnmapped = 0xffffffff;

  SpanBatch* out_;
  // Of the destination, across calls.
  std::vector<uint32_t> trace_slots_;  // open addressing over out_->traces: index + 1
  std::vector<uint32_t>
      resource_slots_;  // open addressing over out_->resources by content: index + 1
  std::vector<uint64_t> resource_hashes_;
  std::vector<uint32_t> scope_slots_;
  std::vector<uint64_t> scope_hashes_;
  // Of the current source.
  std::vector<uint32_t> codes_;
  std::vector<uint32_t> traces_;
  std::vector<uint32_t> resources_;
  std::vector<uint32_t> scopes_;
};

}  // namespace weft::model
