// Writes a block of made-up spans into a folder, for tests of other engines on the same files:
//
//   write_fixture_block FOLDER odd|shop SEED COUNT
//
// COUNT is of traces (odd) or of spans (shop). Beside the block the folder gets expected.jsonl:
// each span as one JSON object (DescribeSpan), straight from what the block was made of.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "block/block.h"
#include "block/block_fixture.h"
#include "block/schema.h"

namespace {

using namespace weft;
using namespace weft::block;

void WriteFile(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

int Write(const std::filesystem::path& folder, bool odd, uint64_t seed, uint32_t count) {
  const model::SpanBatch batch = odd ? MakeOddBatch(seed, count) : MakeShopBatch(seed, count);
  const BlockMeta meta{.id = NewBlockId(1'780'000'000'000'000'000, seed), .tenant = "default"};
  // Several row groups and pages, so that engines have something to skip.
  const BlockWriterOptions options{
      .row_group_rows_max = 8192, .page_rows = 1024, .filter_from_bytes = 256};
  const BlockInput input = MakeBlockInput({&batch});
  auto block = WriteBlock(input, meta, options);
  if (!block.ok()) {
    std::fprintf(stderr, "%s\n", block.error().message().c_str());
    return 1;
  }
  std::filesystem::create_directories(folder);
  for (const BlockFile& file : block->files) WriteFile(folder / file.name, file.bytes);
  WriteFile(folder / kMetaFile, block->meta.ToJson());
  std::string expected;
  for (const RowRef& row : input.rows) expected += DescribeSpan(batch, row.row) + "\n";
  WriteFile(folder / "expected.jsonl", expected);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string kind = argc == 5 ? argv[2] : "";
  if (kind != "odd" && kind != "shop") {
    std::fprintf(stderr, "usage: write_fixture_block FOLDER odd|shop SEED COUNT\n");
    return 2;
  }
  return Write(argv[1], kind == "odd", std::strtoull(argv[3], nullptr, 10),
               static_cast<uint32_t>(std::strtoul(argv[4], nullptr, 10)));
}
