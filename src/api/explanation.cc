#include "api/explanation.h"

#include <string_view>

#include "api/json_writer.h"
#include "api/parameters.h"

namespace weft::api {
namespace {

using query::exec::Profile;

double ToMs(int64_t ns) { return static_cast<double>(ns) / 1e6; }

void WriteRowGroups(const Profile& profile, JsonWriter* json) {
  json->Key("rowGroups");
  json->BeginObject();
  json->UintField("read", profile.groups());
  json->Key("skipped");
  json->BeginArray();
  for (const auto& [why, count] : profile.skipped()) {
    json->BeginObject();
    json->Field("why", why);
    json->UintField("count", count);
    json->EndObject();
  }
  json->EndArray();
  json->EndObject();
}

void WriteStages(const Profile& profile, JsonWriter* json) {
  json->Key("stages");
  json->BeginArray();
  for (size_t i = 0; i < Profile::kStages; ++i) {
    const auto stage = static_cast<Profile::Stage>(i);
    const Profile::Spent spent = profile.spent(stage);
    if (spent.calls == 0) continue;
    json->BeginObject();
    json->Field("stage", Profile::NameOf(stage));
    json->UintField("calls", spent.calls);
    json->Key("ms"), json->Double(ToMs(spent.ns));
    json->EndObject();
  }
  json->EndArray();
}

std::string Write(const Profile& profile, const Effort& effort, const ReadAccount& reads) {
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  json.Key("plan");
  json.BeginArray();
  for (const std::string& line : profile.plan()) json.String(line);
  json.EndArray();
  json.Key("elapsedMs"), json.Double(ToMs(effort.took_ns));
  json.Key("waitedMs"), json.Double(ToMs(effort.waited_ns));
  WriteRowGroups(profile, &json);
  json.UintField("rows", profile.rows());
  json.UintField("rowsMatched", profile.matched());
  json.UintField("bytesRead", profile.bytes_read());
  json.Key("store");
  json.BeginObject();
  json.UintField("requests", reads.requests);
  json.UintField("bytes", reads.bytes);
  json.UintField("hits", reads.hits);
  json.EndObject();
  WriteStages(profile, &json);
  json.EndObject();
  return text;
}

}  // namespace

Result<bool> WantsExplanation(const net::HttpRequest& request) {
  const auto given = request.Query(kExplainParameter);
  if (!given || *given == "false") return false;
  if (*given == "true") return true;
  return Error(ErrorCode::kInvalidArgument, "explain: is true or false");
}

void AddExplanation(const Profile& profile, const Effort& effort, const ReadAccount& reads,
                    net::HttpResponse* response) {
  std::string& body = response->body;
  const bool is_object = response->status == 200 && !response->shared_body &&
                         response->content_type.starts_with("application/json") &&
                         body.size() >= 2 && body.front() == '{' && body.ends_with('}');
  if (!is_object) return;
  body.pop_back();
  if (body.size() > 1) body += ',';
  body += "\"explain\":" + Write(profile, effort, reads) + "}";
}

}  // namespace weft::api
