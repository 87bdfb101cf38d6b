// BorrowedFile: bytes in memory as a file. They are the caller's and must outlive it.
#pragma once

#include <cstring>
#include <string_view>

#include "base/env.h"

namespace weft {

// Any thread.
class BorrowedFile final : public ReadableFile {
 public:
  explicit BorrowedFile(std::string_view bytes) : bytes_(bytes) {}

  Error ReadAt(uint64_t offset, size_t length, char* out) const override {
    if (offset > bytes_.size() || length > bytes_.size() - offset) {
      return Error(ErrorCode::kCorrupt, "the file is too short");
    }
    if (length > 0) std::memcpy(out, bytes_.data() + offset, length);
    return Error::Ok();
  }
  uint64_t size_bytes() const override { return bytes_.size(); }
  std::string_view mapped() const override { return bytes_; }

 private:
  const std::string_view bytes_;
};

}  // namespace weft
