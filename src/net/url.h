// Percent-encoding and the parts of a request target (RFC 3986, and
// application/x-www-form-urlencoded for queries).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "net/http_message.h"

namespace weft::net {

// Undoes %XX; nothing when a '%' is not followed by two hex digits. `plus_is_space` as in queries.
std::optional<std::string> PercentDecode(std::string_view text, bool plus_is_space = false);
// Encodes everything but unreserved characters: safe as a path segment and as a query value.
std::string PercentEncode(std::string_view text);

// "a=1&b=%20" as pairs; empty pieces are skipped; a piece without '=' has an empty value. Nothing
// on a malformed escape or more than 1,000 pairs.
std::optional<HttpParameters> ParseQuery(std::string_view query);

// Splits and decodes a request target: origin form ("/a?b") or absolute form ("http://host/a?b").
// Fills target, path and query of `head`. kInvalidArgument when it is neither, or escapes are
// malformed.
Error ParseTarget(std::string_view target, HttpRequestHead* head);

// The raw path of a target, before '?', still encoded.
std::string_view RawPath(std::string_view target);

}  // namespace weft::net
