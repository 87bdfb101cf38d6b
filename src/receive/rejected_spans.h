// RejectedSpans: how many spans of a request were refused while their neighbours were kept, and
// why.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace weft::receive {

enum class RejectReason : uint8_t {
  kInvalidTraceId,   // not 16 bytes, or all zero
  kInvalidSpanId,    // not 8 bytes, or all zero
  kInvalidParentId,  // neither empty nor 8 bytes
  kNestedTooDeep,    // a value of the span, its resource or its scope
};
inline constexpr size_t kRejectReasonCount = 4;

// "invalid_trace_id": the label `reason` of weft_refused_spans_total.
std::string_view RejectReasonName(RejectReason reason);

struct RejectedSpans {
  std::array<uint64_t, kRejectReasonCount> by_reason{};

  void Add(RejectReason reason, uint64_t spans = 1) {
    by_reason[static_cast<size_t>(reason)] += spans;
  }
  uint64_t total() const;
  // One sentence for the sender, naming each reason with its count and what is expected; empty when
  // nothing was rejected.
  std::string Message() const;
};

// For formats that know no partial success: kInvalidArgument with the counts and reasons, to be
// told when the `kept` other spans of the request have been stored; Ok when nothing was rejected.
Error RefusedInPart(const RejectedSpans& rejected, uint64_t kept);

}  // namespace weft::receive
