// 1. A request is ResourceSpans; each names its resource once, before or after its spans, so its
// own
//    fields are read first and its ScopeSpans then; likewise a scope and its spans.
// 2. A resource or scope with the same bytes as the one before is the same entry of the batch.
// 3. A span is read field by field straight into the batch's columns. When something is wrong with
//    it alone, the batch is rolled back to where the span began; when the bytes are not protobuf,
//    the whole request is refused.
// 4. Values may nest: the recursion is bounded by the limit, and what lies deeper is not read.

#include "receive/otlp/decode_proto.h"

#include <optional>
#include <string>

#include "receive/wire_reader.h"

namespace weft::receive::otlp {
namespace {

using model::Attribute;
using model::AttributeArray;
using model::Code;
using model::SpanBatch;
using model::SpanId;
using model::TraceId;
using model::ValueType;

// What reading a part came to.
enum class Outcome : uint8_t {
  kOk,
  kTooDeep,    // refuses the span, or the spans of the resource or scope
  kMalformed,  // refuses the request
  kTooMany,    // refuses the request
};

constexpr std::string_view kMalformedMessage =
    "the body is not an OTLP request in protobuf: a field is cut short or has an impossible length";

bool ReadTraceId(std::string_view bytes, TraceId* id) {
  if (bytes.size() != 16) return false;
  *id = TraceId::FromBytes(bytes.data());
  return true;
}

bool ReadSpanId(std::string_view bytes, SpanId* id) {
  if (bytes.size() != 8) return false;
  *id = SpanId::FromBytes(bytes.data());
  return true;
}

// A length of one or two bytes at `*at`, which is moved behind it; false for longer ones.
inline bool ShortLength(std::string_view bytes, size_t* at, size_t* length) {
  if (*at >= bytes.size()) return false;
  *length = static_cast<uint8_t>(bytes[(*at)++]);
  if (*length < 0x80) return true;
  if (*at >= bytes.size()) return false;
  const auto second = static_cast<uint8_t>(bytes[(*at)++]);
  *length = (*length & 0x7f) | size_t{second} << 7;
  return second < 0x80;
}

// Nearly every KeyValue is a key and then a value and nothing else: cut without a loop. False for
// all others, which are then read field by field.
inline bool CutPair(std::string_view pair, std::string_view* key, std::string_view* value) {
  size_t at = 1;
  size_t length = 0;
  if (pair.empty() || pair[0] != 0x0a || !ShortLength(pair, &at, &length)) return false;
  if (length >= pair.size() - at || pair[at + length] != 0x12) return false;
  *key = pair.substr(at, length);
  at += length + 1;
  if (!ShortLength(pair, &at, &length) || length != pair.size() - at) return false;
  *value = pair.substr(at);
  return true;
}

// Likewise an AnyValue that is one string.
inline bool CutString(std::string_view value, std::string_view* text) {
  size_t at = 1;
  size_t length = 0;
  if (value.empty() || value[0] != 0x0a || !ShortLength(value, &at, &length)) return false;
  if (length != value.size() - at) return false;
  *text = value.substr(at);
  return true;
}

class TraceDecoder {
 public:
  TraceDecoder(const DecodeLimits& limits, SpanBatch* batch, RejectedSpans* rejected)
      : builder_(limits, batch), batch_(*batch), rejected_(*rejected) {}

  Outcome Request(std::string_view bytes);

 private:
  // What the spans of one ScopeSpans have in common.
  struct Place {
    uint32_t resource = 0;
    uint32_t scope = 0;
    size_t spans = 0;
    bool too_deep = false;  // the resource or the scope: the spans are counted, not read
  };
  // A resource or scope as it stands in the input.
  struct Origin {
    std::string_view message;
    std::string_view schema_url;
    int count = 0;  // how often the message field came
    bool operator==(const Origin&) const = default;
  };

  Outcome ResourceSpans(std::string_view bytes);
  Outcome FindResource(std::string_view bytes, Place* place);
  Outcome AddResource(std::string_view bytes, std::string_view schema_url);
  Outcome Resource(std::string_view bytes, uint32_t* dropped);
  Outcome ScopeSpans(std::string_view bytes, Place place);
  Outcome FindScope(std::string_view bytes, Place* place);
  Outcome AddScope(std::string_view bytes, std::string_view schema_url);
  Outcome Scope(std::string_view bytes, Code* name, Code* version, uint32_t* dropped);
  Outcome Span(std::string_view bytes, const Place& place);
  Outcome SpanBody(std::string_view bytes, SpanFields* fields);
  Outcome Status(std::string_view bytes, SpanFields* fields);
  Outcome Event(std::string_view bytes);
  Outcome Link(std::string_view bytes);
  Outcome KeyValue(std::string_view bytes, AttributeArray* out);
  Outcome KeyValue(std::string_view bytes, uint32_t depth, Attribute* out);
  Outcome Value(std::string_view bytes, uint32_t depth, Attribute* out);
  Outcome Container(std::string_view bytes, uint32_t depth, Attribute* out);

  BatchBuilder builder_;
  SpanBatch& batch_;
  RejectedSpans& rejected_;
  std::optional<Origin> last_resource_;
  std::optional<Origin> last_scope_;
  std::optional<RejectReason> id_fault_;  // of the span being read: judged when all of it is read
};

Outcome Ended(const WireReader& reader) { return reader.ok() ? Outcome::kOk : Outcome::kMalformed; }

Outcome TraceDecoder::Request(std::string_view bytes) {
  WireReader reader(bytes);
  while (reader.Next()) {
    if (reader.tag() != BytesTag(1)) {
      reader.Skip();
      continue;
    }
    if (Outcome o = ResourceSpans(reader.Bytes()); o != Outcome::kOk) return o;
  }
  return Ended(reader);
}

Outcome TraceDecoder::ResourceSpans(std::string_view bytes) {
  Place place;
  if (Outcome o = FindResource(bytes, &place); o != Outcome::kOk) return o;
  WireReader reader(bytes);
  while (reader.Next()) {
    if (reader.tag() != BytesTag(2)) {
      reader.Skip();
      continue;
    }
    if (Outcome o = ScopeSpans(reader.Bytes(), place); o != Outcome::kOk) return o;
  }
  return Ended(reader);
}

Outcome TraceDecoder::FindResource(std::string_view bytes, Place* place) {
  Origin origin;
  WireReader reader(bytes);
  while (reader.Next()) {
    switch (reader.tag()) {
      case BytesTag(1):
        origin.message = reader.Bytes();
        ++origin.count;
        break;
      case BytesTag(3): origin.schema_url = reader.Bytes(); break;
      default: reader.Skip();
    }
  }
  if (!reader.ok()) return Outcome::kMalformed;
  if (origin != last_resource_ || origin.count > 1) {
    const Outcome outcome = AddResource(bytes, origin.schema_url);
    if (outcome == Outcome::kMalformed || outcome == Outcome::kTooMany) return outcome;
    place->too_deep = outcome == Outcome::kTooDeep;
    last_resource_.reset();
    if (!place->too_deep) last_resource_ = origin;
  }
  place->resource = batch_.resources.size() - 1;
  return Outcome::kOk;
}

// A resource that comes in several fields is one: messages merge (protobuf encoding).
Outcome TraceDecoder::AddResource(std::string_view bytes, std::string_view schema_url) {
  Outcome outcome = Outcome::kOk;
  uint32_t dropped = 0;
  const BatchMark mark = builder_.Mark();
  const uint32_t first_attribute = batch_.resources.attributes.size();
  builder_.BeginAttributes();
  WireReader reader(bytes);
  while (outcome == Outcome::kOk && reader.Next()) {
    if (reader.tag() == BytesTag(1)) {
      outcome = Resource(reader.Bytes(), &dropped);
    } else {
      reader.Skip();
    }
  }
  model::ResourceColumns& resources = batch_.resources;
  if (outcome != Outcome::kOk) {
    builder_.RollBack(mark);
    resources.attributes.Truncate(first_attribute);
  }
  resources.schema_url.push_back(builder_.Text(schema_url));
  resources.dropped_attributes.push_back(dropped);
  resources.attribute_end.push_back(resources.attributes.size());
  return outcome;
}

Outcome TraceDecoder::Resource(std::string_view bytes, uint32_t* dropped) {
  WireReader reader(bytes);
  while (reader.Next()) {
    switch (reader.tag()) {
      case BytesTag(1):
        if (Outcome o = KeyValue(reader.Bytes(), &batch_.resources.attributes); o != Outcome::kOk) {
          return o;
        }
        break;
      case VarintTag(2): *dropped = static_cast<uint32_t>(reader.Varint()); break;
      default: reader.Skip();
    }
  }
  return Ended(reader);
}

Outcome TraceDecoder::ScopeSpans(std::string_view bytes, Place place) {
  if (Outcome o = FindScope(bytes, &place); o != Outcome::kOk) return o;
  if (place.too_deep) {
    rejected_.Add(RejectReason::kNestedTooDeep, place.spans);
    return Outcome::kOk;
  }
  builder_.Reserve(place.spans);
  WireReader reader(bytes);
  while (reader.Next()) {
    if (reader.tag() != BytesTag(2)) {
      reader.Skip();
      continue;
    }
    if (Outcome o = Span(reader.Bytes(), place); o != Outcome::kOk) return o;
  }
  return Ended(reader);
}

Outcome TraceDecoder::FindScope(std::string_view bytes, Place* place) {
  Origin origin;
  WireReader reader(bytes);
  while (reader.Next()) {
    switch (reader.tag()) {
      case BytesTag(1):
        origin.message = reader.Bytes();
        ++origin.count;
        break;
      case BytesTag(2): ++place->spans; [[fallthrough]];
      default: reader.Skip(); break;
      case BytesTag(3): origin.schema_url = reader.Bytes();
    }
  }
  if (!reader.ok()) return Outcome::kMalformed;
  if (origin != last_scope_ || origin.count > 1) {
    const Outcome outcome = AddScope(bytes, origin.schema_url);
    if (outcome == Outcome::kMalformed || outcome == Outcome::kTooMany) return outcome;
    last_scope_.reset();
    if (outcome == Outcome::kOk) last_scope_ = origin;
    place->too_deep |= outcome == Outcome::kTooDeep;
  }
  place->scope = batch_.scopes.size() - 1;
  return Outcome::kOk;
}

Outcome TraceDecoder::AddScope(std::string_view bytes, std::string_view schema_url) {
  Outcome outcome = Outcome::kOk;
  Code name = 0;
  Code version = 0;
  uint32_t dropped = 0;
  const BatchMark mark = builder_.Mark();
  const uint32_t first_attribute = batch_.scopes.attributes.size();
  builder_.BeginAttributes();
  WireReader reader(bytes);
  while (outcome == Outcome::kOk && reader.Next()) {
    if (reader.tag() == BytesTag(1)) {
      outcome = Scope(reader.Bytes(), &name, &version, &dropped);
    } else {
      reader.Skip();
    }
  }
  model::ScopeColumns& scopes = batch_.scopes;
  if (outcome != Outcome::kOk) {
    builder_.RollBack(mark);
    scopes.attributes.Truncate(first_attribute);
  }
  scopes.name.push_back(name);
  scopes.version.push_back(version);
  scopes.schema_url.push_back(builder_.Text(schema_url));
  scopes.dropped_attributes.push_back(dropped);
  scopes.attribute_end.push_back(scopes.attributes.size());
  return outcome;
}

Outcome TraceDecoder::Scope(std::string_view bytes, Code* name, Code* version, uint32_t* dropped) {
  WireReader reader(bytes);
  while (reader.Next()) {
    switch (reader.tag()) {
      case BytesTag(1): *name = builder_.Text(reader.Bytes()); break;
      case BytesTag(2): *version = builder_.Text(reader.Bytes()); break;
      case BytesTag(3):
        if (Outcome o = KeyValue(reader.Bytes(), &batch_.scopes.attributes); o != Outcome::kOk) {
          return o;
        }
        break;
      case VarintTag(4): *dropped = static_cast<uint32_t>(reader.Varint()); break;
      default: reader.Skip();
    }
  }
  return Ended(reader);
}

Outcome TraceDecoder::Span(std::string_view bytes, const Place& place) {
  const BatchMark mark = builder_.Mark();
  SpanFields fields;
  id_fault_.reset();
  builder_.BeginAttributes();
  const Outcome outcome = SpanBody(bytes, &fields);
  if (outcome == Outcome::kMalformed || outcome == Outcome::kTooMany) return outcome;
  std::optional<RejectReason> fault = id_fault_;
  if (!fault && !fields.trace_id.valid()) fault = RejectReason::kInvalidTraceId;
  if (!fault && !fields.span_id.valid()) fault = RejectReason::kInvalidSpanId;
  if (!fault && outcome == Outcome::kTooDeep) fault = RejectReason::kNestedTooDeep;
  if (fault) {
    builder_.RollBack(mark);
    rejected_.Add(*fault);
    return Outcome::kOk;
  }
  builder_.CommitSpan(fields, place.resource, place.scope);
  return Outcome::kOk;
}

Outcome TraceDecoder::SpanBody(std::string_view bytes, SpanFields* fields) {
  Outcome outcome = Outcome::kOk;
  WireReader reader(bytes);
  while (outcome == Outcome::kOk && reader.Next()) {
    switch (reader.tag()) {
      case BytesTag(1):
        if (!ReadTraceId(reader.Bytes(), &fields->trace_id))
          id_fault_ = RejectReason::kInvalidTraceId;
        break;
      case BytesTag(2):
        if (!ReadSpanId(reader.Bytes(), &fields->span_id)) id_fault_ = RejectReason::kInvalidSpanId;
        break;
      case BytesTag(3): fields->trace_state = builder_.Text(reader.Bytes()); break;
      case BytesTag(4): {
        const std::string_view id = reader.Bytes();
        if (!id.empty() && !ReadSpanId(id, &fields->parent_span_id)) {
          id_fault_ = RejectReason::kInvalidParentId;
        }
        break;
      }
      case BytesTag(5): fields->name = builder_.Text(reader.Bytes()); break;
      case VarintTag(6): fields->kind = EnumByte(reader.Varint()); break;
      case Fixed64Tag(7): fields->start_ns = reader.Fixed64(); break;
      case Fixed64Tag(8): fields->end_ns = reader.Fixed64(); break;
      case BytesTag(9): outcome = KeyValue(reader.Bytes(), &batch_.attributes); break;
      case VarintTag(10):
        fields->dropped_attributes = static_cast<uint32_t>(reader.Varint());
        break;
      case BytesTag(11): outcome = Event(reader.Bytes()); break;
      case VarintTag(12): fields->dropped_events = static_cast<uint32_t>(reader.Varint()); break;
      case BytesTag(13): outcome = Link(reader.Bytes()); break;
      case VarintTag(14): fields->dropped_links = static_cast<uint32_t>(reader.Varint()); break;
      case BytesTag(15): outcome = Status(reader.Bytes(), fields); break;
      case Fixed32Tag(16): fields->flags = reader.Fixed32(); break;
      default: reader.Skip();
    }
  }
  return reader.ok() ? outcome : Outcome::kMalformed;
}

Outcome TraceDecoder::Status(std::string_view bytes, SpanFields* fields) {
  WireReader reader(bytes);
  while (reader.Next()) {
    switch (reader.tag()) {
      case BytesTag(2): fields->status_message = builder_.Text(reader.Bytes()); break;
      case VarintTag(3): fields->status = EnumByte(reader.Varint()); break;
      default: reader.Skip();
    }
  }
  return Ended(reader);
}

Outcome TraceDecoder::Event(std::string_view bytes) {
  if (!builder_.TakeElement()) return Outcome::kTooMany;
  model::EventColumns& events = batch_.events;
  Outcome outcome = Outcome::kOk;
  uint64_t time_ns = 0;
  Code name = 0;
  uint32_t dropped = 0;
  builder_.BeginAttributes();
  WireReader reader(bytes);
  while (outcome == Outcome::kOk && reader.Next()) {
    switch (reader.tag()) {
      case Fixed64Tag(1): time_ns = reader.Fixed64(); break;
      case BytesTag(2): name = builder_.Text(reader.Bytes()); break;
      case BytesTag(3): outcome = KeyValue(reader.Bytes(), &events.attributes); break;
      case VarintTag(4): dropped = static_cast<uint32_t>(reader.Varint()); break;
      default: reader.Skip();
    }
  }
  events.time_ns.push_back(time_ns);
  events.name.push_back(name);
  events.dropped_attributes.push_back(dropped);
  events.attribute_end.push_back(events.attributes.size());
  return reader.ok() ? outcome : Outcome::kMalformed;
}

// A link whose ids have a wrong length is kept with none: it says something, and is no span's name.
Outcome TraceDecoder::Link(std::string_view bytes) {
  if (!builder_.TakeElement()) return Outcome::kTooMany;
  model::LinkColumns& links = batch_.links;
  Outcome outcome = Outcome::kOk;
  TraceId trace_id;
  SpanId span_id;
  Code trace_state = 0;
  uint32_t flags = 0;
  uint32_t dropped = 0;
  builder_.BeginAttributes();
  WireReader reader(bytes);
  while (outcome == Outcome::kOk && reader.Next()) {
    switch (reader.tag()) {
      case BytesTag(1): ReadTraceId(reader.Bytes(), &trace_id); break;
      case BytesTag(2): ReadSpanId(reader.Bytes(), &span_id); break;
      case BytesTag(3): trace_state = builder_.Text(reader.Bytes()); break;
      case BytesTag(4): outcome = KeyValue(reader.Bytes(), &links.attributes); break;
      case VarintTag(5): dropped = static_cast<uint32_t>(reader.Varint()); break;
      case Fixed32Tag(6): flags = reader.Fixed32(); break;
      default: reader.Skip();
    }
  }
  links.trace_id.push_back(trace_id);
  links.span_id.push_back(span_id);
  links.trace_state.push_back(trace_state);
  links.flags.push_back(flags);
  links.dropped_attributes.push_back(dropped);
  links.attribute_end.push_back(links.attributes.size());
  return reader.ok() ? outcome : Outcome::kMalformed;
}

Outcome TraceDecoder::KeyValue(std::string_view bytes, AttributeArray* out) {
  Attribute attribute;
  const Outcome outcome = KeyValue(bytes, 0, &attribute);
  if (outcome == Outcome::kOk) out->Add(attribute);
  return outcome;
}

// `depth` counts the containers around the pair.
Outcome TraceDecoder::KeyValue(std::string_view bytes, uint32_t depth, Attribute* out) {
  if (!builder_.TakeElement()) return Outcome::kTooMany;
  std::string_view key;
  std::string_view value;
  if (!CutPair(bytes, &key, &value)) {
    WireReader reader(bytes);
    while (reader.Next()) {
      switch (reader.tag()) {
        case BytesTag(1): key = reader.Bytes(); break;
        case BytesTag(2): value = reader.Bytes(); break;
        default: reader.Skip();
      }
    }
    if (!reader.ok()) return Outcome::kMalformed;
  }
  out->key = builder_.Key(key);
  if (std::string_view text; CutString(value, &text)) {
    out->type = ValueType::kString;
    out->value = builder_.ValueOf(out->key, text);
    return Outcome::kOk;
  }
  return Value(value, depth, out);
}

// The last field of the oneof counts. string_value_strindex belongs to profiles: no value here.
Outcome TraceDecoder::Value(std::string_view bytes, uint32_t depth, Attribute* out) {
  out->type = ValueType::kEmpty;
  out->value = 0;
  Outcome outcome = Outcome::kOk;
  WireReader reader(bytes);
  while (outcome == Outcome::kOk && reader.Next()) {
    switch (reader.tag()) {
      case BytesTag(1):
        out->type = ValueType::kString;
        out->value = builder_.ValueOf(out->key, reader.Bytes());
        break;
      case VarintTag(2):
        out->type = ValueType::kBool;
        out->value = reader.Varint() != 0;
        break;
      case VarintTag(3):
        out->type = ValueType::kInt;
        out->value = reader.Varint();
        break;
      case Fixed64Tag(4):
        out->type = ValueType::kDouble;
        out->value = reader.Fixed64();
        break;
      case BytesTag(5):
        out->type = ValueType::kArray;
        outcome = Container(reader.Bytes(), depth + 1, out);
        break;
      case BytesTag(6):
        out->type = ValueType::kKvList;
        outcome = Container(reader.Bytes(), depth + 1, out);
        break;
      case BytesTag(7):
        out->type = ValueType::kBytes;
        out->value = builder_.Text(reader.Bytes());
        break;
      default: reader.Skip();
    }
  }
  return reader.ok() ? outcome : Outcome::kMalformed;
}

// ArrayValue and KeyValueList: field 1 repeated, of values or of pairs.
Outcome TraceDecoder::Container(std::string_view bytes, uint32_t depth, Attribute* out) {
  if (depth > builder_.limits().nesting_max) return Outcome::kTooDeep;
  const size_t opened = builder_.OpenContainer();
  WireReader reader(bytes);
  while (reader.Next()) {
    if (reader.tag() != BytesTag(1)) {
      reader.Skip();
      continue;
    }
    Attribute element;
    Outcome outcome = Outcome::kTooMany;
    if (out->type == ValueType::kKvList) {
      outcome = KeyValue(reader.Bytes(), depth, &element);
    } else if (builder_.TakeElement()) {
      outcome = Value(reader.Bytes(), depth, &element);
    }
    if (outcome != Outcome::kOk) return outcome;
    builder_.AddElement(element);
  }
  if (!reader.ok()) return Outcome::kMalformed;
  out->value = builder_.CloseContainer(opened).Pack();
  return Outcome::kOk;
}

}  // namespace

Error DecodeTraces(std::string_view bytes, const DecodeLimits& limits, SpanBatch* batch,
                   RejectedSpans* rejected) {
  TraceDecoder decoder(limits, batch, rejected);
  switch (decoder.Request(bytes)) {
    case Outcome::kMalformed:
      return Error(ErrorCode::kInvalidArgument, std::string(kMalformedMessage));
    case Outcome::kTooMany: return TooManyElements(limits);
    case Outcome::kOk:
    case Outcome::kTooDeep: break;
  }
  return Error::Ok();
}

}  // namespace weft::receive::otlp
