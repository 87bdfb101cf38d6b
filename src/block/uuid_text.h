// UUIDs as 36-character text and as the 16 bytes of Parquet's UUID type.
#pragma once

#include <string>
#include <string_view>

namespace weft::block {

// Whether `text` is exactly 8-4-4-4-12 lower-case hex digits: what the 16 bytes give back.
bool IsUuidText(std::string_view text);
// `text` must satisfy IsUuidText.
void AppendUuidBytes(std::string_view text, std::string* out);
void AppendUuidText(std::string_view sixteen_bytes, std::string* out);

}  // namespace weft::block
