// BatchBuilder: what decoders of every wire format write a SpanBatch with. It keeps the batch whole
// while spans are refused half-way, memory bounded, and strings that repeat cheap.
//
// One thread, one batch, one request.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/span_batch.h"

namespace weft::receive {

// What one request may cost, whatever it looks like on the wire.
struct DecodeLimits {
  uint32_t nesting_max = model::kNestingMax;  // of arrays and key-value lists in a value
  // Attributes, elements of values, events and links of a request together. Bounds the memory of a
  // batch to about 20 bytes times this, when each costs only two bytes on the wire.
  uint32_t elements_max = 16u << 20;
};

// kTooLarge, for a request that holds more than `elements_max`.
Error TooManyElements(const DecodeLimits& limits);

// The scalar fields of a span while it is read.
struct SpanFields {
  model::TraceId trace_id;
  model::SpanId span_id;
  model::SpanId parent_span_id;
  uint64_t start_ns = 0;
  uint64_t end_ns = 0;
  model::Code name = 0;
  model::Code status_message = 0;
  model::Code trace_state = 0;
  uint32_t flags = 0;
  uint32_t dropped_attributes = 0;
  uint32_t dropped_events = 0;
  uint32_t dropped_links = 0;
  uint8_t kind = 0;
  uint8_t status = 0;
};

// Enumerators and protobuf's int32 enums: what does not fit a byte is no value anyone knows.
inline uint8_t EnumByte(uint64_t value) { return value <= 0xff ? static_cast<uint8_t>(value) : 0; }

// The state of a batch between two spans.
struct BatchMark {
  uint32_t spans = 0;
  uint32_t attributes = 0;
  uint32_t events = 0;
  uint32_t event_attributes = 0;
  uint32_t links = 0;
  uint32_t link_attributes = 0;
  uint32_t nested = 0;
};

class BatchBuilder {
 public:
  // `batch` is empty; owned by the caller.
  BatchBuilder(const DecodeLimits& limits, model::SpanBatch* batch)
      : limits_(limits), batch_(*batch), elements_left_(limits.elements_max) {}

  model::SpanBatch& batch() { return batch_; }
  const DecodeLimits& limits() const { return limits_; }

  // To be called for each attribute, element, event and link; false when the request has too many.
  bool TakeElement() {
    if (elements_left_ == 0) return false;
    --elements_left_;
    return true;
  }

  // The code of an attribute's key: those of one span follow each other much as in the last one.
  model::Code Key(std::string_view key);
  // The code of a string that stands under `key`: often the same as the last time.
  model::Code ValueOf(model::Code key, std::string_view value);
  model::Code Text(std::string_view text) { return text.empty() ? 0 : batch_.strings.Intern(text); }
  // To be called where a new owner's attributes begin.
  void BeginAttributes() { previous_key_ = 0; }

  // The elements of one container, which come one after another while containers within it come and
  // go: OpenContainer, AddElement for each, CloseContainer with what OpenContainer gave.
  size_t OpenContainer() const { return open_elements_.size(); }
  void AddElement(const model::Attribute& element) { open_elements_.push_back(element); }
  model::NestedRange CloseContainer(size_t opened);

  BatchMark Mark() const;
  // Back to `mark`: whatever was written since then is gone.
  void RollBack(const BatchMark& mark);
  // Ends a span: its attributes, events and links are those written since the last one.
  void CommitSpan(const SpanFields& fields, uint32_t resource, uint32_t scope);
  // Room for `spans` more.
  void Reserve(size_t spans);

 private:
  uint32_t TraceIndex(const model::TraceId& id);
  void GrowTraceSlots();
  uint32_t& SlotOf(model::Code code, std::vector<uint32_t>* memory);

  const DecodeLimits limits_;
  model::SpanBatch& batch_;
  uint32_t elements_left_;
  model::Code previous_key_ = 0;
  std::vector<uint32_t> next_key_;    // by key code: the key that came after it the last time
  std::vector<uint32_t> last_value_;  // by key code: the code of its last string
  std::vector<model::Attribute> open_elements_;
  std::vector<uint32_t> trace_slots_;  // open addressing over batch_.traces: index + 1
  uint32_t last_trace_ = 0;
};

}  // namespace weft::receive
