// Deleting spans, and what was deleted.
//
// The request is JSON with its content type and nothing else, which no page of another origin can
// send to a server on the visitor's machine without asking first.

#include <utility>

#include <simdjson.h>

#include "api/answers.h"
#include "api/api_server.h"
#include "api/json_writer.h"
#include "api/parameters.h"
#include "api/time_text.h"
#include "query/exec/span_deleter.h"
#include "query/lang/traceql/compile.h"
#include "query/lang/traceql/redact.h"

namespace weft::api {
namespace {

using query::exec::DeletionRequest;

constexpr size_t kTraceIdsMax = 10'000;
constexpr size_t kRequestedByBytesMax = 200;

// The members of the body, checked one by one.
struct DeletionBody {
  std::string query;
  bool has_query = false;
  bool dry_run = false;
  DeletionRequest request;
};

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

Result<DeletionBody> ReadBody(const net::HttpRequest& http, int64_t now_ns) {
  const std::string_view type = http.headers.Get("Content-Type");
  if (!net::EqualsIgnoringCase(type.substr(0, type.find(';')), "application/json")) {
    return Error(ErrorCode::kInvalidArgument,
                 "send the request as JSON with the header Content-Type: application/json");
  }
  if (http.body.size() > ApiServer::kBodyBytesMax) {
    return Error(ErrorCode::kTooLarge, "a deletion is at most 1 MiB of JSON");
  }
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(http.body.data(), http.body.size()).get(object) != simdjson::SUCCESS) {
    return Error(ErrorCode::kInvalidArgument, "the body is not a JSON object");
  }
  DeletionBody body;
  for (const simdjson::dom::key_value_pair member : object) {
    WEFT_RETURN_IF_ERROR(ReadMember(member.key, member.value, now_ns, &body));
  }
  WEFT_RETURN_IF_ERROR(CheckTogether(body));
  return body;
}

void WriteDeletion(const block::Deletion& deletion, JsonWriter* json) {
  json->BeginObject();
  json->Field("id", deletion.id);
  json->Field("state", deletion.done() ? "done" : "pending");
  json->Int64Field("createdNs", deletion.created_ns);
  if (deletion.done()) json->Int64Field("doneNs", deletion.done_ns);
  json->Field("requestedBy", deletion.requested_by);
  if (!deletion.query.empty()) json->Field("query", deletion.query);
  if (deletion.trace_id_count > 0) json->UintField("traceIdCount", deletion.trace_id_count);
  if (deletion.range.start_ns > 0) json->Int64Field("startNs", deletion.range.start_ns);
  if (deletion.range.end_ns < UINT64_MAX) json->Int64Field("endNs", deletion.range.end_ns);
  json->UintField("spanCount", deletion.span_count);
  json->UintField("traceCount", deletion.trace_count);
  json->UintField("blockCount", deletion.block_count);
  json->UintField("unreadableBlocks", deletion.unreadable_blocks);
  json->EndObject();
}

net::HttpResponse AnswerDeletion(const block::Deletion& deletion) {
  std::string text;
  JsonWriter json(&text);
  WriteDeletion(deletion, &json);
  return AnswerJson(std::move(text));
}

net::HttpResponse AnswerCounts(const query::exec::DeletionCounts& counts) {
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  json.Field("state", "dry_run");
  json.UintField("spanCount", counts.spans);
  json.UintField("traceCount", counts.traces);
  json.UintField("blockCount", counts.blocks);
  json.UintField("unreadableBlocks", counts.unreadable_blocks);
  json.EndObject();
  return AnswerJson(std::move(text));
}

}  // namespace

net::HttpResponse ApiServer::Delete(const Call& call) {
  const auto parameters = Parameters::Read(call.request.query, {});
  if (!parameters.ok()) return AnswerError(parameters.error());
  auto body = ReadBody(call.request, parts_.env->NowNs());
  if (!body.ok()) return AnswerError(body.error());
  DeletionRequest& request = body->request;
  request.tenant = call.tenant;
  request.cancelled = call.request.gone.get();
  if (body->has_query) {
    auto plan = query::lang::traceql::Compile(body->query);
    if (!plan.ok()) return AnswerQueryError(plan.error());
    request.plan = std::move(*plan);
    request.query = query::lang::traceql::Redact(body->query);
    if (request.query.empty()) request.query = "{}";
  }
  query::exec::SpanDeleter* deleter = parts_.deleter();
  if (body->dry_run) {
    const auto counts = deleter->Count(request);
    return counts.ok() ? AnswerCounts(*counts) : AnswerError(counts.error());
  }
  const auto deletion = deleter->Delete(request);
  return deletion.ok() ? AnswerDeletion(**deletion) : AnswerError(deletion.error());
}

net::HttpResponse ApiServer::Deletions(const Call& call) {
  const auto parameters = Parameters::Read(call.request.query, {});
  if (!parameters.ok()) return AnswerError(parameters.error());
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  json.Key("deletions");
  json.BeginArray();
  for (const auto& deletion : parts_.deleter()->List(call.tenant)) WriteDeletion(*deletion, &json);
  json.EndArray();
  json.EndObject();
  return AnswerJson(std::move(text));
}

net::HttpResponse ApiServer::Deletion(const Call& call) {
  const auto parameters = Parameters::Read(call.request.query, {});
  if (!parameters.ok()) return AnswerError(parameters.error());
  const std::string_view id = call.request.PathParameter("deletionId");
  const auto deletion = parts_.deleter()->Find(call.tenant, id);
  if (deletion == nullptr) {
    return AnswerError(Error(ErrorCode::kNotFound, "tenant " + call.tenant +
                                                       " has no deletion of this id; "
                                                       "GET /api/v1/deletions lists them"));
  }
  return AnswerDeletion(*deletion);
}

}  // namespace weft::api
