// The rows of one row group that a predicate leaves; nothing is read of a group where that is clear
// beforehand.
#pragma once

#include <memory>

#include "base/error.h"
#include "base/time_range.h"
#include "block/row_source.h"
#include "query/exec/bitmap.h"
#include "query/exec/group_columns.h"
#include "query/exec/profile.h"
#include "query/exec/trace_joiner.h"
#include "query/plan/predicate.h"

namespace weft::query::exec {

// What an explanation calls groups that only the snapshot's coarser times put into the range.
inline constexpr char kOutsideRange[] = "outside the time range";

struct ChosenRows {
  std::unique_ptr<GroupColumns> columns;  // null where nothing had to be read
  Bitmap in_range;                        // what the predicate was asked of
  Bitmap rows;

  bool Any() const { return rows.Any(); }
};

// Loads the group. A null predicate is true of every row; a null joiner as for GroupFilter. The
// profile, if there is one, learns why a group was skipped, or what looking at it took.
Result<ChosenRows> ChooseRows(const block::RowGroup& group, const plan::Predicate* predicate,
                              TimeRange range, TraceJoiner* joiner, Profile* profile);

}  // namespace weft::query::exec
