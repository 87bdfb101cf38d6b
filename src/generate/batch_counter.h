// Counts the spans of a batch by the labels that they will have.
//
// Spans are put together by the codes that their texts have in the batch; texts are looked at once
// for each combination. Any thread, any number at once.
#pragma once

#include <vector>

#include "generate/call_matcher.h"
#include "generate/options.h"
#include "generate/series_store.h"
#include "model/span_batch.h"

namespace weft::generate {

struct BatchCounts {
  std::vector<Increment> spans;
  std::vector<Increment> targets;
  std::vector<CallSide> calls;
};

BatchCounts CountBatch(const model::SpanBatch& batch, const Options& options);

}  // namespace weft::generate
