// "Did you mean": the known name nearest to a misspelt one.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace weft::query::lang {

// The candidate with the fewest edits (insert, delete, replace, swap neighbours; case counts as
// half an edit), if it is near enough to be a slip of the hand; else empty. Ties go to the earlier
// candidate. Names longer than 64 bytes have no neighbours.
std::string_view NearestName(std::string_view name, std::span<const std::string_view> candidates);

// "; did you mean `x`?" or nothing.
std::string DidYouMean(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace weft::query::lang
