// The bundle: the small files of a block once more, in one object.
//
// A block has seven files that finding a trace begins with. Where every read is a request over a
// network that would be seven requests, for files most of which take a few kB; so in such stores
// they lie in a bundle, too, one behind the other in the order of meta.json: whole where they are
// small, else their tails (FileMeta). Where each stands follows from the sizes that meta.json
// gives. Nothing depends on what is in it: who has none, or a damaged one, reads the files.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "block/block.h"

namespace weft::block {

// The end of a file, which is in the bundle.
struct BundledEnd {
  std::string_view file;  // its name, within `files`
  uint64_t begin = 0;     // where the end begins in the file
  uint64_t size = 0;
  uint64_t offset = 0;  // where it begins in the bundle
};
// Of the files that meta.json lists. A bundle of another size than these together is none.
std::vector<BundledEnd> BundledEnds(std::span<const FileMeta> files);

// Of the files of `block`, to be listed in meta.json behind them.
BlockFile MakeBundle(const EncodedBlock& block);

}  // namespace weft::block
