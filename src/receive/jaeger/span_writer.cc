// 1. Tags that mean something of their own are taken out: kind, status, trace state, scope. The
//    rest become attributes with their types.
// 2. The status: a tag `error` that is true; else what OpenTelemetry's exporter says; else the HTTP
//    status.
// 3. The parent is the one that Thrift names, else the first span of the same trace that this is a
//    child of. Every other reference is a link.
// 4. Logs become events, named by their field `event`.

#include "receive/jaeger/span_writer.h"

#include <array>
#include <charconv>
#include <limits>
#include <string>
#include <utility>

#include "net/http_message.h"

namespace weft::receive::jaeger {
namespace {

using model::Attribute;
using model::Code;
using model::SpanKind;
using model::StatusCode;
using model::ValueType;
using net::EqualsIgnoringCase;

constexpr std::string_view kNoServiceName = "OTLPResourceNoServiceName";
constexpr uint32_t kSampled = 1;

const KeyRoles<TagRole>::Table& Roles() {
  static const KeyRoles<TagRole>::Table kRoles = {
      {"span.kind", TagRole::kKind},
      {"error", TagRole::kError},
      {"otel.status_code", TagRole::kStatusCode},
      {"otel.status_description", TagRole::kStatusDescription},
      {"http.status_code", TagRole::kHttpStatusCode},
      {"http.status_message", TagRole::kHttpStatusMessage},
      {"w3c.tracestate", TagRole::kTraceState},
      {"otel.scope.name", TagRole::kScopeName},
      {"otel.scope.version", TagRole::kScopeVersion},
      {"otel.library.name", TagRole::kScopeName},
      {"otel.library.version", TagRole::kScopeVersion},
      {"event", TagRole::kEvent},
      {"host.name", TagRole::kHostName},
      {"hostname", TagRole::kOldHostName},
      {"jaeger.version", TagRole::kVersion},
      {"opencensus.exporterversion", TagRole::kOldExporter},
  };
  return kRoles;
}

uint64_t Later(uint64_t ns, uint64_t by_ns) {
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  return ns > kMax - by_ns ? kMax : ns + by_ns;
}

}  // namespace

void Span::Clear() {
  Span empty;
  empty.tags.swap(tags);
  empty.references.swap(references);
  empty.logs.swap(logs);
  empty.fields.swap(fields);
  empty.warnings.swap(warnings);
  *this = std::move(empty);
  tags.clear();
  references.clear();
  logs.clear();
  fields.clear();
  warnings.clear();
}

SpanWriter::SpanWriter(BatchBuilder* builder, RejectedSpans* rejected)
    : builder_(*builder),
      batch_(builder->batch()),
      rejected_(*rejected),
      owners_(&batch_),
      roles_(&Roles(), &batch_.strings) {}

std::string_view SpanWriter::TextOf(const Attribute& tag) const {
  return tag.type == ValueType::kString ? batch_.strings[tag.as_code()] : std::string_view();
}

uint32_t SpanWriter::Resource(const Process& process) {
  resource_.clear();
  builder_.BeginAttributes();
  if (process.service != 0 && batch_.strings[process.service] != kNoServiceName) {
    resource_.push_back({builder_.Key("service.name"), ValueType::kString, process.service});
  }
  bool has_host = false;
  bool has_exporter = false;
  for (const Attribute& tag : process.tags) {
    has_host |= roles_.Of(tag.key) == TagRole::kHostName;
    has_exporter |= roles_.Of(tag.key) == TagRole::kOldExporter;
  }
  for (Attribute tag : process.tags) {
    const TagRole role = roles_.Of(tag.key);
    if (role == TagRole::kOldHostName && !has_host) tag.key = builder_.Key("host.name");
    if (role == TagRole::kVersion && !has_exporter && tag.type == ValueType::kString) {
      tag.key = builder_.Key("opencensus.exporterversion");
      tag.value = builder_.Text("Jaeger-" + std::string(TextOf(tag)));
    }
    resource_.push_back(tag);
  }
  return owners_.Resource(resource_);
}

void SpanWriter::Add(const Span& span, uint32_t resource) {
  std::optional<RejectReason> fault = span.fault;
  if (!span.span_id.valid()) fault = RejectReason::kInvalidSpanId;
  if (!span.trace_id.valid()) fault = RejectReason::kInvalidTraceId;
  if (fault) return rejected_.Add(*fault);
  SpanFields fields;
  fields.trace_id = span.trace_id;
  fields.span_id = span.span_id;
  fields.name = span.name;
  fields.start_ns = span.start_ns;
  fields.end_ns = Later(span.start_ns, span.duration_ns);
  said_ = Said();
  builder_.BeginAttributes();
  for (const Attribute& tag : span.tags) TagOf(tag, &fields);
  SetStatus(&fields);
  References(span, &fields);
  Logs(span);
  Warnings(span);
  if ((span.flags & ~kSampled) != 0) {
    batch_.attributes.Add(builder_.Key("jaeger.flags"), ValueType::kInt, span.flags);
  }
  builder_.CommitSpan(fields, resource, owners_.Scope(said_.scope_name, said_.scope_version));
}

void SpanWriter::TagOf(const Attribute& tag, SpanFields* fields) {
  const bool is_text = tag.type == ValueType::kString;
  bool stays = false;
  switch (roles_.Of(tag.key)) {
    case TagRole::kKind: stays = !TakeKind(TextOf(tag), fields); break;
    case TagRole::kError: {
      const bool is_true =
          tag.type == ValueType::kBool ? tag.as_bool() : EqualsIgnoringCase(TextOf(tag), "true");
      said_.error |= is_true;
      stays = !is_true;
      break;
    }
    case TagRole::kStatusCode: said_.status_code = tag; break;
    case TagRole::kStatusDescription: said_.status_description = tag; break;
    case TagRole::kHttpStatusCode:
      said_.http_status_code = tag;
      stays = true;
      break;
    case TagRole::kHttpStatusMessage:
      if (is_text) said_.http_status_message = tag.as_code();
      stays = true;
      break;
    case TagRole::kTraceState:
      if (is_text) fields->trace_state = tag.as_code();
      stays = !is_text;
      break;
    case TagRole::kScopeName:
      if (is_text) said_.scope_name = tag.as_code();
      stays = !is_text;
      break;
    case TagRole::kScopeVersion:
      if (is_text) said_.scope_version = tag.as_code();
      stays = !is_text;
      break;
    default: stays = true;
  }
  if (stays) batch_.attributes.Add(tag);
}

bool SpanWriter::TakeKind(std::string_view text, SpanFields* fields) {
  constexpr std::array<std::pair<std::string_view, SpanKind>, 5> kKinds = {
      {{"client", SpanKind::kClient},
       {"server", SpanKind::kServer},
       {"producer", SpanKind::kProducer},
       {"consumer", SpanKind::kConsumer},
       {"internal", SpanKind::kInternal}}};
  for (const auto& [name, kind] : kKinds) {
    if (!EqualsIgnoringCase(name, text)) continue;
    fields->kind = static_cast<uint8_t>(kind);
    return true;
  }
  return false;
}

void SpanWriter::SetStatus(SpanFields* fields) {
  bool known = said_.error;
  if (said_.error) fields->status = static_cast<uint8_t>(StatusCode::kError);
  if (said_.status_code) {
    const std::string_view text = TextOf(*said_.status_code);
    const bool ok = EqualsIgnoringCase(text, "ok");
    const bool error = EqualsIgnoringCase(text, "error");
    if (!ok && !error && !EqualsIgnoringCase(text, "unset")) {
      batch_.attributes.Add(*said_.status_code);
    } else if (!known && (ok || error)) {
      fields->status = static_cast<uint8_t>(ok ? StatusCode::kOk : StatusCode::kError);
      known = true;
    }
  } else if (!known && said_.http_status_code) {
    StatusOfHttp(fields);
  }
  if (!said_.status_description) {
    if (said_.error) fields->status_message = said_.http_status_message;
  } else if (known && said_.status_description->type == ValueType::kString) {
    fields->status_message = said_.status_description->as_code();
  } else {
    batch_.attributes.Add(*said_.status_description);
  }
}

// OpenTelemetry's semantic conventions for HTTP: a client's mistake is none of the server.
void SpanWriter::StatusOfHttp(SpanFields* fields) const {
  const Attribute& tag = *said_.http_status_code;
  int64_t code = tag.as_int();
  if (tag.type != ValueType::kInt) {
    const std::string_view text = TextOf(tag);
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), code);
    if (failure != std::errc() || end != text.data() + text.size()) return;
  }
  if (code >= 100 && code < 400) return;
  const bool servers = fields->kind == static_cast<uint8_t>(SpanKind::kServer);
  if (code >= 400 && code < 500 && servers) return;
  fields->status = static_cast<uint8_t>(StatusCode::kError);
  fields->status_message = said_.http_status_message;
}

void SpanWriter::References(const Span& span, SpanFields* fields) {
  fields->parent_span_id = span.parent_id;
  const auto is_parent = [&](const Reference& r) {
    return !r.follows_from && r.trace_id == span.trace_id && r.span_id.valid() &&
           (!fields->parent_span_id.valid() || r.span_id == fields->parent_span_id);
  };
  bool found = false;
  for (const Reference& reference : span.references) {
    if (!found && is_parent(reference)) {
      fields->parent_span_id = reference.span_id;
      found = true;
    } else {
      Link(reference);
    }
  }
}

void SpanWriter::Link(const Reference& reference) {
  model::LinkColumns& links = batch_.links;
  builder_.BeginAttributes();
  const Code key = builder_.Key("opentracing.ref_type");
  links.attributes.Add(key, ValueType::kString,
                       builder_.ValueOf(key, reference.follows_from ? "follows_from" : "child_of"));
  links.trace_id.push_back(reference.trace_id);
  links.span_id.push_back(reference.span_id);
  links.trace_state.push_back(0);
  links.flags.push_back(0);
  links.dropped_attributes.push_back(0);
  links.attribute_end.push_back(links.attributes.size());
}

void SpanWriter::Logs(const Span& span) {
  model::EventColumns& events = batch_.events;
  uint32_t field = 0;
  for (const Log& log : span.logs) {
    Code name = 0;
    bool named = false;
    for (; field < log.field_end; ++field) {
      const Attribute& tag = span.fields[field];
      if (!named && tag.type == ValueType::kString && roles_.Of(tag.key) == TagRole::kEvent) {
        name = tag.as_code();
        named = true;
      } else {
        events.attributes.Add(tag);
      }
    }
    events.time_ns.push_back(log.time_ns);
    events.name.push_back(name);
    events.dropped_attributes.push_back(0);
    events.attribute_end.push_back(events.attributes.size());
  }
}

// Under the name that Jaeger's own storage gives them.
void SpanWriter::Warnings(const Span& span) {
  if (span.warnings.empty()) return;
  const size_t opened = builder_.OpenContainer();
  for (const Code warning : span.warnings) {
    builder_.AddElement({0, ValueType::kString, warning});
  }
  batch_.attributes.Add(builder_.Key("@jaeger@warnings"), ValueType::kArray,
                        builder_.CloseContainer(opened).Pack());
}

}  // namespace weft::receive::jaeger
