#include "block/overflow_reader.h"

#include <algorithm>
#include <bit>
#include <memory>
#include <string>

#include "block/schema.h"
#include "model/string_table.h"

namespace weft::block {

using model::ValueType;

namespace {

bool IsTextType(ValueType type) {
  return type == ValueType::kString || type == ValueType::kArray || type == ValueType::kKvList;
}

// A dictionary of the distinct strings of a table, without the empty one unless it occurs.
std::shared_ptr<const Dictionary> DictionaryOf(std::shared_ptr<const model::StringTable> table,
                                               ValueType type, bool with_empty) {
  auto dictionary = std::make_shared<Dictionary>();
  dictionary->type = type;
  for (uint32_t code = with_empty ? 0 : 1; code < table->size(); ++code) {
    dictionary->strings.push_back((*table)[code]);
  }
  dictionary->owner = std::move(table);
  return dictionary;
}

}  // namespace

Result<OverflowReader> OverflowReader::Load(const TableReader& table, int32_t span_row_group,
                                            ByteCounter* bytes) {
  OverflowReader reader;
  const auto group = table.RowGroupOf(span_row_group);
  if (!group) return reader;
  reader.size_ = table.row_groups()[*group].row_count;
  for (uint32_t part = 0; part < kPartCount; ++part) {
    WEFT_ASSIGN_OR_RETURN(reader.parts_[part], table.Read(*group, part, bytes));
  }
  for (const std::string_view text : reader.parts_[kScopePart]->dictionary->strings) {
    const auto scope = ScopeFromText(text);
    if (!scope) return Error(ErrorCode::kCorrupt, table.name() + ": an unknown scope");
    reader.scopes_.push_back(*scope);
  }
  for (const std::string_view text : reader.parts_[kTypePart]->dictionary->strings) {
    const auto type = ValueTypeFromText(text);
    if (!type) return Error(ErrorCode::kCorrupt, table.name() + ": an unknown type");
    reader.types_.push_back(*type);
  }
  WEFT_RETURN_IF_ERROR(reader.Check());
  for (uint32_t i = 0; i < reader.size_; ++i) {
    const Scope scope = reader.scopes_[reader.parts_[kScopePart]->codes[i]];
    reader.by_scope_[static_cast<size_t>(scope)].push_back(i);
  }
  for (std::vector<uint32_t>& entries : reader.by_scope_) {
    std::stable_sort(entries.begin(), entries.end(),
                     [&](uint32_t a, uint32_t b) { return reader.RowOf(a) < reader.RowOf(b); });
  }
  return reader;
}

std::span<const uint32_t> OverflowReader::EntriesOf(Scope scope, uint64_t begin,
                                                    uint64_t end) const {
  const std::vector<uint32_t>& entries = by_scope_[static_cast<size_t>(scope)];
  const auto before = [this](uint32_t i, uint64_t row) { return RowOf(i) < row; };
  const auto first = std::lower_bound(entries.begin(), entries.end(), begin, before);
  const auto last = std::lower_bound(first, entries.end(), end, before);
  return {first, last};
}

// Every row has the value that its type says.
Error OverflowReader::Check() const {
  for (uint32_t i = 0; i < size_; ++i) {
    const ValueType type = types_[parts_[kTypePart]->codes[i]];
    bool there = true;
    if (IsTextType(type)) there = parts_[kStringPart]->has(i);
    if (type == ValueType::kInt) there = parts_[kIntPart]->has(i);
    if (type == ValueType::kDouble) there = parts_[kDoublePart]->has(i);
    if (type == ValueType::kBool) there = parts_[kBoolPart]->has(i);
    if (type == ValueType::kBytes) there = parts_[kBytesPart]->has(i);
    if (!there) {
      return {ErrorCode::kCorrupt, std::string(kAttributesFile) + ": a row lacks its value"};
    }
  }
  return Error::Ok();
}

OverflowReader::Entry OverflowReader::entry(uint32_t i) const {
  const auto text = [&](Part part) {
    const Column& column = *parts_[part];
    return column.dictionary->strings[column.codes[i]];
  };
  Entry entry;
  entry.scope = scopes_[parts_[kScopePart]->codes[i]];
  entry.row = static_cast<uint64_t>(parts_[kRowPart]->ints[i]);
  entry.key = text(kKeyPart);
  entry.type = types_[parts_[kTypePart]->codes[i]];
  if (IsTextType(entry.type)) entry.text = text(kStringPart);
  if (entry.type == ValueType::kBytes) entry.text = text(kBytesPart);
  if (entry.type == ValueType::kInt)
    entry.number = static_cast<uint64_t>(parts_[kIntPart]->ints[i]);
  if (entry.type == ValueType::kDouble) {
    entry.number = std::bit_cast<uint64_t>(parts_[kDoublePart]->doubles[i]);
  }
  if (entry.type == ValueType::kBool) entry.number = parts_[kBoolPart]->codes[i];
  return entry;
}

void OverflowReader::ForRows(Scope scope, uint64_t begin, uint64_t end,
                             const std::function<void(const Entry&)>& visit) const {
  for (const uint32_t i : EntriesOf(scope, begin, end)) visit(entry(i));
}

bool OverflowReader::HasKey(std::string_view key) const {
  if (size_ == 0) return false;
  const auto& keys = parts_[kKeyPart]->dictionary->strings;
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

std::vector<ColumnPtr> OverflowReader::Columns(Scope scope, std::string_view key,
                                               uint64_t first_row, uint32_t row_count) const {
  std::vector<ColumnPtr> columns;
  if (!HasKey(key)) return columns;
  const auto& keys = parts_[kKeyPart]->dictionary->strings;
  const uint32_t code =
      static_cast<uint32_t>(std::find(keys.begin(), keys.end(), key) - keys.begin());
  std::array<std::vector<uint32_t>, 8> by_type;
  for (const uint32_t i : EntriesOf(scope, first_row, first_row + row_count)) {
    if (parts_[kKeyPart]->codes[i] != code) continue;
    by_type[static_cast<size_t>(types_[parts_[kTypePart]->codes[i]])].push_back(i);
  }
  for (uint8_t type = 0; type < by_type.size(); ++type) {
    if (by_type[type].empty()) continue;
    columns.push_back(
        MakeColumn(by_type[type], static_cast<ValueType>(type), first_row, row_count));
  }
  return columns;
}

ColumnPtr OverflowReader::MakeColumn(const std::vector<uint32_t>& entries, ValueType type,
                                     uint64_t first_row, uint32_t row_count) const {
  if (IsTextType(type) || type == ValueType::kBytes) {
    return MakeTexts(entries, type, first_row, row_count);
  }
  auto column = std::make_shared<Column>();
  column->type = type;
  column->row_count = row_count;
  if (type == ValueType::kInt || type == ValueType::kDouble) {
    FillNumbers(entries, first_row, column.get());
    return column;
  }
  column->codes.assign(row_count, kNoValue);
  for (const uint32_t i : entries) {
    const Entry e = entry(i);
    uint32_t& code = column->codes[e.row - first_row];
    if (code == kNoValue) code = static_cast<uint32_t>(e.number);
  }
  auto dictionary = std::make_shared<Dictionary>(Dictionary{.type = type});
  dictionary->ints = {0};
  if (type == ValueType::kBool) dictionary->ints.push_back(1);
  column->dictionary = std::move(dictionary);
  return column;
}

void OverflowReader::FillNumbers(const std::vector<uint32_t>& entries, uint64_t first_row,
                                 Column* column) const {
  const bool ints = column->type == ValueType::kInt;
  column->present.assign((column->row_count + 63) / 64, 0);
  if (ints) {
    column->ints.assign(column->row_count, 0);
  } else {
    column->doubles.assign(column->row_count, 0);
  }
  for (const uint32_t i : entries) {
    const Entry e = entry(i);
    const uint32_t row = static_cast<uint32_t>(e.row - first_row);
    if (column->has(row)) continue;
    column->present[row / 64] |= uint64_t{1} << (row % 64);
    if (ints) {
      column->ints[row] = static_cast<int64_t>(e.number);
    } else {
      column->doubles[row] = std::bit_cast<double>(e.number);
    }
  }
}

ColumnPtr OverflowReader::MakeTexts(const std::vector<uint32_t>& entries, ValueType type,
                                    uint64_t first_row, uint32_t row_count) const {
  auto column = std::make_shared<Column>();
  column->type = type;
  column->row_count = row_count;
  column->codes.assign(row_count, kNoValue);
  auto table = std::make_shared<model::StringTable>();
  bool with_empty = false;
  for (const uint32_t i : entries) {
    const Entry e = entry(i);
    uint32_t& code = column->codes[e.row - first_row];
    if (code != kNoValue) continue;
    code = table->Intern(e.text);
    with_empty |= code == 0;
  }
  for (uint32_t& code : column->codes) {
    if (code != kNoValue && !with_empty) --code;
  }
  column->dictionary = DictionaryOf(std::move(table), type, with_empty);
  return column;
}

}  // namespace weft::block
