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

struct MatchedSpans {
  uint64_t matched = 0;
  std::vector<FoundSpan> spans;
};

// A span that was sent twice may stand in two groups until they are merged; it is one. Everything
// handed in must outlive the finder.
class SpanFinder {
 public:
  SpanFinder(const std::vector<FilteredGroup>& groups, const block::RowSource& source,
             const model::TenantId& tenant)
      : groups_(groups), source_(source), tenant_(tenant) {}

  // How many spans of the trace match, and the first `count` of them by (start, id, kind), from all
  // of its parts.
  Result<MatchedSpans> Find(model::TraceId id, const std::vector<MatchedPart>& parts,
                            uint32_t count) const;

 private:
  struct Row;

  Error AddRows(const MatchedPart& part, std::vector<Row>* out) const;
  Error DropDuplicates(model::TraceId id, std::vector<Row>* sorted) const;
  Result<FoundSpan> Describe(const Row& row) const;

  const std::vector<FilteredGroup>& groups_;
  const block::RowSource& source_;
  const model::TenantId& tenant_;
};

}  // namespace weft::query::exec
