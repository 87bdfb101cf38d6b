// What a request to compare two traces says: the JSON body of POST /api/v2/traces/diff.
#pragma once

#include <string_view>

#include "api/trace_diff_text.h"
#include "base/error.h"

namespace weft::api::tempo {

struct DiffRequest {
  DiffIds ids;
  DiffFormat format = DiffFormat::kPatch;
};

// {"base": {"traceId", "start", "end"}, "compare": {...}, "format"}; times are checked and not
// needed, other members are ignored. kInvalidArgument names the member that is wrong.
Result<DiffRequest> ReadDiffRequest(std::string_view json);

}  // namespace weft::api::tempo
