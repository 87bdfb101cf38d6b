// Spans and queries made by chance, for tests that compare two ways to answer.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "model/span_batch.h"

namespace weft::query::exec {

// The same seed gives the same things.
class Chance {
 public:
  explicit Chance(uint64_t seed) : engine_(seed) {}

  // 0 .. n - 1.
  uint32_t Below(uint32_t n) { return static_cast<uint32_t>(engine_() % n); }
  bool OneIn(uint32_t n) { return Below(n) == 0; }
  template <typename T>
  const T& Pick(const std::vector<T>& list) {
    return list[Below(static_cast<uint32_t>(list.size()))];
  }
  uint64_t Any64() { return engine_(); }

 private:
  std::mt19937_64 engine_;
};

// A few traces with few distinct values, so that conditions are often met: all value types, events,
// links, orphans, missing attributes, negative durations.
model::SpanBatch RandomSpans(Chance* chance, uint32_t traces);

// A span filter from the grammar. Most are well typed.
std::string RandomFilter(Chance* chance);

// A query of spansets from the grammar: relations, pipelines, groups, aggregates. Most are well
// typed.
std::string RandomPipeline(Chance* chance);

}  // namespace weft::query::exec
