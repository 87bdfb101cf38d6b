// Which combination of values of some fields each row of a group has: what series are grouped by.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/error.h"
#include "query/exec/bitmap.h"
#include "query/exec/group_columns.h"
#include "query/exec/trace_joiner.h"
#include "query/plan/metrics.h"

namespace weft::query::exec {

// Works on codes of dictionaries where there are some; values become known only for combinations
// that occur.
class RowLabels {
 public:
  // Of the rows in `rows`. Without a joiner the group's traces are taken to be whole. The columns
  // must outlive it.
  static Result<RowLabels> Open(const std::vector<plan::LabelField>& by, const Bitmap& rows,
                                GroupColumns* columns, TraceJoiner* joiner);

  // Combinations are numbered 0 .. size() - 1; some may have no row.
  uint32_t size() const { return size_; }
  uint32_t of(uint32_t row) const { return codes_ == nullptr ? 0 : std::min(codes_[row], last_); }
  // One value for each field.
  std::vector<plan::Value> Values(uint32_t combination) const;

 private:
  // One field: `codes` by row, at most `values.size() - 1`, which is what greater codes mean too.
  struct FieldCodes {
    const uint32_t* codes = nullptr;
    std::vector<uint32_t> owned;
    std::vector<plan::Value> values;

    uint32_t of(uint32_t row) const {
      return std::min(codes[row], static_cast<uint32_t>(values.size()) - 1);
    }
  };

  static Result<FieldCodes> OpenField(const plan::Field& field, const Bitmap& rows,
                                      GroupColumns* columns, TraceJoiner* joiner);
  static Result<FieldCodes> OfTable(const plan::Field& field, const Bitmap& rows,
                                    GroupColumns* columns);
  static Result<FieldCodes> ByRow(const plan::Field& field, const Bitmap& rows,
                                  GroupColumns* columns, TraceJoiner* joiner);
  void Combine(const Bitmap& rows);

  std::vector<FieldCodes> fields_;
  std::vector<uint32_t> combined_;             // by row, of two fields or more
  std::vector<std::vector<uint32_t>> combos_;  // codes of each field
  const uint32_t* codes_ = nullptr;            // null: all rows are alike
  uint32_t last_ = 0;
  uint32_t size_ = 1;
};

}  // namespace weft::query::exec
