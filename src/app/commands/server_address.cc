#include "app/commands/server_address.h"

#include <utility>

#include "app/commands/json_fields.h"
#include "base/env.h"
#include "model/tenant.h"

namespace weft::app::commands {
namespace {

ErrorCode CodeOfStatus(int status) {
  switch (status) {
    case 400: return ErrorCode::kInvalidArgument;
    case 404: return ErrorCode::kNotFound;
    case 413: return ErrorCode::kTooLarge;
    case 429: return ErrorCode::kResourceExhausted;
    case 501: return ErrorCode::kUnsupported;
    case 502:
    case 503:
    case 504: return ErrorCode::kUnavailable;
    default: return ErrorCode::kInternal;
  }
}

}  // namespace

Result<std::string> AddressInUse(const std::string& data_dir, std::string_view name) {
  const std::string path = data_dir + "/server.json";
  const auto text = Env::Posix().ReadWholeFile(path);
  if (!text.ok()) {
    return Error(ErrorCode::kNotFound,
                 "no server runs on the folder " + data_dir + " (there is no " + path +
                     "); start one with `weft serve`, or name the folder with --data or "
                     "the server with --server");
  }
  const auto value = ParseJson(*text);
  const std::string address = value ? TextOf(&*value, name) : std::string();
  if (address.empty())
    return Error(ErrorCode::kCorrupt, path + " has no address \"" + std::string(name) + "\"");
  return address;
}

ApiClient::ApiClient(std::string address, std::string tenant, uint32_t timeout_ms)
    : address_(std::move(address)),
      tenant_(std::move(tenant)),
      client_(std::make_unique<net::HttpClient>(
          address_, net::HttpClientOptions{.request_timeout_ms = timeout_ms})) {}

Result<ApiClient> ApiClient::Connect(const ServerChoice& choice, uint32_t timeout_ms) {
  if (!choice.server.empty()) return ApiClient(choice.server, choice.tenant, timeout_ms);
  WEFT_ASSIGN_OR_RETURN(std::string address, AddressInUse(choice.data_dir, "http"));
  return ApiClient(std::move(address), choice.tenant, timeout_ms);
}

Result<net::HttpResponse> ApiClient::GetAny(const std::string& target, std::string_view accept) {
  return Send("GET", target, accept, {});
}

Result<net::HttpResponse> ApiClient::Post(const std::string& target, std::string_view json) {
  return Send("POST", target, "application/json", json);
}

Result<net::HttpResponse> ApiClient::Send(std::string_view method, const std::string& target,
                                          std::string_view accept, std::string_view json) {
  net::HttpHeaders headers;
  headers.Add("Accept", accept);
  headers.Add("Accept-Encoding", "gzip");
  if (!tenant_.empty()) headers.Add(model::kTenantHeader, tenant_);
  const std::string_view type = json.empty() ? std::string_view() : "application/json";
  auto response = client_->Send(method, target, json, type, headers);
  if (!response.ok()) return response.error().WithContext("asking " + address_);
  return response;
}

Result<net::HttpResponse> ApiClient::Get(const std::string& target, std::string_view accept) {
  WEFT_ASSIGN_OR_RETURN(net::HttpResponse response, GetAny(target, accept));
  if (response.status != 200) return ErrorOfAnswer(response);
  return response;
}

Error ErrorOfAnswer(const net::HttpResponse& response) {
  const auto body = ParseJson(response.payload());
  std::string message = body ? TextOf(MemberOf(&*body, "error"), "message") : std::string();
  if (message.empty())
    message = "the server answered with status " + std::to_string(response.status);
  return Error(CodeOfStatus(response.status), std::move(message));
}

}  // namespace weft::app::commands
