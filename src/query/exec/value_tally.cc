#include "query/exec/value_tally.h"

#include <algorithm>
#include <utility>

namespace weft::query::exec {

void ValueTally::Add(Side side, const plan::Scalar& value, uint64_t count) {
  SideCounts counts{};
  counts[static_cast<size_t>(side)] = count;
  Insert(value, counts);
}

void ValueTally::Insert(const plan::Scalar& value, const SideCounts& counts) {
  bool is_new = false;
  const auto found = counts_.lazy_emplace(value, [&](const Map::constructor& make) {
    make(ValueKey{value.ToValue()}, SideCounts{});
    is_new = true;
  });
  found->second[0] += counts[0];
  found->second[1] += counts[1];
  if (!is_new) return;
  bytes_ += found->first.value.text.capacity();
  if (counts_.size() > kValuesMax) Prune();
}

// So many values leave few that are frequent: what is left out here is lost at most once for each
// kKept spans. Once there have been too many it is not worth taking in more that are rare.
uint64_t ValueTally::LeaveOut(Side side, uint64_t spans, uint64_t distinct) {
  if (distinct <= kValuesMax && exact_) return 0;
  exact_ = false;
  const uint64_t count = spans / kKept;
  lost_[static_cast<size_t>(side)] += count;
  return count;
}

// Takes from every count of a side what the kKept-th greatest is, so at least kKept times as many
// spans as are lost to any one value.
void ValueTally::Prune() {
  exact_ = false;
  std::vector<uint64_t> sorted(counts_.size());
  for (const size_t side : {0, 1}) {
    sorted.clear();
    for (const auto& [key, counts] : counts_) sorted.push_back(counts[side]);
    std::nth_element(sorted.begin(), sorted.begin() + kKept - 1, sorted.end(), std::greater<>());
    const uint64_t taken = sorted[kKept - 1];
    lost_[side] += taken;
    for (auto& [key, counts] : counts_) counts[side] -= std::min(counts[side], taken);
  }
  absl::erase_if(counts_, [this](const auto& entry) {
    const bool gone = entry.second[0] == 0 && entry.second[1] == 0;
    if (gone) bytes_ -= std::min(bytes_, entry.first.value.text.capacity());
    return gone;
  });
}

void ValueTally::Merge(const ValueTally& other) {
  exact_ = exact_ && other.exact_;
  for (const size_t side : {0, 1}) lost_[side] += other.lost_[side];
  for (const auto& [key, counts] : other.counts_) Insert(plan::Scalar::Of(key.value), counts);
}

}  // namespace weft::query::exec
