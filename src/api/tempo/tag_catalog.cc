#include "api/tempo/tag_catalog.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include "base/fair_share.h"
#include "block/renewal.h"
#include "query/exec/chosen_rows.h"
#include "query/exec/group_filter.h"
#include "query/exec/value_count.h"

namespace weft::api::tempo {
namespace {

using query::exec::Bitmap;
using query::exec::BudgetClock;
using query::exec::GroupColumns;
using query::exec::GroupFilter;
using query::exec::TraceJoiner;
using query::exec::ValueEntry;
using query::plan::Field;
using query::plan::Predicate;

// An attribute that was sent without a value is as good as none.
constexpr unsigned kEmptyBit = 1u << static_cast<unsigned>(model::ValueType::kEmpty);

// Counted values that may be held; more groups are not looked into then.
constexpr size_t kDistinctMax = 1'000'000;

bool ComesFirst(const ValueEntry& a, const ValueEntry& b) {
  return std::tie(b.count, a.text, a.type) < std::tie(a.count, b.text, b.type);
}

// Whether a span of `rows` has the attribute.
Result<bool> IsPresent(block::Scope scope, const std::string& key, const Bitmap& rows,
                       GroupColumns* columns, TraceJoiner* joiner) {
  const Predicate present = Predicate::Present(Field::Attribute(scope, key));
  WEFT_ASSIGN_OR_RETURN(const Bitmap found, GroupFilter(columns, joiner).Filter(present, rows));
  return found.Any();
}

// Sorted and cut to the limits.
std::vector<ValueEntry> Listed(const query::exec::ValueCounts& counts, uint32_t limit,
                               uint64_t bytes_max) {
  std::vector<ValueEntry> values;
  values.reserve(counts.counts().size());
  for (const auto& [key, count] : counts.counts()) values.push_back({key.first, key.second, count});
  std::sort(values.begin(), values.end(), ComesFirst);
  uint64_t bytes = 0;
  size_t shown = 0;
  while (shown < values.size() && (limit == 0 || shown < limit)) {
    bytes += values[shown].text.size();
    if (bytes > bytes_max) break;
    ++shown;
  }
  values.resize(shown);
  return values;
}

}  // namespace

// Calls visit(columns, joiner, rows) for each group that has such rows, until it says that it has
// enough or the time runs out.
template <typename Visit>
Error TagCatalog::ForEachGroup(TagEffort* effort, Visit visit) const {
  BudgetClock clock(budget_, env_);
  WEFT_ASSIGN_OR_RETURN(const auto groups,
                        source_.Snapshot(request_.tenant, request_.range, {.lazy = true}));
  TraceJoiner joiner(source_, request_.tenant);
  effort->groups = static_cast<uint32_t>(groups.size());
  for (const auto& group : groups) {
    FairShare::Offer();
    if (clock.cancelled()) return {ErrorCode::kCancelled, "the client went away"};
    if (!clock.Exhausted().empty()) return Error::Ok();
    ++effort->groups_done;
    const Predicate* const filter = request_.filter ? &*request_.filter : nullptr;
    WEFT_ASSIGN_OR_RETURN(const auto chosen, query::exec::ChooseRows(*group, filter, request_.range,
                                                                     &joiner, budget_.profile));
    effort->bytes += group->bytes_read();
    clock.AddRead(group->bytes_read());
    if (!chosen.Any()) continue;
    WEFT_ASSIGN_OR_RETURN(const bool enough, visit(chosen.columns.get(), &joiner, chosen.rows));
    if (enough) return Error::Ok();
  }
  return Error::Ok();
}

Result<TagNames> TagCatalog::Names(const block::Scope* scope) const {
  return block::WithRenewal<TagNames>(source_, [&]() -> Result<TagNames> {
    TagNames out;
    const auto visit = [&](GroupColumns* columns, TraceJoiner* joiner,
                           const Bitmap& rows) -> Result<bool> {
      WEFT_ASSIGN_OR_RETURN(const auto found, columns->group().AttributeKeys());
      for (const block::RowGroup::KeyInfo& info : found) {
        if ((info.types & ~kEmptyBit) == 0 || (scope != nullptr && info.scope != *scope)) continue;
        std::set<std::string>& names = out.by_scope[info.scope];
        if (names.contains(info.key)) continue;
        const bool full = request_.limit > 0 && names.size() >= request_.limit;
        if (full && *names.rbegin() < info.key) continue;
        if (request_.filter) {
          WEFT_ASSIGN_OR_RETURN(const bool present,
                                IsPresent(info.scope, info.key, rows, columns, joiner));
          if (!present) continue;
        }
        names.insert(info.key);
        if (full) names.erase(std::prev(names.end()));
      }
      return false;
    };
    WEFT_RETURN_IF_ERROR(ForEachGroup(&out.effort, visit));
    std::erase_if(out.by_scope, [](const auto& entry) { return entry.second.empty(); });
    return out;
  });
}

Result<TagValues> TagCatalog::Values(const Field& field, uint64_t bytes_max) const {
  return block::WithRenewal<TagValues>(source_, [&]() -> Result<TagValues> {
    TagValues out;
    query::exec::ValueCounts counts{{}};
    const auto visit = [&](GroupColumns* columns, TraceJoiner* joiner,
                           const Bitmap& rows) -> Result<bool> {
      query::exec::ValueCounter counter(columns, joiner, rows);
      WEFT_RETURN_IF_ERROR(counter.Count(field, &counts).error());
      return counts.counts().size() > kDistinctMax;
    };
    WEFT_RETURN_IF_ERROR(ForEachGroup(&out.effort, visit));
    out.values = Listed(counts, request_.limit, bytes_max);
    return out;
  });
}

}  // namespace weft::api::tempo
