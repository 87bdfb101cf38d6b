// What a block is made from and made of: BlockInput -> WriteBlock -> EncodedBlock -> BlockSink.
//
// The format is described in docs/block-format.md; the columns in block/schema.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "block/row_source.h"
#include "model/preorder.h"
#include "model/span_batch.h"
#include "model/span_sink.h"

namespace weft::block {

// One span of a BlockInput: row `row` of batch `batch`.
struct RowRef {
  uint32_t batch = 0;
  uint32_t row = 0;
};

// Whole traces (or fragments) in preorder. The batches must outlive the input and not change.
struct BlockInput {
  struct Trace {
    model::TraceId id;
    uint32_t first_row = 0;  // into the arrays below
    uint32_t row_count = 0;
    uint32_t flags = 0;  // TraceFlag; the writer adds what marks imply
  };

  std::vector<const model::SpanBatch*> batches;
  std::vector<Trace> traces;  // in any order
  // One entry per span, a trace's side by side and in preorder (see model/preorder.h).
  std::vector<RowRef> rows;
  std::vector<uint32_t> parent;
  std::vector<uint32_t> subtree_size;
  std::vector<uint8_t> marks;
};

struct FileMeta {
  std::string name;
  uint64_t size_bytes = 0;
  uint32_t crc32c = 0;
  // Of Parquet files: the page index and the footer, at the end of the file, so that opening a
  // block can trust them without reading all of it.
  uint64_t tail_bytes = 0;
  uint32_t tail_crc32c = 0;
};

// One row group of spans.parquet.
struct RowGroupMeta {
  uint64_t span_count = 0;
  uint64_t trace_count = 0;
  uint64_t first_start_ns = 0;  // of its spans
  uint64_t last_start_ns = 0;
  uint64_t last_trace_start_ns = 0;  // of its traces
};

// A service that sends ids as attribute keys, see block/key_flood.h.
struct ManyKeys {
  std::string service;
  uint64_t keys = 0;    // distinct ones without a column
  std::string example;  // one of them
};

// meta.json: written last, so that its presence makes the block exist.
struct BlockMeta {
  static constexpr uint32_t kFormatVersion = 4;

  uint32_t format_version = kFormatVersion;
  std::string id;  // see NewBlockId
  model::TenantId tenant;
  uint64_t created_ns = 0;
  uint32_t level = 0;  // 0 fresh, then +1 with each compaction
  uint64_t span_count = 0;
  uint64_t trace_count = 0;
  uint64_t event_count = 0;
  uint64_t link_count = 0;
  uint64_t first_start_ns = 0;  // of its spans
  uint64_t last_start_ns = 0;
  uint64_t last_end_ns = 0;
  uint64_t duplicate_count = 0;  // spans left out because they were sent again
  std::vector<RowGroupMeta> row_groups;
  std::vector<FileMeta> files;  // all but meta.json
  // Ids of blocks whose spans are in this one: where they still lie about they are to be ignored.
  std::vector<std::string> replaces;
  // Of a block that a deletion has written: the deletion's id. While the record of that deletion is
  // not there the block is to be ignored. Else empty.
  std::string deletion;
  std::vector<ManyKeys> many_keys;

  // The text ends with a checksum of itself, which FromJson verifies: kCorrupt when it is not what
  // was written, kUnsupported for a format version of a later weft.
  std::string ToJson() const;
  static Result<BlockMeta> FromJson(std::string_view json);

  uint64_t TotalBytes() const;
};

// A new id: 24 hex digits, 12 of the creation time in ms and 12 of random bits, so that ids sort by
// age.
std::string NewBlockId(int64_t now_ns, uint64_t random);

struct BlockFile {
  std::string name;
  std::string bytes;
};

// Its line in meta.json. `tail_bytes`: see FileMeta.
FileMeta Describe(const BlockFile& file, uint64_t tail_bytes = 0);

// A whole block in memory. `meta.files` describes `files`.
struct EncodedBlock {
  BlockMeta meta;
  std::vector<BlockFile> files;
  // Files that lie in the block's folder for a while and are no part of the format: readers and
  // checks neither need nor mind them, and meta.json does not list them. They are durable before
  // the block becomes visible.
  std::vector<BlockFile> auxiliary;

  // Adds a file and its line in meta.files. `tail_bytes`: see FileMeta.
  void AddFile(std::string name, std::string bytes, uint64_t tail_bytes = 0);
};

struct BlockWriterOptions {
  uint32_t row_group_rows_max = 1u << 17;  // a larger trace has a row group of its own
  uint32_t page_rows = 8192;               // every column breaks its pages at the same rows
  int zstd_level = 1;
  // A column of a row group whose distinct values take so many bytes gets a Bloom filter
  // (block/bloom_filter.h): what is smaller is as well read itself.
  uint32_t filter_from_bytes = 16 << 10;
};

// Encodes the input. `id`, `tenant`, `created_ns` and `duplicate_count` of `meta` are taken over,
// the rest is filled in. Uses the calling thread only.
Result<EncodedBlock> WriteBlock(const BlockInput& input, BlockMeta meta,
                                const BlockWriterOptions& options);

// BlockSink: the waist between whoever makes blocks and wherever they go.
class BlockSink {
 public:
  virtual ~BlockSink() = default;
  // Returns when the block is durable and visible to queries; blocks for I/O. On failure nothing of
  // it is visible. Any thread.
  virtual Error WriteBlock(EncodedBlock block) = 0;

  // The auxiliary file `name` of every block that has one, all tenants.
  struct AuxiliaryFile {
    model::TenantId tenant;
    std::string block_id;
    std::string bytes;
  };
  virtual Result<std::vector<AuxiliaryFile>> ReadAuxiliary(std::string_view name) const = 0;
  // Removes it from one block; ok when there is none.
  virtual Error RemoveAuxiliary(const model::TenantId& tenant, const std::string& block_id,
                                std::string_view name) = 0;
};

}  // namespace weft::block
