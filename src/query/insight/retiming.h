// What if some spans were faster: how long a trace would have taken.
//
// Works on the spans that block their parents and the times at which they do (critical_path.h,
// steps 1 and 2). A span's own time is the time in which none of its children runs. From the leaves
// up, each span becomes a new length:
//
// 1. A span without children is its own time, times its factor.
// 2. A child begins after whatever of its siblings had ended when it began, and after their last
//    one a gap: from that end (from the parent's start where none had ended) to the child's start.
//    The gap is kept, but for the parent's own time in it, which is taken times the parent's
//    factor. So order and parallelism stay as they were.
// 3. The parent ends the same gap after the last of its children as before.
//
// With a factor of 1 everywhere nothing changes, to the nanosecond; lower factors never make a
// trace longer.
#pragma once

#include <cstdint>
#include <vector>

#include "query/exec/bitmap.h"
#include "query/insight/critical_path.h"

namespace weft::query::insight {

// Keeps its working memory between calls; one thread.
class Retiming {
 public:
  // How long `root`, which is not left out, would take, if the own time of the rows of `changed`
  // were multiplied with `factor` (at least 0). Takes O(n log n); depth does not matter.
  int64_t DurationOf(const TreeRows& rows, const BlockingTimes& times, uint32_t root,
                     const exec::Bitmap& changed, double factor);

 private:
  void Retime(const TreeRows& rows, const BlockingTimes& times, uint32_t row, double factor);

  std::vector<int64_t> length_;  // new, by row after the root
  uint32_t root_ = 0;
  std::vector<uint32_t> children_;  // by start
  std::vector<uint32_t> by_end_;    // indexes into children_
};

}  // namespace weft::query::insight
