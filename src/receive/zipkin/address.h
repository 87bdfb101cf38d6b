// Addresses in binary as text.
#pragma once

#include <string>
#include <string_view>

namespace weft::receive::zipkin {

// "10.0.0.1" of 4 bytes, "2001:db8::1" of 16; empty for any other length.
std::string AddressText(std::string_view bytes);

}  // namespace weft::receive::zipkin
