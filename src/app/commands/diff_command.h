// `weft diff`: what is different about two traces.
#pragma once

#include <cstdint>
#include <string>

#include <boost/json/value.hpp>

#include "app/commands/console.h"
#include "app/commands/server_address.h"

namespace weft::app::commands {

struct DiffOptions {
  ServerChoice server;
  std::string base;      // trace id
  std::string compare;   // the trace that is held against it
  uint32_t limit = 100;  // spans shown
  bool json = false;     // the answer of the API; also when standard output is no terminal
};

// 0 whatever is different, 1 when the server refuses or a trace is not there.
int RunDiff(const DiffOptions& options, const Console& console = Console::OfProcess());

// The answer of the API for people: both traces, where the time went by service, and the first
// `limit` spans that differ.
std::string DescribeDiff(const boost::json::value& diff, uint32_t limit, const Stream& stream);

}  // namespace weft::app::commands
