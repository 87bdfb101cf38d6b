// Members come in any order, so a span is read whole before it is written.

#include <array>
#include <optional>
#include <utility>

#include "net/http_message.h"
#include "receive/json_reader.h"
#include "receive/zipkin/decode.h"
#include "receive/zipkin/span_writer.h"
#include "receive/zipkin/v1_span.h"

namespace weft::receive::zipkin {
namespace {

using model::Code;
using model::SpanBatch;
using model::SpanKind;

constexpr std::array<std::pair<std::string_view, SpanKind>, 4> kKinds = {
    {{"CLIENT", SpanKind::kClient},
     {"SERVER", SpanKind::kServer},
     {"PRODUCER", SpanKind::kProducer},
     {"CONSUMER", SpanKind::kConsumer}}};

// What both versions have in common.
class JsonSpans {
 public:
  JsonSpans(const DecodeLimits& limits, SpanBatch* batch, RejectedSpans* rejected)
      : builder_(limits, batch), writer_(&builder_, rejected) {}

 protected:
  ~JsonSpans() = default;

  // The body's elements, each by `read`, which fills a span and writes it.
  template <typename Read>
  Error Request(std::string* body, Read read) {
    if (body->empty()) return Error::Ok();
    const Error error = json_.ArrayDocument(body, read);
    return too_many_ ? TooManyElements(builder_.limits()) : error;
  }
  bool TakeElement() { return builder_.TakeElement() || TooMany(); }
  bool TooMany() {
    too_many_ = true;
    return json_.Fail("too many elements");
  }
  bool Write(const Span& span) { return writer_.Add(span) || TooMany(); }

  // True when `name` was one of the ids; `ok` then says whether it could be read.
  bool Ids(std::string_view name, JsonValue value, SpanIds* ids, bool* ok);
  bool EndIds(SpanIds* ids);
  bool Endpoint(JsonValue value, const char* what, zipkin::Endpoint* out);
  bool Text(JsonValue value, const char* what, Code* out);
  // Microseconds; what is negative is not known.
  bool Micros(JsonValue value, const char* what, uint64_t* out);

  JsonReader json_{"a list of Zipkin's spans"};
  BatchBuilder builder_;
  SpanWriter writer_;
  bool too_many_ = false;
};

bool JsonSpans::Ids(std::string_view name, JsonValue value, SpanIds* ids, bool* ok) {
  std::string_view hex;
  *ok = true;
  if (name == "traceId") {
    *ok = json_.Text(value, "traceId", &hex);
    ids->trace_id = model::TraceId::FromHex(hex).value_or(model::TraceId{});
  } else if (name == "id") {
    *ok = json_.Text(value, "id", &hex);
    ids->span_id = model::SpanId::FromHex(hex).value_or(model::SpanId{});
  } else if (name == "parentId") {
    *ok = json_.Text(value, "parentId", &hex);
    const auto parent = hex.empty() ? model::SpanId{} : model::SpanId::FromHex(hex);
    if (!parent) ids->fault = RejectReason::kInvalidParentId;
    ids->parent_id = parent.value_or(model::SpanId{});
  } else {
    return false;
  }
  return true;
}

bool JsonSpans::EndIds(SpanIds* ids) {
  if (!ids->span_id.valid()) ids->fault = RejectReason::kInvalidSpanId;
  if (!ids->trace_id.valid()) ids->fault = RejectReason::kInvalidTraceId;
  return true;
}

bool JsonSpans::Endpoint(JsonValue value, const char* what, zipkin::Endpoint* out) {
  return json_.Object(value, what, [&](std::string_view name, JsonValue v) {
    if (name == "serviceName") return Text(v, "serviceName", &out->service);
    if (name == "ipv4") return Text(v, "ipv4", &out->ipv4);
    if (name == "ipv6") return Text(v, "ipv6", &out->ipv6);
    if (name != "port") return true;
    int64_t port = 0;
    if (!json_.Int64(v, "port", &port)) return false;
    // Thrift's ports are signed, and so some JSON made of them.
    out->port = static_cast<uint16_t>(port);
    return true;
  });
}

bool JsonSpans::Text(JsonValue value, const char* what, Code* out) {
  std::string_view text;
  if (!json_.Text(value, what, &text)) return false;
  *out = builder_.Text(text);
  return true;
}

bool JsonSpans::Micros(JsonValue value, const char* what, uint64_t* out) {
  int64_t number = 0;
  if (!json_.Int64(value, what, &number)) return false;
  *out = number < 0 ? 0 : static_cast<uint64_t>(number);
  return true;
}

class JsonV2 : private JsonSpans {
 public:
  using JsonSpans::JsonSpans;
  Error Decode(std::string* body) {
    return Request(body, [this](JsonValue value) {
      span_.Clear();
      return json_.Object(value, "span",
                          [this](std::string_view name, JsonValue v) { return Member(name, v); }) &&
             EndIds(&span_.ids) && Write(span_);
    });
  }

 private:
  bool Member(std::string_view name, JsonValue v) {
    bool ok = true;
    if (Ids(name, v, &span_.ids, &ok)) return ok;
    if (name == "name") return Text(v, "name", &span_.name);
    if (name == "kind") return Kind(v);
    if (name == "timestamp") return Micros(v, "timestamp", &span_.time_us);
    if (name == "duration") return Micros(v, "duration", &span_.duration_us);
    if (name == "localEndpoint") return Endpoint(v, "localEndpoint", &span_.local);
    if (name == "remoteEndpoint") return Endpoint(v, "remoteEndpoint", &span_.remote);
    if (name == "tags") return Tags(v);
    if (name == "debug") return json_.Bool(v, "debug", &span_.debug);
    if (name == "shared") return json_.Bool(v, "shared", &span_.shared);
    if (name == "binaryAnnotations") {
      return json_.Fail("these are spans of version 1: send them to /api/v1/spans");
    }
    if (name != "annotations") return true;
    return json_.Array(v, "annotations", [this](JsonValue a) { return Annotation(a); });
  }
  bool Kind(JsonValue value) {
    std::string_view text;
    if (!json_.Text(value, "kind", &text)) return false;
    for (const auto& [name, kind] : kKinds) {
      if (net::EqualsIgnoringCase(name, text)) span_.kind = kind;
    }
    return true;
  }
  bool Tags(JsonValue value) {
    return json_.Object(value, "tags", [this](std::string_view name, JsonValue v) {
      if (!TakeElement()) return false;
      Tag tag;
      tag.key = builder_.Key(name);
      std::string_view text;
      if (!json_.Scalar(v, "a tag's value", &text)) return false;
      tag.value = builder_.ValueOf(tag.key, text);
      span_.tags.push_back(tag);
      return true;
    });
  }
  bool Annotation(JsonValue value) {
    if (!TakeElement()) return false;
    zipkin::Annotation annotation;
    const bool ok = json_.Object(value, "annotation", [&](std::string_view name, JsonValue v) {
      if (name == "timestamp") return Micros(v, "timestamp", &annotation.time_us);
      if (name == "value") return Text(v, "value", &annotation.value);
      return name != "endpoint" ||
             json_.Fail("these are spans of version 1: send them to /api/v1/spans");
    });
    span_.annotations.push_back(annotation);
    return ok;
  }

  Span span_;
};

class JsonV1 : private JsonSpans {
 public:
  JsonV1(const DecodeLimits& limits, SpanBatch* batch, RejectedSpans* rejected)
      : JsonSpans(limits, batch, rejected), converter_(&batch->strings) {}
  Error Decode(std::string* body) {
    return Request(body, [this](JsonValue value) {
      span_.Clear();
      return json_.Object(value, "span",
                          [this](std::string_view name, JsonValue v) { return Member(name, v); }) &&
             EndIds(&span_.ids) && WriteAll();
    });
  }

 private:
  bool Member(std::string_view name, JsonValue v) {
    bool ok = true;
    if (Ids(name, v, &span_.ids, &ok)) return ok;
    if (name == "name") return Text(v, "name", &span_.name);
    if (name == "timestamp") return Micros(v, "timestamp", &span_.time_us);
    if (name == "duration") return Micros(v, "duration", &span_.duration_us);
    if (name == "debug") return json_.Bool(v, "debug", &span_.debug);
    if (name == "localEndpoint" || name == "tags") {
      return json_.Fail("these are spans of version 2: send them to /api/v2/spans");
    }
    if (name == "annotations") {
      return json_.Array(v, "annotations", [this](JsonValue a) { return Annotation(a); });
    }
    if (name != "binaryAnnotations") return true;
    return json_.Array(v, "binaryAnnotations", [this](JsonValue b) { return Binary(b); });
  }
  bool Annotation(JsonValue value) {
    if (!TakeElement()) return false;
    V1Annotation annotation;
    const bool ok = json_.Object(value, "annotation", [&](std::string_view name, JsonValue v) {
      if (name == "timestamp") return Micros(v, "timestamp", &annotation.time_us);
      if (name == "value") return Text(v, "value", &annotation.value);
      return name != "endpoint" || Endpoint(v, "endpoint", &annotation.host);
    });
    span_.annotations.push_back(annotation);
    return ok;
  }
  bool Binary(JsonValue value) {
    if (!TakeElement()) return false;
    V1BinaryAnnotation binary;
    const bool ok =
        json_.Object(value, "binaryAnnotation", [&](std::string_view name, JsonValue v) {
          if (name == "key") return Text(v, "key", &binary.key);
          if (name == "endpoint") return Endpoint(v, "endpoint", &binary.host);
          return name != "value" || BinaryValue(v, &binary);
        });
    span_.binary_annotations.push_back(binary);
    return ok;
  }
  bool BinaryValue(JsonValue value, V1BinaryAnnotation* out) {
    simdjson::ondemand::json_type type;
    const bool is_bool = !value.type().get(type) && type == simdjson::ondemand::json_type::boolean;
    std::string_view text;
    if (!json_.Scalar(value, "a binary annotation's value", &text)) return false;
    out->is_true = is_bool && text == "true";
    out->value = builder_.Text(text);
    return true;
  }
  bool WriteAll() {
    for (const Span& side : converter_.Convert(span_)) {
      if (!Write(side)) return false;
    }
    return true;
  }

  V1Span span_;
  V1Converter converter_;
};

}  // namespace

Error DecodeJson(std::string* body, const DecodeLimits& limits, SpanBatch* batch,
                 RejectedSpans* rejected) {
  return JsonV2(limits, batch, rejected).Decode(body);
}

Error DecodeJsonV1(std::string* body, const DecodeLimits& limits, SpanBatch* batch,
                   RejectedSpans* rejected) {
  return JsonV1(limits, batch, rejected).Decode(body);
}

}  // namespace weft::receive::zipkin
