// Descriptions of blocks (block::BlockMeta), packed for keeping many in memory and in one object.
//
// A packed description is the text of meta.json, with its checksum, compressed with a dictionary
// that is itself a meta.json: about a fifth of the text, whatever members later versions add.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "block/block.h"

namespace weft::store {

// What this build packs with. Whoever stores packed descriptions stores it beside them.
std::string_view MetaDictionary();

// Any thread.
std::string PackMeta(const block::BlockMeta& meta);
// Of what PackMeta gave in this process; kCorrupt when it is not that.
Result<block::BlockMeta> UnpackMeta(std::string_view packed);
// Of what another process packed, with its dictionary.
Result<block::BlockMeta> UnpackMeta(std::string_view packed, std::string_view dictionary);

}  // namespace weft::store
