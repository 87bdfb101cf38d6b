// A trace in one line, worked out from its spans.
#pragma once

#include "block/row_source.h"
#include "model/span_batch.h"

namespace weft::block {

// What the spans of `batch`, all of one trace, say about it; exact duplicates count once. An empty
// batch gives span_count 0.
//
// The root is the first row of the preorder when it has no parent id. Flags are what the preorder's
// marks imply.
TraceSummary SummarizeSpans(const model::SpanBatch& batch);

// The flags that marks imply: orphans, duplicate ids, cycles, clock skew.
uint32_t FlagsOfMarks(uint8_t marks);

// Removes exact duplicates (equal ids and content): what two sources may both give while a block
// becomes visible, or a sender's retry left in two blocks. Spans of any number of traces.
model::SpanBatch WithoutDuplicates(const model::SpanBatch& batch);

}  // namespace weft::block
