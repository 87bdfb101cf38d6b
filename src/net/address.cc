#include "net/address.h"

#include <charconv>

namespace weft::net {
namespace {

Error BadAddress(std::string_view text) {
  return Error(
      ErrorCode::kInvalidArgument,
      "'" + std::string(text) +
          "' is not an address: write host:port, such as 127.0.0.1:4318, [::1]:4318 or :4318");
}

}  // namespace

Result<HostPort> ParseHostPort(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return BadAddress(text);
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    // IPv6, maybe with an IPv4 end, maybe with a zone.
    if (host.find(':') == std::string_view::npos || host.find_first_of("[]/ ") != host.npos) {
      return BadAddress(text);
    }
  } else if (host.find_first_of(":[]/ ") != std::string_view::npos) {
    return BadAddress(text);
  }
  uint16_t port = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (failure != std::errc() || end != digits.data() + digits.size()) return BadAddress(text);
  return HostPort{std::string(host), port};
}

std::string FormatHostPort(const HostPort& address) {
  const bool bracket = address.host.find(':') != std::string::npos;
  return (bracket ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

}  // namespace weft::net
