// `weft blocks`: lists the blocks of a data folder or an object store. Asks no server, so it works
// with and without a running one.
#pragma once

#include <string>

#include "app/commands/block_place.h"
#include "app/commands/console.h"

namespace weft::app::commands {

struct BlocksOptions {
  BlockPlace place;
  bool json = false;  // one JSON object a line
};

// 0; 1 when the folder can't be read or holds a damaged block.
int RunBlocks(const BlocksOptions& options, const Console& console = Console::OfProcess());

}  // namespace weft::app::commands
