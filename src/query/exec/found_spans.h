// The spans that a result shows.
#pragma once

#include <memory>
#include <vector>

#include "query/exec/candidates.h"
#include "query/exec/search.h"

namespace weft::query::exec {

// A group that a search has filtered. `group` keeps the source's rows alive.
struct FilteredGroup {
  std::shared_ptr<const block::RowGroup> group;
  Bitmap matched;
};

// The first `count` matching spans of the trace by (start, id, kind), from all of its parts.
Result<std::vector<FoundSpan>> FindSpans(const std::vector<FilteredGroup>& groups,
                                         const std::vector<MatchedPart>& parts, uint32_t count);

}  // namespace weft::query::exec
