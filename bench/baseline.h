// What the bytes themselves cost: the measure that the server's work is compared with, on the same
// machine in the same run.
#pragma once

#include <cstdint>

#include "bench/traffic.h"

namespace weft::bench {

struct WalkCounts {
  uint64_t spans = 0;
  uint64_t attributes = 0;  // of spans
  uint64_t traces = 0;      // distinct trace ids
  uint64_t digest = 0;      // of all strings; keeps the work from being optimised away
};

// Visits every field of every span, resource, scope, event and link.
WalkCounts WalkFields(const Traffic& traffic);
// The same, and hashes every string, key and id (XXH3).
WalkCounts WalkAndHash(const Traffic& traffic);

}  // namespace weft::bench
