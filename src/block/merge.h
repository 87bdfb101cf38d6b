// MergeBlocks: several blocks of one tenant -> one with the same spans.
//
// 1. Traces that several inputs hold fragments of become whole: one preorder over all their spans,
//    those that were stored twice left out and counted. So do traces of which some rows are to be
//    left out: what was below such a row becomes an orphan. All others keep their rows.
// 2. Traces are grouped and ordered, and attribute columns chosen, as if all spans had been written
//    at once: what comes out is what WriteBlock makes of the same spans, but for the order of
//    attributes.parquet within a span.
// 3. Columns are copied one at a time: the codes of each input's dictionary are translated once per
//    distinct value, rows are only numbers.
//
// Memory: the output, and the widest column of one output row group. Reads the inputs whole,
// through whatever cache they were opened with: open them with a small one of their own.
#pragma once

#include <memory>
#include <span>

#include "base/error.h"
#include "block/block.h"
#include "block/reader.h"
#include "block/row_set.h"

namespace weft::block {

// `id`, `tenant`, `created_ns` and `level` of `meta` are taken over, the rest is filled in;
// duplicate_count is that of the inputs and of what was left out now. kCorrupt when an input is not
// what was written. Uses the calling thread only.
//
// `left_out`, unless empty, has for each input the rows of its spans.parquet that do not come
// along, or null. Nothing of what only they had is in the output: neither values nor column names.
// May leave nothing: then the output has no spans.
Result<EncodedBlock> MergeBlocks(std::span<const std::shared_ptr<const Block>> inputs,
                                 BlockMeta meta, const BlockWriterOptions& options,
                                 std::span<const RowSetPtr> left_out = {});

}  // namespace weft::block
