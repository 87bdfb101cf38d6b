// Reading answers of the API: members of JSON objects, without exceptions and without surprises
// when they are missing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/value.hpp>

namespace weft::app::commands {

// Nothing when the text is not JSON.
std::optional<boost::json::value> ParseJson(std::string_view text);
// Null when `value` is null, no object, or has no such member.
const boost::json::value* MemberOf(const boost::json::value* value, std::string_view name);
// Empty when there is no such string.
std::string TextOf(const boost::json::value* value, std::string_view name);
// Empty when there is no such array.
const boost::json::array& ArrayOf(const boost::json::value* value, std::string_view name);
// A number, or a number in a string (the API's Int64; negative ones as their bits); 0 when there is
// none.
uint64_t NumberOf(const boost::json::value* value, std::string_view name);
// A number with its fraction; 0 when there is none.
double RealOf(const boost::json::value* value, std::string_view name);
uint64_t AsNumber(const boost::json::value& value);
// The text of a value on one line, numbers as people write them (0.5, not 5E-1).
std::string JsonText(const boost::json::value& value);

}  // namespace weft::app::commands
