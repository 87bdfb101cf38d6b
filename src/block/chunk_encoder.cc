#include "block/chunk_encoder.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "block/delta_codec.h"
#include "block/hybrid_codec.h"
#include "block/split_codec.h"
#include "block/text_escape.h"
#include "block/uuid_text.h"
#include "model/ids.h"

namespace weft::block {
namespace {

// Below this a page is mostly header.
constexpr uint64_t kPageBytesWanted = 1024;
// A page of long values ends early, wherever the stripe ends: who reads a short value beside them
// reads no more than that, and one of them.
constexpr uint64_t kPageBytesMax = 1u << 20;
// A dictionary has to be read for a single row. Above the first size it must save much, above the
// second nothing is worth it.
constexpr uint64_t kDictionaryBytesWanted = 8u << 20;
constexpr uint64_t kDictionaryBytesMax = 64u << 20;
constexpr uint64_t kLargeDictionarySaves = 4;
// Bounds of longer values are left out: nobody prunes by them.
constexpr size_t kBoundBytesMax = 64;
// Pages of columns with more distinct values get no bounds: sorting them would cost more than it
// saves anyone.
constexpr size_t kRankedMax = 256;

int WidthOf(ColumnKind kind) {
  switch (kind) {
    case ColumnKind::kInt32:
    case ColumnKind::kUint32: return 4;
    case ColumnKind::kUuid:
    case ColumnKind::kId16: return 16;
    default: return 8;
  }
}

bool IsInteger(ColumnKind kind) {
  return kind == ColumnKind::kInt64 || kind == ColumnKind::kTimestamp;
}

bool MayHaveNumberDictionary(ColumnKind kind) {
  return kind != ColumnKind::kId8 && kind != ColumnKind::kBool && kind != ColumnKind::kTimestamp;
}

uint32_t CountBits(const uint64_t* bitmap, uint32_t begin, uint32_t end) {
  uint32_t ones = 0;
  for (uint32_t i = begin; i < end;) {
    const uint32_t take = std::min(64 - i % 64, end - i);
    uint64_t word = bitmap[i / 64] >> (i % 64);
    if (take < 64) word &= (uint64_t{1} << take) - 1;
    ones += std::popcount(word);
    i += take;
  }
  return ones;
}

// A UUID of 36 characters becomes 16 bytes; what has 16 already stays.
void AppendFixed16(ColumnKind kind, std::string_view value, std::string* out) {
  if (kind == ColumnKind::kUuid && value.size() != 16) {
    AppendUuidBytes(value, out);
  } else {
    out->append(value);
  }
}

// Orders numbers of a kind as Parquet's statistics do.
uint64_t OrderKey(ColumnKind kind, uint64_t number) {
  constexpr uint64_t kSign = uint64_t{1} << 63;
  switch (kind) {
    case ColumnKind::kInt32:
      return static_cast<uint64_t>(int64_t{static_cast<int32_t>(number)}) ^ kSign;
    case ColumnKind::kInt64:
    case ColumnKind::kTimestamp: return number ^ kSign;
    default: return number;
  }
}

}  // namespace

const EncodedChunk& ChunkEncoder::Encode(const ColumnSpec& spec, const ColumnValues& values) {
  spec_ = &spec;
  values_ = &values;
  out_.dictionary.clear();
  out_.dictionary_size = 0;
  out_.page_bytes.clear();
  out_.pages.clear();
  out_.nulls = values.rows - values.present();
  local_codes_.clear();
  first_uses_.clear();
  first_numbers_.clear();
  rank_.clear();
  bounds_usable_ = true;
  if (IsByteKind(spec.kind)) {
    ChooseForBytes();
  } else {
    ChooseForNumbers();
  }
  if (out_.encoding == ChunkEncoding::kDictionary) WriteDictionary();
  PlanPages();
  uint32_t first_value = 0;
  for (EncodedPage& page : out_.pages) {
    EncodePage(&page, first_value);
    first_value += page.rows - page.nulls;
  }
  BoundsOfChunk();
  if (out_.pages.size() > 1) BoundsOfPages();
  BuildFilter();
  return out_;
}

void ChunkEncoder::ChooseForBytes() {
  const model::StringTable& strings = *values_->strings;
  const bool fixed = WidthOf(spec_->kind) == 16;
  CodeByFirstUse();
  const uint64_t count = local_codes_.size();
  const uint64_t distinct = first_uses_.size();
  dictionary_bytes_ = fixed ? 16 * distinct : 0;
  if (!fixed) {
    for (const uint32_t code : first_uses_) dictionary_bytes_ += 4 + strings[code].size();
  }
  value_bytes_ = 0;
  // Where each value comes up twice or more the dictionary is smaller whatever the lengths are.
  bool dictionary = 2 * distinct < count && dictionary_bytes_ <= kDictionaryBytesWanted;
  if (!dictionary) {
    value_bytes_ = fixed ? 16 * count : 0;
    if (!fixed) {
      for (const uint32_t code : values_->codes) value_bytes_ += 4 + strings[code].size();
    }
    const uint64_t code_bytes =
        count * BitWidthOf(distinct == 0 ? 0 : static_cast<uint32_t>(distinct - 1)) / 8;
    const uint64_t saves = dictionary_bytes_ <= kDictionaryBytesWanted ? 1 : kLargeDictionarySaves;
    dictionary = saves * (dictionary_bytes_ + code_bytes) < value_bytes_ &&
                 dictionary_bytes_ <= kDictionaryBytesMax;
  }
  out_.encoding = dictionary ? ChunkEncoding::kDictionary : ChunkEncoding::kPlain;
}

void ChunkEncoder::CodeByFirstUse() {
  const uint32_t strings = values_->strings->size();
  if (local_of_code_.size() < strings) local_of_code_.resize(strings, 0);
  local_codes_.resize(values_->codes.size());
  for (size_t i = 0; i < values_->codes.size(); ++i) {
    const uint32_t code = values_->codes[i];
    uint32_t& local = local_of_code_[code];
    if (local == 0) {
      first_uses_.push_back(code);
      local = static_cast<uint32_t>(first_uses_.size());
    }
    local_codes_[i] = local - 1;
  }
  for (const uint32_t code : first_uses_) local_of_code_[code] = 0;
}

void ChunkEncoder::ChooseForNumbers() {
  if (MayHaveNumberDictionary(spec_->kind) && BuildNumberDictionary()) {
    const uint64_t count = values_->numbers.size();
    const uint64_t bits = BitWidthOf(static_cast<uint32_t>(first_numbers_.size()));
    const uint64_t width = WidthOf(spec_->kind);
    if (first_numbers_.size() * width + count * bits / 8 <= count * width / 2 + width) {
      out_.encoding = ChunkEncoding::kDictionary;
      return;
    }
  }
  if (IsInteger(spec_->kind) && DifferencesAreSmaller()) {
    out_.encoding = ChunkEncoding::kDelta;
  } else {
    out_.encoding = IsInteger(spec_->kind) || spec_->kind == ColumnKind::kDouble
                        ? ChunkEncoding::kSplit
                        : ChunkEncoding::kPlain;
  }
}

// Whether neighbours are closer to each other than to zero, as times and row numbers are. Durations
// and sizes are not: packing their differences saves nothing over the numbers themselves, whose
// high bytes at least compress.
bool ChunkEncoder::DifferencesAreSmaller() const {
  constexpr size_t kSamples = 1024;
  // A miniblock of differences is packed to the width of its largest.
  constexpr uint64_t kPackingLossBits = 4;
  const std::span<const uint64_t> numbers = values_->numbers;
  const size_t step = std::max<size_t>(1, numbers.size() / kSamples);
  const auto bits = [](uint64_t number) {
    const int64_t n = static_cast<int64_t>(number);
    return static_cast<uint64_t>(std::bit_width(n < 0 ? ~number : number));
  };
  uint64_t of_numbers = 0;
  uint64_t of_differences = 0;
  for (size_t i = 1; i < numbers.size(); i += step) {
    of_numbers += bits(numbers[i]);
    of_differences += bits(numbers[i] - numbers[i - 1]) + kPackingLossBits;
  }
  return of_differences < of_numbers || numbers.size() < 2;
}

// Gives up as soon as the values seen say that most are distinct.
bool ChunkEncoder::BuildNumberDictionary() {
  constexpr uint32_t kSlots = 1 << 16;
  constexpr uint32_t kDistinctMax = kSlots / 2;
  constexpr uint32_t kTrial = 1024;
  number_slots_.assign(kSlots, 0);
  const std::span<const uint64_t> numbers = values_->numbers;
  local_codes_.resize(numbers.size());
  for (size_t i = 0; i < numbers.size(); ++i) {
    const uint64_t number = numbers[i];
    if (i > 0 && number == numbers[i - 1]) {
      local_codes_[i] = local_codes_[i - 1];
      continue;
    }
    size_t at = number * 0x9e3779b97f4a7c15ULL >> 48;
    while (number_slots_[at] != 0 && first_numbers_[number_slots_[at] - 1] != number) {
      at = (at + 1) % kSlots;
    }
    if (number_slots_[at] == 0) {
      const size_t distinct = first_numbers_.size();
      if (distinct == kDistinctMax || (i >= kTrial && distinct * 2 > i)) return false;
      first_numbers_.push_back(number);
      number_slots_[at] = static_cast<uint32_t>(first_numbers_.size());
    }
    local_codes_[i] = number_slots_[at] - 1;
  }
  return true;
}

void ChunkEncoder::WriteDictionary() {
  if (!IsByteKind(spec_->kind)) {
    for (const uint64_t number : first_numbers_) AppendNumber(number, &out_.dictionary);
    out_.dictionary_size = static_cast<uint32_t>(first_numbers_.size());
    return;
  }
  out_.dictionary.reserve(dictionary_bytes_);
  for (const uint32_t code : first_uses_) {
    if (!AppendBytesValue(code, &out_.dictionary)) bounds_usable_ = false;
  }
  out_.dictionary_size = static_cast<uint32_t>(first_uses_.size());
}

bool ChunkEncoder::AppendBytesValue(uint32_t code, std::string* out) const {
  std::string_view value = (*values_->strings)[code];
  if (WidthOf(spec_->kind) == 16) {
    AppendFixed16(spec_->kind, value, out);
    return true;
  }
  const size_t begin = out->size();
  out->append(4, '\0');
  const bool escaped = spec_->kind != ColumnKind::kBytes && AppendEscapedText(value, out);
  if (!escaped) out->append(value);
  const uint32_t size = static_cast<uint32_t>(out->size() - begin - 4);
  std::memcpy(out->data() + begin, &size, 4);
  return !escaped;
}

void ChunkEncoder::AppendNumber(uint64_t number, std::string* out) const {
  if (spec_->kind == ColumnKind::kId8) number = __builtin_bswap64(number);
  const size_t width = spec_->kind == ColumnKind::kBool ? 1 : WidthOf(spec_->kind);
  out->append(reinterpret_cast<const char*>(&number), width);
}

uint64_t ChunkEncoder::EstimatedBytes() const {
  const uint64_t present = values_->present();
  const uint64_t levels =
      values_->validity && out_.nulls > 0 && present > 0 ? values_->rows / 8 : 0;
  switch (out_.encoding) {
    case ChunkEncoding::kDictionary:
      if (out_.dictionary_size <= 1) return levels;
      return levels + present * CodeWidthOf(out_.dictionary_size - 1) / 8;
    case ChunkEncoding::kDelta:
    case ChunkEncoding::kSplit: return levels + present * 4;
    case ChunkEncoding::kPlain:
      if (IsByteKind(spec_->kind)) return levels + value_bytes_;
      if (spec_->kind == ColumnKind::kBool) return levels + present / 8;
      return levels + present * WidthOf(spec_->kind);
  }
  return 0;
}

void ChunkEncoder::PlanPages() {
  const uint32_t rows = values_->rows;
  const uint64_t bytes = EstimatedBytes();
  if (out_.encoding == ChunkEncoding::kPlain && bytes > kPageBytesMax) {
    PlanLargePages();
    return;
  }
  const uint64_t stripes = (uint64_t{rows} + page_rows_ - 1) / page_rows_;
  const uint64_t pages =
      std::clamp<uint64_t>(bytes / kPageBytesWanted, 1, std::max<uint64_t>(stripes, 1));
  const uint64_t stripes_per_page = (stripes + pages - 1) / pages;
  const uint64_t step = std::max<uint64_t>(stripes_per_page * page_rows_, 1);
  for (uint64_t row = 0; row < rows; row += step) {
    const uint32_t count = static_cast<uint32_t>(std::min<uint64_t>(step, rows - row));
    out_.pages.push_back({.first_row = static_cast<uint32_t>(row), .rows = count});
  }
}

// Pages of long values: as usual, and also whenever the bytes have become too many.
void ChunkEncoder::PlanLargePages() {
  uint32_t first_row = 0;
  uint64_t bytes = 0;
  size_t value = 0;
  for (uint32_t row = 0; row < values_->rows; ++row) {
    const bool present = !values_->validity || (values_->validity[row / 64] >> (row % 64) & 1) != 0;
    uint64_t size = 0;
    if (present && IsByteKind(spec_->kind))
      size = (*values_->strings)[values_->codes[value]].size();
    if (row > first_row && (row % page_rows_ == 0 || bytes + size > kPageBytesMax)) {
      out_.pages.push_back({.first_row = first_row, .rows = row - first_row});
      first_row = row;
      bytes = 0;
    }
    bytes += size + 8;
    value += present;
  }
  out_.pages.push_back({.first_row = first_row, .rows = values_->rows - first_row});
}

void ChunkEncoder::EncodePage(EncodedPage* page, uint32_t first_value) {
  std::string& out = out_.page_bytes;
  page->begin = out.size();
  uint32_t present = page->rows;
  if (spec_->optional) {
    if (values_->validity) {
      present = CountBits(values_->validity, page->first_row, page->first_row + page->rows);
    }
    out.append(4, '\0');
    AppendLevels(values_->validity, page->first_row, page->rows, present, &out);
    const uint32_t size = static_cast<uint32_t>(out.size() - page->begin - 4);
    std::memcpy(out.data() + page->begin, &size, 4);
  }
  page->nulls = page->rows - present;
  AppendPageValues(first_value, present);
  page->end = out.size();
}

void ChunkEncoder::AppendPageValues(uint32_t first_value, uint32_t count) {
  std::string& out = out_.page_bytes;
  if (out_.encoding == ChunkEncoding::kDictionary) {
    const int width = CodeWidthOf(out_.dictionary_size == 0 ? 0 : out_.dictionary_size - 1);
    out.push_back(static_cast<char>(width));
    AppendHybrid(std::span(local_codes_).subspan(first_value, count), width, &out);
  } else if (out_.encoding == ChunkEncoding::kDelta) {
    const auto* numbers = reinterpret_cast<const int64_t*>(values_->numbers.data());
    AppendDelta({numbers + first_value, count}, &out);
  } else if (out_.encoding == ChunkEncoding::kSplit) {
    AppendSplit(values_->numbers.subspan(first_value, count), &out);
  } else if (IsByteKind(spec_->kind)) {
    for (const uint32_t code : values_->codes.subspan(first_value, count)) {
      if (!AppendBytesValue(code, &out)) bounds_usable_ = false;
    }
  } else if (spec_->kind == ColumnKind::kBool) {
    AppendPlainBools(first_value, count);
  } else {
    for (const uint64_t n : values_->numbers.subspan(first_value, count)) AppendNumber(n, &out);
  }
}

void ChunkEncoder::AppendPlainBools(uint32_t first_value, uint32_t count) {
  const size_t begin = out_.page_bytes.size();
  out_.page_bytes.resize(begin + (count + 7) / 8, '\0');
  for (uint32_t i = 0; i < count; ++i) {
    const uint64_t bit = values_->numbers[first_value + i] & 1;
    out_.page_bytes[begin + i / 8] |= static_cast<char>(bit << (i % 8));
  }
}

void ChunkEncoder::BoundsOfNumbers(std::span<const uint64_t> numbers, ValueBounds* bounds) const {
  bounds->known = false;
  if (numbers.empty()) return;
  uint64_t min = numbers[0];
  uint64_t max = numbers[0];
  if (spec_->kind == ColumnKind::kDouble) {
    double low = INFINITY;
    double high = -INFINITY;
    for (const uint64_t n : numbers) {
      const double value = std::bit_cast<double>(n);
      if (std::isnan(value)) return;  // Parquet: a chunk with a NaN has no bounds
      low = std::min(low, value);
      high = std::max(high, value);
    }
    // Zeros of both signs are equal; the bounds must hold either.
    min = std::bit_cast<uint64_t>(low == 0 ? -0.0 : low);
    max = std::bit_cast<uint64_t>(high == 0 ? 0.0 : high);
  } else {
    uint64_t low = UINT64_MAX;
    uint64_t high = 0;
    for (const uint64_t n : numbers) {
      const uint64_t key = OrderKey(spec_->kind, n);
      low = std::min(low, key);
      high = std::max(high, key);
    }
    min = OrderKey(spec_->kind, low);
    max = OrderKey(spec_->kind, high);
  }
  bounds->known = true;
  bounds->min.clear();
  bounds->max.clear();
  AppendNumber(min, &bounds->min);
  AppendNumber(max, &bounds->max);
}

void ChunkEncoder::BoundsOfPages() {
  RankDictionary();
  uint32_t first_value = 0;
  for (EncodedPage& page : out_.pages) {
    const uint32_t present = page.rows - page.nulls;
    if (IsByteKind(spec_->kind)) {
      BoundsOfCodes(first_value, present, &page.bounds);
    } else {
      BoundsOfNumbers(values_->numbers.subspan(first_value, present), &page.bounds);
    }
    first_value += present;
  }
}

void ChunkEncoder::RankDictionary() {
  if (!IsByteKind(spec_->kind) || first_uses_.size() > kRankedMax || !out_.bounds.known) return;
  const model::StringTable& strings = *values_->strings;
  by_rank_.resize(first_uses_.size());
  for (uint32_t i = 0; i < by_rank_.size(); ++i) {
    if (strings[first_uses_[i]].size() > kBoundBytesMax) return;
    by_rank_[i] = i;
  }
  std::sort(by_rank_.begin(), by_rank_.end(), [&](uint32_t a, uint32_t b) {
    return strings[first_uses_[a]] < strings[first_uses_[b]];
  });
  rank_.resize(by_rank_.size());
  for (uint32_t i = 0; i < by_rank_.size(); ++i) rank_[by_rank_[i]] = i;
}

void ChunkEncoder::BoundsOfCodes(uint32_t first_value, uint32_t count, ValueBounds* bounds) const {
  bounds->known = false;
  if (rank_.empty() || count == 0) return;
  uint32_t low = UINT32_MAX;
  uint32_t high = 0;
  for (uint32_t i = first_value; i < first_value + count; ++i) {
    low = std::min(low, rank_[local_codes_[i]]);
    high = std::max(high, rank_[local_codes_[i]]);
  }
  AppendBound(first_uses_[by_rank_[low]], &bounds->min);
  AppendBound(first_uses_[by_rank_[high]], &bounds->max);
  bounds->known = true;
}

void ChunkEncoder::BoundsOfChunk() {
  ValueBounds& bounds = out_.bounds;
  bounds = {};
  if (!IsByteKind(spec_->kind)) {
    BoundsOfNumbers(out_.encoding == ChunkEncoding::kDictionary ? first_numbers_ : values_->numbers,
                    &bounds);
    return;
  }
  if (first_uses_.empty() || !bounds_usable_) return;
  const model::StringTable& strings = *values_->strings;
  uint32_t min = first_uses_[0];
  uint32_t max = first_uses_[0];
  for (const uint32_t code : first_uses_) {
    if (strings[code] < strings[min]) min = code;
    if (strings[max] < strings[code]) max = code;
  }
  if (strings[min].size() > kBoundBytesMax || strings[max].size() > kBoundBytesMax) return;
  AppendBound(min, &bounds.min);
  AppendBound(max, &bounds.max);
  bounds.known = true;
}

// Bounds are stored without the length; values that were escaped never get here.
void ChunkEncoder::AppendBound(uint32_t code, std::string* out) const {
  const std::string_view value = (*values_->strings)[code];
  if (WidthOf(spec_->kind) == 16) {
    AppendFixed16(spec_->kind, value, out);
  } else {
    out->append(value);
  }
}

void ChunkEncoder::BuildFilter() {
  out_.filter.reset();
  switch (spec_->kind) {
    case ColumnKind::kString:
    case ColumnKind::kUuid:
    case ColumnKind::kId16:
      if (!first_uses_.empty() && dictionary_bytes_ >= filter_from_bytes_) FilterTexts();
      break;
    case ColumnKind::kInt64:
      // Columns that every row has are no attributes: durations, row numbers.
      if (spec_->optional) FilterIntegers();
      break;
    default: break;
  }
}

void ChunkEncoder::FilterTexts() {
  const model::StringTable& strings = *values_->strings;
  BloomFilter& filter = out_.filter.emplace(first_uses_.size());
  std::string stored;
  for (const uint32_t code : first_uses_) {
    std::string_view value = strings[code];
    if (spec_->kind == ColumnKind::kUuid && value.size() != 16) {
      stored.clear();
      AppendUuidBytes(value, &stored);
      value = stored;
    } else if (!bounds_usable_) {
      stored.clear();
      if (AppendEscapedText(value, &stored)) value = stored;
    }
    filter.Add(BloomFilter::Hash(value));
  }
}

// Without a dictionary it is not known how many are distinct.
void ChunkEncoder::FilterIntegers() {
  const bool coded = out_.encoding == ChunkEncoding::kDictionary;
  const std::span<const uint64_t> numbers = coded ? first_numbers_ : values_->numbers;
  if (numbers.empty() || numbers.size() * sizeof(uint64_t) < filter_from_bytes_) return;
  BloomFilter& filter = out_.filter.emplace(numbers.size());
  for (const uint64_t number : numbers) {
    filter.Add(BloomFilter::HashOfInt64(static_cast<int64_t>(number)));
  }
  if (!coded) filter.Shrink();
}

}  // namespace weft::block
