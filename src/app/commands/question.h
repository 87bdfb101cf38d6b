// What the commands that put a question to a server have in common.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <boost/json/value.hpp>

#include "app/commands/console.h"
#include "app/commands/server_address.h"
#include "base/error.h"

namespace weft::app::commands {

inline constexpr int kExitFailed = 1;  // or not complete
inline constexpr int kExitWrong = 2;   // flags or query

// The time range of a question, from its flags.
struct TimeFlags {
  std::string since;  // "1h": from that long ago; not together with start
  std::string start;  // as the API takes times
  std::string end;
};

// Which flag is wrong, if one is.
Error CheckTimes(const TimeFlags& times);

// Appends `name=value` to the parameters of a target; nothing for an empty value.
void AddParameter(std::string_view name, std::string_view value, std::string* target);
// The parameters `start` and `end`.
void AddTimes(const TimeFlags& times, std::string* target);

// The answer to a question, or nothing after saying why and setting the exit code. `query` is shown
// where the server refuses it.
std::optional<boost::json::value> Ask(const ServerChoice& server, const std::string& target,
                                      const std::string& query, const Console& console,
                                      int* exit_code);

// Says so when an answer is not complete. Whether it is.
bool CheckComplete(const boost::json::value& answer, const Console& console);

}  // namespace weft::app::commands
