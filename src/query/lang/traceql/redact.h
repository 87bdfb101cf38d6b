// A query without what it looks for: for reports that must not say it.
#pragma once

#include <string>
#include <string_view>

namespace weft::query::lang::traceql {

// The query with every string and number replaced by `?`, and without comments:
// `{ .user.email = ? && duration > 1s }`. Empty for a text that is not made of TraceQL's words. Any
// thread.
std::string Redact(std::string_view query);

}  // namespace weft::query::lang::traceql
