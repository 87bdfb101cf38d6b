#include "store/bundled_file.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/checksum.h"
#include "base/log.h"
#include "store/object_store.h"

namespace weft::store {

Bundle::Bundle(std::unique_ptr<ReadableFile> file, block::FileMeta meta, std::string object)
    : file_(std::move(file)), meta_(std::move(meta)), object_(std::move(object)) {
  const ByteRange all{0, meta_.size_bytes};
  file_->WillRead({&all, 1});
}

// In pieces, as what is read in one go is not kept where that costs too much memory.
Error Bundle::Verify() const {
  constexpr uint64_t kPieceBytes = 64 << 10;
  std::string bytes(meta_.size_bytes, '\0');
  for (uint64_t at = 0; at < bytes.size(); at += kPieceBytes) {
    const size_t length = std::min<uint64_t>(kPieceBytes, bytes.size() - at);
    WEFT_RETURN_IF_ERROR(file_->ReadAt(at, length, bytes.data() + at));
  }
  if (Crc32c(bytes) != meta_.crc32c) return {ErrorCode::kCorrupt, "its checksum differs"};
  return Error::Ok();
}

bool Bundle::IsSound() const {
  const MutexLock lock(mutex_);
  if (verified_) return sound_;
  const Error error = Verify();
  if (IsTransient(error)) return false;
  verified_ = true;
  sound_ = error.ok();
  if (!sound_) {
    LogWarn("the bundle of a block can't be used; its files are read one by one",
            {{"object", object_}, {"error", error.message()}});
  }
  return sound_;
}

BundledFile::BundledFile(std::unique_ptr<ReadableFile> file, std::shared_ptr<const Bundle> bundle,
                         const block::BundledEnd& end)
    : file_(std::move(file)), bundle_(std::move(bundle)), begin_(end.begin), offset_(end.offset) {}

Error BundledFile::ReadAt(uint64_t offset, size_t length, char* out) const {
  const bool in_bundle = offset >= begin_ && offset <= size_bytes() &&
                         length <= size_bytes() - offset && bundle_->IsSound();
  // What can't be read there any more may be readable in its own place.
  if (in_bundle && bundle_->ReadAt(offset_ + (offset - begin_), length, out).ok()) {
    return Error::Ok();
  }
  return file_->ReadAt(offset, length, out);
}

void BundledFile::WillRead(std::span<const ByteRange> ranges) const {
  std::vector<ByteRange> others;
  for (const ByteRange& range : ranges) {
    if (range.offset < begin_) others.push_back(range);
  }
  if (!others.empty()) file_->WillRead(others);
}

}  // namespace weft::store
