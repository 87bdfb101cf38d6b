// Which blocks should become one.
//
// Blocks of one tenant whose latest spans started in the same window of time are merged level by
// level: when `fan_in` blocks of one level are there, or enough to fill a block, they become one of
// the next level. When a window has been over for a while, what is left of it becomes one, whatever
// the levels. A block that is nearly as large as blocks get is left alone.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "store/block_list.h"

namespace weft::compact {

struct ChooseOptions {
  int64_t window_ns = 3'600'000'000'000;
  uint32_t fan_in = 8;
  uint64_t spans_max = 1u << 20;  // of a merged block
  // A block younger than this is left alone: queries may still know its spans as live ones.
  int64_t age_min_ns = 10'000'000'000;
  // How long after its end a window is tidied up.
  int64_t window_grace_ns = 600'000'000'000;
};

struct Choice {
  std::vector<store::BlockPtr> blocks;  // oldest first
  uint32_t level = 0;                   // of what they become

  uint64_t span_count() const;  // without deleted ones
};

// Everything that could be merged now, the most urgent first: low levels before high ones, new
// windows before old ones; at least two blocks each. `blocks` are those of one tenant; `skipped`
// are left out, and so are blocks with deleted rows.
std::vector<Choice> ChooseBlocks(const store::BlockVector& blocks,
                                 const std::set<store::BlockName>& skipped,
                                 const ChooseOptions& options, int64_t now_ns);

// Blocks with deleted rows, each by itself: they are rewritten without them, whatever their size,
// and keep their level.
std::vector<Choice> ChooseDeleted(const store::BlockVector& blocks,
                                  const std::set<store::BlockName>& skipped,
                                  const ChooseOptions& options, int64_t now_ns);

}  // namespace weft::compact
