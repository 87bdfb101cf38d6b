#include "api/deletion_request.h"

#include <simdjson.h>

#include "api/time_text.h"

namespace weft::api {
namespace {

using query::exec::DeletionRequest;

constexpr size_t kTraceIdsMax = 10'000;
constexpr size_t kRequestedByBytesMax = 200;

Error Wrong(std::string_view member, const std::string& what) {
  return {ErrorCode::kInvalidArgument, "member `" + std::string(member) + "`: " + what};
}

Error ReadText(std::string_view name, simdjson::dom::element value, std::string* out) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) return Wrong(name, "not a string");
  *out = text;
  return Error::Ok();
}

Error ReadTime(std::string_view name, simdjson::dom::element value, int64_t now_ns, uint64_t* out) {
  std::string text;
  WEFT_RETURN_IF_ERROR(ReadText(name, value, &text));
  const auto time_ns = ParseTime(text, now_ns);
  if (!time_ns.ok()) return Wrong(name, time_ns.error().message());
  *out = *time_ns;
  return Error::Ok();
}

Error ReadTraceIds(simdjson::dom::element value, std::vector<model::TraceId>* ids) {
  simdjson::dom::array array;
  if (value.get(array) != simdjson::SUCCESS) return Wrong("traceIds", "not an array of strings");
  for (const simdjson::dom::element element : array) {
    std::string text;
    WEFT_RETURN_IF_ERROR(ReadText("traceIds", element, &text));
    const auto id = model::TraceId::FromHex(text);
    if (!id) return Wrong("traceIds", "a trace id is 1 to 32 hex digits");
    ids->push_back(*id);
    if (ids->size() > kTraceIdsMax) {
      return Wrong("traceIds", "at most " + std::to_string(kTraceIdsMax) + " ids in one request");
    }
  }
  if (ids->empty()) return Wrong("traceIds", "empty");
  return Error::Ok();
}

Error ReadMember(std::string_view name, simdjson::dom::element value, int64_t now_ns,
                 DeletionBody* body) {
  DeletionRequest& request = body->request;
  if (name == "query") {
    body->has_query = true;
    return ReadText(name, value, &body->query);
  }
  if (name == "traceIds") return ReadTraceIds(value, &request.trace_ids);
  if (name == "start") return ReadTime(name, value, now_ns, &request.range.start_ns);
  if (name == "end") return ReadTime(name, value, now_ns, &request.range.end_ns);
  if (name == "dryRun") {
    if (value.get(body->dry_run) != simdjson::SUCCESS) return Wrong(name, "not true or false");
    return Error::Ok();
  }
  if (name == "requestedBy") {
    WEFT_RETURN_IF_ERROR(ReadText(name, value, &request.requested_by));
    if (request.requested_by.size() > kRequestedByBytesMax) {
      return Wrong(name, "at most " + std::to_string(kRequestedByBytesMax) + " bytes");
    }
    return Error::Ok();
  }
  return Wrong(name, "unknown; known are query, traceIds, start, end, dryRun and requestedBy");
}

Error CheckTogether(const DeletionBody& body) {
  const DeletionRequest& request = body.request;
  if (body.has_query == !request.trace_ids.empty()) {
    return {ErrorCode::kInvalidArgument,
            "say what to delete: either `query` (TraceQL) or `traceIds`"};
  }
  if (!body.has_query && !request.range.unlimited()) {
    return Wrong("start", "goes with `query`: traces named by id are deleted whole");
  }
  if (request.range.start_ns > request.range.end_ns) return Wrong("start", "after `end`");
  return Error::Ok();
}

}  // namespace

Result<DeletionBody> ReadDeletionBody(std::string_view json, int64_t now_ns) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(json.data(), json.size()).get(object) != simdjson::SUCCESS) {
    return Error(ErrorCode::kInvalidArgument, "the body is not a JSON object");
  }
  DeletionBody body;
  for (const simdjson::dom::key_value_pair member : object) {
    WEFT_RETURN_IF_ERROR(ReadMember(member.key, member.value, now_ns, &body));
  }
  WEFT_RETURN_IF_ERROR(CheckTogether(body));
  return body;
}

}  // namespace weft::api
