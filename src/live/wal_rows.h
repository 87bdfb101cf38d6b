// Which rows of which WAL records a block holds: the file `wal_rows.bin` that lies beside a block
// until those WAL segments are gone.
//
// After a crash the WAL is replayed; rows that a block already holds are left out, exactly. File:
// version u8 = 1, then runs of consecutive rows, ordered: {segment delta, record (delta within a
// segment), first row, count} as LEB128 varints, then crc32c u32.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace weft::live {

inline constexpr std::string_view kWalRowsFile = "wal_rows.bin";

// One span where the WAL has it.
struct WalRow {
  uint64_t segment = 0;
  uint32_t record = 0;  // in the segment
  uint32_t row = 0;     // in the record's batch

  auto operator<=>(const WalRow&) const = default;
};

// Sorts `rows` and encodes them.
std::string EncodeWalRows(std::vector<WalRow>* rows);

// A set of rows put together from such files. Not thread-safe while it grows.
class WalRowSet {
 public:
  // kCorrupt for damaged bytes; then nothing was added.
  Error Add(std::string_view file);
  bool Contains(const WalRow& row) const;
  // The segments that rows of the file are in.
  static Result<std::vector<uint64_t>> SegmentsOf(std::string_view file);

 private:
  struct Run {
    uint32_t first = 0;
    uint32_t count = 0;
  };
  std::map<std::pair<uint64_t, uint32_t>, std::vector<Run>> runs_;  // by segment and record
};

}  // namespace weft::live
