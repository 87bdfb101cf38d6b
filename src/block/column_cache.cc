#include "block/column_cache.h"

#include <atomic>
#include <utility>

namespace weft::block {

uint64_t ColumnCache::NewOwner() {
  static std::atomic<uint64_t> next{1};
  return next.fetch_add(1, std::memory_order_relaxed);
}

std::shared_ptr<const void> ColumnCache::FindAny(const Key& key) {
  MutexLock lock(mutex_);
  const auto found = index_.find(key);
  if (found == index_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->value;
}

void ColumnCache::Erase(std::list<Entry>::iterator entry) {
  bytes_ -= entry->bytes;
  index_.erase(entry->key);
  entries_.erase(entry);
}

void ColumnCache::Insert(const Key& key, std::shared_ptr<const void> value, size_t bytes) {
  if (bytes > bytes_max_) return;
  MutexLock lock(mutex_);
  if (const auto found = index_.find(key); found != index_.end()) Erase(found->second);
  entries_.push_front({key, std::move(value), bytes});
  index_[key] = entries_.begin();
  bytes_ += bytes;
  while (bytes_ > bytes_max_) Erase(std::prev(entries_.end()));
}

void ColumnCache::Forget(uint64_t owner) {
  MutexLock lock(mutex_);
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto next = std::next(entry);
    if (entry->key.owner == owner) Erase(entry);
    entry = next;
  }
}

size_t ColumnCache::bytes() const {
  MutexLock lock(mutex_);
  return bytes_;
}

}  // namespace weft::block
