#include "app/commands/byte_source.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

#include <sys/stat.h>

namespace weft::app::commands {
namespace {

// Small, because a few bytes may decompress to a thousand times as many.
constexpr size_t kReadBytes = 32 << 10;
constexpr size_t kKeepConsumedBytes = 1 << 20;

bool IsZstd(std::string_view head) {
  if (head.starts_with(std::string_view("\x28\xb5\x2f\xfd", 4))) return true;
  // A skippable frame: 0x184D2A50 to 0x184D2A5F, as parallel compressors put in front.
  return head.size() >= 4 && (static_cast<unsigned char>(head[0]) & 0xf0) == 0x50 &&
         head.substr(1, 3) == std::string_view("\x2a\x4d\x18", 3);
}

}  // namespace

Result<std::unique_ptr<ByteSource>> ByteSource::Open(const std::string& path) {
  std::unique_ptr<ByteSource> source(new ByteSource);
  if (path == "-") {
    source->file_ = stdin;
    return source;
  }
  struct stat info{};
  source->file_ = stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)
                      ? nullptr
                      : std::fopen(path.c_str(), "rb");
  if (source->file_ == nullptr) {
    const bool missing = errno == ENOENT;
    const std::string why = S_ISDIR(info.st_mode) ? "is a folder" : std::strerror(errno);
    return Error(missing ? ErrorCode::kNotFound : ErrorCode::kIo, path + ": " + why);
  }
  source->closes_file_ = true;
  if (S_ISREG(info.st_mode)) source->file_bytes_ = static_cast<uint64_t>(info.st_size);
  return source;
}

std::unique_ptr<ByteSource> ByteSource::FromString(std::string bytes) {
  std::unique_ptr<ByteSource> source(new ByteSource);
  source->buffer_ = std::move(bytes);
  source->at_end_ = true;
  return source;
}

ByteSource::~ByteSource() {
  if (closes_file_) std::fclose(file_);
}

Result<size_t> ByteSource::ReadFile(char* to, size_t bytes) {
  const size_t got = std::fread(to, 1, bytes, file_);
  if (got == 0 && std::ferror(file_) != 0) return Error(ErrorCode::kIo, std::strerror(errno));
  file_bytes_read_ += got;
  return got;
}

void ByteSource::ChooseCoding(std::string_view head) {
  auto coding = net::ContentCoding::kIdentity;
  if (head.starts_with("\x1f\x8b")) coding = net::ContentCoding::kGzip;
  if (IsZstd(head)) coding = net::ContentCoding::kZstd;
  decompressor_ = net::Decompressor::Make(coding, std::numeric_limits<uint64_t>::max());
}

Result<bool> ByteSource::Fill() {
  if (at_end_) return false;
  if (begin_ >= kKeepConsumedBytes) {
    buffer_.erase(0, begin_);
    begin_ = 0;
  }
  std::array<char, kReadBytes> piece;
  const size_t before = buffer_.size();
  while (buffer_.size() == before) {
    WEFT_ASSIGN_OR_RETURN(const size_t got, ReadFile(piece.data(), piece.size()));
    if (got == 0) {
      at_end_ = true;
      if (decompressor_) WEFT_RETURN_IF_ERROR(decompressor_->Finish());
      return false;
    }
    if (!decompressor_) ChooseCoding({piece.data(), got});
    WEFT_RETURN_IF_ERROR(decompressor_->Add({piece.data(), got}, &buffer_));
  }
  return true;
}

Result<bool> ByteSource::Require(size_t bytes) {
  while (view().size() < bytes) {
    WEFT_ASSIGN_OR_RETURN(const bool more, Fill());
    if (!more) return false;
  }
  return true;
}

void ByteSource::Consume(size_t bytes) {
  begin_ += bytes;
  offset_ += bytes;
}

}  // namespace weft::app::commands
