// Texts in Parquet's STRING and JSON columns must be UTF-8; what services send need not be. A text
// is stored so that every reader accepts it and weft gives back each byte:
//
//   a byte that is no part of valid UTF-8 becomes U+FFFD and its two hex digits ("\xff" -> "�ff");
//   U+FFFD itself is doubled.
//
// Texts that are valid and have no U+FFFD, nearly all, are stored as they are.
#pragma once

#include <string>
#include <string_view>

namespace weft::block {

// Appends the stored form of `text` to `out` and returns true; or, when that is `text` itself,
// leaves `out` alone and returns false.
bool AppendEscapedText(std::string_view text, std::string* out);

// The other way round: appends the original and returns true, or returns false when `stored` is
// the original. Never fails: a U+FFFD that no writer left like this stands for itself.
bool AppendUnescapedText(std::string_view stored, std::string* out);

}  // namespace weft::block
