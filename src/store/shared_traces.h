// Which traces more than one block holds, found once for all questions that follow.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <absl/container/flat_hash_set.h>

#include "base/error.h"
#include "store/trace_table.h"

namespace weft::store {

// The blocks to look at, by numbers of the caller's choice below 2^24.
struct TraceLists {
  struct Block {
    uint32_t number = 0;
    std::shared_ptr<const std::vector<uint64_t>> hashes;  // sorted, each once
  };
  struct Table {
    std::shared_ptr<const TraceTable> table;
    std::vector<std::optional<uint32_t>> numbers;  // of its blocks; none: not to be looked at
  };
  std::vector<Block> blocks;
  std::vector<Table> tables;

  uint64_t entry_count() const;
};

// Hashes of traces that two or more of the blocks list; a block may be listed in several places.
// Takes some 10 ns an entry and 2 MB besides the answer. Errors as TraceTable::ForEach's.
Result<absl::flat_hash_set<uint64_t>> FindSharedTraces(const TraceLists& lists);

}  // namespace weft::store
