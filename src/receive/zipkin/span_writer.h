// SpanWriter: Zipkin's spans as OpenTelemetry's, in the way of the OpenTelemetry collector
// (docs/receivers.md has the table).
//
// One thread, one batch.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "receive/batch_builder.h"
#include "receive/json_reader.h"
#include "receive/key_roles.h"
#include "receive/rejected_spans.h"
#include "receive/span_owners.h"
#include "receive/zipkin/span.h"

namespace weft::receive::zipkin {

// What a tag says that does not stay a tag.
enum class TagRole : uint8_t {
  kPlain = 0,
  kResource,  // describes who sends: belongs to the resource
  kServiceName,
  kServiceNameSource,
  kScopeName,
  kScopeVersion,
  kStatusCode,
  kStatusDescription,
  kError,
  kKind,
  kTraceState,
  kPeerService,
  kPeerAddress,
  kPeerPort,
  kLocalAddress,
  kLocalPort,
};

class SpanWriter {
 public:
  // All outlive this.
  SpanWriter(BatchBuilder* builder, RejectedSpans* rejected);

  // Writes one span; those with a fault are counted and left out. False when the request holds too
  // many elements.
  bool Add(const Span& span);

 private:
  // What the tags of the span being written say about it.
  struct Said {
    model::Code service_source = 0;
    model::Code service_name = 0;
    model::Code scope_name = 0;
    model::Code scope_version = 0;
    model::Code status_code = 0;
    bool has_status_code = false;
    bool has_error = false;
    std::vector<Tag> links;
    std::vector<Tag> resource;
  };

  void Tags(const Span& span, SpanFields* fields);
  void TagOf(const Span& span, const Tag& tag, SpanFields* fields);
  void AddKind(const Tag& tag, SpanFields* fields);
  void Endpoints(const Span& span);
  void Times(const Span& span, SpanFields* fields);
  void SetStatus(SpanFields* fields) const;
  uint32_t ResourceOf(const Span& span);
  bool Event(const Annotation& annotation);
  void Links();
  bool Link(std::string_view text);
  bool Attributes(std::string_view json, model::AttributeArray* out, bool* too_many);
  bool Value(JsonReader* reader, JsonValue value, model::Attribute* out);

  void AddText(std::string_view key, model::Code value);
  void AddInt(std::string_view key, uint64_t value);
  void AddTrue(std::string_view key);

  BatchBuilder& builder_;
  model::SpanBatch& batch_;
  RejectedSpans& rejected_;
  SpanOwners owners_;
  KeyRoles<TagRole> roles_;
  Said said_;
  std::vector<model::Attribute> resource_;
  simdjson::ondemand::parser parser_;  // of attributes in JSON
};

}  // namespace weft::receive::zipkin
