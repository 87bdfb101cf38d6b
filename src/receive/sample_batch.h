// Batches for tests and benchmarks: reproducible from a seed, with everything a SpanBatch can hold.
#pragma once

#include <cstdint>
#include <memory>

#include "model/span_batch.h"

namespace weft::receive {

// `spans` spans of a few traces, resources and scopes, with values of all types nested up to
// `nesting` deep, events, links, and extreme numbers.
std::unique_ptr<model::SpanBatch> MakeSampleBatch(uint64_t seed, uint32_t spans,
                                                  uint32_t nesting = 3);

// `spans` spans in the manner of a web shop's: about 430 bytes of OTLP and 14 attributes each,
// seven kinds of span that alternate, values of every cardinality.
std::unique_ptr<model::SpanBatch> MakeShopBatch(uint64_t seed, uint32_t spans);

}  // namespace weft::receive
