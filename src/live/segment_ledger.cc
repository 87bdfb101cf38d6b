#include "live/segment_ledger.h"

namespace weft::live {

void SegmentLedger::Open(uint64_t segment, uint64_t rows) {
  MutexLock lock(mutex_);
  waiting_[segment] += rows;
}

void SegmentLedger::Settle(const std::vector<WalRow>& rows) {
  MutexLock lock(mutex_);
  for (size_t begin = 0; begin < rows.size();) {
    size_t end = begin;
    while (end < rows.size() && rows[end].segment == rows[begin].segment) ++end;
    waiting_[rows[begin].segment] -= end - begin;
    begin = end;
  }
}

void SegmentLedger::AddBlock(const model::TenantId& tenant, const std::string& block_id,
                             std::vector<uint64_t> segments) {
  MutexLock lock(mutex_);
  blocks_.push_back({{tenant, block_id}, std::move(segments)});
}

bool SegmentLedger::IsSettled(uint64_t segment) const {
  MutexLock lock(mutex_);
  const auto at = waiting_.find(segment);
  return at == waiting_.end() || at->second == 0;
}

std::vector<uint64_t> SegmentLedger::TakeReleasable(uint64_t current) {
  MutexLock lock(mutex_);
  std::vector<uint64_t> released;
  for (auto at = waiting_.begin(); at != waiting_.end() && at->first < current;) {
    if (at->second != 0) {
      ++at;
      continue;
    }
    released.push_back(at->first);
    at = waiting_.erase(at);
  }
  return released;
}

std::vector<SegmentLedger::BlockRef> SegmentLedger::TakeUnneededBlocks() {
  MutexLock lock(mutex_);
  std::vector<BlockRef> unneeded;
  for (auto block = blocks_.begin(); block != blocks_.end();) {
    bool needed = false;
    for (const uint64_t segment : block->segments) needed = needed || waiting_.contains(segment);
    if (needed) {
      ++block;
      continue;
    }
    unneeded.push_back(block->ref);
    block = blocks_.erase(block);
  }
  return unneeded;
}

}  // namespace weft::live
