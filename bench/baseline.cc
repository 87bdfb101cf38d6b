#include "bench/baseline.h"

#include <cstring>
#include <unordered_set>

#include <protozero/pbf_reader.hpp>
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace weft::bench {
namespace {

using protozero::data_view;
using protozero::pbf_reader;
using protozero::pbf_wire_type;

// How deep the messages below are: which of their length-delimited fields are messages.
enum class Message {
  kRequest,
  kResourceSpans,
  kResource,
  kScopeSpans,
  kScope,
  kSpan,
  kEvent,
  kLink,
  kStatus,
  kKeyValue,
  kAnyValue,
  kNone
};

Message ChildOf(Message parent, uint32_t field) {
  switch (parent) {
    case Message::kRequest: return field == 1 ? Message::kResourceSpans : Message::kNone;
    case Message::kResourceSpans:
      return field == 1 ? Message::kResource : field == 2 ? Message::kScopeSpans : Message::kNone;
    case Message::kResource: return field == 1 ? Message::kKeyValue : Message::kNone;
    case Message::kScopeSpans:
      return field == 1 ? Message::kScope : field == 2 ? Message::kSpan : Message::kNone;
    case Message::kScope: return field == 3 ? Message::kKeyValue : Message::kNone;
    case Message::kSpan:
      switch (field) {
        case 9: return Message::kKeyValue;
        case 11: return Message::kEvent;
        case 13: return Message::kLink;
        case 15: return Message::kStatus;
        default: return Message::kNone;
      }
    case Message::kEvent: return field == 3 ? Message::kKeyValue : Message::kNone;
    case Message::kLink: return field == 4 ? Message::kKeyValue : Message::kNone;
    case Message::kKeyValue: return field == 2 ? Message::kAnyValue : Message::kNone;
    default: return Message::kNone;
  }
}

template <bool kHash>
void Walk(pbf_reader reader, Message message, WalkCounts* counts) {
  while (reader.next()) {
    if (reader.wire_type() != pbf_wire_type::length_delimited) {
      counts->digest += reader.tag();
      reader.skip();
      continue;
    }
    const Message child = ChildOf(message, reader.tag());
    if (child != Message::kNone) {
      counts->spans += child == Message::kSpan ? 1 : 0;
      counts->attributes += message == Message::kSpan && child == Message::kKeyValue ? 1 : 0;
      Walk<kHash>(reader.get_message(), child, counts);
      continue;
    }
    const data_view bytes = reader.get_view();
    counts->digest += kHash ? XXH3_64bits(bytes.data(), bytes.size()) : bytes.size();
  }
}

uint64_t CountTraces(const Traffic& traffic) {
  std::unordered_set<uint64_t> seen;
  for (const demo::ExportRequest& request : traffic.requests) {
    pbf_reader body(request.body);
    while (body.next(1)) {
      pbf_reader resource_spans = body.get_message();
      while (resource_spans.next(2)) {
        pbf_reader scope_spans = resource_spans.get_message();
        while (scope_spans.next(2)) {
          pbf_reader span = scope_spans.get_message();
          while (span.next(1)) {
            uint64_t half;
            std::memcpy(&half, span.get_view().data(), sizeof half);
            seen.insert(half);
          }
        }
      }
    }
  }
  return seen.size();
}

template <bool kHash>
WalkCounts WalkAll(const Traffic& traffic) {
  WalkCounts counts;
  for (const demo::ExportRequest& request : traffic.requests)
    Walk<kHash>(pbf_reader(request.body), Message::kRequest, &counts);
  return counts;
}

}  // namespace

WalkCounts WalkFields(const Traffic& traffic) {
  WalkCounts counts = WalkAll<false>(traffic);
  counts.traces = CountTraces(traffic);
  return counts;
}

WalkCounts WalkAndHash(const Traffic& traffic) { return WalkAll<true>(traffic); }

}  // namespace weft::bench
