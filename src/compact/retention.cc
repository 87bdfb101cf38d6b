#include "compact/retention.h"

#include <algorithm>

namespace weft::compact {
namespace {

using store::BlockPtr;
using store::BlockVector;

bool TooOld(const BlockPtr& block, const RetentionOptions& options, int64_t now_ns) {
  if (options.age_ns <= 0 || now_ns <= options.age_ns) return false;
  return block->meta.last_start_ns < static_cast<uint64_t>(now_ns - options.age_ns);
}

// Those of one tenant that age or bytes rule out; the others are added to `rest`.
void ExpireTenant(const BlockVector& newest_first, const RetentionOptions& options, int64_t now_ns,
                  std::vector<Expired>* out, std::vector<BlockPtr>* rest) {
  uint64_t bytes = 0;
  for (const BlockPtr& block : newest_first) {
    bytes += block->total_bytes;
    if (TooOld(block, options, now_ns)) {
      out->push_back({block, "age"});
    } else if (options.tenant_bytes != 0 && bytes > options.tenant_bytes) {
      out->push_back({block, "bytes"});
    } else {
      rest->push_back(block);
    }
  }
}

}  // namespace

std::vector<Expired> ExpiredBlocks(const std::vector<std::shared_ptr<const BlockVector>>& blocks,
                                   const RetentionOptions& options, int64_t now_ns,
                                   uint64_t free_bytes) {
  std::vector<Expired> expired;
  std::vector<BlockPtr> rest;
  for (const auto& tenant : blocks) ExpireTenant(*tenant, options, now_ns, &expired, &rest);
  for (const Expired& gone : expired) free_bytes += gone.block->total_bytes;
  if (options.disk_free_bytes == 0 || free_bytes >= options.disk_free_bytes) return expired;
  // The disk is everyone's: the oldest goes, whose ever it is.
  std::sort(rest.begin(), rest.end(), [](const BlockPtr& a, const BlockPtr& b) {
    if (a->meta.last_start_ns != b->meta.last_start_ns) {
      return a->meta.last_start_ns < b->meta.last_start_ns;
    }
    return a->name < b->name;
  });
  for (const BlockPtr& block : rest) {
    if (free_bytes >= options.disk_free_bytes) break;
    expired.push_back({block, "disk"});
    free_bytes += block->total_bytes;
  }
  return expired;
}

}  // namespace weft::compact
