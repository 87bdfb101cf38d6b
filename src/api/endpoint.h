// What the server's threads run for a request that takes work.
#pragma once

#include <functional>
#include <string_view>

#include "api/answers.h"
#include "base/error.h"
#include "model/tenant.h"
#include "net/http_message.h"
#include "query/exec/budget.h"

namespace weft::api {

// What a handler needs to know besides the request.
struct Call {
  const net::HttpRequest& request;
  model::TenantId tenant;
  query::exec::Budget budget;
};

// The functions may be called on any thread.
struct Endpoint {
  std::function<net::HttpResponse(const Call&)> answer;
  // The answer when the handler is not even asked (stopping, busy, a wrong tenant), in the shape of
  // the endpoint's own errors.
  net::HttpResponse (*refuse)(const Error& error) = AnswerError;
  // Who is named by the header model::kTenantHeader.
  Result<model::TenantId> (*read_tenant)(std::string_view header_value) = model::ParseTenant;
};

}  // namespace weft::api
