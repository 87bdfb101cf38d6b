// The attribute columns of one scope's table, merged: which there are, and where each part has its
// values: in a column of its own, or among the attributes without one.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "block/attribute_plan.h"
#include "block/merge_part.h"
#include "block/overflow_writer.h"
#include "model/string_table.h"

namespace weft::block {

class AttributeMerge {
 public:
  // The parts must outlive it. Counts all attributes of the scope in all parts and chooses.
  static Result<std::unique_ptr<AttributeMerge>> Make(Scope scope,
                                                      std::span<const MergePart> parts);
  AttributeMerge(const AttributeMerge&) = delete;
  AttributeMerge& operator=(const AttributeMerge&) = delete;

  Scope scope() const { return scope_; }
  const std::vector<ColumnSpec>& columns() const { return chosen_.specs; }

  // The values of a column in each part with `wanted`; null for the others.
  Result<std::vector<PackedColumnPtr>> Read(uint32_t column, const std::vector<bool>& wanted) const;

  // Appends what has no column, for the rows that `new_row` knows: new_row[part][row] is the row of
  // the merged file, or kNotHere. Strings go to `strings`.
  static constexpr uint64_t kNotHere = ~uint64_t{0};
  // Whether a part may have some of it.
  bool MayHaveOverflow(const MergePart& part) const {
    return !part.overflow->EntriesOf(scope_).empty() || !without_column_[part.input].empty();
  }
  Error AddOverflow(const std::vector<std::vector<uint64_t>>& new_row, OverflowRows* out,
                    model::StringTable* strings) const;

 private:
  using Name = std::pair<std::string, model::ValueType>;  // key and type
  struct Count {
    uint64_t rows = 0;
    bool uuid = true;
  };
  using Counts = std::map<Name, Count, std::less<>>;

  AttributeMerge(Scope scope, std::span<const MergePart> parts) : scope_(scope), parts_(parts) {}
  void Choose(const Counts& counts);
  Error CountColumns(const MergePart& part, Counts* counts) const;
  // How often keys without a column occur, by a hash of key and type: too high, never too low. A
  // million keys that one row each has cost no more memory than one.
  using Sketch = std::vector<uint32_t>;
  Sketch CountRoughly() const;
  // Counts those that may be frequent enough for a column.
  void CountOverflow(const MergePart& part, const Sketch& sketch, uint64_t rare_below,
                     Counts* counts) const;
  uint64_t KeptRows() const;
  // The column of a part's table that has the values of a chosen column, or kNone.
  uint32_t OwnColumn(const MergePart& part, uint32_t column) const {
    return own_[part.input][column];
  }
  Error AddColumns(uint32_t part, const std::vector<uint64_t>& new_row, OverflowRows* out,
                   model::StringTable* strings) const;
  void AddEntries(uint32_t part, const std::vector<uint64_t>& new_row, OverflowRows* out,
                  model::StringTable* strings) const;

  static constexpr uint32_t kNone = 0xffffffff;

  Scope scope_;
  std::span<const MergePart> parts_;
  ChosenColumns chosen_;
  std::vector<Name> names_;                            // of each chosen column
  std::map<Name, uint32_t, std::less<>> column_of_;    // chosen ones
  std::vector<std::vector<uint32_t>> own_;             // per input and chosen column
  std::vector<std::vector<uint32_t>> without_column_;  // per input: columns that are not chosen
};

}  // namespace weft::block
