// Deleting spans, and what was deleted.
//
// The request is JSON with its content type and nothing else, which no page of another origin can
// send to a server on the visitor's machine without asking first.

#include <utility>

#include "api/answers.h"
#include "api/api_server.h"
#include "api/deletion_request.h"
#include "api/json_writer.h"
#include "api/parameters.h"
#include "query/exec/span_deleter.h"
#include "query/lang/traceql/compile.h"
#include "query/lang/traceql/redact.h"

namespace weft::api {
namespace {

using query::exec::DeletionRequest;

Result<DeletionBody> ReadBody(const net::HttpRequest& http, int64_t now_ns) {
  const std::string_view type = http.headers.Get("Content-Type");
  if (!net::EqualsIgnoringCase(type.substr(0, type.find(';')), "application/json")) {
    return Error(ErrorCode::kInvalidArgument,
                 "send the request as JSON with the header Content-Type: application/json");
  }
  if (http.body.size() > ApiServer::kBodyBytesMax) {
    return Error(ErrorCode::kTooLarge, "a deletion is at most 1 MiB of JSON");
  }
  return ReadDeletionBody(http.body, now_ns);
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
    const query::plan::Predicate* const predicate = plan->filter();
    if (predicate == nullptr || predicate->asks_of_parents()) {
      return AnswerError({ErrorCode::kUnsupported,
                          "a deletion takes one span filter, such as { span.user.id = \"7\" }; to "
                          "delete what a longer query finds, search for it and name its traces in "
                          "traceIds"});
    }
    request.predicate = *predicate;
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
