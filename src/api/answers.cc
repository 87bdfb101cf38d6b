#include "api/answers.h"

#include <array>
#include <utility>

#include "api/json_writer.h"
#include "api/static_files.h"

namespace weft::api {
namespace {

// What broke inside is no business of a client: its code is "internal".
std::string_view CodeName(ErrorCode code) {
  const bool inside =
      code == ErrorCode::kCorrupt || code == ErrorCode::kIo || code == ErrorCode::kOk;
  return ErrorCodeName(inside ? ErrorCode::kInternal : code);
}

net::HttpResponse MakeError(const Error& error, const query::QueryError* place) {
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  json.Key("error");
  json.BeginObject();
  json.Field("code", CodeName(error.code()));
  json.Field("message", error.message());
  if (place != nullptr) {
    json.UintField("line", place->line);
    json.UintField("column", place->column);
    json.UintField("offset", place->offset);
    json.UintField("length", place->length);
  }
  json.EndObject();
  json.EndObject();
  net::HttpResponse response = AnswerJson(std::move(text));
  response.status = net::HttpStatusOf(error.code());
  if (error.retry_after_ms() != 0) {
    response.headers.Set("Retry-After", net::RetryAfterSeconds(error.retry_after_ms()));
  }
  return response;
}

void WriteSpan(const query::exec::FoundSpan& span, JsonWriter* json) {
  json->BeginObject();
  json->Field("spanId", span.span_id.ToHex());
  json->Field("name", span.name);
  json->Field("service", span.service);
  json->Field("kind", KindName(span.kind));
  json->Field("status", StatusName(span.status));
  json->Int64Field("startNs", span.start_ns);
  json->Key("durationNs"), json->Int64Text(span.duration_ns);
  json->EndObject();
}

void WriteServices(const std::vector<block::ServiceCount>& services, JsonWriter* json) {
  json->Key("services");
  json->BeginArray();
  for (const block::ServiceCount& service : services) {
    json->BeginObject();
    json->Field("name", service.name);
    json->UintField("spanCount", service.span_count);
    json->UintField("errorCount", service.error_count);
    json->EndObject();
  }
  json->EndArray();
}

void WriteTrace(const query::exec::FoundTrace& trace, JsonWriter* json) {
  const block::TraceSummary& summary = trace.summary;
  json->BeginObject();
  json->Field("traceId", summary.id.ToHex());
  json->Int64Field("startNs", summary.start_ns);
  json->Key("durationNs"), json->Int64Text(static_cast<int64_t>(summary.end_ns - summary.start_ns));
  json->Field("rootService", summary.root_service);
  json->Field("rootName", summary.root_name);
  json->UintField("spanCount", summary.span_count);
  json->UintField("errorCount", summary.error_count);
  WriteServices(summary.services, json);
  json->UintField("matched", trace.matched);
  json->Key("spans");
  json->BeginArray();
  for (const query::exec::FoundSpan& span : trace.spans) WriteSpan(span, json);
  json->EndArray();
  json->EndObject();
}

void WriteStats(const query::exec::SearchStats& stats, JsonWriter* json) {
  json->Key("stats");
  json->BeginObject();
  json->UintField("rowGroups", stats.row_groups);
  json->UintField("rowGroupsSkipped", stats.row_groups_skipped);
  json->UintField("rows", stats.rows);
  json->UintField("bytes", stats.bytes);
  json->UintField("storeRequests", stats.store_requests);
  json->UintField("storeBytes", stats.store_bytes);
  json->UintField("storeHits", stats.store_hits);
  json->Key("elapsedUs"), json->Int(stats.elapsed_us);
  json->EndObject();
}

}  // namespace

net::HttpResponse AnswerError(const Error& error) { return MakeError(error, nullptr); }

net::HttpResponse AnswerQueryError(const query::QueryError& error) {
  return MakeError(error.error, &error);
}

net::HttpResponse AnswerJson(std::string json) {
  net::HttpResponse response = net::HttpResponse::Json(200, std::move(json));
  response.headers.Set("Cache-Control", "no-store");
  response.headers.Set("Vary", "Accept-Encoding");
  AddSecurityHeaders(&response);
  return response;
}

std::string EncodeSearchAnswer(const query::exec::SearchAnswer& answer) {
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  json.Key("traces");
  json.BeginArray();
  for (const query::exec::FoundTrace& trace : answer.traces) WriteTrace(trace, &json);
  json.EndArray();
  if (!answer.next_cursor.empty()) json.Field("nextCursor", answer.next_cursor);
  json.BoolField("complete", answer.complete);
  if (!answer.reason.empty()) json.Field("reason", answer.reason);
  WriteStats(answer.stats, &json);
  json.EndObject();
  return text;
}

std::string_view KindName(uint8_t kind) {
  constexpr std::array<std::string_view, 6> kNames = {"unspecified", "internal", "server",
                                                      "client",      "producer", "consumer"};
  return kNames[kind < kNames.size() ? kind : 0];
}

std::string_view StatusName(uint8_t status) {
  constexpr std::array<std::string_view, 3> kNames = {"unset", "ok", "error"};
  return kNames[status < kNames.size() ? status : 0];
}

}  // namespace weft::api
