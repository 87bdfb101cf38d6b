// How many spans carry each value of a field, in one row group.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <absl/container/flat_hash_map.h>

#include "base/error.h"
#include "query/exec/bitmap.h"
#include "query/exec/group_columns.h"
#include "query/exec/trace_joiner.h"
#include "query/plan/field.h"

namespace weft::query::exec {

// Counts by type and text of the value; with a prefix, only of strings that begin so, whatever the
// case of ASCII letters.
class ValueCounts {
 public:
  using Map = absl::flat_hash_map<std::pair<model::ValueType, std::string>, uint64_t>;

  explicit ValueCounts(std::string prefix) : prefix_(std::move(prefix)) {}

  void Add(model::ValueType type, std::string_view text, uint64_t count);
  const Map& counts() const { return counts_; }
  void Clear() { counts_.clear(); }

 private:
  const std::string prefix_;
  Map counts_;
};

// kInvalidArgument for a property whose values are not worth a list (durations, ids, ...).
Error CheckCountable(const plan::Field& field);

// Adds the values of `rows`. A span counts once for a value, however many of its events carry it.
Error CountValues(const plan::Field& field, GroupColumns* columns, TraceJoiner* joiner,
                  const Bitmap& rows, ValueCounts* out);

}  // namespace weft::query::exec
