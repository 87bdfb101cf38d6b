// Fills a folder with many small blocks, to measure what a large catalog costs:
//
//   weft_many_blocks FOLDER COUNT
//
// FOLDER becomes the `blocks` folder of a server, or a bucket's prefix. The blocks follow each
// other in time, ten seconds each. Two in a thousand have files of their own; the others have those
// of the first of the two (hard links), with a meta.json each that is their own. The ids of some
// traces that are in one block alone are printed.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

#include "block/block.h"
#include "block/block_fixture.h"

namespace {

using namespace weft;
namespace fs = std::filesystem;

constexpr uint32_t kSpans = 200;
constexpr uint64_t kEvery = 1000;
constexpr uint64_t kStepNs = 10'000'000'000;
constexpr uint64_t kFirstNs = 1'760'000'000'000'000'000;

bool WriteFile(const fs::path& path, std::string_view bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return out.good();
}

// The block's spans in its own ten seconds.
model::SpanBatch SpansAt(uint64_t seed, uint64_t start_ns) {
  model::SpanBatch batch = block::MakeShopBatch(seed, kSpans);
  uint64_t first = UINT64_MAX;
  for (const uint64_t start : batch.start_ns) first = std::min(first, start);
  for (uint32_t i = 0; i < batch.size(); ++i) {
    const uint64_t duration = batch.end_ns[i] - batch.start_ns[i];
    batch.start_ns[i] = start_ns + (batch.start_ns[i] - first) % kStepNs;
    batch.end_ns[i] = batch.start_ns[i] + duration;
  }
  return batch;
}

Result<block::EncodedBlock> MakeBlock(uint64_t number) {
  const uint64_t start_ns = kFirstNs + number * kStepNs;
  const model::SpanBatch batch = SpansAt(number + 1, start_ns);
  block::BlockMeta meta;
  meta.id = block::NewBlockId(static_cast<int64_t>(start_ns), number);
  meta.tenant = "default";
  meta.created_ns = start_ns;
  if (number % (10 * kEvery) == 1) std::printf("%s\n", batch.trace_id(0).ToHex().c_str());
  return block::WriteBlock(block::MakeBlockInput({&batch}), std::move(meta), {});
}

// The files of `model`, in a later ten seconds as far as meta.json says.
bool LinkBlock(const fs::path& tenant, const block::BlockMeta& model, uint64_t number) {
  block::BlockMeta meta = model;
  const uint64_t shift = number % kEvery * kStepNs;
  meta.created_ns += shift;
  meta.first_start_ns += shift;
  meta.last_start_ns += shift;
  meta.last_end_ns += shift;
  for (block::RowGroupMeta& group : meta.row_groups) {
    for (uint64_t* time :
         {&group.first_start_ns, &group.last_start_ns, &group.last_trace_start_ns}) {
      *time += shift;
    }
  }
  meta.id = block::NewBlockId(static_cast<int64_t>(meta.created_ns), number);
  std::error_code error;
  fs::create_directory(tenant / meta.id, error);
  for (const block::FileMeta& file : model.files) {
    fs::create_hard_link(tenant / model.id / file.name, tenant / meta.id / file.name, error);
    if (error) return false;
  }
  return WriteFile(tenant / meta.id / "meta.json", meta.ToJson());
}

int Fill(const fs::path& folder, uint64_t count) {
  const fs::path tenant = folder / "default";
  fs::create_directories(tenant);
  block::BlockMeta model;
  for (uint64_t number = 0; number < count; ++number) {
    bool good = true;
    if (number % kEvery <= 1) {
      auto made = MakeBlock(number);
      if (!made.ok()) return std::fprintf(stderr, "%s\n", made.error().message().c_str()), 1;
      const fs::path place = tenant / made->meta.id;
      fs::create_directory(place);
      for (const block::BlockFile& file : made->files) {
        good = good && WriteFile(place / file.name, file.bytes);
      }
      good = good && WriteFile(place / "meta.json", made->meta.ToJson());
      if (number % kEvery == 0) model = made->meta;
    } else {
      good = LinkBlock(tenant, model, number);
    }
    if (!good) return std::fprintf(stderr, "block %lu could not be written\n", number), 1;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const uint64_t count = argc == 3 ? std::strtoull(argv[2], nullptr, 10) : 0;
  if (count == 0) {
    std::fprintf(stderr, "usage: weft_many_blocks FOLDER COUNT\n");
    return 2;
  }
  return Fill(argv[1], count);
}
