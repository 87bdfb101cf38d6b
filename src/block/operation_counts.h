// Counts of spans by minute, operation and latency: what rates, error rates and latency lines are
// drawn from without reading a span.
//
// A block has those of its spans in counts.parquet, counted once when it is written. Merging adds
// them up; where spans are left out (deleted, or stored twice) they are counted anew.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "base/error.h"
#include "block/row_source.h"
#include "block/table_reader.h"
#include "block/table_writer.h"
#include "model/string_table.h"

namespace weft::block {

inline constexpr uint64_t kMinuteNs = 60'000'000'000;

// A sum. Texts are codes of the string table beside it.
struct OperationCount {
  uint64_t minute = 0;      // of the starts of its spans: ns since 1970 / kMinuteNs
  model::Code service = 0;  // service.name of the resource, "" where there is none
  model::Code name = 0;
  uint8_t kind = 0;     // model::SpanKind
  bool error = false;   // status error
  uint16_t bucket = 0;  // of the duration, see latency_bucket.h
  uint64_t count = 0;
};

// Immutable once shared.
struct OperationCounts {
  model::StringTable strings;
  std::vector<OperationCount> counts;  // in no particular order, no two of the same spans

  bool SaysTheSame(const OperationCounts& other) const;
  size_t bytes() const { return strings.bytes() + counts.capacity() * sizeof(OperationCount); }
};

// Adds up. One thread at a time.
class OperationCounter {
 public:
  model::Code Intern(std::string_view text) { return strings_.Intern(text); }
  // Texts are codes from Intern.
  void Add(const OperationCount& count) { sums_[KeyOf(count)] += count.count; }
  void AddSpan(model::Code service, model::Code name, uint8_t kind, bool error, uint64_t start_ns,
               int64_t duration_ns);
  // Those of minutes in [first_minute, last_minute].
  void AddAll(const OperationCounts& counts, uint64_t first_minute = 0,
              uint64_t last_minute = UINT64_MAX);
  // The spans of a row group that start in those minutes, but for excluded ones.
  Error AddGroup(const RowGroup& group, uint64_t first_minute = 0,
                 uint64_t last_minute = UINT64_MAX);
  // Rows of a group that start in the first nanosecond of a minute.
  static Result<std::vector<uint32_t>> BordersOf(const RowGroup& group);
  // Counts these rows of a group, which are in the sums, with the minute before: minutes are then
  // as the steps of an axis are, without their beginning and with their end.
  Error MoveBorders(const RowGroup& group, const std::vector<uint32_t>& rows);

  // Of sums, and memory that they take.
  size_t size() const { return sums_.size(); }
  size_t bytes() const { return strings_.bytes() + sums_.capacity() * 48; }
  // Leaves nothing here.
  OperationCounts Take();

 private:
  // Calls visit(OperationCount of a span) for the rows, ascending.
  template <typename Visit>
  Error ForEachSpan(const RowGroup& group, const std::vector<uint32_t>& rows, Visit visit);

  // Service and name; minute, bucket, kind and error.
  using Key = std::pair<uint64_t, uint64_t>;
  static Key KeyOf(const OperationCount& count);

  model::StringTable strings_;
  absl::flat_hash_map<Key, uint64_t> sums_;
};

// counts.parquet: one row group for the whole block, sorted by service, name, kind, error, minute
// and duration.
Result<TableWriter::Finished> EncodeCounts(const OperationCounts& counts,
                                           const BlockWriterOptions& options);
// Adds the file to a block.
Error AddCounts(const OperationCounts& counts, const BlockWriterOptions& options,
                EncodedBlock* block);
// The other way round; kCorrupt when a row cannot be.
Result<OperationCounts> DecodeCounts(const TableReader& table, ByteCounter* bytes);

}  // namespace weft::block
