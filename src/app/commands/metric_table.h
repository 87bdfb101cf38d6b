// Answers to metrics queries (GET /api/metrics/query) as tables.
#pragma once

#include <cstdint>

#include <boost/json/value.hpp>

#include "app/commands/console.h"

namespace weft::app::commands {

// A row for each line, the greatest value first, at most `limit` of them; a note says how many more
// there are.
void PrintMetricTable(const boost::json::value& answer, uint32_t limit, const Console& console);

}  // namespace weft::app::commands
