// The requests that are being answered: their list, and how to end one.

#include "api/answers.h"
#include "api/api_server.h"
#include "api/json_writer.h"
#include "api/parameters.h"

namespace weft::api {
namespace {

Result<model::TenantId> ReadTenant(const net::HttpRequest& request) {
  WEFT_RETURN_IF_ERROR(Parameters::Read(request.query, {}).error());
  return model::ParseTenant(request.headers.Get(model::kTenantHeader));
}

}  // namespace

net::HttpResponse ApiServer::Queries(const net::HttpRequest& request) const {
  const auto tenant = ReadTenant(request);
  if (!tenant.ok()) return AnswerError(tenant.error());
  const auto now_ns = static_cast<uint64_t>(parts_.env->NowNs());
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  json.Key("queries");
  json.BeginArray();
  for (const RunningQueries::Info& query : running_.List(*tenant)) {
    json.BeginObject();
    json.Field("id", query.id);
    json.Field("path", query.path);
    if (!query.text.empty()) json.Field("query", query.text);
    json.Int64Field("startNs", query.begin_ns);
    json.UintField("ageMs", now_ns > query.begin_ns ? (now_ns - query.begin_ns) / 1'000'000 : 0);
    json.BoolField("waiting", query.waiting);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  return AnswerJson(std::move(text));
}

net::HttpResponse ApiServer::CancelQuery(const net::HttpRequest& request) {
  const auto tenant = ReadTenant(request);
  if (!tenant.ok()) return AnswerError(tenant.error());
  const std::string_view id = request.PathParameter("queryId");
  const size_t cancelled = running_.Cancel(*tenant, id);
  if (cancelled == 0) {
    return AnswerError(Error(ErrorCode::kNotFound,
                             "no such query is running: it may have ended; GET /api/v1/queries "
                             "lists those of the tenant"));
  }
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  json.UintField("cancelled", cancelled);
  json.EndObject();
  return AnswerJson(std::move(text));
}

}  // namespace weft::api
