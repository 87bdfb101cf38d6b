// Compression of request and response bodies.
//
// Decompression is streaming and stops at a limit on its output, so that a small body can't fill
// the memory.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace weft::net {

enum class ContentCoding { kIdentity, kGzip, kDeflate, kZstd };

// The coding named by a Content-Encoding field, any case ("" and "identity" are identity, "x-gzip"
// is gzip); nothing for other names and for lists.
std::optional<ContentCoding> ParseContentCoding(std::string_view name);

// Decompresses one body, given in pieces of any size. One thread at a time.
class Decompressor {
 public:
  virtual ~Decompressor() = default;
  // Appends what `piece` decompresses to. kTooLarge before `out` exceeds the limit;
  // kInvalidArgument when the bytes are not of the coding; after an error no further call.
  virtual Error Add(std::string_view piece, std::string* out) = 0;
  // kInvalidArgument when the stream is cut short. An empty body is a whole one.
  virtual Error Finish() = 0;

  // gzip: any number of members. deflate: zlib's format or raw deflate, told apart by the first
  // bytes. zstd: any number of frames; windows up to 8 MiB.
  static std::unique_ptr<Decompressor> Make(ContentCoding coding, uint64_t output_bytes_max);
};

// The whole of `bytes` decompressed.
Result<std::string> Decompress(ContentCoding coding, std::string_view bytes,
                               uint64_t output_bytes_max);

// Compressed with the library's fast level (1 for gzip and deflate, 3 for zstd).
std::string Compress(ContentCoding coding, std::string_view bytes);

// Whether an Accept-Encoding field allows gzip (named or by *, not with q=0).
bool AcceptsGzip(std::string_view accept_encoding);

}  // namespace weft::net
