// A blocking HTTP/1.1 client with one keep-alive connection, for the command line, the demo and
// tests.
//
// One thread at a time. No redirects, no TLS.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "net/http_message.h"

namespace weft::net {

struct HttpClientOptions {
  uint32_t connect_timeout_ms = 5'000;
  uint32_t request_timeout_ms = 60'000;  // from sending to the end of the answer
  uint64_t response_bytes_max = 1ULL << 30;
  bool accept_gzip = false;  // worth it over a real network only
};

class HttpClient {
 public:
  // `address` is "host:port" or "http://host:port". Connects at the first request, and again when
  // the server has closed.
  explicit HttpClient(const std::string& address, HttpClientOptions options = {});
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // The answer, whatever its status, a gzip body decompressed. kUnavailable when there is no
  // connection, kCancelled after the timeout, kTooLarge, kInvalidArgument for an address that can't
  // be read.
  Result<HttpResponse> Send(std::string_view method, std::string_view target,
                            std::string_view body = {}, std::string_view content_type = {},
                            const HttpHeaders& headers = {});
  Result<HttpResponse> Get(std::string_view target) { return Send("GET", target); }
  Result<HttpResponse> Post(std::string_view target, std::string_view body,
                            std::string_view content_type) {
    return Send("POST", target, body, content_type);
  }

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weft::net
