// A SpanBatch as bytes: what a WAL record holds.
//
// Layout: version (1 byte, 1), uncompressed size (u32 little-endian), LZ4 block. Uncompressed: the
// arrays of the batch in fixed order, each {count u32, width u8, count * width bytes}; a number
// array is stored with the fewest bytes that hold its largest value, times relative to the batch's
// earliest. Reading checks every length and index (model::IsWellFormed), so damaged bytes that pass
// the record's checksum still cannot do harm.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "model/span_batch.h"

namespace weft::live {

// Any thread. At most 1 GiB uncompressed, else kTooLarge.
Result<std::string> EncodeBatch(const model::SpanBatch& batch);

// kCorrupt for anything that EncodeBatch did not write; kUnsupported for a later version.
Result<std::unique_ptr<model::SpanBatch>> DecodeBatch(std::string_view bytes);

}  // namespace weft::live
