// ColumnCache: what blocks have decoded (columns, dictionaries, directories), least recently used
// first out, bounded in bytes. One cache serves any number of blocks.
//
// Thread rule: any thread. An entry that is thrown out stays alive as long as someone holds it.
#pragma once

#include <cstdint>
#include <list>
#include <memory>

#include <absl/container/flat_hash_map.h>

#include "base/mutex.h"

namespace weft::block {

class ColumnCache {
 public:
  // Names one entry: an opened file (NewOwner), and whatever its reader likes to tell apart.
  struct Key {
    uint64_t owner = 0;
    uint32_t row_group = 0;
    uint32_t item = 0;

    bool operator==(const Key&) const = default;
    template <typename H>
    friend H AbslHashValue(H h, const Key& key) {
      return H::combine(std::move(h), key.owner, key.row_group, key.item);
    }
  };

  explicit ColumnCache(size_t bytes_max) : bytes_max_(bytes_max) {}

  // A number that no other owner has.
  static uint64_t NewOwner();

  // Null when it is not there. Entries of one key always have one type.
  template <typename T>
  std::shared_ptr<const T> Find(const Key& key) {
    return std::static_pointer_cast<const T>(FindAny(key));
  }
  // Keeps the entry, unless it alone is larger than the cache.
  void Insert(const Key& key, std::shared_ptr<const void> value, size_t bytes);
  // Drops all entries of an owner.
  void Forget(uint64_t owner);

  size_t bytes() const;

 private:
  struct Entry {
    Key key;
    std::shared_ptr<const void> value;
    size_t bytes = 0;
  };

  std::shared_ptr<const void> FindAny(const Key& key);
  void Erase(std::list<Entry>::iterator entry) WEFT_REQUIRES(mutex_);

  const size_t bytes_max_;
  mutable Mutex mutex_;
  std::list<Entry> entries_ WEFT_GUARDED_BY(mutex_);  // most recently used first
  absl::flat_hash_map<Key, std::list<Entry>::iterator> index_ WEFT_GUARDED_BY(mutex_);
  size_t bytes_ WEFT_GUARDED_BY(mutex_) = 0;
};

}  // namespace weft::block
