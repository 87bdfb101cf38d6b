// ChunkEncoder: the values of one column of one row group -> the content of its Parquet pages.
//
// 1. Choose the encoding. Byte strings: a dictionary by first use, unless repeating every value is
//    smaller. Numbers: a dictionary when few are distinct, else differences or their bytes apart.
// 2. Choose the pages. They end at multiples of `page_rows`, the same rows for every column of a
//    file, so that a trace is found in one page of each; a column so small that such pages would
//    be mostly headers gets fewer, up to one for the whole row group.
// 3. Encode each page: definition levels (an optional column's validity bitmap as it is), then the
//    values that are there. Nothing is compressed here.
// 4. Take the smallest and the largest value, of the chunk and of each page.
// 5. Where the distinct values are many or long, make a filter of them (block/bloom_filter.h): of
//    texts, UUIDs and the integers of attributes, which are what is asked for by their value.
//
// Keeps its working memory between calls. One thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "block/block.h"
#include "block/bloom_filter.h"
#include "block/schema.h"
#include "model/string_table.h"

namespace weft::block {

// The values of a column in memory. Only values that are there are listed, in row order.
struct ColumnValues {
  uint32_t rows = 0;
  const uint64_t* validity = nullptr;  // bit per row; null when every row has a value
  // Number kinds: the bits of the int64 (smaller kinds: their value), of the double, 0 or 1.
  std::span<const uint64_t> numbers;
  // Byte kinds: codes into `strings`, which has raw bytes (not escaped; UUIDs as text or as their
  // 16 bytes, all alike).
  std::span<const uint32_t> codes;
  const model::StringTable* strings = nullptr;

  uint32_t present() const { return static_cast<uint32_t>(numbers.size() + codes.size()); }
};

enum class ChunkEncoding : uint8_t { kPlain, kDictionary, kDelta, kSplit };

// Smallest and largest value in Parquet's plain encoding; not known when `known` is false.
struct ValueBounds {
  bool known = false;
  std::string min;
  std::string max;
};

struct EncodedPage {
  uint32_t first_row = 0;
  uint32_t rows = 0;
  uint32_t nulls = 0;
  size_t begin = 0;  // of its bytes in EncodedChunk::pages
  size_t end = 0;
  ValueBounds bounds;
};

struct EncodedChunk {
  ChunkEncoding encoding = ChunkEncoding::kPlain;
  std::string dictionary;  // plain-encoded
  uint32_t dictionary_size = 0;
  std::string page_bytes;
  std::vector<EncodedPage> pages;
  uint32_t nulls = 0;
  ValueBounds bounds;
  std::optional<BloomFilter> filter;
};

class ChunkEncoder {
 public:
  explicit ChunkEncoder(const BlockWriterOptions& options)
      : page_rows_(options.page_rows), filter_from_bytes_(options.filter_from_bytes) {}

  // The result is valid until the next call.
  const EncodedChunk& Encode(const ColumnSpec& spec, const ColumnValues& values);

 private:
  void ChooseForBytes();
  void CodeByFirstUse();
  void ChooseForNumbers();
  bool BuildNumberDictionary();
  bool DifferencesAreSmaller() const;
  void WriteDictionary();
  // Appends one byte-kind value in its stored form; returns whether that is the value itself.
  bool AppendBytesValue(uint32_t code, std::string* out) const;
  void AppendNumber(uint64_t number, std::string* out) const;

  uint64_t EstimatedBytes() const;
  void PlanPages();
  void PlanLargePages();
  void EncodePage(EncodedPage* page, uint32_t first_value);
  void AppendPageValues(uint32_t first_value, uint32_t count);
  void AppendPlainBools(uint32_t first_value, uint32_t count);

  void BoundsOfNumbers(std::span<const uint64_t> numbers, ValueBounds* bounds) const;
  void BoundsOfPages();
  void RankDictionary();
  void BoundsOfCodes(uint32_t first_value, uint32_t count, ValueBounds* bounds) const;
  void BoundsOfChunk();
  void AppendBound(uint32_t code, std::string* out) const;

  void BuildFilter();
  void FilterTexts();
  void FilterIntegers();

  uint32_t page_rows_;
  uint32_t filter_from_bytes_;
  EncodedChunk out_;
  // Of the current call.
  const ColumnSpec* spec_ = nullptr;
  const ColumnValues* values_ = nullptr;
  std::vector<uint32_t> local_codes_;    // codes into the chunk's dictionary, one per value
  std::vector<uint32_t> first_uses_;     // byte kinds: code in `strings` of each dictionary entry
  std::vector<uint64_t> first_numbers_;  // number kinds: each dictionary entry
  uint64_t value_bytes_ = 0;             // byte kinds: of all values together
  uint64_t dictionary_bytes_ = 0;        // byte kinds: of the distinct ones
  bool bounds_usable_ = false;           // stored order is the order in memory
  std::vector<uint32_t> rank_;           // dictionary entry -> place in sorted order, when few
  std::vector<uint32_t> by_rank_;
  // Scratch that is clean between calls.
  std::vector<uint32_t> local_of_code_;  // local code + 1, or 0
  std::vector<uint32_t> number_slots_;
};

}  // namespace weft::block
