// `weft usage`: whose the bytes of the blocks of a data folder or object store are. Asks no server.
#pragma once

#include <string>

#include "app/commands/block_place.h"
#include "app/commands/console.h"

namespace weft::app::commands {

struct UsageOptions {
  BlockPlace place;
  std::string by = "service";  // tenant, service, operation or attribute
  std::string tenant;          // only this one; empty: all
  std::string start;           // blocks whose latest span starts then or later
  std::string end;             // and before
  uint32_t limit = 0;          // rows; 0: all
  bool json = false;           // one JSON object a line
};

// 0; 1 when blocks can't be read: then the rest is printed; 2 when the flags are wrong.
int RunUsage(const UsageOptions& options, const Console& console = Console::OfProcess());

}  // namespace weft::app::commands
