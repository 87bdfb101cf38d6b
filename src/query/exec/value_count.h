// How many spans carry each value of a field, in one row group.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "base/error.h"
#include "query/exec/bitmap.h"
#include "query/exec/group_columns.h"
#include "query/exec/trace_joiner.h"
#include "query/plan/arithmetic.h"
#include "query/plan/field.h"

namespace weft::query::exec {

// Takes what is counted.
class ValueSink {
 public:
  virtual ~ValueSink() = default;
  // `spans` spans have one of the `distinct` values that come next: values of how many spans or
  // fewer may be left out.
  virtual uint64_t LeaveOut(uint64_t spans, uint64_t distinct) {
    (void)spans, (void)distinct;
    return 0;
  }
  // Never nil. May be called several times for one value; its text lives until the call ends.
  virtual void Add(const plan::Scalar& value, uint64_t count) = 0;
};

// Counts by type and text of the value; with a prefix, only of strings that begin so, whatever the
// case of ASCII letters.
class ValueCounts : public ValueSink {
 public:
  using Map = absl::flat_hash_map<std::pair<model::ValueType, std::string>, uint64_t>;

  explicit ValueCounts(std::string prefix) : prefix_(std::move(prefix)) {}

  void Add(const plan::Scalar& value, uint64_t count) override;
  const Map& counts() const { return counts_; }

 private:
  void AddText(model::ValueType type, std::string_view text, uint64_t count);

  const std::string prefix_;
  Map counts_;
};

// kInvalidArgument for a property whose values are not worth a list (durations, ids, ...).
Error CheckCountable(const plan::Field& field);

// Counts the values of an attribute of spans among two sets of rows at once, that have no row in
// common, and gives those of each set to its sink: as ValueCounter does for each alone, but faster
// where both together are `all` rows of the group.
Result<std::array<uint64_t, 2>> CountOnBothSides(GroupColumns* columns, const std::string& key,
                                                 const std::array<Bitmap, 2>& sides, bool all,
                                                 const std::array<ValueSink*, 2>& out);

// Counts the values of fields among some rows of a group. A span counts once for a value, however
// many of its events carry it. Kinds and statuses are strings, their names. One thread; everything
// handed in must outlive it.
class ValueCounter {
 public:
  ValueCounter(GroupColumns* columns, TraceJoiner* joiner, const Bitmap& rows)
      : columns_(columns), joiner_(joiner), rows_(rows) {}

  // How many of the rows have the field, with any value; a text of a property that is empty is
  // none. The field satisfies CheckCountable.
  Result<uint64_t> Count(const plan::Field& field, ValueSink* out);

 private:
  // How a table's rows lead to spans.
  struct Weights {
    std::vector<uint64_t> by_row;                   // of resources and scopes: how many
    const std::vector<int64_t>* span_of = nullptr;  // of events and links: which
  };

  Result<const Weights*> WeightsOf(block::Scope table);
  Result<uint64_t> CountAttribute(block::Scope scope, const std::string& key, ValueSink* out);
  Result<uint64_t> CountOfSpans(const std::string& key, ValueSink* out);
  Result<uint64_t> CountUnscoped(const std::string& key, ValueSink* out);
  Result<uint64_t> CountProperty(plan::Property property, ValueSink* out);
  Result<uint64_t> CountByTrace(const plan::Field& field, ValueSink* out);
  std::vector<uint64_t> CountCodes(const block::Column& column, const Weights& weights) const;
  void CountPlain(const block::Column& column, const Weights& weights, ValueSink* out) const;
  void CountSpanBySpan(const std::vector<block::ColumnPtr>& columns, const Weights& weights,
                       ValueSink* out) const;
  uint64_t SpansWith(const std::vector<block::ColumnPtr>& columns, const Weights& weights) const;

  GroupColumns* columns_;
  TraceJoiner* joiner_;
  const Bitmap& rows_;
  std::map<block::Scope, Weights> weights_;
};

}  // namespace weft::query::exec
