#include "api/tempo/diff_request.h"

#include <string>

#include <simdjson.h>

#include "api/tempo/request.h"

namespace weft::api::tempo {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

Error Wrong(const std::string& member, const std::string& what) {
  return {ErrorCode::kInvalidArgument, "member `" + member + "`: " + what};
}

// Whether it is there and not null.
bool Find(const object& from, std::string_view name, element* out) {
  return from.at_key(name).get(*out) == simdjson::SUCCESS && !out->is_null();
}

// Unix seconds, as a number.
Error CheckTimes(const object& trace, const std::string& path) {
  uint64_t start = 0, end = UINT64_MAX;
  element value;
  if (Find(trace, "start", &value) && value.get(start) != simdjson::SUCCESS)
    return Wrong(path + ".start", "not a time in Unix seconds");
  if (Find(trace, "end", &value) && value.get(end) != simdjson::SUCCESS)
    return Wrong(path + ".end", "not a time in Unix seconds");
  if (start != 0 && start >= end) return Wrong(path + ".start", "must be before `end`");
  return Error::Ok();
}

Error ReadTrace(const object& request, const std::string& path, model::TraceId* id) {
  element value;
  object trace;
  if (!Find(request, path, &value)) return Wrong(path, "missing: say which trace to compare");
  if (value.get(trace) != simdjson::SUCCESS) return Wrong(path, "not an object");
  std::string_view text;
  if (!Find(trace, "traceId", &value)) return Wrong(path + ".traceId", "missing");
  if (value.get(text) != simdjson::SUCCESS) return Wrong(path + ".traceId", "not a string");
  const auto read = ReadTraceId(text);
  if (!read.ok()) return Wrong(path + ".traceId", read.error().message());
  *id = *read;
  return CheckTimes(trace, path);
}

Error ReadFormat(const object& request, DiffFormat* format) {
  element value;
  if (!Find(request, "format", &value)) return Error::Ok();
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) return Wrong("format", "not a string");
  if (text.empty() || text == "trace-patch-v0") {
    *format = DiffFormat::kPatch;
  } else if (text == "trace-summary-v0-native") {
    *format = DiffFormat::kNative;
  } else if (text == "trace-summary-v0-composed") {
    *format = DiffFormat::kComposed;
  } else {
    return Wrong("format",
                 "must be one of trace-patch-v0, trace-summary-v0-native, "
                 "trace-summary-v0-composed");
  }
  return Error::Ok();
}

}  // namespace

Result<DiffRequest> ReadDiffRequest(std::string_view json) {
  simdjson::dom::parser parser;
  object body;
  if (parser.parse(json.data(), json.size()).get(body) != simdjson::SUCCESS)
    return Error(ErrorCode::kInvalidArgument, "the body is not a JSON object");
  DiffRequest request;
  WEFT_RETURN_IF_ERROR(ReadTrace(body, "base", &request.ids.base));
  WEFT_RETURN_IF_ERROR(ReadTrace(body, "compare", &request.ids.compare));
  WEFT_RETURN_IF_ERROR(ReadFormat(body, &request.format));
  return request;
}

}  // namespace weft::api::tempo
