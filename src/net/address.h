// "host:port" as text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace weft::net {

struct HostPort {
  std::string host;  // without brackets; empty: all interfaces
  uint16_t port = 0;
};

// Reads "127.0.0.1:80", "localhost:80", "[::1]:80", ":80"; kInvalidArgument for anything else.
Result<HostPort> ParseHostPort(std::string_view text);
// The text again, with brackets around an IPv6 address.
std::string FormatHostPort(const HostPort& address);

}  // namespace weft::net
