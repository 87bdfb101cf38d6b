// SpanWriter: Jaeger's spans as OpenTelemetry's, in the way of the OpenTelemetry collector
// (docs/receivers.md has the table).
//
// One thread, one batch.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "receive/batch_builder.h"
#include "receive/jaeger/span.h"
#include "receive/key_roles.h"
#include "receive/rejected_spans.h"
#include "receive/span_owners.h"

namespace weft::receive::jaeger {

// What a tag says that does not stay a tag, or not only.
enum class TagRole : uint8_t {
  kPlain = 0,
  kKind,
  kError,
  kStatusCode,
  kStatusDescription,
  kHttpStatusCode,
  kHttpStatusMessage,
  kTraceState,
  kScopeName,
  kScopeVersion,
  kEvent,        // of a log's fields
  kHostName,     // of a process
  kOldHostName,  // likewise
  kVersion,      // likewise
  kOldExporter,  // likewise
};

class SpanWriter {
 public:
  // All outlive this.
  SpanWriter(BatchBuilder* builder, RejectedSpans* rejected);

  // The resource of a process; equal ones are one.
  uint32_t Resource(const Process& process);
  // Writes one span; those with a fault or invalid ids are counted and left out.
  void Add(const Span& span, uint32_t resource);

 private:
  // What the tags of the span being written say about it.
  struct Said {
    bool error = false;
    std::optional<model::Attribute> status_code;
    std::optional<model::Attribute> status_description;
    std::optional<model::Attribute> http_status_code;
    model::Code http_status_message = 0;
    model::Code scope_name = 0;
    model::Code scope_version = 0;
  };

  void TagOf(const model::Attribute& tag, SpanFields* fields);
  bool TakeKind(std::string_view text, SpanFields* fields);
  void SetStatus(SpanFields* fields);
  void StatusOfHttp(SpanFields* fields) const;
  void References(const Span& span, SpanFields* fields);
  void Link(const Reference& reference);
  void Logs(const Span& span);
  void Warnings(const Span& span);
  std::string_view TextOf(const model::Attribute& tag) const;

  BatchBuilder& builder_;
  model::SpanBatch& batch_;
  RejectedSpans& rejected_;
  SpanOwners owners_;
  KeyRoles<TagRole> roles_;
  Said said_;
  std::vector<model::Attribute> resource_;
};

}  // namespace weft::receive::jaeger
