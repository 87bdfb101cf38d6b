#include "block/bundle.h"

#include <string>

#include "block/schema.h"

namespace weft::block {
namespace {

constexpr uint64_t kWholeBytesMax = 128 << 10;  // stored: never changes

// Of a block's spans there is nothing, and of its traces the tail: they are read for themselves.
uint64_t BytesInBundle(const FileMeta& file) {
  if (file.name == kSpansFile || file.name == kCountsFile || file.name == kBundleFile) return 0;
  const bool whole = file.name != kTracesFile && file.size_bytes <= kWholeBytesMax;
  return whole || file.tail_bytes > file.size_bytes ? file.size_bytes : file.tail_bytes;
}

}  // namespace

std::vector<BundledEnd> BundledEnds(std::span<const FileMeta> files) {
  std::vector<BundledEnd> ends;
  uint64_t offset = 0;
  for (const FileMeta& file : files) {
    const uint64_t size = BytesInBundle(file);
    if (size == 0) continue;
    ends.push_back({file.name, file.size_bytes - size, size, offset});
    offset += size;
  }
  return ends;
}

BlockFile MakeBundle(const EncodedBlock& block) {
  BlockFile bundle{std::string(kBundleFile), {}};
  for (const BundledEnd& end : BundledEnds(block.meta.files)) {
    for (const BlockFile& file : block.files) {
      if (file.name == end.file) bundle.bytes.append(file.bytes, end.begin);
    }
  }
  return bundle;
}

}  // namespace weft::block
