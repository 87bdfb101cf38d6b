// ColumnAssembler: the pages of a column chunk -> a Column in memory, or some rows of it. Codes and
// bits are decoded straight into the column's arrays.
//
// Pages may hold anything: what is no valid content is refused, and nothing beyond the rows asked
// for is allocated. One thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "block/chunk_encoder.h"
#include "block/column.h"
#include "block/schema.h"
#include "model/string_table.h"

namespace weft::block {

// How a column's chunk is stored and what it becomes.
struct ColumnShape {
  ColumnKind kind = ColumnKind::kString;
  bool optional = false;
  ChunkEncoding encoding = ChunkEncoding::kPlain;
  model::ValueType type = model::ValueType::kString;
  bool plain_numbers = false;  // numbers become plain even where the chunk has a dictionary
  // For FinishPacked: byte strings that are stored one by one stay so, equal ones are not found.
  bool packed = false;
  bool raw_uuids = false;  // UUIDs are their 16 bytes, not texts
};

// The values of a dictionary page; null when it is broken. `page` must have `count` values and is
// kept alive by `owner`.
std::shared_ptr<const Dictionary> DecodeDictionary(const ColumnShape& shape, std::string_view page,
                                                   uint32_t count,
                                                   std::shared_ptr<const void> owner);

// The values of a column alone.
PackedColumn Pack(const Column& column);

// Makes codes as narrow as the dictionary allows: for what is kept, and read through WithCodes.
void NarrowCodes(PackedColumn* column);

// Memory held by a dictionary and by a column without its dictionary.
size_t DictionaryBytes(const Dictionary& dictionary);
size_t ColumnBytes(const Column& column);
size_t PackedBytes(const PackedColumn& column);

class ColumnAssembler {
 public:
  // `dictionary` is the chunk's, where it has one. Makes a column of `row_count` rows.
  ColumnAssembler(const ColumnShape& shape, std::shared_ptr<const Dictionary> dictionary,
                  uint32_t row_count);

  // Takes rows [skip, skip + take) of a page of `page_rows` rows; false when the page is broken.
  [[nodiscard]] bool AddPage(std::string_view page, uint32_t page_rows, uint32_t skip,
                             uint32_t take);
  // Takes rows without a value.
  void AddNulls(uint32_t count) { row_ += count; }

  // The column, once all rows have been taken. Either of these, once.
  std::shared_ptr<Column> Finish();
  std::shared_ptr<PackedColumn> FinishPacked();

 private:
  bool AddValues(std::string_view bytes, uint32_t page_values, uint32_t skip, uint32_t take);
  bool AddCodes(std::string_view bytes, uint32_t skip, uint32_t take);
  bool AddDeltas(std::string_view bytes, uint32_t page_values, uint32_t skip, uint32_t take);
  bool AddSplitNumbers(std::string_view bytes, uint32_t skip, uint32_t take);
  bool AddPlainNumbers(std::string_view bytes, uint32_t skip, uint32_t take);
  bool AddPlainBools(std::string_view bytes, uint32_t skip, uint32_t take);
  bool AddPlainBytes(std::string_view bytes, uint32_t skip, uint32_t take);
  // Where `count` more values go.
  template <typename T>
  T* MakeRoom(uint32_t count, std::vector<T>* values) const;
  bool codes_wanted() const;
  template <typename T>
  void SpreadOver(const std::vector<T>& values, T nothing, std::vector<T>* rows) const;
  void FinishPlainBytes();
  void FinishPackedBytes();
  void LookUpNumbers();
  void FinishNumbers();

  ColumnShape shape_;
  std::shared_ptr<const Dictionary> dictionary_;
  std::shared_ptr<Column> column_;
  uint32_t row_ = 0;
  std::vector<uint64_t> present_;  // bit per row
  uint32_t present_count_ = 0;
  // Values that are there, in row order: one of these.
  std::vector<uint32_t> codes_;
  std::vector<int64_t> ints_;
  std::vector<double> doubles_;
  std::shared_ptr<model::StringTable> table_;  // of plain byte strings
  std::string plain_bytes_;                    // of them, when packed
  std::vector<size_t> plain_ends_;
  std::string text_;
};

}  // namespace weft::block
