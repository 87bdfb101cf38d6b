// Which blocks are to go: too old, or too many.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "store/block_list.h"

namespace weft::compact {

// 0 switches a rule off.
struct RetentionOptions {
  int64_t age_ns = 0;            // after the latest span's start
  uint64_t tenant_bytes = 0;     // of all blocks of a tenant
  uint64_t disk_free_bytes = 0;  // that the store's disk shall have
};

struct Expired {
  store::BlockPtr block;
  std::string_view reason;  // "age", "bytes" or "disk"
};

// `blocks` holds those of each tenant, newest first. `free_bytes` is what the disk has now.
std::vector<Expired> ExpiredBlocks(
    const std::vector<std::shared_ptr<const store::BlockVector>>& blocks,
    const RetentionOptions& options, int64_t now_ns, uint64_t free_bytes);

}  // namespace weft::compact
