// `weft graph`: who calls whom.
#pragma once

#include <string>

#include "app/commands/console.h"
#include "app/commands/question.h"

namespace weft::app::commands {

struct GraphOptions {
  ServerChoice server;
  std::string query;  // only calls of which it finds a span; empty: all
  TimeFlags times;
  bool json = false;  // one edge a line; also when standard output is no terminal
};

// 0 when the answer is complete, 1 when it is not or the server refuses, 2 when the options or the
// query are wrong.
int RunGraph(const GraphOptions& options, const Console& console = Console::OfProcess());

}  // namespace weft::app::commands
