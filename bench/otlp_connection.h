// One connection to an OTLP receiver that sends one request after the other.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace weft::bench {

class OtlpConnection {
 public:
  virtual ~OtlpConnection() = default;
  // Blocks until the receiver has acknowledged the request. kUnavailable and kResourceExhausted:
  // the same request may be sent again.
  virtual Error Send(std::string_view request) = 0;
};

// `address` is host:port. Each has a socket of its own.
std::unique_ptr<OtlpConnection> ConnectHttp(const std::string& address);
std::unique_ptr<OtlpConnection> ConnectGrpc(const std::string& address);

}  // namespace weft::bench
