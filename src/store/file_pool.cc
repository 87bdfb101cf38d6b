#include "store/file_pool.h"

#include <utility>

namespace weft::store {

class FilePool::PooledFile : public ReadableFile {
 public:
  PooledFile(FilePool& pool, std::string name, uint64_t size_bytes)
      : pool_(pool), name_(std::move(name)), size_bytes_(size_bytes) {}

  Error ReadAt(uint64_t offset, size_t length, char* out) const override {
    WEFT_ASSIGN_OR_RETURN(const FilePtr file, pool_.Borrow(name_, size_bytes_));
    return file->ReadAt(offset, length, out);
  }
  void WillRead(std::span<const ByteRange> ranges) const override {
    // What can't be opened now says so when it is read.
    if (const auto file = pool_.Borrow(name_, size_bytes_); file.ok()) (*file)->WillRead(ranges);
  }
  uint64_t size_bytes() const override { return size_bytes_; }

 private:
  FilePool& pool_;
  const std::string name_;
  const uint64_t size_bytes_;
};

std::unique_ptr<ReadableFile> FilePool::Get(std::string name, uint64_t size_bytes) {
  return std::make_unique<PooledFile>(*this, std::move(name), size_bytes);
}

FilePool::FilePtr FilePool::FindOpen(const std::string& name) {
  const MutexLock lock(mutex_);
  const auto it = index_.find(name);
  if (it == index_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, it->second);
  return it->second->file;
}

Result<FilePool::FilePtr> FilePool::Borrow(const std::string& name, uint64_t size_bytes) {
  if (FilePtr open = FindOpen(name)) return open;
  WEFT_ASSIGN_OR_RETURN(FilePtr file, objects_.OpenSized(name, size_bytes));
  Entry evicted;  // closed outside the lock
  const MutexLock lock(mutex_);
  if (index_.contains(name))
    return file;  // another thread was faster; this one is closed after use
  entries_.push_front({name, file});
  index_.emplace(entries_.front().name, entries_.begin());
  if (entries_.size() > open_max_) {
    index_.erase(entries_.back().name);
    evicted = std::move(entries_.back());
    entries_.pop_back();
  }
  return file;
}

void FilePool::Forget(std::string_view prefix) {
  const MutexLock lock(mutex_);
  for (auto it = entries_.begin(); it != entries_.end();) {
    if (it->name.starts_with(prefix)) {
      index_.erase(it->name);
      it = entries_.erase(it);
    } else {
      ++it;
    }
  }
}

size_t FilePool::open_count() const {
  const MutexLock lock(mutex_);
  return entries_.size();
}

}  // namespace weft::store
