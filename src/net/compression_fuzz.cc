// The first byte chooses the coding and the size of the pieces; the rest is a compressed body,
// which must give at most the limit, and the same in pieces as in one. What compresses must come
// back.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "net/compression.h"

using weft::Error;
using weft::net::ContentCoding;
using weft::net::Decompressor;

namespace {

constexpr uint64_t kLimit = 1 << 16;

bool DecompressInPieces(ContentCoding coding, std::string_view bytes, size_t piece,
                        std::string* out) {
  const auto decompressor = Decompressor::Make(coding, kLimit);
  for (size_t at = 0; at < bytes.size(); at += piece) {
    if (!decompressor->Add(bytes.substr(at, piece), out).ok()) return false;
  }
  return decompressor->Finish().ok();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const auto coding = static_cast<ContentCoding>(data[0] & 3);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = weft::net::Decompress(coding, bytes, kLimit);
  if (whole.ok() && whole->size() > kLimit) std::abort();
  std::string pieces;
  const size_t step = 1 + (data[0] >> 2);
  const bool ok = DecompressInPieces(coding, bytes, step, &pieces);
  if (ok != whole.ok() || (ok && pieces != *whole)) std::abort();
  const auto back = weft::net::Decompress(coding, weft::net::Compress(coding, bytes), bytes.size());
  if (!back.ok() || *back != bytes) std::abort();
  return 0;
}
