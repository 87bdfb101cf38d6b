// The spans that a result shows.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "query/exec/candidates.h"
#include "query/exec/search.h"
#include "query/exec/spansets.h"

namespace weft::query::exec {

// A group that a search has filtered. `group` keeps the source's rows alive.
struct FilteredGroup {
  std::shared_ptr<const block::RowGroup> group;
  // The spans in the answer; of plans of whole traces, spans of traces that may be in it.
  Bitmap matched{};
  // Of plans of whole traces, what is in the answer of traces that are nowhere else.
  std::vector<Spanset> spansets{};
};

// A span that was sent twice may stand in two groups until they are merged; it is one. Everything
// handed in must outlive the finder.
class SpanFinder {
 public:
  SpanFinder(const std::vector<FilteredGroup>& groups, const std::vector<plan::ShownField>& shown,
             const block::RowSource& source, TraceJoiner* joiner, const model::TenantId& tenant)
      : groups_(groups), shown_(shown), source_(source), joiner_(joiner), tenant_(tenant) {}

  // Of each trace how many spans match, and the first `count` of them by (start, id, kind), from
  // all of its parts. Pages are read once for all traces.
  Result<std::vector<FoundSpanset>> Find(const std::vector<const Candidate*>& traces,
                                         uint32_t count);

 private:
  struct Row;
  using PartsOfGroup = std::vector<std::pair<const MatchedPart*, size_t>>;  // and whose they are

  Error AddRows(uint32_t index, const PartsOfGroup& parts,
                std::vector<std::vector<Row>>* out) const;
  Error DropDuplicates(model::TraceId id, std::vector<Row>* sorted) const;
  Error Describe(const std::vector<std::vector<Row>>& rows, std::vector<FoundSpanset>* out) const;

  const std::vector<FilteredGroup>& groups_;
  const std::vector<plan::ShownField>& shown_;
  const block::RowSource& source_;
  TraceJoiner* joiner_;
  const model::TenantId& tenant_;
};

}  // namespace weft::query::exec
