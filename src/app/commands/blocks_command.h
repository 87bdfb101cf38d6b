// `weft blocks`: lists the blocks of a data folder. Reads only files, so it works with and without
// a running server.
#pragma once

#include <string>

#include "app/commands/console.h"

namespace weft::app::commands {

struct BlocksOptions {
  std::string data_dir = "weft-data";  // --data
  bool json = false;                   // one JSON object a line
};

// 0; 1 when the folder can't be read or holds a damaged block.
int RunBlocks(const BlocksOptions& options, const Console& console = Console::OfProcess());

// Where the blocks of a data folder are.
std::string BlocksFolder(const std::string& data_dir);

}  // namespace weft::app::commands
