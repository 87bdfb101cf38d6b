#include "receive/rejected_spans.h"

#include <numeric>

namespace weft::receive {
namespace {

constexpr std::array<std::string_view, kRejectReasonCount> kNames = {
    "invalid_trace_id", "invalid_span_id", "invalid_parent_span_id", "nested_too_deep"};
constexpr std::array<std::string_view, kRejectReasonCount> kExplanations = {
    "with an invalid trace_id (16 bytes, not all zero)",
    "with an invalid span_id (8 bytes, not all zero)",
    "with an invalid parent_span_id (empty or 8 bytes)", "with values nested more than 64 deep"};

}  // namespace

std::string_view RejectReasonName(RejectReason reason) {
  return kNames[static_cast<size_t>(reason)];
}

uint64_t RejectedSpans::total() const {
  return std::accumulate(by_reason.begin(), by_reason.end(), uint64_t{0});
}

std::string RejectedSpans::Message() const {
  std::string out;
  for (size_t i = 0; i < kRejectReasonCount; ++i) {
    if (by_reason[i] == 0) continue;
    out += out.empty() ? "rejected spans: " : ", ";
    out += std::to_string(by_reason[i]) + " ";
    out += kExplanations[i];
  }
  return out;
}

Error RefusedInPart(const RejectedSpans& rejected, uint64_t kept) {
  if (rejected.total() == 0) return Error::Ok();
  return {ErrorCode::kInvalidArgument, rejected.Message() + "; the other " + std::to_string(kept) +
                                           " of the request are stored: do not send it again"};
}

}  // namespace weft::receive
