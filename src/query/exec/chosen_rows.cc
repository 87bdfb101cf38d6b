#include "query/exec/chosen_rows.h"

#include "query/exec/group_filter.h"

namespace weft::query::exec {
namespace {

// Whether the group has to be read, as far as its filters know.
Result<bool> IsRuledOut(const plan::Predicate& predicate, const block::RowGroup& group,
                        Profile* profile) {
  const StageTimer timer(profile, Profile::Stage::kSkip);
  WEFT_ASSIGN_OR_RETURN(const plan::Predicate* ruled_out, RuledOutBy(predicate, group));
  if (ruled_out == nullptr) return false;
  if (profile != nullptr) profile->AddSkipped("no row has " + ToString(*ruled_out));
  return true;
}

}  // namespace

Result<ChosenRows> ChooseRows(const block::RowGroup& group, const plan::Predicate* predicate,
                              TimeRange range, TraceJoiner* joiner, Profile* profile) {
  ChosenRows out;
  if (!range.Touches(group.first_start_ns(), group.last_start_ns())) {
    if (profile != nullptr) profile->AddSkipped(kOutsideRange);
    return out;
  }
  {
    const StageTimer timer(profile, Profile::Stage::kOpen);
    WEFT_RETURN_IF_ERROR(group.Load());
  }
  if (group.row_count() == 0) return out;
  if (predicate != nullptr) {
    WEFT_ASSIGN_OR_RETURN(const bool ruled_out, IsRuledOut(*predicate, group, profile));
    if (ruled_out) return out;
  }
  const StageTimer timer(profile, Profile::Stage::kFilter);
  out.columns = std::make_unique<GroupColumns>(group);
  WEFT_ASSIGN_OR_RETURN(out.in_range, RowsInRange(out.columns.get(), range));
  if (predicate == nullptr || !out.in_range.Any()) {
    out.rows = out.in_range;
  } else {
    GroupFilter filter(out.columns.get(), joiner);
    WEFT_ASSIGN_OR_RETURN(out.rows, filter.Filter(*predicate, out.in_range));
  }
  if (profile != nullptr) profile->AddGroup(group.row_count(), out.rows.Count());
  return out;
}

}  // namespace weft::query::exec
