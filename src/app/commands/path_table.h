// Answers about critical paths (GET /api/v1/critical-path) as tables.
#pragma once

#include <boost/json/value.hpp>

#include "app/commands/console.h"

namespace weft::app::commands {

// The groups of a critical path with their shares, or durations before and after a change.
void PrintPathTable(const boost::json::value& answer, const Stream& out);

}  // namespace weft::app::commands
