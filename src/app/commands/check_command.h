// `weft check [BLOCK...]`: reads every byte of stored blocks and says what is wrong with them.
#pragma once

#include <string>
#include <vector>

#include "app/commands/block_place.h"
#include "app/commands/console.h"

namespace weft::app::commands {

struct CheckOptions {
  BlockPlace place;
  std::vector<std::string> blocks;  // ids, or TENANT/ID; empty: all
};

// 0 when all is sound, 1 when there are findings (each on a line of its own), 2 when a named block
// does not exist.
int RunCheck(const CheckOptions& options, const Console& console = Console::OfProcess());

}  // namespace weft::app::commands
