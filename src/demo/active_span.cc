#include "demo/active_span.h"

namespace weft::demo {
namespace {

// Fields of opentelemetry.proto.trace.v1.Span.
enum SpanField : uint32_t {
  kTraceId = 1,
  kSpanId = 2,
  kParentSpanId = 4,
  kName = 5,
  kKind = 6,
  kStartTime = 7,
  kEndTime = 8,
  kEvents = 11,
  kLinks = 13,
  kStatus = 15,
  kFlags = 16,
};

constexpr uint32_t kSampled = 0x01;
constexpr uint32_t kHasIsRemote = 0x100;
constexpr uint32_t kIsRemote = 0x200;

// SDKs that do not write the flags of OTLP 1.1 yet.
bool WritesFlags(Language language) {
  return language != Language::kPhp && language != Language::kRuby;
}

}  // namespace

uint64_t ActiveSpan::HostClock(uint64_t time_ns) const {
  const uint64_t shown = time_ns + static_cast<uint64_t>(start_.instance->clock_skew_ns);
  return shown - shown % start_.instance->clock_tick_ns;
}

void ActiveSpan::Begin(const SpanStart& start, std::string_view name) {
  start_ = start;
  status_ = kStatusUnset;
  status_message_.clear();
  fields_.Clear();
  fields_.Id128(kTraceId, start.context.trace_high, start.context.trace_low);
  fields_.Id64(kSpanId, start.context.span_id);
  if (start.parent_id != 0) fields_.Id64(kParentSpanId, start.parent_id);
  fields_.Bytes(kName, name);
  fields_.Varint(kKind, static_cast<uint64_t>(start.kind));
  fields_.Fixed64(kStartTime, HostClock(start.start_ns));
}

void ActiveSpan::AddEvent(std::string_view name, uint64_t time_ns) {
  nested_.Clear();
  nested_.Fixed64(1, HostClock(time_ns));
  nested_.Bytes(2, name);
  fields_.Bytes(kEvents, nested_.bytes());
}

void ActiveSpan::AddEvent(std::string_view name, uint64_t time_ns, std::string_view key,
                          std::string_view value) {
  nested_.Clear();
  nested_.Fixed64(1, HostClock(time_ns));
  nested_.Bytes(2, name);
  nested_.Attribute(3, key, value);
  fields_.Bytes(kEvents, nested_.bytes());
}

void ActiveSpan::AddException(const Failure& failure, uint64_t time_ns) {
  nested_.Clear();
  nested_.Fixed64(1, HostClock(time_ns));
  nested_.Bytes(2, "exception");
  nested_.Attribute(3, "exception.type", failure.type);
  nested_.Attribute(3, "exception.message", failure.message);
  nested_.Attribute(3, "exception.stacktrace", failure.stack);
  fields_.Bytes(kEvents, nested_.bytes());
}

void ActiveSpan::AddLink(const SpanContext& to) {
  nested_.Clear();
  nested_.Id128(1, to.trace_high, to.trace_low);
  nested_.Id64(2, to.span_id);
  nested_.Fixed32(6, kSampled | kHasIsRemote | kIsRemote);
  fields_.Bytes(kLinks, nested_.bytes());
}

void ActiveSpan::SetError(std::string_view message) {
  status_ = kStatusError;
  status_message_ = message;
}

FinishedSpan ActiveSpan::End(uint64_t end_ns, const Fleet& fleet) {
  fields_.Fixed64(kEndTime, HostClock(end_ns));
  if (status_ != kStatusUnset) {
    nested_.Clear();
    if (!status_message_.empty()) nested_.Bytes(2, status_message_);
    nested_.Varint(3, status_);
    fields_.Bytes(kStatus, nested_.bytes());
  }
  if (WritesFlags(start_.instance->language)) {
    fields_.Fixed32(kFlags, kSampled | kHasIsRemote | (start_.remote_parent ? kIsRemote : 0));
  }
  return {fleet.IndexOf(*start_.instance), start_.library, end_ns, fields_.bytes()};
}

}  // namespace weft::demo
