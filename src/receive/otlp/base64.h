// Base64 as ProtoJSON accepts it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weft::receive::otlp {

// Both alphabets of RFC 4648 (§4 and §5), with or without padding; nothing for anything else.
std::optional<std::string> DecodeBase64(std::string_view text);

}  // namespace weft::receive::otlp
