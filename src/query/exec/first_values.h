// The first of many values, kept while they come along.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

namespace weft::query::exec {

// The `count` values that come first of those offered, greatest or least; among equals those of the
// first lines. One thread.
class FirstValues {
 public:
  struct Entry {
    double value;
    size_t line;
  };

  FirstValues(size_t count, bool greatest) : count_(count), before_{greatest} {}

  // Not a NaN. What the last of the kept values is now; NaN while there are fewer than `count`.
  double Offer(double value, size_t line) {
    if (count_ == 0) return kNone;
    const Entry entry{value, line};
    if (kept_.size() == count_) {
      if (!before_(entry, kept_.front())) return kept_.front().value;
      std::pop_heap(kept_.begin(), kept_.end(), before_);
      kept_.pop_back();
    }
    kept_.push_back(entry);
    std::push_heap(kept_.begin(), kept_.end(), before_);
    return kept_.size() == count_ ? kept_.front().value : kNone;
  }

  bool full() const { return kept_.size() == count_; }
  const std::vector<Entry>& kept() const { return kept_; }

 private:
  static constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

  struct Before {
    bool greatest;
    bool operator()(const Entry& a, const Entry& b) const {
      if (a.value != b.value) return greatest ? a.value > b.value : a.value < b.value;
      return a.line < b.line;
    }
  };

  size_t count_;
  Before before_;
  std::vector<Entry> kept_;  // a heap, the last of them in front
};

}  // namespace weft::query::exec
