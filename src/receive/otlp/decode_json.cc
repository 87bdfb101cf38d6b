// Members come in any order, and simdjson reads forward only. So a resource gets its index when its
// ResourceSpans begins, and its content whenever it comes; the entry is written at the end.
// Likewise a scope. A span is read member by member straight into the columns, and rolled back when
// something is wrong with it alone.

#include "receive/otlp/decode_json.h"

#include <array>
#include <bit>
#include <optional>
#include <utility>

#include "receive/json_reader.h"
#include "receive/otlp/base64.h"

namespace weft::receive::otlp {
namespace {

using model::Attribute;
using model::AttributeArray;
using model::Code;
using model::SpanBatch;
using model::SpanId;
using model::TraceId;
using model::ValueType;

constexpr std::array<std::string_view, 6> kKinds = {"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL",
                                                    "SPAN_KIND_SERVER",      "SPAN_KIND_CLIENT",
                                                    "SPAN_KIND_PRODUCER",    "SPAN_KIND_CONSUMER"};
constexpr std::array<std::string_view, 3> kStatusCodes = {"STATUS_CODE_UNSET", "STATUS_CODE_OK",
                                                          "STATUS_CODE_ERROR"};

std::optional<TraceId> ReadTraceId(std::string_view hex) {
  return hex.size() == 32 ? TraceId::FromHex(hex) : std::nullopt;
}
std::optional<SpanId> ReadSpanId(std::string_view hex) {
  return hex.size() == 16 ? SpanId::FromHex(hex) : std::nullopt;
}

class JsonTraceDecoder {
 public:
  JsonTraceDecoder(const DecodeLimits& limits, SpanBatch* batch, RejectedSpans* rejected)
      : builder_(limits, batch), batch_(*batch), rejected_(*rejected) {}

  Error Request(std::string* body);

 private:
  bool ResourceSpans(JsonValue value);
  bool Resource(JsonValue value, uint32_t* dropped);
  void EndResource(const BatchMark& mark, uint32_t first_scope, uint32_t first_attribute,
                   Code schema_url, uint32_t dropped);
  bool ScopeSpans(JsonValue value, uint32_t resource);
  bool Scope(JsonValue value);
  void EndScope(const BatchMark& mark, uint32_t first_attribute, Code schema_url);
  bool Span(JsonValue value, uint32_t resource, uint32_t scope);
  bool SpanMember(std::string_view name, JsonValue value, SpanFields* fields);
  bool SpanIds(std::string_view name, JsonValue value, SpanFields* fields, bool* taken);
  bool Status(JsonValue value, SpanFields* fields);
  bool Event(JsonValue value);
  bool Link(JsonValue value);
  bool Attributes(JsonValue value, AttributeArray* out);
  bool KeyValue(JsonValue value, uint32_t depth, Attribute* out);
  bool Value(JsonValue value, uint32_t depth, Attribute* out);
  bool ValueMember(std::string_view name, JsonValue value, uint32_t depth, Attribute* out);
  bool Container(JsonValue value, uint32_t depth, Attribute* out);
  bool Text(JsonValue value, const char* what, Code* out);
  template <size_t N>
  bool Enum(JsonValue value, const char* what, const std::array<std::string_view, N>& names,
            uint8_t* out);
  bool TakeElement() { return builder_.TakeElement() || TooMany(); }
  bool TooMany() {
    too_many_ = true;
    return json_.Fail("too many elements");
  }

  JsonReader json_{"OTLP"};
  BatchBuilder builder_;
  SpanBatch& batch_;
  RejectedSpans& rejected_;
  bool too_many_ = false;
  // Of the innermost owner of attributes being read: a value in it exceeds the depth, and the rest
  // of the value was skipped.
  bool too_deep_ = false;
  std::optional<RejectReason> id_fault_;  // of the span being read

  // Of the scope being read.
  Code scope_name_ = 0;
  Code scope_version_ = 0;
  uint32_t scope_dropped_ = 0;
  bool scope_too_deep_ = false;
  bool resource_too_deep_ = false;
};

Error JsonTraceDecoder::Request(std::string* body) {
  Error error = json_.Document(body, [this](std::string_view name, JsonValue value) {
    if (name != "resourceSpans" && name != "resource_spans") return true;
    return json_.Array(value, "resourceSpans", [this](JsonValue v) { return ResourceSpans(v); });
  });
  if (!too_many_) return error;
  return TooManyElements(builder_.limits());
}

bool JsonTraceDecoder::ResourceSpans(JsonValue value) {
  const BatchMark mark = builder_.Mark();
  const uint32_t first_scope = batch_.scopes.size();
  const uint32_t first_attribute = batch_.resources.attributes.size();
  const uint32_t resource = batch_.resources.size();
  Code schema_url = 0;
  uint32_t dropped = 0;
  resource_too_deep_ = false;
  const bool ok = json_.Object(value, "resourceSpans", [&](std::string_view name, JsonValue v) {
    if (name == "resource") return Resource(v, &dropped);
    if (name == "schemaUrl" || name == "schema_url") return Text(v, "schemaUrl", &schema_url);
    if (name != "scopeSpans" && name != "scope_spans") return true;
    return json_.Array(v, "scopeSpans", [&](JsonValue s) { return ScopeSpans(s, resource); });
  });
  if (ok) EndResource(mark, first_scope, first_attribute, schema_url, dropped);
  return ok;
}

bool JsonTraceDecoder::Resource(JsonValue value, uint32_t* dropped) {
  too_deep_ = false;
  builder_.BeginAttributes();
  const bool ok = json_.Object(value, "resource", [&](std::string_view name, JsonValue v) {
    if (name == "attributes") return Attributes(v, &batch_.resources.attributes);
    if (name == "droppedAttributesCount" || name == "dropped_attributes_count") {
      return json_.Uint32(v, "droppedAttributesCount", dropped);
    }
    return true;
  });
  resource_too_deep_ |= too_deep_;
  return ok;
}

void JsonTraceDecoder::EndResource(const BatchMark& mark, uint32_t first_scope,
                                   uint32_t first_attribute, Code schema_url, uint32_t dropped) {
  model::ResourceColumns& resources = batch_.resources;
  if (resource_too_deep_) {
    rejected_.Add(RejectReason::kNestedTooDeep, batch_.size() - mark.spans);
    builder_.RollBack(mark);
    model::ScopeColumns& scopes = batch_.scopes;
    scopes.name.resize(first_scope);
    scopes.version.resize(first_scope);
    scopes.schema_url.resize(first_scope);
    scopes.dropped_attributes.resize(first_scope);
    scopes.attribute_end.resize(first_scope);
    scopes.attributes.Truncate(first_scope == 0 ? 0 : scopes.attribute_end.back());
    resources.attributes.Truncate(first_attribute);
  }
  resources.schema_url.push_back(schema_url);
  resources.dropped_attributes.push_back(dropped);
  resources.attribute_end.push_back(resources.attributes.size());
}

bool JsonTraceDecoder::ScopeSpans(JsonValue value, uint32_t resource) {
  const BatchMark mark = builder_.Mark();
  const uint32_t first_attribute = batch_.scopes.attributes.size();
  const uint32_t scope = batch_.scopes.size();
  Code schema_url = 0;
  scope_name_ = 0;
  scope_version_ = 0;
  scope_dropped_ = 0;
  scope_too_deep_ = false;
  const bool ok = json_.Object(value, "scopeSpans", [&](std::string_view name, JsonValue v) {
    if (name == "scope") return Scope(v);
    if (name == "schemaUrl" || name == "schema_url") return Text(v, "schemaUrl", &schema_url);
    if (name != "spans") return true;
    return json_.Array(v, "spans", [&](JsonValue s) { return Span(s, resource, scope); });
  });
  if (ok) EndScope(mark, first_attribute, schema_url);
  return ok;
}

bool JsonTraceDecoder::Scope(JsonValue value) {
  too_deep_ = false;
  builder_.BeginAttributes();
  const bool ok = json_.Object(value, "scope", [&](std::string_view name, JsonValue v) {
    if (name == "name") return Text(v, "scope.name", &scope_name_);
    if (name == "version") return Text(v, "scope.version", &scope_version_);
    if (name == "attributes") return Attributes(v, &batch_.scopes.attributes);
    if (name == "droppedAttributesCount" || name == "dropped_attributes_count") {
      return json_.Uint32(v, "droppedAttributesCount", &scope_dropped_);
    }
    return true;
  });
  scope_too_deep_ |= too_deep_;
  return ok;
}

void JsonTraceDecoder::EndScope(const BatchMark& mark, uint32_t first_attribute, Code schema_url) {
  model::ScopeColumns& scopes = batch_.scopes;
  if (scope_too_deep_) {
    rejected_.Add(RejectReason::kNestedTooDeep, batch_.size() - mark.spans);
    builder_.RollBack(mark);
    scopes.attributes.Truncate(first_attribute);
  }
  scopes.name.push_back(scope_name_);
  scopes.version.push_back(scope_version_);
  scopes.schema_url.push_back(schema_url);
  scopes.dropped_attributes.push_back(scope_dropped_);
  scopes.attribute_end.push_back(scopes.attributes.size());
}

bool JsonTraceDecoder::Span(JsonValue value, uint32_t resource, uint32_t scope) {
  const BatchMark mark = builder_.Mark();
  SpanFields fields;
  too_deep_ = false;
  id_fault_.reset();
  builder_.BeginAttributes();
  const bool ok = json_.Object(value, "span", [&](std::string_view name, JsonValue v) {
    return SpanMember(name, v, &fields);
  });
  if (!ok) return false;
  std::optional<RejectReason> fault = id_fault_;
  if (!fault && !fields.trace_id.valid()) fault = RejectReason::kInvalidTraceId;
  if (!fault && !fields.span_id.valid()) fault = RejectReason::kInvalidSpanId;
  if (!fault && too_deep_) fault = RejectReason::kNestedTooDeep;
  if (fault) {
    builder_.RollBack(mark);
    rejected_.Add(*fault);
  } else {
    builder_.CommitSpan(fields, resource, scope);
  }
  return true;
}

bool JsonTraceDecoder::SpanIds(std::string_view name, JsonValue value, SpanFields* fields,
                               bool* taken) {
  *taken = true;
  std::string_view hex;
  if (name == "traceId" || name == "trace_id") {
    if (!json_.Text(value, "traceId", &hex)) return false;
    const auto id = ReadTraceId(hex);
    if (!id) id_fault_ = RejectReason::kInvalidTraceId;
    fields->trace_id = id.value_or(TraceId{});
  } else if (name == "spanId" || name == "span_id") {
    if (!json_.Text(value, "spanId", &hex)) return false;
    const auto id = ReadSpanId(hex);
    if (!id) id_fault_ = RejectReason::kInvalidSpanId;
    fields->span_id = id.value_or(SpanId{});
  } else if (name == "parentSpanId" || name == "parent_span_id") {
    if (!json_.Text(value, "parentSpanId", &hex)) return false;
    const auto id = hex.empty() ? SpanId{} : ReadSpanId(hex);
    if (!id) id_fault_ = RejectReason::kInvalidParentId;
    fields->parent_span_id = id.value_or(SpanId{});
  } else {
    *taken = false;
  }
  return true;
}

bool JsonTraceDecoder::SpanMember(std::string_view name, JsonValue v, SpanFields* f) {
  if (name == "name") return Text(v, "name", &f->name);
  if (name == "attributes") return Attributes(v, &batch_.attributes);
  if (name == "startTimeUnixNano" || name == "start_time_unix_nano") {
    return json_.Uint64(v, "startTimeUnixNano", &f->start_ns);
  }
  if (name == "endTimeUnixNano" || name == "end_time_unix_nano") {
    return json_.Uint64(v, "endTimeUnixNano", &f->end_ns);
  }
  if (name == "kind") return Enum(v, "kind", kKinds, &f->kind);
  if (name == "status") return Status(v, f);
  if (name == "events") {
    return json_.Array(v, "events", [this](JsonValue e) { return Event(e); });
  }
  if (name == "links") {
    return json_.Array(v, "links", [this](JsonValue l) { return Link(l); });
  }
  if (name == "flags") return json_.Uint32(v, "flags", &f->flags);
  if (name == "traceState" || name == "trace_state") return Text(v, "traceState", &f->trace_state);
  if (name == "droppedAttributesCount" || name == "dropped_attributes_count") {
    return json_.Uint32(v, "droppedAttributesCount", &f->dropped_attributes);
  }
  if (name == "droppedEventsCount" || name == "dropped_events_count") {
    return json_.Uint32(v, "droppedEventsCount", &f->dropped_events);
  }
  if (name == "droppedLinksCount" || name == "dropped_links_count") {
    return json_.Uint32(v, "droppedLinksCount", &f->dropped_links);
  }
  bool taken;
  return SpanIds(name, v, f, &taken);
}

bool JsonTraceDecoder::Status(JsonValue value, SpanFields* fields) {
  return json_.Object(value, "status", [&](std::string_view name, JsonValue v) {
    if (name == "code") return Enum(v, "status.code", kStatusCodes, &fields->status);
    if (name == "message") return Text(v, "status.message", &fields->status_message);
    return true;
  });
}

bool JsonTraceDecoder::Event(JsonValue value) {
  if (!TakeElement()) return false;
  model::EventColumns& events = batch_.events;
  uint64_t time_ns = 0;
  Code event_name = 0;
  uint32_t dropped = 0;
  builder_.BeginAttributes();
  const bool ok = json_.Object(value, "event", [&](std::string_view name, JsonValue v) {
    if (name == "timeUnixNano" || name == "time_unix_nano") {
      return json_.Uint64(v, "event.timeUnixNano", &time_ns);
    }
    if (name == "name") return Text(v, "event.name", &event_name);
    if (name == "attributes") return Attributes(v, &events.attributes);
    if (name == "droppedAttributesCount" || name == "dropped_attributes_count") {
      return json_.Uint32(v, "event.droppedAttributesCount", &dropped);
    }
    return true;
  });
  events.time_ns.push_back(time_ns);
  events.name.push_back(event_name);
  events.dropped_attributes.push_back(dropped);
  events.attribute_end.push_back(events.attributes.size());
  return ok;
}

bool JsonTraceDecoder::Link(JsonValue value) {
  if (!TakeElement()) return false;
  model::LinkColumns& links = batch_.links;
  std::string_view hex;
  TraceId trace_id;
  SpanId span_id;
  Code trace_state = 0;
  uint32_t flags = 0;
  uint32_t dropped = 0;
  builder_.BeginAttributes();
  const bool ok = json_.Object(value, "link", [&](std::string_view name, JsonValue v) {
    if (name == "traceId" || name == "trace_id") {
      if (!json_.Text(v, "link.traceId", &hex)) return false;
      trace_id = ReadTraceId(hex).value_or(TraceId{});
    } else if (name == "spanId" || name == "span_id") {
      if (!json_.Text(v, "link.spanId", &hex)) return false;
      span_id = ReadSpanId(hex).value_or(SpanId{});
    } else if (name == "traceState" || name == "trace_state") {
      return Text(v, "link.traceState", &trace_state);
    } else if (name == "flags") {
      return json_.Uint32(v, "link.flags", &flags);
    } else if (name == "droppedAttributesCount" || name == "dropped_attributes_count") {
      return json_.Uint32(v, "link.droppedAttributesCount", &dropped);
    } else if (name == "attributes") {
      return Attributes(v, &links.attributes);
    }
    return true;
  });
  links.trace_id.push_back(trace_id);
  links.span_id.push_back(span_id);
  links.trace_state.push_back(trace_state);
  links.flags.push_back(flags);
  links.dropped_attributes.push_back(dropped);
  links.attribute_end.push_back(links.attributes.size());
  return ok;
}

bool JsonTraceDecoder::Attributes(JsonValue value, AttributeArray* out) {
  return json_.Array(value, "attributes", [&](JsonValue v) {
    Attribute attribute;
    if (!KeyValue(v, 0, &attribute)) return false;
    out->Add(attribute);
    return true;
  });
}

bool JsonTraceDecoder::KeyValue(JsonValue value, uint32_t depth, Attribute* out) {
  if (!TakeElement()) return false;
  return json_.Object(value, "attribute", [&](std::string_view name, JsonValue v) {
    if (name == "value") return Value(v, depth, out);
    if (name != "key") return true;
    std::string_view key;
    if (!json_.Text(v, "attribute.key", &key)) return false;
    out->key = builder_.Key(key);
    return true;
  });
}

bool JsonTraceDecoder::Value(JsonValue value, uint32_t depth, Attribute* out) {
  return json_.Object(value, "value", [&](std::string_view name, JsonValue v) {
    return ValueMember(name, v, depth, out);
  });
}

bool JsonTraceDecoder::ValueMember(std::string_view name, JsonValue v, uint32_t depth,
                                   Attribute* out) {
  bool is_null = false;
  if (!v.is_null().get(is_null) && is_null) return true;
  std::string_view text;
  if (name == "stringValue" || name == "string_value") {
    if (!json_.Text(v, "stringValue", &text)) return false;
    out->type = ValueType::kString;
    out->value = builder_.ValueOf(out->key, text);
  } else if (name == "intValue" || name == "int_value") {
    int64_t number = 0;
    if (!json_.Int64(v, "intValue", &number)) return false;
    out->type = ValueType::kInt;
    out->value = static_cast<uint64_t>(number);
  } else if (name == "boolValue" || name == "bool_value") {
    bool truth = false;
    if (!json_.Bool(v, "boolValue", &truth)) return false;
    out->type = ValueType::kBool;
    out->value = truth;
  } else if (name == "doubleValue" || name == "double_value") {
    double number = 0;
    if (!json_.Double(v, "doubleValue", &number)) return false;
    out->type = ValueType::kDouble;
    out->value = std::bit_cast<uint64_t>(number);
  } else if (name == "bytesValue" || name == "bytes_value") {
    if (!json_.Text(v, "bytesValue", &text)) return false;
    const auto bytes = DecodeBase64(text);
    if (!bytes) return json_.Fail("bytesValue must be base64");
    out->type = ValueType::kBytes;
    out->value = builder_.Text(*bytes);
  } else if (name == "arrayValue" || name == "array_value") {
    out->type = ValueType::kArray;
    return Container(v, depth + 1, out);
  } else if (name == "kvlistValue" || name == "kvlist_value") {
    out->type = ValueType::kKvList;
    return Container(v, depth + 1, out);
  }
  return true;
}

bool JsonTraceDecoder::Container(JsonValue value, uint32_t depth, Attribute* out) {
  if (depth > builder_.limits().nesting_max) {
    too_deep_ = true;
    out->type = ValueType::kEmpty;
    return true;  // simdjson skips what was not read
  }
  const size_t opened = builder_.OpenContainer();
  const bool pairs = out->type == ValueType::kKvList;
  const auto element = [&](JsonValue v) {
    Attribute a;
    const bool ok = pairs ? KeyValue(v, depth, &a) : TakeElement() && Value(v, depth, &a);
    if (ok) builder_.AddElement(a);
    return ok;
  };
  const bool ok = json_.Object(value, "value", [&](std::string_view name, JsonValue v) {
    return name != "values" || json_.Array(v, "values", element);
  });
  if (ok) out->value = builder_.CloseContainer(opened).Pack();
  return ok;
}

bool JsonTraceDecoder::Text(JsonValue value, const char* what, Code* out) {
  std::string_view text;
  if (!json_.Text(value, what, &text)) return false;
  *out = builder_.Text(text);
  return true;
}

template <size_t N>
bool JsonTraceDecoder::Enum(JsonValue value, const char* what,
                            const std::array<std::string_view, N>& names, uint8_t* out) {
  simdjson::ondemand::json_type type;
  if (value.type().get(type) || type != simdjson::ondemand::json_type::string) {
    int64_t number = 0;
    if (!json_.Int64(value, what, &number)) return false;
    *out = EnumByte(static_cast<uint64_t>(number));
    return true;
  }
  std::string_view name;
  if (!json_.Text(value, what, &name)) return false;
  *out = 0;  // also for a name no one knows
  for (uint8_t i = 0; i < N; ++i) {
    if (names[i] == name || (name.size() == 1 && name[0] == '0' + i)) *out = i;
  }
  return true;
}

}  // namespace

Error DecodeTracesJson(std::string* body, const DecodeLimits& limits, SpanBatch* batch,
                       RejectedSpans* rejected) {
  if (body->empty()) return Error::Ok();
  JsonTraceDecoder decoder(limits, batch, rejected);
  return decoder.Request(body);
}

}  // namespace weft::receive::otlp
