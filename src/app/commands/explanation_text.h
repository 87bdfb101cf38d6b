// What `weft query --explain` prints of an answer.
#pragma once

#include <boost/json/fwd.hpp>

#include "app/commands/console.h"

namespace weft::app::commands {

// The answer's member `explain`, for people; nothing where it has none.
void PrintExplanation(const boost::json::value& answer, const Stream& out);

}  // namespace weft::app::commands
