// How many durations are in each latency bucket (block/latency_bucket.h): quantiles within 3.2 %,
// of any number of durations, and of several histograms together.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "block/latency_bucket.h"

namespace weft::query::exec {

// The duration in ns that a share `quantile` of `count` durations does not exceed; 0 for none.
// `buckets` are pairs of a bucket and how many durations are in it, ascending.
template <typename Buckets>
uint64_t LatencyQuantile(const Buckets& buckets, uint64_t count, double quantile) {
  const double share = std::clamp(quantile, 0.0, 1.0) * static_cast<double>(count);
  const auto rank = std::max<uint64_t>(1, static_cast<uint64_t>(std::ceil(share)));
  uint64_t before = 0;
  for (const auto& [bucket, in_bucket] : buckets) {
    before += in_bucket;
    if (before >= rank) return block::LatencyBucketMiddle(bucket);
  }
  return 0;
}

// One thread.
class LatencyHistogram {
 public:
  // Durations below 0 count as 0.
  void Add(int64_t duration_ns) { AddToBucket(block::LatencyBucketOf(duration_ns), 1); }
  void Merge(const LatencyHistogram& other) {
    for (size_t i = 0; i < other.counts_.size(); ++i) {
      if (other.counts_[i] == 0) continue;
      AddToBucket(other.first_ + static_cast<uint32_t>(i), other.counts_[i]);
    }
  }

  uint64_t count() const { return count_; }
  uint64_t Quantile(double quantile) const { return LatencyQuantile(Buckets(), count_, quantile); }
  // Buckets and how many durations are in them, perhaps none, ascending.
  std::vector<std::pair<uint32_t, uint64_t>> Buckets() const {
    std::vector<std::pair<uint32_t, uint64_t>> buckets;
    for (size_t i = 0; i < counts_.size(); ++i) {
      buckets.emplace_back(first_ + static_cast<uint32_t>(i), counts_[i]);
    }
    return buckets;
  }
  size_t bytes() const { return counts_.capacity() * sizeof(uint64_t); }

 private:
  void AddToBucket(uint32_t bucket, uint64_t count) {
    if (counts_.empty()) first_ = bucket;
    if (bucket < first_) {
      counts_.insert(counts_.begin(), first_ - bucket, 0);
      first_ = bucket;
    }
    const size_t at = bucket - first_;
    if (at >= counts_.size()) counts_.resize(at + 1, 0);
    counts_[at] += count;
    count_ += count;
  }

  // Of the buckets from first_ on: durations of one kind are near each other.
  uint32_t first_ = 0;
  std::vector<uint64_t> counts_;
  uint64_t count_ = 0;
};

}  // namespace weft::query::exec
