#include "receive/zipkin/address.h"

#include <array>

#include <arpa/inet.h>

namespace weft::receive::zipkin {

std::string AddressText(std::string_view bytes) {
  if (bytes.size() != 4 && bytes.size() != 16) return "";
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = bytes.size() == 4 ? AF_INET : AF_INET6;
  return inet_ntop(family, bytes.data(), text.data(), text.size()) == nullptr ? "" : text.data();
}

}  // namespace weft::receive::zipkin
