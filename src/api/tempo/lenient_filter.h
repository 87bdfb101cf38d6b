// The filter of a request for names or values of attributes, as editors send it while a query is
// being typed.
#pragma once

#include <optional>
#include <string_view>

#include "query/plan/predicate.h"

namespace weft::api::tempo {

// What of `query` can be read as one filter `{ ... }`. Conditions that can't be compiled, such as
// the one being typed, and those on places in the tree (but `nestedSetParent < 0`) are left out (`{
// .a = 1 && .b = }` is `{ .a = 1 }`); nothing when none is left, or when it is no single filter:
// then everything is looked at.
std::optional<query::plan::Predicate> ReadLenientFilter(std::string_view query);

}  // namespace weft::api::tempo
