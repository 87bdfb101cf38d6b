#include "query/insight/critical_path.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "model/span_batch.h"

namespace weft::query::insight {
namespace {

using model::SpanKind;

bool IsAsync(const TreeRows& rows, uint32_t row, uint32_t parent, int64_t over_ns) {
  const auto kind = static_cast<SpanKind>(rows.kind[row]);
  if (kind == SpanKind::kConsumer)
    return static_cast<SpanKind>(rows.kind[parent]) == SpanKind::kProducer;
  if (kind == SpanKind::kServer || rows.resource[row] != rows.resource[parent]) return false;
  return over_ns > std::max<int64_t>(0, rows.duration[row]) / 20;
}

// a + b, at most the greatest number.
int64_t AddUp(int64_t a, int64_t b) {
  int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<int64_t>::max() : sum;
}

}  // namespace

void BlockingTimes::Compute(const TreeRows& rows, const exec::Bitmap& asked) {
  from.assign(rows.size, 0);
  to.assign(rows.size, 0);
  left_out = exec::Bitmap(rows.size, true);
  uint64_t first_ns = std::numeric_limits<uint64_t>::max();
  asked.ForEach(
      [&](uint32_t row) { first_ns = std::min(first_ns, static_cast<uint64_t>(rows.start[row])); });
  constexpr uint64_t kMost = std::numeric_limits<int64_t>::max();
  asked.ForEach([&](uint32_t row) {
    const uint64_t after_ns = static_cast<uint64_t>(rows.start[row]) - first_ns;
    int64_t start = static_cast<int64_t>(std::min(after_ns, kMost));
    int64_t end = AddUp(start, std::max<int64_t>(0, rows.duration[row]));
    if (rows.parent_row[row] != 0) {
      const uint32_t parent = row - static_cast<uint32_t>(rows.parent_row[row]);
      if (left_out.Test(parent) || start >= to[parent] || end <= from[parent]) return;
      const int64_t parent_end =
          AddUp(static_cast<int64_t>(
                    std::min(static_cast<uint64_t>(rows.start[parent]) - first_ns, kMost)),
                std::max<int64_t>(0, rows.duration[parent]));
      if (IsAsync(rows, row, parent, end - parent_end)) return;
      start = std::max(start, from[parent]);
      end = std::min(end, to[parent]);
    }
    from[row] = start;
    to[row] = end;
    left_out.Reset(row);
  });
}

void CriticalPath::Enter(const TreeRows& rows, const BlockingTimes& times, uint32_t row) {
  const auto begin = static_cast<uint32_t>(children_.size());
  for (uint32_t child = row + 1; child < rows.end_of(row); child = rows.end_of(child)) {
    if (!times.left_out.Test(child)) children_.push_back(child);
  }
  std::sort(children_.begin() + begin, children_.end(), [&](uint32_t a, uint32_t b) {
    return std::pair(times.to[b], a) < std::pair(times.to[a], b);
  });
  stack_.push_back({row, times.to[row], begin, begin, static_cast<uint32_t>(children_.size())});
}

void CriticalPath::Walk(const TreeRows& rows, const BlockingTimes& times, uint32_t root,
                        std::vector<int64_t>* own_ns) {
  if (times.left_out.Test(root)) return;
  Enter(rows, times, root);
  while (!stack_.empty()) {
    Frame& frame = stack_.back();
    while (frame.next < frame.end && times.to[children_[frame.next]] > frame.until) ++frame.next;
    if (frame.next == frame.end) {
      (*own_ns)[frame.row] += frame.until - times.from[frame.row];
      children_.resize(frame.begin);
      stack_.pop_back();
      continue;
    }
    const uint32_t child = children_[frame.next++];
    (*own_ns)[frame.row] += frame.until - times.to[child];
    frame.until = times.from[child];
    Enter(rows, times, child);
  }
}

}  // namespace weft::query::insight
