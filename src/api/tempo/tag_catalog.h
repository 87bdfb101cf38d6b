// The names and values of attributes that spans have, all of them or those that a filter finds.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/error.h"
#include "base/time_range.h"
#include "block/row_source.h"
#include "query/exec/budget.h"
#include "query/exec/catalog.h"
#include "query/plan/predicate.h"

namespace weft::api::tempo {

struct TagRequest {
  model::TenantId tenant;
  TimeRange range;  // of the starts of spans
  std::optional<query::plan::Predicate> filter;
  uint32_t limit = 0;  // names of a scope, or values; 0 for no limit
};

// How much was looked at. When a limit ran out, fewer than `groups` were.
struct TagEffort {
  uint32_t groups = 0;
  uint32_t groups_done = 0;
  uint64_t bytes = 0;
};

struct TagNames {
  std::map<block::Scope, std::set<std::string>> by_scope;
  TagEffort effort;
};

struct TagValues {
  std::vector<query::exec::ValueEntry> values;  // most frequent first
  TagEffort effort;
};

// Any thread. When the time of the budget runs out the answer is what was found until then; it
// fails with kCancelled and with what the source fails with. Everything handed in must outlive it.
class TagCatalog {
 public:
  TagCatalog(const block::RowSource& source, const Env& env, const TagRequest& request,
             const query::exec::Budget& budget)
      : source_(source), env_(env), request_(request), budget_(budget) {}

  // Of one scope, or of all when `scope` is null. Without a filter those of the row groups that the
  // range touches: a name whose spans all start just outside may be among them.
  Result<TagNames> Names(const block::Scope* scope) const;

  // The values of a field that query::exec::CheckCountable lets through, `bytes_max` of text
  // together.
  Result<TagValues> Values(const query::plan::Field& field, uint64_t bytes_max) const;

 private:
  template <typename Visit>
  Error ForEachGroup(TagEffort* effort, Visit visit) const;

  const block::RowSource& source_;
  const Env& env_;
  const TagRequest& request_;
  const query::exec::Budget budget_;
};

}  // namespace weft::api::tempo
