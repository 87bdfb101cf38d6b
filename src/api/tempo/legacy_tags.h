// Search by tags, as it was before TraceQL: `tags=service.name=shop http.status_code=500`.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace weft::api::tempo {

using Tags = std::vector<std::pair<std::string, std::string>>;
inline constexpr size_t kTagsMax = 100;

// Reads logfmt: `a=b c="d e"`. kInvalidArgument for a piece without '=', an open quote, a key that
// comes twice and more than kTagsMax tags.
Result<Tags> ReadTags(std::string_view text);

// The TraceQL query for traces in which every tag is somewhere: on a span or its resource, a text
// that has the value in it, whatever the case, or a number or boolean that is written so. Some keys
// mean what spans and traces are: name, status.code, error, root.name, root.service.name.
std::string QueryOfTags(const Tags& tags);

}  // namespace weft::api::tempo
