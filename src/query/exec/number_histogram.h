// How often numbers of any size and sign occur, in buckets of the logarithm: quantiles within 3.2
// %, ranks of two sides against each other.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>

namespace weft::query::exec {

// At most 65,536 buckets, sixteen for each power of two; memory grows with the range of what is
// added: 6 KiB for numbers within sixteen powers of two. Not a number is not counted. One thread.
class NumberHistogram {
 public:
  void Add(double value, uint64_t count) {
    if (std::isnan(value) || count == 0) return;
    const uint16_t bucket = BucketOf(value);
    pages_[bucket / kPage][bucket % kPage].Add({count, value, value});
    count_ += count;
    min_ = std::min(min_, value);
    max_ = std::max(max_, value);
    whole_ = whole_ && value == std::floor(value);
  }
  void Merge(const NumberHistogram& other) {
    for (const auto& [number, page] : other.pages_) {
      Page& own = pages_[number];
      for (size_t i = 0; i < kPage; ++i) own[i].Add(page[i]);
    }
    count_ += other.count_;
    min_ = std::min(min_, other.min_);
    max_ = std::max(max_, other.max_);
    whole_ = whole_ && other.whole_;
  }

  uint64_t count() const { return count_; }
  // Exact; of no numbers infinite.
  double min() const { return min_; }
  double max() const { return max_; }
  // The number that a share `quantile` of all does not exceed; 0 for none. Whole where all are, and
  // exact where those of its bucket are alike.
  double Quantile(double quantile) const {
    const double share = std::clamp(quantile, 0.0, 1.0) * static_cast<double>(count_);
    const auto rank = std::max<uint64_t>(1, static_cast<uint64_t>(std::ceil(share)));
    uint64_t before = 0;
    for (const auto& [number, page] : pages_) {
      for (const Bucket& bucket : page) {
        before += bucket.count;
        if (before >= rank) return ValueIn(bucket);
      }
    }
    return 0;
  }
  size_t bytes() const { return pages_.size() * (sizeof(Page) + 64); }

  // Calls visit(count of a, count of b) for each bucket in which one of them has numbers,
  // ascending.
  template <typename Visit>
  static void ForEachBucket(const NumberHistogram& a, const NumberHistogram& b, Visit visit) {
    static constexpr Page kEmpty{};
    auto x = a.pages_.begin();
    auto y = b.pages_.begin();
    while (x != a.pages_.end() || y != b.pages_.end()) {
      const bool of_a = y == b.pages_.end() || (x != a.pages_.end() && x->first <= y->first);
      const bool of_b = x == a.pages_.end() || (y != b.pages_.end() && y->first <= x->first);
      const Page& p = of_a ? x->second : kEmpty;
      const Page& q = of_b ? y->second : kEmpty;
      for (size_t i = 0; i < kPage; ++i) {
        if (p[i].count + q[i].count != 0) visit(p[i].count, q[i].count);
      }
      if (of_a) ++x;
      if (of_b) ++y;
    }
  }

 private:
  static constexpr size_t kPage = 256;
  static constexpr int kDropped = 48;  // bits of a double that do not tell its bucket
  // What is in it: at least one number from low to high.
  struct Bucket {
    uint64_t count = 0;
    double low = std::numeric_limits<double>::infinity();
    double high = -std::numeric_limits<double>::infinity();

    void Add(const Bucket& other) {
      count += other.count;
      low = std::min(low, other.low);
      high = std::max(high, other.high);
    }
  };
  using Page = std::array<Bucket, kPage>;

  // The bits of a double in an order that is that of the numbers.
  static uint16_t BucketOf(double value) {
    const auto bits = std::bit_cast<uint64_t>(value + 0.0);  // no negative zero
    const uint64_t ordered = bits >> 63 != 0 ? ~bits : bits | uint64_t{1} << 63;
    return static_cast<uint16_t>(ordered >> kDropped);
  }
  // What stands for the numbers of a bucket.
  double ValueIn(const Bucket& bucket) const {
    if (!(bucket.low < bucket.high)) return bucket.low;
    const double middle = bucket.low + (bucket.high - bucket.low) / 2;
    return whole_ ? std::floor(middle) : middle;
  }

  std::map<uint8_t, Page> pages_;
  uint64_t count_ = 0;
  double min_ = std::numeric_limits<double>::infinity();
  double max_ = -std::numeric_limits<double>::infinity();
  bool whole_ = true;
};

}  // namespace weft::query::exec
