#include "query/insight/retiming.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace weft::query::insight {
namespace {

// Of a time that is 0 or more.
int64_t Scale(int64_t ns, double factor) {
  if (factor == 1) return ns;
  constexpr double kMost = 9e18;
  return static_cast<int64_t>(std::min(kMost, std::round(static_cast<double>(ns) * factor)));
}

// At most the greatest number: centuries times a thousand are more.
int64_t AddUp(int64_t a, int64_t b) {
  int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<int64_t>::max() : sum;
}

}  // namespace

int64_t Retiming::DurationOf(const TreeRows& rows, const BlockingTimes& times, uint32_t root,
                             const exec::Bitmap& changed, double factor) {
  root_ = root;
  const uint32_t end = rows.end_of(root);
  length_.assign(end - root, 0);
  for (uint32_t row = end; row-- > root;) {
    if (!times.left_out.Test(row)) Retime(rows, times, row, changed.Test(row) ? factor : 1);
  }
  return length_[0];
}

// Children come after their parent in preorder, so that they have their lengths already.
void Retiming::Retime(const TreeRows& rows, const BlockingTimes& times, uint32_t row,
                      double factor) {
  children_.clear();
  for (uint32_t child = row + 1; child < rows.end_of(row); child = rows.end_of(child)) {
    if (!times.left_out.Test(child)) children_.push_back(child);
  }
  std::sort(children_.begin(), children_.end(), [&](uint32_t a, uint32_t b) {
    return std::pair(times.from[a], a) < std::pair(times.from[b], b);
  });
  by_end_.resize(children_.size());
  std::iota(by_end_.begin(), by_end_.end(), 0);
  std::sort(by_end_.begin(), by_end_.end(), [&](uint32_t a, uint32_t b) {
    return std::pair(times.to[children_[a]], a) < std::pair(times.to[children_[b]], b);
  });
  // What had ended, last: when, and how much of the parent's own time was before that. And when the
  // last of it ends now, after the start of the parent, as are the new ends of children, which
  // stand in length_ until the parent has its own.
  int64_t ended = times.from[row], own_before_end = 0, now_ended = 0;
  // The parent's own time before the last child that has begun, and until when children run.
  int64_t own = 0, covered = times.from[row];
  const auto gap_to = [&](int64_t time) {
    const int64_t own_in_gap = own + std::max<int64_t>(0, time - covered) - own_before_end;
    return AddUp(time - ended - own_in_gap, Scale(own_in_gap, factor));
  };
  size_t ends = 0;
  const auto end_up_to = [&](int64_t time, size_t begun) {
    for (; ends < by_end_.size(); ++ends) {
      const uint32_t sibling = children_[by_end_[ends]];
      if (times.to[sibling] > time || by_end_[ends] >= begun) return;
      ended = times.to[sibling];
      own_before_end = own;
      now_ended = std::max(now_ended, length_[sibling - root_]);
    }
  };
  for (size_t i = 0; i < children_.size(); ++i) {
    const uint32_t child = children_[i];
    end_up_to(times.from[child], i);
    const int64_t begins = AddUp(now_ended, gap_to(times.from[child]));
    length_[child - root_] = AddUp(begins, length_[child - root_]);
    own += std::max<int64_t>(0, times.from[child] - covered);
    covered = std::max(covered, times.to[child]);
  }
  end_up_to(times.to[row], children_.size());
  length_[row - root_] = AddUp(now_ended, gap_to(times.to[row]));
}

}  // namespace weft::query::insight
