// Writes a block of made-up spans into a folder, for tests of other engines on the same files:
//   write_fixture_block FOLDER odd|shop SEED COUNT
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "block/block.h"
#include "block/block_fixture.h"

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: write_fixture_block FOLDER odd|shop SEED COUNT\n");
    return 2;
  }
  const uint64_t seed = std::strtoull(argv[3], nullptr, 10);
  const uint32_t count = static_cast<uint32_t>(std::strtoul(argv[4], nullptr, 10));
  const weft::model::SpanBatch batch = std::string(argv[2]) == "odd"
                                           ? weft::block::MakeOddBatch(seed, count)
                                           : weft::block::MakeShopBatch(seed, count);
  weft::block::BlockMeta meta;
  meta.id = weft::block::NewBlockId(1'780'000'000'000'000'000, seed);
  meta.tenant = "default";
  auto block = weft::block::WriteBlock(weft::block::MakeBlockInput({&batch}), meta, {});
  if (!block.ok()) {
    std::fprintf(stderr, "%s\n", block.error().message().c_str());
    return 1;
  }
  const std::filesystem::path folder = argv[1];
  std::filesystem::create_directories(folder);
  for (const weft::block::BlockFile& file : block->files) {
    std::ofstream(folder / file.name, std::ios::binary) << file.bytes;
  }
  std::ofstream(folder / "meta.json", std::ios::binary) << block->meta.ToJson();
  return 0;
}
