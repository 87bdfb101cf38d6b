#include "block/column_assembler.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <deque>
#include <string>
#include <type_traits>

#include "block/delta_codec.h"
#include "block/hybrid_codec.h"
#include "block/split_codec.h"
#include "block/text_escape.h"
#include "block/uuid_text.h"

namespace weft::block {
namespace {

using model::ValueType;

bool IsText(ColumnKind kind) { return kind == ColumnKind::kString || kind == ColumnKind::kJson; }

int NumberWidth(ColumnKind kind) {
  return kind == ColumnKind::kInt32 || kind == ColumnKind::kUint32 ? 4 : 8;
}

// A plain-encoded number as an int64: 32-bit ones by their sign, ids in big-endian order.
int64_t LoadInt(ColumnKind kind, const char* bytes) {
  uint64_t wide = 0;
  if (NumberWidth(kind) == 4) {
    uint32_t narrow;
    std::memcpy(&narrow, bytes, 4);
    if (kind == ColumnKind::kInt32) return static_cast<int32_t>(narrow);
    return narrow;
  }
  std::memcpy(&wide, bytes, 8);
  if (kind == ColumnKind::kId8) wide = __builtin_bswap64(wide);
  return static_cast<int64_t>(wide);
}

// Takes one length-prefixed string off the front.
bool TakeString(std::string_view* bytes, std::string_view* value) {
  uint32_t size;
  if (bytes->size() < 4) return false;
  std::memcpy(&size, bytes->data(), 4);
  if (bytes->size() - 4 < size) return false;
  *value = bytes->substr(4, size);
  bytes->remove_prefix(4 + size_t{size});
  return true;
}

// What a dictionary's views point into.
struct DictionaryOwner {
  std::shared_ptr<const void> page;
  std::string uuid_texts;
  std::deque<std::string> unescaped;
};

bool DecodeStrings(std::string_view page, uint32_t count, bool text, DictionaryOwner* owner,
                   std::vector<std::string_view>* strings) {
  if (page.size() / 4 < count) return false;
  strings->reserve(count);
  std::string_view value;
  for (uint32_t i = 0; i < count; ++i) {
    if (!TakeString(&page, &value)) return false;
    if (text) {
      std::string original;
      if (AppendUnescapedText(value, &original)) {
        value = owner->unescaped.emplace_back(std::move(original));
      }
    }
    strings->push_back(value);
  }
  return true;
}

bool DecodeFixed16(std::string_view page, uint32_t count, bool uuid, DictionaryOwner* owner,
                   std::vector<std::string_view>* strings) {
  constexpr size_t kUuidText = 36;
  if (page.size() / 16 < count) return false;
  strings->reserve(count);
  if (uuid) owner->uuid_texts.reserve(count * kUuidText);
  for (uint32_t i = 0; i < count; ++i) {
    const std::string_view bytes = page.substr(size_t{i} * 16, 16);
    if (uuid) AppendUuidText(bytes, &owner->uuid_texts);
    strings->push_back(bytes);
  }
  for (uint32_t i = 0; uuid && i < count; ++i) {
    (*strings)[i] = std::string_view(owner->uuid_texts).substr(i * kUuidText, kUuidText);
  }
  return true;
}

bool DecodeNumbers(ColumnKind kind, std::string_view page, uint32_t count, Dictionary* dictionary) {
  const size_t width = NumberWidth(kind);
  if (page.size() / width < count) return false;
  for (uint32_t i = 0; i < count; ++i) {
    const int64_t number = LoadInt(kind, page.data() + i * width);
    if (kind == ColumnKind::kDouble) {
      dictionary->doubles.push_back(std::bit_cast<double>(number));
    } else {
      dictionary->ints.push_back(number);
    }
  }
  return true;
}

std::shared_ptr<const Dictionary> BoolDictionary() {
  static const std::shared_ptr<const Dictionary> kDictionary = [] {
    auto dictionary = std::make_shared<Dictionary>();
    dictionary->type = ValueType::kBool;
    dictionary->ints = {0, 1};
    return dictionary;
  }();
  return kDictionary;
}

void CountBefore(PackedColumn* column) {
  uint32_t values = 0;
  column->values_before.reserve(column->present.size());
  for (const uint64_t word : column->present) {
    column->values_before.push_back(values);
    values += static_cast<uint32_t>(std::popcount(word));
  }
}

template <typename T>
size_t HeldBytes(const std::vector<T>& v) {
  return v.capacity() * sizeof(T);
}

}  // namespace

std::shared_ptr<const Dictionary> DecodeDictionary(const ColumnShape& shape, std::string_view page,
                                                   uint32_t count,
                                                   std::shared_ptr<const void> owner) {
  auto dictionary = std::make_shared<Dictionary>();
  dictionary->type = shape.type;
  auto texts = std::make_shared<DictionaryOwner>();
  texts->page = std::move(owner);
  bool ok;
  if (!IsByteKind(shape.kind)) {
    ok = DecodeNumbers(shape.kind, page, count, dictionary.get());
  } else if (shape.kind == ColumnKind::kUuid || shape.kind == ColumnKind::kId16) {
    const bool texts_wanted = shape.kind == ColumnKind::kUuid && !shape.raw_uuids;
    ok = DecodeFixed16(page, count, texts_wanted, texts.get(), &dictionary->strings);
  } else {
    ok = DecodeStrings(page, count, IsText(shape.kind), texts.get(), &dictionary->strings);
  }
  if (!ok) return nullptr;
  dictionary->owner = std::move(texts);
  return dictionary;
}

PackedColumn Pack(const Column& column) {
  PackedColumn packed{.type = column.type, .row_count = column.row_count};
  packed.dictionary = column.dictionary;
  if (packed.dictionary) packed.code_counts = std::make_shared<CodeCounts>();
  packed.present.assign((column.row_count + 63) / 64, 0);
  for (uint32_t row = 0; row < column.row_count; ++row) {
    if (!column.has(row)) continue;
    packed.present[row / 64] |= uint64_t{1} << (row % 64);
    if (column.dictionary) {
      packed.codes.push_back(column.codes[row]);
    } else if (column.type == ValueType::kDouble) {
      packed.doubles.push_back(column.doubles[row]);
    } else {
      packed.ints.push_back(column.ints[row]);
    }
  }
  CountBefore(&packed);
  return packed;
}

void NarrowCodes(PackedColumn* column) {
  if (!column->dictionary) return;
  const auto move_to = [&](auto* narrow) {
    narrow->resize(column->codes.size());
    std::transform(column->codes.begin(), column->codes.end(), narrow->begin(), [](uint32_t code) {
      return static_cast<std::remove_reference_t<decltype((*narrow)[0])>>(code);
    });
    std::vector<uint32_t>().swap(column->codes);
  };
  if (column->dictionary->size() <= 1u << 8) {
    move_to(&column->codes8);
  } else if (column->dictionary->size() <= 1u << 16) {
    move_to(&column->codes16);
  }
}

const std::vector<uint32_t>& CodeCounts::Of(const PackedColumn& column) {
  std::call_once(once_, [&] {
    counts_.assign(column.dictionary->size(), 0);
    column.WithCodes([&](const auto* codes, size_t count) {
      for (size_t i = 0; i < count; ++i) ++counts_[codes[i]];
    });
  });
  return counts_;
}

size_t DictionaryBytes(const Dictionary& dictionary) {
  size_t bytes = 256 + HeldBytes(dictionary.strings) + HeldBytes(dictionary.ints) +
                 HeldBytes(dictionary.doubles);
  for (const std::string_view s : dictionary.strings) bytes += s.size() + 4;
  return bytes;
}

size_t PackedBytes(const PackedColumn& column) {
  // Codes may be counted later.
  const size_t counts = column.dictionary ? column.dictionary->size() * sizeof(uint32_t) : 0;
  return 256 + HeldBytes(column.codes) + HeldBytes(column.ints) + HeldBytes(column.doubles) +
         HeldBytes(column.codes16) + HeldBytes(column.codes8) + HeldBytes(column.present) +
         HeldBytes(column.values_before) + counts;
}

size_t ColumnBytes(const Column& column) {
  return 256 + HeldBytes(column.codes) + HeldBytes(column.ints) + HeldBytes(column.doubles) +
         HeldBytes(column.present);
}

ColumnAssembler::ColumnAssembler(const ColumnShape& shape,
                                 std::shared_ptr<const Dictionary> dictionary, uint32_t row_count)
    : shape_(shape), dictionary_(std::move(dictionary)), column_(std::make_shared<Column>()) {
  column_->type = shape.type;
  column_->row_count = row_count;
  present_.assign(uint64_t{row_count} / 64 + 1, 0);
  if (shape.kind == ColumnKind::kBool) dictionary_ = BoolDictionary();
  if (IsByteKind(shape.kind) && shape.encoding != ChunkEncoding::kDictionary && !shape.packed) {
    table_ = std::make_shared<model::StringTable>();
  }
}

// Grown a little for each page, everything would be copied many times: room is made for as many as
// the rows so far let expect of all, but never more than the rows asked for (and what this page
// has), whatever a page claims.
template <typename T>
T* ColumnAssembler::MakeRoom(uint32_t count, std::vector<T>* values) const {
  const size_t begin = values->size();
  if (begin + count > values->capacity()) {
    const double share = static_cast<double>(row_) / std::max(column_->row_count, 1u);
    const auto expected = static_cast<size_t>(static_cast<double>(begin + count) / share * 1.02);
    values->reserve(std::max(begin + count, std::min<size_t>(expected, column_->row_count)));
  }
  values->resize(begin + count);
  return values->data() + begin;
}

bool ColumnAssembler::AddPage(std::string_view page, uint32_t page_rows, uint32_t skip,
                              uint32_t take) {
  if (take > page_rows || skip > page_rows - take || take > column_->row_count - row_) {
    return false;
  }
  LevelCounts counts{skip, take};
  uint32_t page_values = page_rows;
  if (shape_.optional) {
    uint32_t size;
    if (page.size() < 4) return false;
    std::memcpy(&size, page.data(), 4);
    if (page.size() - 4 < size) return false;
    const std::string_view levels = page.substr(4, size);
    page.remove_prefix(4 + size_t{size});
    if (!DecodeLevels(levels, skip, take, row_, present_.data(), &counts)) return false;
    // Only differences need to know how many values the whole page has.
    if (shape_.encoding == ChunkEncoding::kDelta) {
      LevelCounts all;
      std::vector<uint64_t> unused(page_rows / 64 + 1);
      if (!DecodeLevels(levels, 0, page_rows, 0, unused.data(), &all)) return false;
      page_values = all.ones;
    }
  }
  row_ += take;
  present_count_ += counts.ones;
  return counts.ones == 0 || AddValues(page, page_values, counts.skipped_ones, counts.ones);
}

bool ColumnAssembler::AddValues(std::string_view bytes, uint32_t page_values, uint32_t skip,
                                uint32_t take) {
  switch (shape_.encoding) {
    case ChunkEncoding::kDictionary: return AddCodes(bytes, skip, take);
    case ChunkEncoding::kDelta: return AddDeltas(bytes, page_values, skip, take);
    case ChunkEncoding::kSplit: return AddSplitNumbers(bytes, skip, take);
    case ChunkEncoding::kPlain:
      if (IsByteKind(shape_.kind)) return AddPlainBytes(bytes, skip, take);
      if (shape_.kind == ColumnKind::kBool) return AddPlainBools(bytes, skip, take);
      return AddPlainNumbers(bytes, skip, take);
  }
  return false;
}

bool ColumnAssembler::AddCodes(std::string_view bytes, uint32_t skip, uint32_t take) {
  if (bytes.empty() || !dictionary_) return false;
  const int width = static_cast<uint8_t>(bytes[0]);
  uint32_t* const codes = MakeRoom(take, &codes_);
  if (!DecodeHybrid(bytes.substr(1), width, skip, take, codes)) return false;
  uint32_t largest = 0;
  for (uint32_t i = 0; i < take; ++i) largest = std::max(largest, codes[i]);
  return largest < dictionary_->size();
}

bool ColumnAssembler::AddDeltas(std::string_view bytes, uint32_t page_values, uint32_t skip,
                                uint32_t take) {
  // A block of at most 1024 differences takes two bytes or more: no memory for a count that lies.
  if (uint64_t{skip} + take > 1 + uint64_t{512} * bytes.size()) return false;
  const auto begin = static_cast<ptrdiff_t>(ints_.size());
  int64_t* const ints = MakeRoom(skip + take, &ints_);
  if (!DecodeDelta(bytes, page_values, skip + take, ints)) return false;
  ints_.erase(ints_.begin() + begin, ints_.begin() + begin + skip);
  return true;
}

bool ColumnAssembler::AddSplitNumbers(std::string_view bytes, uint32_t skip, uint32_t take) {
  if (bytes.size() / 8 < uint64_t{skip} + take) return false;
  const auto add_to = [&](auto* values) {
    static_assert(sizeof((*values)[0]) == sizeof(uint64_t));
    return DecodeSplit(bytes, skip, take, MakeRoom(take, values));
  };
  return shape_.kind == ColumnKind::kDouble ? add_to(&doubles_) : add_to(&ints_);
}

bool ColumnAssembler::AddPlainNumbers(std::string_view bytes, uint32_t skip, uint32_t take) {
  const size_t width = NumberWidth(shape_.kind);
  if (bytes.size() / width < uint64_t{skip} + take) return false;
  const char* const first = bytes.data() + skip * width;
  const auto add_to = [&](auto* values) {
    auto* const to = MakeRoom(take, values);
    for (size_t i = 0; i < take; ++i) {
      to[i] = std::bit_cast<std::remove_reference_t<decltype(*to)>>(
          LoadInt(shape_.kind, first + i * width));
    }
    return true;
  };
  return shape_.kind == ColumnKind::kDouble ? add_to(&doubles_) : add_to(&ints_);
}

bool ColumnAssembler::AddPlainBools(std::string_view bytes, uint32_t skip, uint32_t take) {
  if (bytes.size() * 8 < uint64_t{skip} + take) return false;
  uint32_t* code = MakeRoom(take, &codes_);
  for (uint64_t i = skip; i < uint64_t{skip} + take; ++i) {
    *code++ = static_cast<uint8_t>(bytes[i / 8]) >> (i % 8) & 1;
  }
  return true;
}

bool ColumnAssembler::AddPlainBytes(std::string_view bytes, uint32_t skip, uint32_t take) {
  // A value takes four bytes or more: no memory for a count that lies.
  if (bytes.size() / 4 < uint64_t{skip} + take) return false;
  uint32_t* code = MakeRoom(take, &codes_);
  std::string_view value;
  for (uint64_t i = 0; i < uint64_t{skip} + take; ++i) {
    if (shape_.kind == ColumnKind::kUuid || shape_.kind == ColumnKind::kId16) {
      if (bytes.size() < 16) return false;
      value = bytes.substr(0, 16);
      bytes.remove_prefix(16);
    } else if (!TakeString(&bytes, &value)) {
      return false;
    }
    if (i < skip) continue;
    text_.clear();
    if (shape_.kind == ColumnKind::kUuid && !shape_.raw_uuids) {
      AppendUuidText(value, &text_);
      value = text_;
    } else if (IsText(shape_.kind) && AppendUnescapedText(value, &text_)) {
      value = text_;
    }
    if (table_) {
      *code++ = table_->Intern(value);
    } else {
      *code++ = static_cast<uint32_t>(plain_ends_.size());
      plain_bytes_.append(value);
      plain_ends_.push_back(plain_bytes_.size());
    }
  }
  return true;
}

bool ColumnAssembler::codes_wanted() const {
  if (IsByteKind(shape_.kind) || shape_.kind == ColumnKind::kBool) return true;
  return shape_.encoding == ChunkEncoding::kDictionary && !shape_.plain_numbers;
}

// One entry per row: the next value where there is one, else `nothing`.
template <typename T>
void ColumnAssembler::SpreadOver(const std::vector<T>& values, T nothing,
                                 std::vector<T>* rows) const {
  rows->assign(column_->row_count, nothing);
  size_t next = 0;
  for (size_t word = 0; word < present_.size(); ++word) {
    for (uint64_t bits = present_[word]; bits != 0; bits &= bits - 1) {
      (*rows)[word * 64 + std::countr_zero(bits)] = values[next++];
    }
  }
}

// The table's codes are dense but for code 0, the empty string, which need not occur.
void ColumnAssembler::FinishPlainBytes() {
  const bool empty_occurs = std::find(codes_.begin(), codes_.end(), 0u) != codes_.end();
  const uint32_t first = empty_occurs ? 0 : 1;
  for (uint32_t& code : codes_) code -= first;
  auto dictionary = std::make_shared<Dictionary>();
  dictionary->type = shape_.type;
  for (uint32_t code = first; code < table_->size(); ++code) {
    dictionary->strings.push_back((*table_)[code]);
  }
  dictionary->owner = table_;
  dictionary_ = std::move(dictionary);
}

void ColumnAssembler::FinishPackedBytes() {
  auto owner = std::make_shared<std::string>(std::move(plain_bytes_));
  auto dictionary = std::make_shared<Dictionary>();
  dictionary->type = shape_.type;
  dictionary->strings.reserve(plain_ends_.size());
  size_t begin = 0;
  for (const size_t end : plain_ends_) {
    dictionary->strings.push_back(std::string_view(*owner).substr(begin, end - begin));
    begin = end;
  }
  dictionary->owner = std::move(owner);
  dictionary_ = std::move(dictionary);
}

void ColumnAssembler::LookUpNumbers() {
  if (shape_.encoding != ChunkEncoding::kDictionary || codes_.empty()) return;
  const auto look_up = [this](const auto& entries, auto* values) {
    values->resize(codes_.size());
    for (size_t i = 0; i < codes_.size(); ++i) (*values)[i] = entries[codes_[i]];
  };
  if (shape_.kind == ColumnKind::kDouble) {
    look_up(dictionary_->doubles, &doubles_);
  } else {
    look_up(dictionary_->ints, &ints_);
  }
}

void ColumnAssembler::FinishNumbers() {
  LookUpNumbers();
  const bool all = present_count_ == column_->row_count;
  if (!all) {
    column_->present = present_;
    column_->present.resize((column_->row_count + 63) / 64);
  }
  if (shape_.kind == ColumnKind::kDouble) {
    if (all) {
      column_->doubles = std::move(doubles_);
    } else {
      SpreadOver(doubles_, 0.0, &column_->doubles);
    }
  } else if (all) {
    column_->ints = std::move(ints_);
  } else {
    SpreadOver(ints_, int64_t{0}, &column_->ints);
  }
}

std::shared_ptr<PackedColumn> ColumnAssembler::FinishPacked() {
  auto packed = std::make_shared<PackedColumn>();
  packed->type = column_->type;
  packed->row_count = column_->row_count;
  if (shape_.optional && present_count_ != column_->row_count) {
    packed->present = std::move(present_);
    packed->present.resize((column_->row_count + 63) / 64);
    CountBefore(packed.get());
  }
  if (table_) FinishPlainBytes();
  if (!plain_ends_.empty()) FinishPackedBytes();
  if (codes_wanted()) {
    if (!dictionary_) dictionary_ = std::make_shared<Dictionary>(Dictionary{.type = shape_.type});
    packed->dictionary = dictionary_;
    packed->code_counts = std::make_shared<CodeCounts>();
    packed->codes = std::move(codes_);
  } else {
    LookUpNumbers();
    packed->ints = std::move(ints_);
    packed->doubles = std::move(doubles_);
  }
  return packed;
}

std::shared_ptr<Column> ColumnAssembler::Finish() {
  if (!shape_.optional) present_count_ = static_cast<uint32_t>(column_->row_count);
  if (!codes_wanted()) {
    FinishNumbers();
    return column_;
  }
  if (table_) FinishPlainBytes();
  if (!dictionary_) dictionary_ = std::make_shared<Dictionary>(Dictionary{.type = shape_.type});
  column_->dictionary = dictionary_;
  if (present_count_ == column_->row_count) {
    column_->codes = std::move(codes_);
  } else {
    SpreadOver(codes_, kNoValue, &column_->codes);
  }
  return column_;
}

}  // namespace weft::block
