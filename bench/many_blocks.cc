// Fills a folder with many small blocks, to measure what a large catalog costs:
//
//   weft_many_blocks FOLDER COUNT
//
// FOLDER becomes the `blocks` folder of a server, or a bucket's prefix. The blocks follow each
// other in time, ten seconds each, and have a few traces each. The ids of some traces are printed.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "block/block.h"
#include "block/block_fixture.h"

namespace {

using namespace weft;
namespace fs = std::filesystem;

constexpr uint32_t kSpans = 50;
constexpr uint64_t kPrintEvery = 10'000;
constexpr uint64_t kStepNs = 10'000'000'000;
constexpr uint64_t kFirstNs = 1'760'000'000'000'000'000;

bool WriteFile(const fs::path& path, std::string_view bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return out.good();
}

// The same spans over and over, each time of other traces and in the next ten seconds.
void MoveOn(uint64_t number, model::SpanBatch* batch) {
  for (uint32_t i = 0; i < batch->size(); ++i) {
    const uint64_t duration = batch->end_ns[i] - batch->start_ns[i];
    batch->start_ns[i] += kStepNs;
    batch->end_ns[i] = batch->start_ns[i] + duration;
  }
  for (model::TraceId& trace : batch->traces) trace.high = model::MixBits(trace.high + number);
}

model::SpanBatch FirstSpans() {
  model::SpanBatch batch = block::MakeShopBatch(1, kSpans);
  const uint64_t first = *std::min_element(batch.start_ns.begin(), batch.start_ns.end());
  for (uint32_t i = 0; i < batch.size(); ++i) {
    const uint64_t duration = batch.end_ns[i] - batch.start_ns[i];
    batch.start_ns[i] = kFirstNs + (batch.start_ns[i] - first) % kStepNs;
    batch.end_ns[i] = batch.start_ns[i] + duration;
  }
  return batch;
}

Result<block::EncodedBlock> MakeBlock(uint64_t number, const model::SpanBatch& batch) {
  const uint64_t start_ns = kFirstNs + number * kStepNs;
  block::BlockMeta meta;
  meta.id = block::NewBlockId(static_cast<int64_t>(start_ns), number);
  meta.tenant = "default";
  meta.created_ns = start_ns;
  if (number % kPrintEvery == 0) std::printf("%s\n", batch.trace_id(0).ToHex().c_str());
  return block::WriteBlock(block::MakeBlockInput({&batch}), std::move(meta), {});
}

int Fill(const fs::path& folder, uint64_t count) {
  const fs::path tenant = folder / "default";
  fs::create_directories(tenant);
  model::SpanBatch batch = FirstSpans();
  for (uint64_t number = 0; number < count; ++number, MoveOn(number, &batch)) {
    const auto made = MakeBlock(number, batch);
    if (!made.ok()) return std::fprintf(stderr, "%s\n", made.error().message().c_str()), 1;
    const fs::path place = tenant / made->meta.id;
    fs::create_directory(place);
    bool good = true;
    for (const block::BlockFile& file : made->files) {
      good = good && WriteFile(place / file.name, file.bytes);
    }
    if (!good || !WriteFile(place / "meta.json", made->meta.ToJson())) {
      return std::fprintf(stderr, "%s could not be written\n", place.c_str()), 1;
    }
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
