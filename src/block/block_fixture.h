// Spans for tests, benchmarks and fuzzers of blocks, made from a seed: no part of the server.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/env.h"
#include "block/block.h"
#include "block/reader.h"
#include "model/span_batch.h"

namespace weft::block {

// splitmix64: the same numbers on every machine.
class SeededRandom {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed) {}
  uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15ULL;
    return model::MixBits(state_);
  }
  uint64_t Below(uint64_t limit) { return Next() % limit; }
  bool OneIn(uint64_t n) { return Below(n) == 0; }

 private:
  uint64_t state_;
};

// Spans as odd as OTLP allows: every value type, nesting, empty and huge strings, bytes that are
// no UTF-8, duplicate keys and ids, orphans, cycles, times from 0 to 2^64 - 1, negative durations.
model::SpanBatch MakeOddBatch(uint64_t seed, uint32_t traces);

// Requests of a web shop: about 14 spans a trace and 14 attributes a span, spread over 18 services.
model::SpanBatch MakeShopBatch(uint64_t seed, uint32_t spans);

// The traces of the batches in preorder, spans sent twice left out.
BlockInput MakeBlockInput(const std::vector<const model::SpanBatch*>& batches);

// A span with all that it says, as one JSON object: times in ns, ids in hex, attributes sorted by
// their text. Two spans are the same when their descriptions are.
std::string DescribeSpan(const model::SpanBatch& batch, uint32_t row);

// A file in memory, optionally handed out as if it were mapped.
class MemoryFile final : public ReadableFile {
 public:
  MemoryFile(std::string bytes, bool mapped) : bytes_(std::move(bytes)), mapped_(mapped) {}
  Error ReadAt(uint64_t offset, size_t length, char* out) const override;
  uint64_t size_bytes() const override { return bytes_.size(); }
  std::string_view mapped() const override { return mapped_ ? bytes_ : std::string_view(); }

 private:
  std::string bytes_;
  bool mapped_;
};

// The files of an encoded block.
class MemoryFiles final : public FileOpener {
 public:
  explicit MemoryFiles(std::vector<BlockFile> files, bool mapped = true)
      : files_(std::move(files)), mapped_(mapped) {}
  Result<std::unique_ptr<ReadableFile>> Open(std::string_view name) const override;

 private:
  std::vector<BlockFile> files_;
  bool mapped_;
};

}  // namespace weft::block
