#include "receive/http_intake.h"

#include <algorithm>
#include <utility>

#include "model/tenant.h"

namespace weft::receive {
namespace {

using net::HttpRequestHead;
using net::HttpResponse;

// What a request without a length is taken for, until more has come.
constexpr uint64_t kChunkedBytesGuess = 64 << 10;

}  // namespace

std::string_view MediaTypeOf(const HttpRequestHead& head) {
  std::string_view type = head.headers.Get("Content-Type");
  type = type.substr(0, type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  return type;
}

int ReceiverStatusOf(const Error& error) {
  return error.code() == ErrorCode::kIo ? 503 : net::HttpStatusOf(error.code());
}

Error HttpIntake::Admit(const HttpRequestHead& head, net::HttpBodyPlan* plan) {
  WEFT_ASSIGN_OR_RETURN(model::TenantId tenant,
                        model::ParseTenant(head.headers.Get(model::kTenantHeader)));
  const Error admitted = intake_.Admit(tenant, head.content_length.value_or(kChunkedBytesGuess));
  plan->admit = [this, tenant = std::move(tenant)](uint64_t bytes) {
    return intake_.Admit(tenant, bytes);
  };
  return admitted;
}

model::TenantId HttpIntake::TenantOf(const HttpRequestHead& head) {
  return *model::ParseTenant(head.headers.Get(model::kTenantHeader));
}

HttpResponse HttpIntake::Counted(const HttpRequestHead& head, HttpResponse response) {
  AddCors(head, &response);
  intake_.CountRequest(std::to_string(response.status));
  return response;
}

// The Fetch standard's CORS protocol. Nothing here depends on cookies, so "*" is enough for all.
void HttpIntake::AddCors(const HttpRequestHead& head, HttpResponse* response) const {
  const std::string_view origin = head.headers.Get("Origin");
  if (origin.empty()) return;
  const auto& allowed = cors_origins_;
  const bool all = std::find(allowed.begin(), allowed.end(), "*") != allowed.end();
  if (!all) response->headers.Add("Vary", "Origin");
  if (!all && std::find(allowed.begin(), allowed.end(), origin) == allowed.end()) return;
  response->headers.Set("Access-Control-Allow-Origin", all ? "*" : origin);
  response->headers.Set("Access-Control-Expose-Headers", "Retry-After");
}

HttpResponse HttpIntake::Preflight(const HttpRequestHead& head) const {
  HttpResponse response;
  response.status = 204;
  response.headers.Set("Allow", "POST, OPTIONS");
  AddCors(head, &response);
  if (response.headers.Has("Access-Control-Allow-Origin")) {
    response.headers.Set("Access-Control-Allow-Methods", "POST, OPTIONS");
    const std::string_view wanted = head.headers.Get("Access-Control-Request-Headers");
    if (!wanted.empty()) response.headers.Set("Access-Control-Allow-Headers", wanted);
    response.headers.Set("Access-Control-Max-Age", "7200");
  }
  return response;
}

}  // namespace weft::receive
