#include "model/otlp_encode.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <tuple>
#include <vector>

#include "model/json_writer.h"
#include "model/proto_writer.h"

namespace weft::model {
namespace {

constexpr uint32_t kUnseen = 0xffffffff;

// Numbers things by when they were first asked for.
class FirstUse {
 public:
  explicit FirstUse(uint32_t size) : order_(size, kUnseen) {}
  uint32_t operator()(uint32_t i) {
    if (order_[i] == kUnseen) order_[i] = next_++;
    return order_[i];
  }

 private:
  std::vector<uint32_t> order_;
  uint32_t next_ = 0;
};

// `rows` with those of one resource, and in it those of one scope, side by side.
std::vector<uint32_t> Grouped(const SpanBatch& batch, std::span<const uint32_t> rows) {
  FirstUse resources(batch.resources.size());
  FirstUse scopes(batch.scopes.size());
  std::vector<std::tuple<uint32_t, uint32_t, uint32_t>> keys;  // resource, scope, position
  keys.reserve(rows.size());
  for (uint32_t i = 0; i < rows.size(); ++i) {
    keys.emplace_back(resources(batch.resource[rows[i]]), scopes(batch.scope[rows[i]]), i);
  }
  std::sort(keys.begin(), keys.end());
  std::vector<uint32_t> out;
  out.reserve(rows.size());
  for (const auto& key : keys) out.push_back(rows[std::get<2>(key)]);
  return out;
}

// Calls for each run of rows with one resource and scope: begin_resource(resource), then for each
// of its scopes begin_scope(scope), span(row)..., end_scope(scope), then end_resource(resource).
template <typename Writer>
void WriteGrouped(const SpanBatch& batch, std::span<const uint32_t> rows, Writer* writer) {
  const std::vector<uint32_t> sorted = Grouped(batch, rows);
  for (size_t i = 0; i < sorted.size();) {
    const uint32_t resource = batch.resource[sorted[i]];
    writer->BeginResource(resource);
    while (i < sorted.size() && batch.resource[sorted[i]] == resource) {
      const uint32_t scope = batch.scope[sorted[i]];
      writer->BeginScope(scope);
      for (; i < sorted.size() && batch.resource[sorted[i]] == resource &&
             batch.scope[sorted[i]] == scope;
           ++i) {
        writer->Span(sorted[i]);
      }
      writer->EndScope(scope);
    }
    writer->EndResource(resource);
  }
}

// Writes with `To`: a ProtoWriter, or a ProtoSizer that only counts.
template <typename To>
class ProtoTraces {
 public:
  ProtoTraces(const SpanBatch& batch, To to) : b_(batch), to_(to) {}

  void BeginResource(uint32_t r) {
    resource_spans_ = to_.Begin(1);
    const size_t resource = to_.Begin(1);
    Attributes(1, b_.resources.attributes, b_.ResourceAttributesOf(r));
    NonZero(2, b_.resources.dropped_attributes[r]);
    to_.End(resource);
  }
  void EndResource(uint32_t r) {
    Text(3, b_.resources.schema_url[r]);
    to_.End(resource_spans_);
  }
  void BeginScope(uint32_t s) {
    scope_spans_ = to_.Begin(2);
    const size_t scope = to_.Begin(1);
    Text(1, b_.scopes.name[s]);
    Text(2, b_.scopes.version[s]);
    Attributes(3, b_.scopes.attributes, b_.ScopeAttributesOf(s));
    NonZero(4, b_.scopes.dropped_attributes[s]);
    to_.End(scope);
  }
  void EndScope(uint32_t s) {
    Text(3, b_.scopes.schema_url[s]);
    to_.End(scope_spans_);
  }
  void Span(uint32_t i);
  const To& to() const { return to_; }

 private:
  void NonZero(uint32_t field, uint64_t value) {
    if (value != 0) to_.Varint(field, value);
  }
  void Text(uint32_t field, Code code) {
    if (code != 0) to_.Bytes(field, b_.strings[code]);
  }
  void Id(uint32_t field, const TraceId& id) {
    char bytes[16];
    id.ToBytes(bytes);
    to_.Bytes(field, {bytes, sizeof bytes});
  }
  void Id(uint32_t field, const SpanId& id) {
    char bytes[8];
    id.ToBytes(bytes);
    to_.Bytes(field, {bytes, sizeof bytes});
  }
  void Attributes(uint32_t field, const AttributeArray& attributes, IndexRange range) {
    for (uint32_t i = range.begin; i < range.end; ++i) Pair(field, attributes[i]);
  }
  void Pair(uint32_t field, const Attribute& a);
  void Value(const Attribute& a);
  void Event(uint32_t e);
  void Link(uint32_t l);
  void Status(uint32_t i);

  const SpanBatch& b_;
  To to_;
  size_t resource_spans_ = 0;
  size_t scope_spans_ = 0;
};

template <typename To>
void ProtoTraces<To>::Span(uint32_t i) {
  const size_t span = to_.Begin(2);
  Id(1, b_.trace_id(i));
  Id(2, b_.span_id[i]);
  Text(3, b_.trace_state[i]);
  if (b_.parent_span_id[i].valid()) Id(4, b_.parent_span_id[i]);
  Text(5, b_.name[i]);
  NonZero(6, b_.kind[i]);
  if (b_.start_ns[i] != 0) to_.Fixed64(7, b_.start_ns[i]);
  if (b_.end_ns[i] != 0) to_.Fixed64(8, b_.end_ns[i]);
  Attributes(9, b_.attributes, b_.AttributesOf(i));
  NonZero(10, b_.dropped_attributes[i]);
  const IndexRange events = b_.EventsOf(i);
  for (uint32_t e = events.begin; e < events.end; ++e) Event(e);
  NonZero(12, b_.dropped_events[i]);
  const IndexRange links = b_.LinksOf(i);
  for (uint32_t l = links.begin; l < links.end; ++l) Link(l);
  NonZero(14, b_.dropped_links[i]);
  if (b_.status[i] != 0 || b_.status_message[i] != 0) Status(i);
  if (b_.flags[i] != 0) to_.Fixed32(16, b_.flags[i]);
  to_.End(span);
}

template <typename To>
void ProtoTraces<To>::Status(uint32_t i) {
  const size_t status = to_.Begin(15);
  Text(2, b_.status_message[i]);
  NonZero(3, b_.status[i]);
  to_.End(status);
}

template <typename To>
void ProtoTraces<To>::Event(uint32_t e) {
  const size_t event = to_.Begin(11);
  if (b_.events.time_ns[e] != 0) to_.Fixed64(1, b_.events.time_ns[e]);
  Text(2, b_.events.name[e]);
  Attributes(3, b_.events.attributes, b_.EventAttributesOf(e));
  NonZero(4, b_.events.dropped_attributes[e]);
  to_.End(event);
}

template <typename To>
void ProtoTraces<To>::Link(uint32_t l) {
  const size_t link = to_.Begin(13);
  Id(1, b_.links.trace_id[l]);
  Id(2, b_.links.span_id[l]);
  Text(3, b_.links.trace_state[l]);
  Attributes(4, b_.links.attributes, b_.LinkAttributesOf(l));
  NonZero(5, b_.links.dropped_attributes[l]);
  if (b_.links.flags[l] != 0) to_.Fixed32(6, b_.links.flags[l]);
  to_.End(link);
}

template <typename To>
void ProtoTraces<To>::Pair(uint32_t field, const Attribute& a) {
  const size_t pair = to_.Begin(field);
  Text(1, a.key);
  const size_t value = to_.Begin(2);
  Value(a);
  to_.End(value);
  to_.End(pair);
}

// The fields of AnyValue. Members of a oneof are written also when they are zero.
template <typename To>
void ProtoTraces<To>::Value(const Attribute& a) {
  switch (a.type) {
    case ValueType::kEmpty: return;
    case ValueType::kString: return to_.Bytes(1, b_.strings[a.as_code()]);
    case ValueType::kBool: return to_.Varint(2, a.value);
    case ValueType::kInt: return to_.Varint(3, a.value);
    case ValueType::kDouble: return to_.Fixed64(4, a.value);
    case ValueType::kBytes: return to_.Bytes(7, b_.strings[a.as_code()]);
    case ValueType::kArray:
    case ValueType::kKvList: break;
  }
  const bool pairs = a.type == ValueType::kKvList;
  const size_t container = to_.Begin(pairs ? 6 : 5);
  const NestedRange range = a.as_nested();
  for (uint32_t i = range.begin; i < range.begin + range.count; ++i) {
    if (pairs) {
      Pair(1, b_.nested[i]);
      continue;
    }
    const size_t element = to_.Begin(1);
    Value(b_.nested[i]);
    to_.End(element);
  }
  to_.End(container);
}

// How ids, enumerators and empty fields are written.
enum class JsonManner { kOtlp, kJsonpb };

constexpr std::array<std::string_view, 6> kKindNames{"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL",
                                                     "SPAN_KIND_SERVER",      "SPAN_KIND_CLIENT",
                                                     "SPAN_KIND_PRODUCER",    "SPAN_KIND_CONSUMER"};
constexpr std::array<std::string_view, 3> kStatusNames{"STATUS_CODE_UNSET", "STATUS_CODE_OK",
                                                       "STATUS_CODE_ERROR"};

// The array of ResourceSpans.
class JsonTraces {
 public:
  JsonTraces(const SpanBatch& batch, JsonManner manner, std::string* out)
      : b_(batch), jsonpb_(manner == JsonManner::kJsonpb), to_(out) {
    to_.BeginArray();
  }
  void Finish() { to_.EndArray(); }

  void BeginResource(uint32_t r) {
    to_.BeginObject();
    to_.Name("resource");
    to_.BeginObject();
    Attributes(b_.resources.attributes, b_.ResourceAttributesOf(r));
    NonZero("droppedAttributesCount", b_.resources.dropped_attributes[r]);
    to_.EndObject();
    to_.Name("scopeSpans");
    to_.BeginArray();
  }
  void EndResource(uint32_t r) {
    to_.EndArray();
    Text("schemaUrl", b_.resources.schema_url[r]);
    to_.EndObject();
  }
  void BeginScope(uint32_t s) {
    to_.BeginObject();
    to_.Name("scope");
    to_.BeginObject();
    Text("name", b_.scopes.name[s]);
    Text("version", b_.scopes.version[s]);
    Attributes(b_.scopes.attributes, b_.ScopeAttributesOf(s));
    NonZero("droppedAttributesCount", b_.scopes.dropped_attributes[s]);
    to_.EndObject();
    to_.Name("spans");
    to_.BeginArray();
  }
  void EndScope(uint32_t s) {
    to_.EndArray();
    Text("schemaUrl", b_.scopes.schema_url[s]);
    to_.EndObject();
  }
  void Span(uint32_t i);

 private:
  void NonZero(std::string_view name, uint32_t value) {
    if (value == 0) return;
    to_.Name(name);
    to_.Number(value);
  }
  void Text(std::string_view name, Code code) {
    if (code == 0) return;
    to_.Name(name);
    to_.String(b_.strings[code]);
  }
  void Time(std::string_view name, uint64_t time_ns) {
    if (jsonpb_ && time_ns == 0) return;
    to_.Name(name);
    to_.Uint64Text(time_ns);
  }
  template <typename IdType>
  void Id(std::string_view name, IdType id) {
    to_.Name(name);
    if (!jsonpb_) return to_.String(id.ToHex());
    std::array<char, sizeof id> bytes;
    id.ToBytes(bytes.data());
    to_.Base64({bytes.data(), bytes.size()});
  }
  // By name in jsonpb, where the number has one.
  void Enum(std::string_view name, uint8_t value, std::span<const std::string_view> names) {
    if (!jsonpb_ || value == 0 || value >= names.size()) return NonZero(name, value);
    to_.Name(name);
    to_.String(names[value]);
  }
  void Attributes(const AttributeArray& attributes, IndexRange range);
  void Pair(const Attribute& a);
  void Value(const Attribute& a);
  void Container(const Attribute& a);
  void Status(uint32_t i);
  void Events(IndexRange range);
  void Links(IndexRange range);

  const SpanBatch& b_;
  const bool jsonpb_;
  JsonWriter to_;
};

void JsonTraces::Span(uint32_t i) {
  to_.BeginObject();
  Id("traceId", b_.trace_id(i));
  Id("spanId", b_.span_id[i]);
  Text("traceState", b_.trace_state[i]);
  if (b_.parent_span_id[i].valid()) Id("parentSpanId", b_.parent_span_id[i]);
  Text("name", b_.name[i]);
  Enum("kind", b_.kind[i], kKindNames);
  Time("startTimeUnixNano", b_.start_ns[i]);
  Time("endTimeUnixNano", b_.end_ns[i]);
  Attributes(b_.attributes, b_.AttributesOf(i));
  NonZero("droppedAttributesCount", b_.dropped_attributes[i]);
  Events(b_.EventsOf(i));
  NonZero("droppedEventsCount", b_.dropped_events[i]);
  Links(b_.LinksOf(i));
  NonZero("droppedLinksCount", b_.dropped_links[i]);
  Status(i);
  NonZero("flags", b_.flags[i]);
  to_.EndObject();
}

void JsonTraces::Status(uint32_t i) {
  if (!jsonpb_ && b_.status[i] == 0 && b_.status_message[i] == 0) return;
  to_.Name("status");
  to_.BeginObject();
  Text("message", b_.status_message[i]);
  Enum("code", b_.status[i], kStatusNames);
  to_.EndObject();
}

void JsonTraces::Events(IndexRange range) {
  if (range.size() == 0) return;
  to_.Name("events");
  to_.BeginArray();
  for (uint32_t e = range.begin; e < range.end; ++e) {
    to_.BeginObject();
    Time("timeUnixNano", b_.events.time_ns[e]);
    Text("name", b_.events.name[e]);
    Attributes(b_.events.attributes, b_.EventAttributesOf(e));
    NonZero("droppedAttributesCount", b_.events.dropped_attributes[e]);
    to_.EndObject();
  }
  to_.EndArray();
}

void JsonTraces::Links(IndexRange range) {
  if (range.size() == 0) return;
  to_.Name("links");
  to_.BeginArray();
  for (uint32_t l = range.begin; l < range.end; ++l) {
    to_.BeginObject();
    Id("traceId", b_.links.trace_id[l]);
    Id("spanId", b_.links.span_id[l]);
    Text("traceState", b_.links.trace_state[l]);
    Attributes(b_.links.attributes, b_.LinkAttributesOf(l));
    NonZero("droppedAttributesCount", b_.links.dropped_attributes[l]);
    NonZero("flags", b_.links.flags[l]);
    to_.EndObject();
  }
  to_.EndArray();
}

void JsonTraces::Attributes(const AttributeArray& attributes, IndexRange range) {
  if (range.size() == 0) return;
  to_.Name("attributes");
  to_.BeginArray();
  for (uint32_t i = range.begin; i < range.end; ++i) Pair(attributes[i]);
  to_.EndArray();
}

void JsonTraces::Pair(const Attribute& a) {
  to_.BeginObject();
  to_.Name("key");
  to_.String(b_.strings[a.key]);
  to_.Name("value");
  Value(a);
  to_.EndObject();
}

void JsonTraces::Value(const Attribute& a) {
  to_.BeginObject();
  switch (a.type) {
    case ValueType::kEmpty: break;
    case ValueType::kString:
      to_.Name("stringValue");
      to_.String(b_.strings[a.as_code()]);
      break;
    case ValueType::kBool:
      to_.Name("boolValue");
      to_.Bool(a.as_bool());
      break;
    case ValueType::kInt:
      to_.Name("intValue");
      to_.Int64Text(a.as_int());
      break;
    case ValueType::kDouble:
      to_.Name("doubleValue");
      to_.Double(a.as_double());
      break;
    case ValueType::kBytes:
      to_.Name("bytesValue");
      to_.Base64(b_.strings[a.as_code()]);
      break;
    case ValueType::kArray:
    case ValueType::kKvList: Container(a); break;
  }
  to_.EndObject();
}

void JsonTraces::Container(const Attribute& a) {
  const bool pairs = a.type == ValueType::kKvList;
  to_.Name(pairs ? "kvlistValue" : "arrayValue");
  to_.BeginObject();
  to_.Name("values");
  to_.BeginArray();
  const NestedRange range = a.as_nested();
  for (uint32_t i = range.begin; i < range.begin + range.count; ++i) {
    if (pairs) {
      Pair(b_.nested[i]);
    } else {
      Value(b_.nested[i]);
    }
  }
  to_.EndArray();
  to_.EndObject();
}

std::vector<uint32_t> AllRows(const SpanBatch& batch) {
  std::vector<uint32_t> rows(batch.size());
  std::iota(rows.begin(), rows.end(), 0u);
  return rows;
}

}  // namespace

void EncodeOtlpProto(const SpanBatch& batch, std::span<const uint32_t> rows, std::string* out) {
  ProtoTraces writer(batch, ProtoWriter(out));
  WriteGrouped(batch, rows, &writer);
}

uint64_t OtlpProtoBytes(const SpanBatch& batch, uint32_t span) {
  ProtoTraces writer(batch, ProtoSizer());
  writer.Span(span);
  return writer.to().bytes();
}

void EncodeOtlpJson(const SpanBatch& batch, std::span<const uint32_t> rows, std::string* out) {
  *out += "{\"resourceSpans\":";
  JsonTraces writer(batch, JsonManner::kOtlp, out);
  WriteGrouped(batch, rows, &writer);
  writer.Finish();
  out->push_back('}');
}

void EncodeOtlpJsonpb(const SpanBatch& batch, std::span<const uint32_t> rows, std::string* out) {
  JsonTraces writer(batch, JsonManner::kJsonpb, out);
  WriteGrouped(batch, rows, &writer);
  writer.Finish();
}

std::string EncodeOtlpProto(const SpanBatch& batch) {
  std::string out;
  EncodeOtlpProto(batch, AllRows(batch), &out);
  return out;
}

std::string EncodeOtlpJson(const SpanBatch& batch) {
  std::string out;
  EncodeOtlpJson(batch, AllRows(batch), &out);
  return out;
}

}  // namespace weft::model
