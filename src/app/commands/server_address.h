// Which server a command talks to, and how.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "net/http_client.h"

namespace weft::app::commands {

// What every command that asks a server takes from its flags.
struct ServerChoice {
  std::string server;                  // --server: "http://127.0.0.1:3200" or "host:port"; wins
  std::string data_dir = "weft-data";  // --data: the folder of a running server on this machine
  std::string tenant;                  // --tenant; empty: the default tenant
};

// The addresses in DIR/server.json, as `weft serve` writes them:
// {"http":"host:port","otlp_http":...}. kNotFound, with what to do, when no server runs on the
// folder.
Result<std::string> AddressInUse(const std::string& data_dir, std::string_view name);

// A server's HTTP API.
class ApiClient {
 public:
  // kNotFound as above.
  static Result<ApiClient> Connect(const ServerChoice& choice, uint32_t timeout_ms = 60'000);

  // The answer to a GET when it is 200; else an error with the server's own message.
  Result<net::HttpResponse> Get(const std::string& target,
                                std::string_view accept = "application/json");
  // The same, whatever the status.
  Result<net::HttpResponse> GetAny(const std::string& target,
                                   std::string_view accept = "application/json");

  // The answer to a POST of JSON, whatever the status.
  Result<net::HttpResponse> Post(const std::string& target, std::string_view json);

  const std::string& address() const { return address_; }

 private:
  ApiClient(std::string address, std::string tenant, uint32_t timeout_ms);
  Result<net::HttpResponse> Send(std::string_view method, const std::string& target,
                                 std::string_view accept, std::string_view json);

  std::string address_;
  std::string tenant_;
  std::unique_ptr<net::HttpClient> client_;
};

// The error in the body of a refusal (components/schemas/Error of the API), or one made of the
// status.
Error ErrorOfAnswer(const net::HttpResponse& response);

}  // namespace weft::app::commands
