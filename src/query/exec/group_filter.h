// A predicate on one row group: the set of span rows on which it is true.
//
// 0. Where filters say that a value which the predicate needs is not in the group, nothing is read.
// 1. The rows of interest are those that start in the range and are not excluded.
// 2. and(): cheap operands first, each asked only about the rows that are left; done when none is.
//    or(): each asked only about the rows that are not found yet. not(): the rows of interest
//    without the operand's.
// 3. A comparison of a field with a constant runs on the field's own table: dictionary, then codes
//    or numbers. A resource's or scope's rows lead to span rows through the index columns, an
//    event's or link's by its span row.
// 4. Everything else is computed row by row, for the rows of interest only.
// 5. Fields of whole traces are asked once a trace, and of traces with rows of interest only.
#pragma once

#include "base/error.h"
#include "base/time_range.h"
#include "query/exec/bitmap.h"
#include "query/exec/group_columns.h"
#include "query/exec/trace_joiner.h"
#include "query/plan/predicate.h"

namespace weft::query::exec {

// Rows that start in the range and are not excluded.
Result<Bitmap> RowsInRange(GroupColumns* columns, TimeRange range);

// The part of the predicate of which the group's filters say that no row satisfies it, and so none
// the whole; null when rows may.
Result<const plan::Predicate*> RuledOutBy(const plan::Predicate& predicate,
                                          const block::RowGroup& group);

// One thread, one use. Without a joiner the group's traces are taken to be whole.
class GroupFilter {
 public:
  GroupFilter(GroupColumns* columns, TraceJoiner* joiner) : columns_(columns), joiner_(joiner) {}

  // The rows of `interest` on which the predicate is true.
  Result<Bitmap> Filter(const plan::Predicate& predicate, const Bitmap& interest);

 private:
  Result<Bitmap> FilterAnd(const plan::Predicate& predicate, const Bitmap& interest);
  Result<Bitmap> FilterOr(const plan::Predicate& predicate, const Bitmap& interest);
  Result<Bitmap> FilterNot(const plan::Predicate& predicate, const Bitmap& interest);
  Result<Bitmap> FilterSame(const plan::Predicate& predicate, const Bitmap& interest);
  Result<Bitmap> FilterLeaf(const plan::Predicate& leaf, const Bitmap& interest);

  // A leaf on the attribute `key` of a scope; for kPresent, its presence.
  Result<Bitmap> FilterAttribute(const plan::Predicate& leaf, block::Scope scope,
                                 const std::string& key);
  Result<Bitmap> FilterParents(const plan::Predicate& leaf, const Bitmap& interest);
  Result<Bitmap> FilterUnscoped(const plan::Predicate& leaf, const std::string& key);
  Result<Bitmap> FilterIntrinsic(const plan::Predicate& leaf, block::Intrinsic column,
                                 block::Scope table);
  Result<Bitmap> FilterSpanId(const plan::Predicate& leaf, block::Intrinsic column);
  // From rows of a scope's table to span rows.
  Result<Bitmap> ToSpans(block::Scope scope, const Bitmap& rows);

  // Row by row.
  Result<Bitmap> FilterByRow(const plan::Predicate& leaf, const Bitmap& interest);
  Result<Bitmap> FilterByElement(const plan::Predicate& leaf, block::Intrinsic span_of,
                                 const Bitmap& interest);
  Result<Bitmap> FilterByTrace(const plan::Predicate& leaf, const Bitmap& interest);

  GroupColumns* columns_;
  TraceJoiner* joiner_;
};

}  // namespace weft::query::exec
