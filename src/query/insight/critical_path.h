// The critical path of a trace: at each moment of a root's life, which span the answer was waiting
// for. The UI shows the same path (ui/src/trace/criticalPath.ts).
//
// 1. Prune: a child that does not block its parent is left out with all that is below it: a
//    CONSUMER under a PRODUCER, and a child that outlives its parent on the parent's own clock
//    (same resource, not a SERVER or CONSUMER): the parent ended without it, so it cannot have
//    waited for its end. A twentieth of its length is allowed, for spans are often ended in the
//    wrong order by a hair. On two clocks the same picture is skew, and step 2 clips it.
// 2. Clip, parents first: a child that lies wholly outside its parent is left out with all below
//    it; one that sticks out is cut to the parent.
// 3. Walk backwards from the root's end. Of the children that end at or before the time that has
//    been reached, take the one that ends last (the first of equals). What lies between its end and
//    that time is the span's own; then the child is walked, and the time reached is its start. With
//    no child left the rest, down to the span's start, is the span's own.
// 4. Every root is walked: a trace without its true root has one path for each fragment.
//
// So the path of a root is cut into pieces, each of one span, that together are as long as the
// root.
#pragma once

#include <cstdint>
#include <vector>

#include "block/column.h"
#include "query/exec/bitmap.h"

namespace weft::query::insight {

// Rows of whole traces in preorder, as columns (block/row_source.h). They must outlive it.
struct TreeRows {
  uint32_t size = 0;
  const int64_t* start = nullptr;         // ns, the bits of a uint64
  const int64_t* duration = nullptr;      // ns; below 0 counts as 0
  const int64_t* parent_row = nullptr;    // rows back, 0 for a root
  const int64_t* subtree_size = nullptr;  // descendants
  const int64_t* resource = nullptr;
  const uint8_t* kind = nullptr;  // model::SpanKind

  uint32_t end_of(uint32_t row) const { return row + 1 + static_cast<uint32_t>(subtree_size[row]); }
};

// Steps 1 and 2: which spans block their parents, and when.
struct BlockingTimes {
  std::vector<int64_t> from, to;  // ns after the earliest span; of rows that are left in
  exec::Bitmap left_out;

  // Of the rows of `asked`. Others count as if they were not there, nor what is below them.
  void Compute(const TreeRows& rows, const exec::Bitmap& asked);
};

// Steps 3 and 4. Keeps its working memory between calls; one thread.
class CriticalPath {
 public:
  // Adds to own_ns[row] the time that the row has on the path of `root`. Takes O(n log n); depth
  // does not matter.
  void Walk(const TreeRows& rows, const BlockingTimes& times, uint32_t root,
            std::vector<int64_t>* own_ns);

 private:
  struct Frame {
    uint32_t row = 0;
    int64_t until = 0;
    uint32_t next = 0;  // of children_, from here on this frame's, to the end of the frame's
    uint32_t begin = 0;
    uint32_t end = 0;
  };

  void Enter(const TreeRows& rows, const BlockingTimes& times, uint32_t row);

  std::vector<Frame> stack_;
  std::vector<uint32_t> children_;  // of all frames of the stack
};

}  // namespace weft::query::insight
