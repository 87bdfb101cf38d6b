// 1. Tags that mean something of their own are taken out: they name the resource, the scope, the
//    status, the kind, links. The rest become attributes.
// 2. Endpoints become service.name, peer.service and network.*: they beat tags of these names.
// 3. Annotations become events. The collector's own exporter packs attributes into their text,
//    `name|{json}|dropped`, and links into tags: these are unpacked. What does not parse is kept as
//    it is.

#include "receive/zipkin/span_writer.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <limits>
#include <utility>

#include "net/http_message.h"
#include "receive/json_reader.h"

namespace weft::receive::zipkin {
namespace {

using model::Attribute;
using model::AttributeArray;
using model::Code;
using model::SpanId;
using model::SpanKind;
using model::StatusCode;
using model::TraceId;
using model::ValueType;
using net::EqualsIgnoringCase;

constexpr std::string_view kNoServiceName = "OTLPResourceNoServiceName";
constexpr std::string_view kLinkPrefix = "otlp.link.";

// The resource attributes of OpenTelemetry's semantic conventions, up to the present ones.
constexpr std::array kResourceKeys = std::to_array<std::string_view>({
    "aws.ecs.cluster.arn",
    "aws.ecs.container.arn",
    "aws.ecs.launchtype",
    "aws.ecs.task.arn",
    "aws.ecs.task.family",
    "aws.ecs.task.revision",
    "aws.eks.cluster.arn",
    "aws.log.group.arns",
    "aws.log.group.names",
    "aws.log.stream.arns",
    "aws.log.stream.names",
    "cloud.account.id",
    "cloud.availability_zone",
    "cloud.platform",
    "cloud.provider",
    "cloud.region",
    "cloud.resource_id",
    "container.id",
    "container.image.name",
    "container.image.tag",
    "container.name",
    "container.runtime",
    "deployment.environment",
    "deployment.environment.name",
    "device.id",
    "device.manufacturer",
    "device.model.identifier",
    "device.model.name",
    "faas.id",
    "faas.instance",
    "faas.max_memory",
    "faas.name",
    "faas.version",
    "host.arch",
    "host.id",
    "host.image.id",
    "host.image.name",
    "host.image.version",
    "host.name",
    "host.type",
    "k8s.cluster.name",
    "k8s.container.name",
    "k8s.container.restart_count",
    "k8s.cronjob.name",
    "k8s.cronjob.uid",
    "k8s.daemonset.name",
    "k8s.daemonset.uid",
    "k8s.deployment.name",
    "k8s.deployment.uid",
    "k8s.job.name",
    "k8s.job.uid",
    "k8s.namespace.name",
    "k8s.node.name",
    "k8s.node.uid",
    "k8s.pod.name",
    "k8s.pod.uid",
    "k8s.replicaset.name",
    "k8s.replicaset.uid",
    "k8s.statefulset.name",
    "k8s.statefulset.uid",
    "os.description",
    "os.name",
    "os.type",
    "os.version",
    "process.command",
    "process.command_args",
    "process.command_line",
    "process.executable.name",
    "process.executable.path",
    "process.owner",
    "process.parent_pid",
    "process.pid",
    "process.runtime.description",
    "process.runtime.name",
    "process.runtime.version",
    "service.instance.id",
    "service.namespace",
    "service.version",
    "telemetry.auto.version",
    "telemetry.sdk.language",
    "telemetry.sdk.name",
    "telemetry.sdk.version",
    "webengine.description",
    "webengine.name",
    "webengine.version",
});

KeyRoles<TagRole>::Table MakeRoles() {
  KeyRoles<TagRole>::Table roles = {
      {"service.name", TagRole::kServiceName},
      {"otlp.service.name.source", TagRole::kServiceNameSource},
      {"otel.scope.name", TagRole::kScopeName},
      {"otel.scope.version", TagRole::kScopeVersion},
      {"otel.library.name", TagRole::kScopeName},
      {"otel.library.version", TagRole::kScopeVersion},
      {"otel.status_code", TagRole::kStatusCode},
      {"otel.status_description", TagRole::kStatusDescription},
      {"error", TagRole::kError},
      {"span.kind", TagRole::kKind},
      {"w3c.tracestate", TagRole::kTraceState},
      {"peer.service", TagRole::kPeerService},
      {"network.peer.address", TagRole::kPeerAddress},
      {"network.peer.port", TagRole::kPeerPort},
      {"network.local.address", TagRole::kLocalAddress},
      {"network.local.port", TagRole::kLocalPort},
  };
  for (const std::string_view key : kResourceKeys) roles.emplace(key, TagRole::kResource);
  return roles;
}

const KeyRoles<TagRole>::Table& Roles() {
  static const KeyRoles<TagRole>::Table kRoles = MakeRoles();
  return kRoles;
}

constexpr uint64_t kTimeMax = std::numeric_limits<uint64_t>::max();

uint64_t NanosOf(uint64_t us) { return us > kTimeMax / 1000 ? kTimeMax : us * 1000; }
uint64_t Later(uint64_t ns, uint64_t by_ns) {
  return ns > kTimeMax - by_ns ? kTimeMax : ns + by_ns;
}

template <typename T>
bool ReadNumber(std::string_view text, T* out) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return failure == std::errc() && end == text.data() + text.size();
}

// Cuts `text` at its first '|'; false when there is none.
bool CutFirst(std::string_view* text, std::string_view* out) {
  const size_t bar = text->find('|');
  if (bar == text->npos) return false;
  *out = text->substr(0, bar);
  text->remove_prefix(bar + 1);
  return true;
}

// "{json}|dropped": the JSON may hold bars itself.
bool CutDropped(std::string_view* text, uint32_t* dropped) {
  const size_t bar = text->rfind('|');
  if (bar == text->npos || !ReadNumber(text->substr(bar + 1), dropped)) return false;
  text->remove_suffix(text->size() - bar);
  return true;
}

}  // namespace

SpanWriter::SpanWriter(BatchBuilder* builder, RejectedSpans* rejected)
    : builder_(*builder),
      batch_(builder->batch()),
      rejected_(*rejected),
      owners_(&batch_),
      roles_(&Roles(), &batch_.strings) {}

bool SpanWriter::Add(const Span& span) {
  if (span.ids.fault) {
    rejected_.Add(*span.ids.fault);
    return true;
  }
  SpanFields fields;
  fields.trace_id = span.ids.trace_id;
  fields.span_id = span.ids.span_id;
  // An id that is its own parent is a root to Zipkin.
  if (span.ids.parent_id != span.ids.span_id) fields.parent_span_id = span.ids.parent_id;
  fields.name = span.name;
  fields.kind = static_cast<uint8_t>(span.kind);
  Tags(span, &fields);
  Endpoints(span);
  Times(span, &fields);
  if (span.debug) AddTrue("zipkin.debug");
  if (span.shared) AddTrue("zipkin.shared");
  SetStatus(&fields);
  for (const Annotation& annotation : span.annotations) {
    if (!Event(annotation)) return false;
  }
  Links();
  builder_.CommitSpan(fields, ResourceOf(span),
                      owners_.Scope(said_.scope_name, said_.scope_version));
  return true;
}

void SpanWriter::Tags(const Span& span, SpanFields* fields) {
  said_.service_source = said_.service_name = 0;
  said_.scope_name = said_.scope_version = said_.status_code = 0;
  said_.has_status_code = said_.has_error = false;
  said_.links.clear();
  said_.resource.clear();
  builder_.BeginAttributes();
  for (const Tag& tag : span.tags) TagOf(span, tag, fields);
}

void SpanWriter::TagOf(const Span& span, const Tag& tag, SpanFields* fields) {
  bool stays = false;
  switch (roles_.Of(tag.key)) {
    case TagRole::kPlain: {
      const bool link = batch_.strings[tag.key].starts_with(kLinkPrefix);
      if (link) said_.links.push_back(tag);
      stays = !link;
      break;
    }
    case TagRole::kResource: said_.resource.push_back(tag); break;
    case TagRole::kServiceName: said_.service_name = tag.value; break;
    case TagRole::kServiceNameSource: said_.service_source = tag.value; break;
    case TagRole::kScopeName: said_.scope_name = tag.value; break;
    case TagRole::kScopeVersion: said_.scope_version = tag.value; break;
    case TagRole::kStatusCode:
      said_.status_code = tag.value;
      said_.has_status_code = true;
      break;
    case TagRole::kStatusDescription: fields->status_message = tag.value; break;
    case TagRole::kError:
      said_.has_error = true;
      stays = batch_.strings[tag.value] != "true";
      break;
    case TagRole::kKind:
      if (span.kind != SpanKind::kUnspecified) {
        stays = true;
      } else {
        AddKind(tag, fields);
      }
      break;
    case TagRole::kTraceState: fields->trace_state = tag.value; break;
    case TagRole::kPeerService: stays = span.remote.service == 0; break;
    case TagRole::kPeerAddress: stays = (span.remote.ipv4 | span.remote.ipv6) == 0; break;
    case TagRole::kPeerPort: stays = span.remote.port == 0; break;
    case TagRole::kLocalAddress: stays = (span.local.ipv4 | span.local.ipv6) == 0; break;
    case TagRole::kLocalPort: stays = span.local.port == 0; break;
  }
  if (stays) batch_.attributes.Add(tag.key, ValueType::kString, tag.value);
}

// Zipkin has no kind for inner work: exporters write a tag.
void SpanWriter::AddKind(const Tag& tag, SpanFields* fields) {
  constexpr std::array<std::pair<std::string_view, SpanKind>, 5> kKinds = {
      {{"internal", SpanKind::kInternal},
       {"server", SpanKind::kServer},
       {"client", SpanKind::kClient},
       {"producer", SpanKind::kProducer},
       {"consumer", SpanKind::kConsumer}}};
  const std::string_view text = batch_.strings[tag.value];
  for (const auto& [name, kind] : kKinds) {
    if (!EqualsIgnoringCase(name, text)) continue;
    fields->kind = static_cast<uint8_t>(kind);
    return;
  }
  batch_.attributes.Add(tag.key, ValueType::kString, tag.value);
}

void SpanWriter::Endpoints(const Span& span) {
  const auto address = [](const Endpoint& e) { return e.ipv6 != 0 ? e.ipv6 : e.ipv4; };
  if (span.remote.service != 0) AddText("peer.service", span.remote.service);
  if (address(span.remote) != 0) AddText("network.peer.address", address(span.remote));
  if (span.remote.port != 0) AddInt("network.peer.port", span.remote.port);
  if (address(span.local) != 0) AddText("network.local.address", address(span.local));
  if (span.local.port != 0) AddInt("network.local.port", span.local.port);
}

// A span without a time of its own began no later than the first that is known of it.
void SpanWriter::Times(const Span& span, SpanFields* fields) {
  uint64_t time_us = span.time_us;
  if (time_us == 0) {
    for (const Annotation& a : span.annotations) {
      if (time_us == 0 || (a.time_us != 0 && a.time_us < time_us)) time_us = a.time_us;
    }
    AddTrue("otel.zipkin.absentField.startTime");
  }
  fields->start_ns = NanosOf(time_us);
  fields->end_ns = Later(fields->start_ns, NanosOf(span.duration_us));
}

// Any value of the tag `error` is an error to Zipkin.
void SpanWriter::SetStatus(SpanFields* fields) const {
  StatusCode status = StatusCode::kUnset;
  if (said_.has_status_code) {
    std::string_view text = batch_.strings[said_.status_code];
    constexpr std::string_view kPrefix = "STATUS_CODE_";
    if (EqualsIgnoringCase(text.substr(0, kPrefix.size()), kPrefix)) {
      text.remove_prefix(kPrefix.size());
    }
    if (EqualsIgnoringCase(text, "ok")) status = StatusCode::kOk;
    if (EqualsIgnoringCase(text, "error")) status = StatusCode::kError;
  }
  if (said_.has_error) status = StatusCode::kError;
  fields->status = static_cast<uint8_t>(status);
}

// Spans of one service and one description of it share a resource.
uint32_t SpanWriter::ResourceOf(const Span& span) {
  Code service = span.local.service;
  if (batch_.strings[service] == kNoServiceName) service = 0;
  resource_.clear();
  builder_.BeginAttributes();
  if (service != 0 || said_.service_name != 0) {
    const bool renamed = service != 0 && said_.service_source != 0;
    const Code key = renamed ? said_.service_source : builder_.Key("service.name");
    resource_.push_back({key, ValueType::kString, service != 0 ? service : said_.service_name});
  }
  std::ranges::sort(said_.resource, {}, &Tag::key);
  for (const Tag& tag : said_.resource) {
    if (!resource_.empty() && tag.key == resource_[0].key) continue;
    resource_.push_back({tag.key, ValueType::kString, tag.value});
  }
  return owners_.Resource(resource_);
}

bool SpanWriter::Event(const Annotation& annotation) {
  model::EventColumns& events = batch_.events;
  const uint32_t first = events.attributes.size();
  const std::string_view plain = batch_.strings[annotation.value];
  // A copy: names that are added move the strings. Of what has no bar nothing is to be unpacked.
  const std::string text(plain.find('|') == plain.npos ? std::string_view() : plain);
  Code name = annotation.value;
  uint32_t dropped = 0;
  bool too_many = false;
  std::string_view rest = text;
  std::string_view head;
  if (CutFirst(&rest, &head) && CutDropped(&rest, &dropped) &&
      Attributes(rest, &events.attributes, &too_many)) {
    name = builder_.Text(head);
  } else {
    events.attributes.Truncate(first);
    dropped = 0;
  }
  events.time_ns.push_back(NanosOf(annotation.time_us));
  events.name.push_back(name);
  events.dropped_attributes.push_back(dropped);
  events.attribute_end.push_back(events.attributes.size());
  return !too_many;
}

void SpanWriter::Links() {
  const auto number = [this](const Tag& tag) {
    uint32_t n = std::numeric_limits<uint32_t>::max();
    ReadNumber(batch_.strings[tag.key].substr(kLinkPrefix.size()), &n);
    return n;
  };
  std::ranges::sort(said_.links, {}, number);
  for (const Tag& tag : said_.links) {
    const std::string text(batch_.strings[tag.value]);
    const uint32_t first = batch_.links.attributes.size();
    if (Link(text)) continue;
    batch_.links.attributes.Truncate(first);
    batch_.attributes.Add(tag.key, ValueType::kString, tag.value);
  }
}

// "trace id|span id|trace state|{json}|dropped".
bool SpanWriter::Link(std::string_view text) {
  std::string_view trace_hex;
  std::string_view span_hex;
  std::string_view state;
  uint32_t dropped = 0;
  bool too_many = false;
  if (!CutFirst(&text, &trace_hex) || !CutFirst(&text, &span_hex) || !CutFirst(&text, &state) ||
      !CutDropped(&text, &dropped)) {
    return false;
  }
  const auto trace_id = TraceId::FromHex(trace_hex);
  const auto span_id = SpanId::FromHex(span_hex);
  model::LinkColumns& links = batch_.links;
  if (!trace_id || !span_id || !Attributes(text, &links.attributes, &too_many)) return false;
  links.trace_id.push_back(*trace_id);
  links.span_id.push_back(*span_id);
  links.trace_state.push_back(builder_.Text(state));
  links.flags.push_back(0);
  links.dropped_attributes.push_back(dropped);
  links.attribute_end.push_back(links.attributes.size());
  return true;
}

// A JSON object; false when it is none.
bool SpanWriter::Attributes(std::string_view json, AttributeArray* out, bool* too_many) {
  std::string text(json);
  JsonReader reader("attributes");
  builder_.BeginAttributes();
  const auto member = [&](std::string_view name, JsonValue value) {
    if (!builder_.TakeElement()) {
      *too_many = true;
      return false;
    }
    Attribute attribute;
    attribute.key = builder_.Key(name);
    if (!Value(&reader, value, &attribute)) return false;
    if (attribute.type != ValueType::kEmpty) out->Add(attribute);
    return true;
  };
  return reader.Embedded(&text, &parser_, member).ok();
}

// Arrays and objects stay JSON; null is no value.
bool SpanWriter::Value(JsonReader* reader, JsonValue value, Attribute* out) {
  using simdjson::ondemand::json_type;
  json_type type;
  std::string_view text;
  bool truth = false;
  double number = 0;
  if (value.type().get(type)) return false;
  switch (type) {
    case json_type::null: return true;
    case json_type::boolean:
      if (!reader->Bool(value, "attribute", &truth)) return false;
      out->type = ValueType::kBool;
      out->value = truth ? 1 : 0;
      return true;
    case json_type::number: {
      int64_t whole = 0;
      const bool is_whole = !value.get_int64().get(whole);
      if (!is_whole && !reader->Double(value, "attribute", &number)) return false;
      out->type = is_whole ? ValueType::kInt : ValueType::kDouble;
      out->value = is_whole ? static_cast<uint64_t>(whole) : std::bit_cast<uint64_t>(number);
      return true;
    }
    case json_type::string:
      if (!reader->Text(value, "attribute", &text)) return false;
      break;
    default:
      if (simdjson::to_json_string(value).get(text)) return false;
  }
  out->type = ValueType::kString;
  out->value = builder_.ValueOf(out->key, text);
  return true;
}

void SpanWriter::AddText(std::string_view key, Code value) {
  batch_.attributes.Add(builder_.Key(key), ValueType::kString, value);
}

void SpanWriter::AddInt(std::string_view key, uint64_t value) {
  batch_.attributes.Add(builder_.Key(key), ValueType::kInt, value);
}

void SpanWriter::AddTrue(std::string_view key) {
  batch_.attributes.Add(builder_.Key(key), ValueType::kBool, 1);
}

void Span::Clear() {
  Span empty;
  empty.annotations.swap(annotations);
  empty.tags.swap(tags);
  *this = std::move(empty);
  annotations.clear();
  tags.clear();
}

}  // namespace weft::receive::zipkin
