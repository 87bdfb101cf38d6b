// Reading files of a block out of its bundle (block/bundle.h).
#pragma once

#include <memory>
#include <string>

#include "base/env.h"
#include "base/error.h"
#include "base/mutex.h"
#include "block/bundle.h"

namespace weft::store {

// The bundle of a block. Any thread.
class Bundle {
 public:
  // Says at once that all of it will be read. `object` is its name in the log.
  Bundle(std::unique_ptr<ReadableFile> file, block::FileMeta meta, std::string object);

  // Whether it is there and is what was written. Reads all of it until that is known.
  bool IsSound() const WEFT_EXCLUDES(mutex_);
  Error ReadAt(uint64_t offset, size_t length, char* out) const {
    return file_->ReadAt(offset, length, out);
  }

 private:
  Error Verify() const;

  const std::unique_ptr<ReadableFile> file_;
  const block::FileMeta meta_;
  const std::string object_;
  mutable Mutex mutex_;  // held while it is read: others wait for that
  mutable bool verified_ WEFT_GUARDED_BY(mutex_) = false;
  mutable bool sound_ WEFT_GUARDED_BY(mutex_) = false;
};

// A file whose end is in a bundle: read from there while the bundle is sound, else from itself.
class BundledFile final : public ReadableFile {
 public:
  BundledFile(std::unique_ptr<ReadableFile> file, std::shared_ptr<const Bundle> bundle,
              const block::BundledEnd& end);

  Error ReadAt(uint64_t offset, size_t length, char* out) const override;
  uint64_t size_bytes() const override { return file_->size_bytes(); }
  void WillRead(std::span<const ByteRange> ranges) const override;

 private:
  const std::unique_ptr<ReadableFile> file_;
  const std::shared_ptr<const Bundle> bundle_;
  const uint64_t begin_;  // of the end that is in the bundle
  const uint64_t offset_;
};

}  // namespace weft::store
