// BloomFilter: which values a column chunk has, as Parquet's split-block Bloom filter
// (parquet-format, BloomFilter.md), which other engines read too.
//
// "Not here" is certain, "perhaps" is wrong for 0.3 to 9 % of values that are not here: the filter
// is a power of two bytes, which gives each value 6 to 12 bits (other implementations refuse
// other sizes). A value is known by the XXH64 of its plain encoding without a length.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "block/row_source.h"
#include "block/schema.h"

namespace weft::block {

class BloomFilter {
 public:
  // Room for so many distinct values.
  explicit BloomFilter(uint64_t value_count);
  // What AppendTo will take for so many, if the filter is not made smaller.
  static uint64_t StoredBytesFor(uint64_t value_count);

  // The same seed and byte order as every implementation.
  static uint64_t Hash(std::string_view plain_value);
  static uint64_t HashOfInt64(int64_t value);

  void Add(uint64_t hash);
  bool MayHave(uint64_t hash) const;
  // Halves the filter while its values still get 6 bits each: for when their number was not known.
  void Shrink();

  // As it stands in a file: header and bits.
  void AppendTo(std::string* out) const;
  // The other way round; nothing when that is no filter that AppendTo wrote.
  static std::optional<BloomFilter> Read(std::string_view bytes);

  size_t bytes() const { return words_.size() * sizeof(uint32_t); }

 private:
  static constexpr uint32_t kWordsPerBlock = 8;

  BloomFilter() = default;
  static uint64_t BytesFor(uint64_t value_count);
  size_t FirstWordOf(uint64_t hash) const;

  std::vector<uint32_t> words_;
};

// The hash under which a column of this kind has the value (kId16: its 16 bytes as text); nothing
// when it can't have it.
std::optional<uint64_t> HashOfWanted(ColumnKind kind, const WantedValue& value);

}  // namespace weft::block
