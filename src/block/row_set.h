// RowSet: rows of a table as sorted runs, for sets that are mostly stretches: rows that do not
// count any more, rows to leave out of a merge.
//
// Row numbers count through a whole file, as in docs/block-format.md. Immutable; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/error.h"

namespace weft::block {

class RowSet {
 public:
  struct Run {
    uint64_t first = 0;
    uint64_t count = 0;

    bool operator==(const Run&) const = default;
  };

  RowSet() = default;
  // kCorrupt unless the runs are ascending, apart and not empty.
  static Result<RowSet> FromRuns(std::vector<Run> runs);

  bool empty() const { return runs_.empty(); }
  uint64_t row_count() const { return row_count_; }
  const std::vector<Run>& runs() const { return runs_; }
  // One past the last row of the set; 0 of an empty one.
  uint64_t end() const { return runs_.empty() ? 0 : runs_.back().first + runs_.back().count; }
  bool Contains(uint64_t row) const { return CountIn(row, 1) == 1; }
  // How many of the rows [first, first + count) are in the set.
  uint64_t CountIn(uint64_t first, uint64_t count) const;
  // The rows [first, first + count) as bits, row `first` being bit 0 of word 0; empty when none is
  // in the set.
  std::vector<uint64_t> Bits(uint64_t first, uint32_t count) const;

  // What is in one of both, or in both.
  static RowSet Union(const RowSet& a, const RowSet& b);
  // The rows of [0, row_count) that are not in the set.
  RowSet Complement(uint64_t row_count) const;

 private:
  // The first run that ends after `row`.
  std::vector<Run>::const_iterator RunAfter(uint64_t row) const;

  std::vector<Run> runs_;
  uint64_t row_count_ = 0;
};

using RowSetPtr = std::shared_ptr<const RowSet>;

// Puts rows together that come in ascending order; a row may come again.
class RowSetBuilder {
 public:
  void Add(uint64_t first, uint64_t count);
  RowSet Finish();

 private:
  std::vector<RowSet::Run> runs_;
};

}  // namespace weft::block
