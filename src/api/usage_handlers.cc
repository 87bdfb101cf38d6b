// Usage: whose the bytes of the stored blocks are.

#include <array>
#include <utility>

#include "api/answers.h"
#include "api/api_server.h"
#include "api/json_writer.h"
#include "api/parameters.h"
#include "api/usage_row.h"

namespace weft::api {
namespace {

struct UsageParameters {
  block::UsageBy by = block::UsageBy::kService;
  TimeRange range;
};

Result<UsageParameters> ReadUsage(const net::HttpRequest& http, int64_t now_ns) {
  constexpr std::array<std::string_view, 4> kBy = {"tenant", "service", "operation", "attribute"};
  WEFT_ASSIGN_OR_RETURN(const Parameters parameters,
                        Parameters::Read(http.query, {"by", "start", "end"}));
  UsageParameters usage;
  WEFT_ASSIGN_OR_RETURN(const auto by, parameters.OneOf("by", kBy));
  WEFT_ASSIGN_OR_RETURN(usage.range, parameters.Range(now_ns));
  if (by == "tenant") usage.by = block::UsageBy::kTenant;
  if (by == "operation") usage.by = block::UsageBy::kOperation;
  if (by == "attribute") usage.by = block::UsageBy::kAttribute;
  return usage;
}

}  // namespace

void WriteUsageRow(const block::UsageRow& row, block::UsageBy by, JsonWriter* json) {
  json->BeginObject();
  json->Field("tenant", row.tenant);
  if (row.others) {
    json->BoolField("others", true);
  } else if (by == block::UsageBy::kAttribute) {
    if (!row.scope.empty()) json->Field("scope", row.scope);
    json->Field(row.scope.empty() ? "column" : "key", row.key);
  } else if (by != block::UsageBy::kTenant) {
    json->Field("service", row.service);
    if (by == block::UsageBy::kOperation) json->Field("name", row.name);
  }
  json->UintField(by == block::UsageBy::kAttribute ? "values" : "spans", row.count);
  json->UintField("bytes", row.bytes);
  json->EndObject();
}

net::HttpResponse ApiServer::Usage(const Call& call) {
  const auto asked = ReadUsage(call.request, parts_.env->NowNs());
  if (!asked.ok()) return AnswerError(asked.error());
  const auto rows = parts_.usage(call.tenant, asked->range, asked->by, call.budget);
  if (!rows.ok()) return AnswerError(rows.error());
  uint64_t bytes = 0;
  for (const block::UsageRow& row : *rows) bytes += row.bytes;
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  json.Key("usage");
  json.BeginArray();
  for (const block::UsageRow& row : *rows) WriteUsageRow(row, asked->by, &json);
  json.EndArray();
  json.UintField("bytes", bytes);
  json.EndObject();
  return AnswerJson(std::move(text));
}

}  // namespace weft::api
