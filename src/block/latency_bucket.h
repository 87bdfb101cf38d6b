// Latency buckets: durations in ns as small numbers.
//
// Sixteen buckets for each power of two: a bucket is at most 1/16 of its smallest value wide, so
// that its middle is within 3.2 % of every value in it. Durations below 32 ns are exact, negative
// ones count as 0. Numbers are stored (as Floor, in counts.parquet) and never change meaning.
#pragma once

#include <bit>
#include <cstdint>

namespace weft::block {

inline constexpr uint32_t kLatencyBuckets = 960;

inline uint32_t LatencyBucketOf(int64_t duration_ns) {
  const uint64_t value = duration_ns < 0 ? 0 : static_cast<uint64_t>(duration_ns);
  if (value < 16) return static_cast<uint32_t>(value);
  const uint32_t shift = static_cast<uint32_t>(std::bit_width(value)) - 5;
  return 16 * shift + static_cast<uint32_t>(value >> shift);
}

// The smallest duration of a bucket.
inline uint64_t LatencyBucketFloor(uint32_t bucket) {
  if (bucket < 32) return bucket;
  const uint32_t shift = bucket / 16 - 1;
  return uint64_t{bucket - 16 * shift} << shift;
}

// The middle of a bucket: what stands for the durations in it.
inline uint64_t LatencyBucketMiddle(uint32_t bucket) {
  return LatencyBucketFloor(bucket) +
         (LatencyBucketFloor(bucket + 1) - LatencyBucketFloor(bucket)) / 2;
}

}  // namespace weft::block
