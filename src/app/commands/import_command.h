// `weft import FILE...`: sends files of OTLP to a server.
#pragma once

#include <string>
#include <vector>

#include "app/commands/console.h"
#include "app/commands/server_address.h"

namespace weft::app::commands {

struct ImportOptions {
  std::vector<std::string> files;  // "-" is standard input
  std::string otlp;  // --otlp: address of OTLP/HTTP; wins over the folder's server.json
  std::string data_dir = "weft-data";  // --data
  std::string tenant;                  // --tenant
  bool restart = false;                // --restart: begin anew, whatever was imported before
};

// 0 when everything was imported, 1 when something could not be (each such piece is named), 130
// when interrupted.
int RunImport(const ImportOptions& options, const Console& console = Console::OfProcess());

}  // namespace weft::app::commands
