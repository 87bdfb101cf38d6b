#include "api/tempo/trace_text.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

#include "api/attribute_json.h"
#include "api/json_writer.h"
#include "model/otlp_encode.h"
#include "model/proto_writer.h"

namespace weft::api::tempo {
namespace {

using model::Attribute;
using model::AttributeArray;
using model::IndexRange;
using model::SpanBatch;

constexpr uint64_t kStatusPartial = 1;  // tempopb.PartialStatus

void SortRange(const model::StringTable& strings, IndexRange range, AttributeArray* attributes) {
  const auto by_key = [&](const Attribute& a, const Attribute& b) {
    return strings[a.key] < strings[b.key];
  };
  std::vector<Attribute> sorted;
  sorted.reserve(range.size());
  for (uint32_t i = range.begin; i < range.end; ++i) sorted.push_back((*attributes)[i]);
  std::stable_sort(sorted.begin(), sorted.end(), by_key);
  for (uint32_t i = 0; i < range.size(); ++i) {
    attributes->keys()[range.begin + i] =
        sorted[i].key << 3 | static_cast<uint32_t>(sorted[i].type);
    attributes->values()[range.begin + i] = sorted[i].value;
  }
}

void SortAll(const model::StringTable& strings, const std::vector<uint32_t>& ends,
             AttributeArray* attributes) {
  for (uint32_t i = 0; i < ends.size(); ++i)
    SortRange(strings, model::RangeByEnds(ends, i), attributes);
}

constexpr std::array<std::string_view, 6> kKinds{"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL",
                                                 "SPAN_KIND_SERVER",      "SPAN_KIND_CLIENT",
                                                 "SPAN_KIND_PRODUCER",    "SPAN_KIND_CONSUMER"};
constexpr std::array<std::string_view, 3> kStatuses{"STATUS_CODE_UNSET", "STATUS_CODE_OK",
                                                    "STATUS_CODE_ERROR"};

template <size_t N>
std::string_view NameOf(const std::array<std::string_view, N>& names, uint8_t value) {
  return names[value < N ? value : 0];
}

// The shape for language models.
class LlmEncoder {
 public:
  LlmEncoder(const TraceAnswer& answer, std::string* out)
      : answer_(answer), b_(answer.batch()), json_(out) {}

  void Write(model::TraceId id) {
    json_.BeginObject();
    json_.Key("trace");
    json_.BeginObject();
    json_.Field("traceId", id.ToHex());
    json_.Key("services");
    json_.BeginArray();
    for (const auto& [resource, scopes] : Grouped()) Service(resource, scopes);
    json_.EndArray();
    json_.EndObject();
    json_.Field("status", answer_.partial.empty() ? "COMPLETE" : "PARTIAL");
    if (!answer_.partial.empty()) json_.Field("message", answer_.partial);
    json_.EndObject();
  }

 private:
  using Rows = std::vector<uint32_t>;
  using Scopes = std::vector<std::pair<uint32_t, Rows>>;
  using Services = std::vector<std::pair<uint32_t, Scopes>>;

  // The rows by resource and scope, each in the order of its first span.
  Services Grouped() const {
    Services services;
    std::map<uint32_t, size_t> service_at;
    std::map<std::pair<uint32_t, uint32_t>, size_t> scope_at;
    for (const uint32_t row : answer_.rows) {
      const uint32_t resource = b_.resource[row];
      const uint32_t scope = b_.scope[row];
      const auto [service, new_service] = service_at.try_emplace(resource, services.size());
      if (new_service) services.push_back({resource, {}});
      Scopes& scopes = services[service->second].second;
      const auto [at, new_scope] = scope_at.try_emplace({resource, scope}, scopes.size());
      if (new_scope) scopes.push_back({scope, {}});
      scopes[at->second].second.push_back(row);
    }
    return services;
  }

  void Service(uint32_t resource, const Scopes& scopes) {
    json_.BeginObject();
    json_.Field("serviceName", b_.strings[b_.ServiceName(resource)]);
    Attributes("resource", b_.resources.attributes, b_.ResourceAttributesOf(resource));
    json_.Key("scopes");
    json_.BeginArray();
    for (const auto& [scope, rows] : scopes) {
      json_.BeginObject();
      json_.Field("name", b_.strings[b_.scopes.name[scope]]);
      json_.Field("version", b_.strings[b_.scopes.version[scope]]);
      json_.Key("spans");
      json_.BeginArray();
      for (const uint32_t row : rows) Span(row);
      json_.EndArray();
      json_.EndObject();
    }
    json_.EndArray();
    json_.EndObject();
  }

  void Span(uint32_t i) {
    json_.BeginObject();
    json_.Field("spanId", b_.span_id[i].ToHex());
    json_.Field("name", b_.strings[b_.name[i]]);
    json_.Field("parentSpanId", b_.parent_span_id[i].valid() ? b_.parent_span_id[i].ToHex() : "");
    json_.Field("kind", NameOf(kKinds, b_.kind[i]));
    json_.Int64Field("startTimeUnixNano", b_.start_ns[i]);
    json_.Int64Field("endTimeUnixNano", b_.end_ns[i]);
    json_.Key("durationMs");
    json_.Double(static_cast<double>(static_cast<int64_t>(b_.end_ns[i] - b_.start_ns[i])) / 1e6);
    Attributes("attributes", b_.attributes, b_.AttributesOf(i));
    Events(b_.EventsOf(i));
    Links(b_.LinksOf(i));
    json_.Key("status");
    json_.BeginObject();
    json_.Field("code", NameOf(kStatuses, b_.status[i]));
    json_.Field("message", b_.strings[b_.status_message[i]]);
    json_.EndObject();
    json_.EndObject();
  }

  void Events(IndexRange range) {
    if (range.size() == 0) return;
    json_.Key("events");
    json_.BeginArray();
    for (uint32_t e = range.begin; e < range.end; ++e) {
      json_.BeginObject();
      json_.Field("name", b_.strings[b_.events.name[e]]);
      json_.Int64Field("timeUnixNano", b_.events.time_ns[e]);
      Attributes("attributes", b_.events.attributes, b_.EventAttributesOf(e));
      json_.EndObject();
    }
    json_.EndArray();
  }

  void Links(IndexRange range) {
    if (range.size() == 0) return;
    json_.Key("links");
    json_.BeginArray();
    for (uint32_t l = range.begin; l < range.end; ++l) {
      json_.BeginObject();
      json_.Field("traceId", b_.links.trace_id[l].ToHex());
      json_.Field("spanId", b_.links.span_id[l].ToHex());
      Attributes("attributes", b_.links.attributes, b_.LinkAttributesOf(l));
      json_.EndObject();
    }
    json_.EndArray();
  }

  void Attributes(std::string_view name, const AttributeArray& attributes, IndexRange range) {
    json_.Key(name);
    WriteAttributes(b_, attributes, range, &json_);
  }

  const TraceAnswer& answer_;
  const SpanBatch& b_;
  JsonWriter json_;
};

}  // namespace

void SortAttributes(SpanBatch* batch) {
  SpanBatch& b = *batch;
  SortAll(b.strings, b.attribute_end, &b.attributes);
  SortAll(b.strings, b.events.attribute_end, &b.events.attributes);
  SortAll(b.strings, b.links.attribute_end, &b.links.attributes);
  SortAll(b.strings, b.resources.attribute_end, &b.resources.attributes);
  SortAll(b.strings, b.scopes.attribute_end, &b.scopes.attributes);
}

std::string EncodeV1Json(const TraceAnswer& answer) {
  std::string out = "{\"batches\":";
  model::EncodeOtlpJsonpb(answer.batch(), answer.rows, &out);
  out.push_back('}');
  return out;
}

std::string EncodeV1Proto(const TraceAnswer& answer) {
  std::string out;
  model::EncodeOtlpProto(answer.batch(), answer.rows, &out);
  return out;
}

std::string EncodeV2Json(const TraceAnswer& answer) {
  std::string out = "{\"trace\":{";
  if (!answer.rows.empty()) {
    out += "\"resourceSpans\":";
    model::EncodeOtlpJsonpb(answer.batch(), answer.rows, &out);
  }
  out += "},\"metrics\":{}";
  if (!answer.partial.empty()) {
    out += ",\"status\":\"PARTIAL\",\"message\":\"";
    AppendJsonEscaped(answer.partial, &out);
    out.push_back('"');
  }
  out.push_back('}');
  return out;
}

std::string EncodeV2Proto(const TraceAnswer& answer) {
  std::string out;
  model::ProtoWriter proto(&out);
  const size_t trace = proto.Begin(1);
  if (!answer.rows.empty()) model::EncodeOtlpProto(answer.batch(), answer.rows, &out);
  proto.End(trace);
  proto.Bytes(2, {});
  if (!answer.partial.empty()) {
    proto.Varint(3, kStatusPartial);
    proto.Bytes(4, answer.partial);
  }
  return out;
}

std::string EncodeLlm(const TraceAnswer& answer, model::TraceId id) {
  if (answer.rows.empty() && answer.partial.empty()) return "{}";
  std::string out;
  LlmEncoder(answer, &out).Write(id);
  return out;
}

}  // namespace weft::api::tempo
