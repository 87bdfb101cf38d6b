// `weft serve`: the server, from finalised settings to exit.
#pragma once

#include "app/config.h"

namespace weft::app {

// Runs until SIGTERM or SIGINT, then writes everything to blocks. Returns the exit code: 0 after an
// orderly stop, 1 when it could not start (the reason is on standard error). To be called from the
// main thread, once, before any other thread exists.
int RunServe(const ConfigReading& reading);

}  // namespace weft::app
