// Metrics made of spans, for whoever scrapes them.

#include <optional>

#include "api/answers.h"
#include "api/api_server.h"
#include "api/parameters.h"
#include "generate/exposition.h"
#include "model/tenant.h"

namespace weft::api {

net::HttpResponse ApiServer::Generated(const Call& call) {
  const auto parameters = Parameters::Read(call.request.query, {"tenant"});
  if (!parameters.ok()) return AnswerError(parameters.error());
  const auto named = parameters->Text("tenant", model::kTenantBytesMax);
  if (!named.ok()) return AnswerError(named.error());
  // Scrapers may be told parameters; not all of them send headers.
  const auto tenant = *named ? model::ParseTenant(**named) : Result<model::TenantId>(call.tenant);
  if (!tenant.ok()) return AnswerError(tenant.error());
  if (parts_.generated == nullptr) {
    return AnswerError(Error(ErrorCode::kNotFound,
                             "this server makes no metrics of spans (generator.processors)"));
  }
  const auto form = generate::FormOf(call.request.headers.Get("accept"));
  net::HttpResponse response =
      net::HttpResponse::Text(200, generate::RenderSeries(*parts_.generated, *tenant, form));
  response.content_type = generate::ContentTypeOf(form);
  return response;
}

}  // namespace weft::api
