// How often each value of a field occurs among the spans of two sides, in bounded memory.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "query/exec/value_count.h"
#include "query/exec/value_key.h"

namespace weft::query::exec {

// Spans of the baseline, spans of the selection.
enum class Side : uint8_t { kBaseline = 0, kSelection = 1 };
using SideCounts = std::array<uint64_t, 2>;

// Exact while there are at most kValuesMax values. With more of them, counts may be too low, each
// by at most lost(side), which is less than a thousandth of the spans of the side: rare values are
// gone (Misra and Gries), and every value that at least kFrequent of a side's spans have is there.
// Whether it is exact does not depend on the order in which things are added, nor on how they are
// split between tallies that are merged. One thread.
class ValueTally {
 public:
  static constexpr size_t kValuesMax = 20'000;
  // One in so many spans of a side.
  static constexpr uint64_t kFrequent = 1000;

  void Add(Side side, const plan::Scalar& value, uint64_t count);
  // Of `spans` spans that have one of `distinct` values, those of how many spans or fewer need not
  // be added.
  uint64_t LeaveOut(Side side, uint64_t spans, uint64_t distinct);
  void Merge(const ValueTally& other);

  bool exact() const { return exact_; }
  uint64_t lost(Side side) const { return lost_[static_cast<size_t>(side)]; }
  using Map = absl::flat_hash_map<ValueKey, SideCounts, ScalarKeyHash, ScalarKeyEqual>;
  const Map& counts() const { return counts_; }
  size_t bytes() const { return bytes_ + counts_.capacity() * (sizeof(ValueKey) + 17); }

 private:
  static constexpr size_t kKept = kValuesMax / 4;  // of each side

  void Insert(const plan::Scalar& value, const SideCounts& counts);
  void Prune();

  Map counts_;
  size_t bytes_ = 0;  // of texts
  SideCounts lost_{};
  bool exact_ = true;
};

}  // namespace weft::query::exec
