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

std::string_view TypeName(const query::exec::FoundValue& value) {
  using model::ValueType;
  using query::plan::Meaning;
  switch (value.meaning) {
    case Meaning::kDuration: return "duration";
    case Meaning::kStatus: return "status";
    case Meaning::kKind: return "kind";
    case Meaning::kPlain: break;
  }
  switch (value.type) {
    case ValueType::kEmpty: return "nil";
    case ValueType::kString: return "string";
    case ValueType::kInt: return "int";
    case ValueType::kDouble: return "double";
    case ValueType::kBool: return "bool";
    case ValueType::kBytes: return "bytes";
    case ValueType::kArray: return "array";
    case ValueType::kKvList: return "kvlist";
  }
  return "nil";
}

void WriteValues(const std::vector<query::exec::FoundValue>& values, JsonWriter* json) {
  if (values.empty()) return;
  json->Key("values");
  json->BeginArray();
  for (const query::exec::FoundValue& value : values) WriteValue(value, json);
  json->EndArray();
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
  WriteValues(span.values, json);
  json->EndObject();
}

// Where there are several, or something is known of the only one.
void WriteSpansets(const std::vector<query::exec::FoundSpanset>& spansets, JsonWriter* json) {
  if (spansets.size() == 1 && spansets[0].values.empty()) return;
  json->Key("spansets");
  json->BeginArray();
  for (const query::exec::FoundSpanset& set : spansets) {
    json->BeginObject();
    json->UintField("matched", set.matched);
    WriteValues(set.values, json);
    json->Key("spanIds");
    json->BeginArray();
    for (const query::exec::FoundSpan& span : set.spans) json->String(span.span_id.ToHex());
    json->EndArray();
    json->EndObject();
  }
  json->EndArray();
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
  json->UintField("matched", trace.matched());
  json->Key("spans");
  json->BeginArray();
  for (const query::exec::FoundSpanset& set : trace.spansets) {
    for (const query::exec::FoundSpan& span : set.spans) WriteSpan(span, json);
  }
  json->EndArray();
  WriteSpansets(trace.spansets, json);
  json->EndObject();
}

}  // namespace

net::HttpResponse AnswerError(const Error& error) { return MakeError(error, nullptr); }

net::HttpResponse AnswerInsightError(const Error& error) {
  if (error.code() != ErrorCode::kResourceExhausted) return AnswerError(error);
  return AnswerError(Error(ErrorCode::kUnavailable, error.message()));
}

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

void WriteValue(const query::exec::FoundValue& value, JsonWriter* json) {
  const std::string_view type = TypeName(value);
  json->BeginObject();
  json->Field("name", value.name);
  json->Field("type", type);
  json->Key("value");
  switch (value.type) {
    case model::ValueType::kEmpty: json->Null(); break;
    case model::ValueType::kBool: json->Bool(value.number != 0); break;
    case model::ValueType::kDouble: json->Double(value.real); break;
    case model::ValueType::kBytes: json->Base64(value.text); break;
    case model::ValueType::kInt:
      if (type == "status") {
        json->String(StatusName(static_cast<uint8_t>(value.number)));
      } else if (type == "kind") {
        json->String(KindName(static_cast<uint8_t>(value.number)));
      } else {
        json->Int64Text(value.number);
      }
      break;
    default: json->String(value.text);
  }
  json->EndObject();
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
