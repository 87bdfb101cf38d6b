#include "receive/rpc_status.h"

#include "model/json_writer.h"
#include "model/proto_writer.h"

namespace weft::receive {
namespace {

using model::JsonWriter;
using model::ProtoWriter;

constexpr std::string_view kRetryInfo = "type.googleapis.com/google.rpc.RetryInfo";
constexpr std::string_view kBadRequest = "type.googleapis.com/google.rpc.BadRequest";

bool IsRequestAtFault(RpcCode code) { return code == RpcCode::kInvalidArgument; }

// google.protobuf.Any of google.rpc.RetryInfo {retry_delay {seconds, nanos}}.
void AddRetryInfo(uint32_t retry_after_ms, ProtoWriter* to) {
  std::string info;
  ProtoWriter info_to(&info);
  const size_t delay = info_to.Begin(1);
  if (retry_after_ms >= 1000) info_to.Varint(1, retry_after_ms / 1000);
  if (retry_after_ms % 1000 != 0) info_to.Varint(2, retry_after_ms % 1000 * 1'000'000ULL);
  info_to.End(delay);
  const size_t any = to->Begin(3);
  to->Bytes(1, kRetryInfo);
  to->Bytes(2, info);
  to->End(any);
}

// google.protobuf.Any of google.rpc.BadRequest {field_violations {description}}.
void AddBadRequest(std::string_view description, ProtoWriter* to) {
  std::string fault;
  ProtoWriter fault_to(&fault);
  const size_t violation = fault_to.Begin(1);
  fault_to.Bytes(2, description);
  fault_to.End(violation);
  const size_t any = to->Begin(3);
  to->Bytes(1, kBadRequest);
  to->Bytes(2, fault);
  to->End(any);
}

std::string ProtoStatus(RpcCode code, const Error& error) {
  std::string out;
  ProtoWriter to(&out);
  to.Varint(1, static_cast<uint64_t>(code));
  to.Bytes(2, error.message());
  if (error.retry_after_ms() != 0) AddRetryInfo(error.retry_after_ms(), &to);
  if (IsRequestAtFault(code)) AddBadRequest(error.message(), &to);
  return out;
}

// "1.500s": google.protobuf.Duration in ProtoJSON.
std::string DurationText(uint32_t ms) {
  std::string fraction = std::to_string(ms % 1000);
  fraction.insert(0, 3 - fraction.size(), '0');
  return std::to_string(ms / 1000) + (ms % 1000 == 0 ? "" : "." + fraction) + "s";
}

std::string JsonStatus(RpcCode code, const Error& error) {
  std::string out;
  JsonWriter to(&out);
  to.BeginObject();
  to.Name("code");
  to.Number(static_cast<uint64_t>(code));
  to.Name("message");
  to.String(error.message());
  to.Name("details");
  to.BeginArray();
  if (error.retry_after_ms() != 0) {
    to.BeginObject();
    to.Name("@type");
    to.String(kRetryInfo);
    to.Name("retryDelay");
    to.String(DurationText(error.retry_after_ms()));
    to.EndObject();
  }
  if (IsRequestAtFault(code)) {
    to.BeginObject();
    to.Name("@type");
    to.String(kBadRequest);
    to.Name("fieldViolations");
    to.BeginArray();
    to.BeginObject();
    to.Name("description");
    to.String(error.message());
    to.EndObject();
    to.EndArray();
    to.EndObject();
  }
  to.EndArray();
  to.EndObject();
  return out;
}

}  // namespace

std::string_view ContentTypeOf(Encoding encoding) {
  return encoding == Encoding::kProtobuf ? "application/x-protobuf" : "application/json";
}

RpcCode RpcCodeOf(const Error& error) {
  switch (error.code()) {
    case ErrorCode::kOk: return RpcCode::kOk;
    case ErrorCode::kInvalidArgument: return RpcCode::kInvalidArgument;
    case ErrorCode::kNotFound: return RpcCode::kNotFound;
    // Without RetryInfo the sender knows that the same request fails again (OTLP, failures).
    case ErrorCode::kTooLarge:
    case ErrorCode::kResourceExhausted: return RpcCode::kResourceExhausted;
    case ErrorCode::kUnsupported: return RpcCode::kUnimplemented;
    case ErrorCode::kUnavailable: return RpcCode::kUnavailable;
    case ErrorCode::kCancelled: return RpcCode::kCancelled;
    // A disk that refuses now may be repaired: the sender keeps its spans and tries again.
    case ErrorCode::kIo: return RpcCode::kUnavailable;
    case ErrorCode::kCorrupt:
    case ErrorCode::kInternal: return RpcCode::kInternal;
  }
  return RpcCode::kInternal;
}

std::string_view RpcCodeName(RpcCode code) {
  switch (code) {
    case RpcCode::kOk: return "OK";
    case RpcCode::kCancelled: return "CANCELLED";
    case RpcCode::kInvalidArgument: return "INVALID_ARGUMENT";
    case RpcCode::kDeadlineExceeded: return "DEADLINE_EXCEEDED";
    case RpcCode::kNotFound: return "NOT_FOUND";
    case RpcCode::kResourceExhausted: return "RESOURCE_EXHAUSTED";
    case RpcCode::kUnimplemented: return "UNIMPLEMENTED";
    case RpcCode::kInternal: return "INTERNAL";
    case RpcCode::kUnavailable: return "UNAVAILABLE";
  }
  return "UNKNOWN";
}

std::string EncodeStatus(Encoding encoding, RpcCode code, const Error& error) {
  return encoding == Encoding::kProtobuf ? ProtoStatus(code, error) : JsonStatus(code, error);
}

}  // namespace weft::receive
