// UTF-8, for what must have no other bytes in it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace weft {

// Bytes of the well-formed UTF-8 character at the start of `text`; 0 when there is none (Unicode 15
// table 3-7).
size_t Utf8CharacterBytes(std::string_view text);

// The text, with U+FFFD for each byte that belongs to no character.
std::string Utf8(std::string_view text);

}  // namespace weft
