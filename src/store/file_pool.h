// FilePool: a bounded number of open files behind any number of ReadableFiles.
//
// A query may hold thousands of blocks of several files each; the process may have a thousand files
// open. What the pool gives out knows its object's name and size and borrows an open file only
// while it reads.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/env.h"
#include "base/mutex.h"
#include "store/object_store.h"

namespace weft::store {

// Any thread. Must outlive the files that it gives.
class FilePool {
 public:
  FilePool(const ObjectStore& objects, size_t open_max) : objects_(objects), open_max_(open_max) {}

  // An object that is `size_bytes` long, as far as is known; nothing is opened yet.
  std::unique_ptr<ReadableFile> Get(std::string name, uint64_t size_bytes);
  // Closes the files whose names begin so, so that what was deleted frees its space.
  void Forget(std::string_view prefix) WEFT_EXCLUDES(mutex_);

  size_t open_count() const WEFT_EXCLUDES(mutex_);

 private:
  class PooledFile;
  using FilePtr = std::shared_ptr<const ReadableFile>;
  struct Entry {
    std::string name;
    FilePtr file;
  };

  Result<FilePtr> Borrow(const std::string& name, uint64_t size_bytes) WEFT_EXCLUDES(mutex_);
  FilePtr FindOpen(const std::string& name) WEFT_EXCLUDES(mutex_);

  const ObjectStore& objects_;
  const size_t open_max_;
  mutable Mutex mutex_;
  std::list<Entry> entries_ WEFT_GUARDED_BY(mutex_);  // most recently used first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> index_
      WEFT_GUARDED_BY(mutex_);  // keys are the entries' own names
};

}  // namespace weft::store
