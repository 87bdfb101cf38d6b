// A pack: the files that the binary serves from inside itself, in one piece of bytes.
//
// pack_files (a program of the build) writes it, CMake puts it into the binary, StaticFiles reads
// it at start. Both sides are always built together, so there are no versions. Numbers are
// little-endian:
//   "WEFTPACK"  u32 files  then per file: name, content type, etag, body (each u32 length + bytes),
//   u8 gzip, u64 raw bytes
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace weft::api {

struct PackedFile {
  std::string_view name;  // absolute path of the request: "/assets/index-C3k2.js"
  std::string_view content_type;
  std::string_view etag;  // hash of the raw bytes, without quotes
  std::string_view body;
  bool gzip = false;       // body is gzip
  uint64_t raw_bytes = 0;  // of the file itself
};

std::string EncodePack(std::span<const PackedFile> files);

// The files; their views point into `pack`. kCorrupt when it isn't one.
Result<std::vector<PackedFile>> DecodePack(std::string_view pack);

// The Content-Type for a file name's extension; application/octet-stream when unknown.
std::string_view ContentTypeOf(std::string_view file_name);

}  // namespace weft::api
