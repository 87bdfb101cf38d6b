// A span while it is being recorded, and what it becomes.
//
// One thread at a time.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "demo/fleet.h"
#include "demo/wire.h"

namespace weft::demo {

struct SpanContext {
  uint64_t trace_high = 0;
  uint64_t trace_low = 0;
  uint64_t span_id = 0;  // 0: no context

  bool valid() const { return span_id != 0; }
};

// As numbered in OTLP.
enum class SpanKind : uint8_t {
  kInternal = 1,
  kServer = 2,
  kClient = 3,
  kProducer = 4,
  kConsumer = 5
};

struct FinishedSpan {
  uint32_t instance = 0;  // index into Fleet::instances()
  Library library = Library::kOwn;
  uint64_t end_ns = 0;       // true time, without the skew of its clock
  std::string_view message;  // encoded opentelemetry.proto.trace.v1.Span; valid during the call
};

// Takes spans as they end. Called by the thread that simulates.
class FinishedSpanSink {
 public:
  virtual ~FinishedSpanSink() = default;
  virtual void OnSpanEnd(const FinishedSpan& span) = 0;
};

struct SpanStart {
  const Instance* instance = nullptr;
  Library library = Library::kOwn;
  SpanKind kind = SpanKind::kInternal;
  SpanContext context;     // its own
  uint64_t parent_id = 0;  // 0: a root
  bool remote_parent = false;
  uint64_t start_ns = 0;  // true time
};

struct Failure {
  std::string_view type;
  std::string_view message;
  std::string_view stack;
};

// Times are true times; the span writes what its host's clock showed.
class ActiveSpan {
 public:
  void Begin(const SpanStart& start, std::string_view name);

  const Instance& instance() const { return *start_.instance; }
  const SpanContext& context() const { return start_.context; }
  SpanKind kind() const { return start_.kind; }

  void Set(std::string_view key, std::string_view value) { fields_.Attribute(9, key, value); }
  void Set(std::string_view key, const char* value) {
    fields_.Attribute(9, key, std::string_view(value));
  }
  void Set(std::string_view key, std::integral auto value) {
    fields_.Attribute(9, key, static_cast<int64_t>(value));
  }
  void Set(std::string_view key, bool value) { fields_.Attribute(9, key, value); }
  void Set(std::string_view key, double value) { fields_.Attribute(9, key, value); }
  void SetList(std::string_view key, std::initializer_list<std::string_view> values) {
    fields_.Attribute(9, key, values);
  }

  void AddEvent(std::string_view name, uint64_t time_ns);
  void AddEvent(std::string_view name, uint64_t time_ns, std::string_view key,
                std::string_view value);
  // The event "exception" of the semantic conventions.
  void AddException(const Failure& failure, uint64_t time_ns);
  void AddLink(const SpanContext& to);
  // Status ERROR.
  void SetError(std::string_view message);
  // Status OK, as some SDKs set it by hand.
  void SetOk() { status_ = kStatusOk; }

  // Writes what is still missing; the answer is valid until the next Begin. `fleet` numbers its
  // instance.
  FinishedSpan End(uint64_t end_ns, const Fleet& fleet);

 private:
  enum Status : uint8_t { kStatusUnset = 0, kStatusOk = 1, kStatusError = 2 };

  uint64_t HostClock(uint64_t time_ns) const;

  SpanStart start_;
  Status status_ = kStatusUnset;
  WireBuffer fields_;
  WireBuffer nested_;  // an event, a link or a status while it is built
  std::string status_message_;
};

}  // namespace weft::demo
