// `weft delete`: deletes spans of a server for good, and lists what was deleted.
#pragma once

#include <string>
#include <vector>

#include "app/commands/console.h"
#include "app/commands/server_address.h"

namespace weft::app::commands {

struct DeleteOptions {
  ServerChoice server;
  std::string query;                // TraceQL: the spans that match
  std::vector<std::string> traces;  // or: --trace, these traces whole
  std::string start;                // of the query
  std::string end;
  std::string requested_by;  // --by, for the report; empty: the user's login name
  bool dry_run = false;
  bool list = false;
  bool json = false;
};

// 0; 1 when the server refused or can't be reached; 2 when the flags or the query are wrong.
int RunDelete(const DeleteOptions& options, const Console& console = Console::OfProcess());

}  // namespace weft::app::commands
