// The bytes of a file as a stream with a look-ahead; gzip and zstd are undone, whatever the file's
// name.
//
// Memory: what the caller asks to see at once, plus a few MiB. One thread at a time.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "net/compression.h"

namespace weft::app::commands {

class ByteSource {
 public:
  // "-" is standard input. kNotFound or kIo when it can't be opened.
  static Result<std::unique_ptr<ByteSource>> Open(const std::string& path);
  // A source of bytes that are already in memory.
  static std::unique_ptr<ByteSource> FromString(std::string bytes);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  // The unread bytes at hand; valid until the next Fill.
  std::string_view view() const { return std::string_view(buffer_).substr(begin_); }
  // Puts more bytes behind those at hand; false at the end of the stream. kIo, or kInvalidArgument
  // when the compressed stream is broken.
  Result<bool> Fill();
  // Fills until `bytes` are at hand or the stream ends, and says which: true for the former.
  Result<bool> Require(size_t bytes);
  void Consume(size_t bytes);

  // Decompressed bytes consumed so far.
  uint64_t offset() const { return offset_; }
  // Of the file itself, for a progress bar; size 0 when unknown.
  uint64_t file_bytes_read() const { return file_bytes_read_; }
  uint64_t file_bytes() const { return file_bytes_; }

 private:
  ByteSource() = default;
  Result<size_t> ReadFile(char* to, size_t bytes);
  void ChooseCoding(std::string_view head);

  std::FILE* file_ = nullptr;
  bool closes_file_ = false;
  bool at_end_ = false;
  std::unique_ptr<net::Decompressor> decompressor_;  // made when the first bytes are seen
  std::string buffer_;
  size_t begin_ = 0;
  uint64_t offset_ = 0;
  uint64_t file_bytes_read_ = 0;
  uint64_t file_bytes_ = 0;
};

}  // namespace weft::app::commands
