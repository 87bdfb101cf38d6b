#include "block/stored_row_group.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include "block/column_assembler.h"
#include "block/overflow_reader.h"
#include "block/schema.h"

namespace weft::block {

using model::ValueType;

namespace {

// Where an intrinsic is stored.
struct Place {
  Scope scope = Scope::kSpan;
  uint32_t column = 0;
};

Place PlaceOf(Intrinsic intrinsic) {
  switch (intrinsic) {
    case Intrinsic::kName: return {Scope::kSpan, kSpanName};
    case Intrinsic::kKind: return {Scope::kSpan, kSpanKind};
    case Intrinsic::kStatus: return {Scope::kSpan, kSpanStatusCode};
    case Intrinsic::kStatusMessage: return {Scope::kSpan, kSpanStatusMessage};
    case Intrinsic::kTraceState: return {Scope::kSpan, kSpanTraceState};
    case Intrinsic::kStartTime: return {Scope::kSpan, kSpanStartTime};
    case Intrinsic::kDuration: return {Scope::kSpan, kSpanDuration};
    case Intrinsic::kSpanId: return {Scope::kSpan, kSpanSpanId};
    case Intrinsic::kParentSpanId: return {Scope::kSpan, kSpanParentSpanId};
    case Intrinsic::kFlags: return {Scope::kSpan, kSpanFlags};
    case Intrinsic::kResource: return {Scope::kSpan, kSpanResourceId};
    case Intrinsic::kScope: return {Scope::kSpan, kSpanScopeId};
    case Intrinsic::kMarks: return {Scope::kSpan, kSpanMarks};
    case Intrinsic::kParentRow: return {Scope::kSpan, kSpanParent};
    case Intrinsic::kSubtreeSize: return {Scope::kSpan, kSpanSubtreeSize};
    case Intrinsic::kEventSpan: return {Scope::kEvent, kEventSpanRow};
    case Intrinsic::kEventName: return {Scope::kEvent, kEventNameColumn};
    case Intrinsic::kEventTime: return {Scope::kEvent, kEventTimeColumn};
    case Intrinsic::kLinkSpan: return {Scope::kLink, kLinkSpanRow};
    case Intrinsic::kLinkTraceId: return {Scope::kLink, kLinkTrace};
    case Intrinsic::kLinkSpanId: return {Scope::kLink, kLinkSpanIdColumn};
    case Intrinsic::kScopeName: return {Scope::kInstrumentation, kScopeNameColumn};
    case Intrinsic::kScopeVersion: return {Scope::kInstrumentation, kScopeVersionColumn};
  }
  return {};
}

bool NeedsConversion(Intrinsic intrinsic) {
  switch (intrinsic) {
    case Intrinsic::kKind:
    case Intrinsic::kStatus:
    case Intrinsic::kParentSpanId:
    case Intrinsic::kEventSpan:
    case Intrinsic::kLinkSpan:
    case Intrinsic::kLinkTraceId:
    case Intrinsic::kLinkSpanId: return true;
    default: return false;
  }
}

Error Corrupt(std::string what) { return {ErrorCode::kCorrupt, std::move(what)}; }

// A column of a table without rows.
ColumnPtr EmptyColumn(ValueType type) {
  auto column = std::make_shared<Column>();
  column->type = type;
  column->dictionary = std::make_shared<Dictionary>(Dictionary{.type = type});
  return column;
}

// Words to numbers; words that mean the same number become one entry.
Result<ColumnPtr> WordsToNumbers(const Column& stored,
                                 std::optional<uint8_t> (*number_of)(std::string_view)) {
  auto dictionary = std::make_shared<Dictionary>(Dictionary{.type = ValueType::kInt});
  std::vector<uint32_t> code_of;
  for (const std::string_view word : stored.dictionary->strings) {
    const std::optional<uint8_t> number = number_of(word);
    if (!number) return Corrupt("spans.parquet has an unknown kind or status");
    const auto known = std::find(dictionary->ints.begin(), dictionary->ints.end(), *number);
    code_of.push_back(static_cast<uint32_t>(known - dictionary->ints.begin()));
    if (known == dictionary->ints.end()) dictionary->ints.push_back(*number);
  }
  auto column = std::make_shared<Column>();
  column->type = ValueType::kInt;
  column->row_count = stored.row_count;
  column->codes.reserve(stored.codes.size());
  for (const uint32_t code : stored.codes) column->codes.push_back(code_of[code]);
  column->dictionary = std::move(dictionary);
  return ColumnPtr(std::move(column));
}

// Texts made once, with the views into them.
struct HexTexts {
  std::vector<std::string> texts;
};

std::shared_ptr<const Dictionary> DictionaryOfTexts(std::vector<std::string> texts) {
  auto owner = std::make_shared<HexTexts>(HexTexts{std::move(texts)});
  auto dictionary = std::make_shared<Dictionary>(Dictionary{.type = ValueType::kString});
  for (const std::string& text : owner->texts) dictionary->strings.push_back(text);
  dictionary->owner = std::move(owner);
  return dictionary;
}

ColumnPtr TraceIdsToHex(const Column& stored) {
  std::vector<std::string> texts;
  for (const std::string_view bytes : stored.dictionary->strings) {
    texts.push_back(model::TraceId::FromBytes(bytes.data()).ToHex());
  }
  auto column = std::make_shared<Column>(stored);
  column->dictionary = DictionaryOfTexts(std::move(texts));
  return column;
}

ColumnPtr SpanIdsToHex(const Column& stored) {
  std::map<int64_t, uint32_t> codes;
  std::vector<std::string> texts;
  auto column = std::make_shared<Column>();
  column->type = ValueType::kString;
  column->row_count = stored.row_count;
  for (const int64_t id : stored.ints) {
    const auto [known, added] = codes.emplace(id, static_cast<uint32_t>(texts.size()));
    if (added) texts.push_back(model::SpanId{static_cast<uint64_t>(id)}.ToHex());
    column->codes.push_back(known->second);
  }
  column->dictionary = DictionaryOfTexts(std::move(texts));
  return column;
}

}  // namespace

std::shared_ptr<const RowGroup> StoredRowGroup::Make(std::shared_ptr<const Block> block,
                                                     uint32_t row_group, const RowSet* deleted) {
  std::shared_ptr<StoredRowGroup> group(new StoredRowGroup(std::move(block), row_group));
  if (deleted != nullptr) {
    const FileRowGroup& rows = group->block_->table(Scope::kSpan).row_groups()[row_group];
    group->deleted_ = deleted->Bits(rows.first_row, rows.row_count);
    group->block_is_whole_ = deleted->row_count() == 0;
  }
  return group;
}

Result<std::shared_ptr<const OperationCounts>> StoredRowGroup::BlockCounts() const {
  if (!block_is_whole_) return std::shared_ptr<const OperationCounts>();
  return block_->Counts(&bytes_);
}

Error StoredRowGroup::LoadTraces() const {
  std::call_once(traces_once_, [this] {
    auto traces = block_->TracesOf(row_group_, &bytes_);
    if (traces.ok()) {
      traces_ = std::move(traces).value();
    } else {
      traces_error_ = traces.error().WithContext("block " + block_id());
    }
  });
  return traces_error_;
}

// A text never equals a number; bytes and kvlists equal nothing.
Result<bool> StoredRowGroup::MayHaveIn(const TableReader& table, uint32_t row_group,
                                       uint32_t column, const WantedValue& value) const {
  if (table.AllNull(row_group, column)) return false;
  switch (table.TypeOf(column)) {
    case ValueType::kString:
      if (value.type != ValueType::kString) return false;
      break;
    case ValueType::kInt:
      if (value.type != ValueType::kInt) return false;
      break;
    case ValueType::kDouble: return value.type == ValueType::kInt;
    case ValueType::kArray: return true;
    default: return false;
  }
  const std::optional<uint64_t> hash = HashOfWanted(table.columns()[column].kind, value);
  if (!hash) return false;
  WEFT_ASSIGN_OR_RETURN(const auto filter, table.FilterOf(row_group, column, &bytes_));
  return !filter || filter->MayHave(*hash);
}

Result<bool> StoredRowGroup::MayHave(Scope scope, std::string_view key,
                                     const WantedValue& value) const {
  const TableReader& table = block_->table(scope);
  const auto group = block_->GroupOf(scope, row_group_);
  if (!group) return false;
  for (const uint32_t c : table.AttributeColumns(key)) {
    WEFT_ASSIGN_OR_RETURN(const bool may, MayHaveIn(table, *group, c, value));
    if (may) return true;
  }
  return MayOverflowWith(scope, key, value);
}

Result<bool> StoredRowGroup::MayOverflowWith(Scope scope, std::string_view key,
                                             const WantedValue& value) const {
  const TableReader& table = block_->overflow_table();
  const bool whole = scope == Scope::kResource || scope == Scope::kInstrumentation;
  const auto group = table.RowGroupOf(whole ? -1 : static_cast<int32_t>(row_group_));
  if (!group) return false;
  const WantedValue name{.text = key};
  WEFT_ASSIGN_OR_RETURN(const bool may, MayHaveIn(table, *group, kAttributeKey, name));
  if (!may) return false;
  const auto has = [&](AttributeColumnIndex column, std::string_view text) -> Result<bool> {
    WEFT_ASSIGN_OR_RETURN(const auto texts, table.DictionaryOf(*group, column, &bytes_));
    return !texts ||
           std::find(texts->strings.begin(), texts->strings.end(), text) != texts->strings.end();
  };
  WEFT_ASSIGN_OR_RETURN(const bool has_key, has(kAttributeKey, key));
  if (!has_key) return false;
  // The texts of arrays stand among the strings, and doubles have no filter.
  WEFT_ASSIGN_OR_RETURN(const bool arrays,
                        has(kAttributeType, model::ValueTypeName(ValueType::kArray)));
  if (arrays) return true;
  if (value.type == ValueType::kString) return MayHaveIn(table, *group, kAttributeString, value);
  WEFT_ASSIGN_OR_RETURN(const bool among_ints, MayHaveIn(table, *group, kAttributeInt, value));
  return among_ints || !table.AllNull(*group, kAttributeDouble);
}

Result<bool> StoredRowGroup::MayHave(Intrinsic intrinsic, const WantedValue& value) const {
  // Missing text is the empty text.
  if (NeedsConversion(intrinsic) || value.text.empty()) return true;
  const Place place = PlaceOf(intrinsic);
  const auto group = block_->GroupOf(place.scope, row_group_);
  if (!group) return false;
  return MayHaveIn(block_->table(place.scope), *group, place.column, value);
}

uint32_t StoredRowGroup::row_count() const {
  return block_->table(Scope::kSpan).row_groups()[row_group_].row_count;
}

const std::vector<uint32_t>& StoredRowGroup::trace_of_row() const {
  std::call_once(trace_of_row_once_,
                 [this] { trace_of_row_ = block_->TraceOfRow(row_group_, *traces_); });
  return *trace_of_row_;
}

Result<TraceSummary> StoredRowGroup::Summary(uint32_t trace) const {
  return block_->SummaryOf(row_group_, trace, &bytes_);
}

Result<ColumnPtr> StoredRowGroup::ReadTraces(TraceText text) const {
  const TraceColumn column = text == TraceText::kRootName ? kTraceRootName : kTraceRootService;
  return block_->ReadTraceColumn(row_group_, column, &bytes_);
}

Result<uint32_t> StoredRowGroup::TableRows(Scope scope) const {
  const auto group = block_->GroupOf(scope, row_group_);
  return group ? block_->table(scope).row_groups()[*group].row_count : 0u;
}

Result<ColumnPtr> StoredRowGroup::Read(Intrinsic intrinsic) const {
  if (NeedsConversion(intrinsic)) return ReadDerived(intrinsic);
  const Place place = PlaceOf(intrinsic);
  const TableReader& table = block_->table(place.scope);
  const auto group = block_->GroupOf(place.scope, row_group_);
  if (!group) return EmptyColumn(table.TypeOf(place.column));
  return table.Read(*group, place.column, &bytes_);
}

// What has to be worked out is kept like what is decoded.
Result<ColumnPtr> StoredRowGroup::ReadDerived(Intrinsic intrinsic) const {
  constexpr uint32_t kFirstDerivedItem = 16;
  const ColumnCache::Key key{block_->cache_owner(), row_group_,
                             kFirstDerivedItem + static_cast<uint32_t>(intrinsic)};
  if (ColumnPtr known = block_->cache().Find<Column>(key)) return known;
  const Place place = PlaceOf(intrinsic);
  const auto group = block_->GroupOf(place.scope, row_group_);
  if (!group) return Convert(intrinsic, EmptyColumn(ValueType::kInt));
  WEFT_ASSIGN_OR_RETURN(ColumnPtr stored,
                        block_->table(place.scope).Read(*group, place.column, &bytes_));
  WEFT_ASSIGN_OR_RETURN(ColumnPtr column, intrinsic == Intrinsic::kParentSpanId
                                              ? MakeParentIds()
                                              : Convert(intrinsic, stored));
  size_t held = ColumnBytes(*column);
  if (column->dictionary) held += DictionaryBytes(*column->dictionary);
  block_->cache().Insert(key, column, held);
  return column;
}

Result<ColumnPtr> StoredRowGroup::Convert(Intrinsic intrinsic, const ColumnPtr& stored) const {
  switch (intrinsic) {
    case Intrinsic::kKind: return WordsToNumbers(*stored, KindFromText);
    case Intrinsic::kStatus: return WordsToNumbers(*stored, StatusFromText);
    case Intrinsic::kLinkTraceId: return TraceIdsToHex(*stored);
    case Intrinsic::kLinkSpanId: return SpanIdsToHex(*stored);
    default: break;
  }
  // Span rows of the file to rows of this group.
  auto column = std::make_shared<Column>(*stored);
  column->dictionary = nullptr;
  const int64_t first =
      static_cast<int64_t>(block_->table(Scope::kSpan).row_groups()[row_group_].first_row);
  for (int64_t& row : column->ints) {
    row -= first;
    if (row < 0 || row >= int64_t{row_count()}) {
      return Corrupt("an event or link names a span of another row group");
    }
  }
  return ColumnPtr(std::move(column));
}

// The id that is stored where the tree does not give it back; else the id of the parent's row.
Result<ColumnPtr> StoredRowGroup::MakeParentIds() const {
  const TableReader& spans = block_->table(Scope::kSpan);
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr stored, spans.Read(row_group_, kSpanParentSpanId, &bytes_));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr ids, spans.Read(row_group_, kSpanSpanId, &bytes_));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr parents, spans.Read(row_group_, kSpanParent, &bytes_));
  auto column = std::make_shared<Column>();
  column->type = ValueType::kInt;
  column->row_count = row_count();
  column->ints.resize(row_count());
  for (uint32_t row = 0; row < row_count(); ++row) {
    const int64_t back = parents->ints[row];
    if (back < 0 || back > int64_t{row}) return Corrupt("spans.parquet column parent is broken");
    if (stored->has(row)) {
      column->ints[row] = stored->ints[row];
    } else if (back > 0) {
      column->ints[row] = ids->ints[row - static_cast<uint32_t>(back)];
    }
  }
  return ColumnPtr(std::move(column));
}

Result<ColumnPtr> StoredRowGroup::ReadAt(Intrinsic intrinsic,
                                         std::span<const uint32_t> rows) const {
  const Place place = PlaceOf(intrinsic);
  const auto group = block_->GroupOf(place.scope, row_group_);
  const bool whole = intrinsic == Intrinsic::kParentSpanId || !group;
  if (whole) {
    WEFT_ASSIGN_OR_RETURN(const ColumnPtr column, Read(intrinsic));
    return GatherRows(*column, rows);
  }
  WEFT_ASSIGN_OR_RETURN(ColumnPtr stored,
                        block_->table(place.scope).ReadRows(*group, place.column, rows, &bytes_));
  return NeedsConversion(intrinsic) ? Convert(intrinsic, stored) : stored;
}

// Where there is a column of a type, the overflow only has second values for a row.
Result<std::vector<ColumnPtr>> StoredRowGroup::OverflowColumns(Scope scope, uint32_t group,
                                                               std::string_view key) const {
  const TableReader& table = block_->table(scope);
  uint32_t types = 1u << static_cast<uint32_t>(ValueType::kEmpty);  // no value: as if absent
  for (const uint32_t c : table.AttributeColumns(key))
    types |= 1u << static_cast<uint32_t>(table.TypeOf(c));
  const bool whole = scope == Scope::kResource || scope == Scope::kInstrumentation;
  WEFT_ASSIGN_OR_RETURN(const auto overflow,
                        block_->Overflow(whole ? -1 : static_cast<int32_t>(row_group_), &bytes_));
  const FileRowGroup& rows = table.row_groups()[group];
  std::vector<ColumnPtr> columns = overflow->Columns(scope, key, rows.first_row, rows.row_count);
  std::erase_if(columns, [&](const ColumnPtr& column) {
    return (types >> static_cast<uint32_t>(column->type) & 1) != 0;
  });
  return columns;
}

Result<std::vector<ColumnPtr>> StoredRowGroup::ReadAttribute(Scope scope,
                                                             std::string_view key) const {
  const TableReader& table = block_->table(scope);
  const auto group = block_->GroupOf(scope, row_group_);
  if (!group) return std::vector<ColumnPtr>();
  WEFT_ASSIGN_OR_RETURN(std::vector<ColumnPtr> columns, OverflowColumns(scope, *group, key));
  size_t place = 0;
  for (const uint32_t c : table.AttributeColumns(key)) {
    if (table.AllNull(*group, c)) continue;
    WEFT_ASSIGN_OR_RETURN(ColumnPtr column, table.Read(*group, c, &bytes_));
    columns.insert(columns.begin() + static_cast<ptrdiff_t>(place++), std::move(column));
  }
  return columns;
}

Result<std::vector<PackedColumnPtr>> StoredRowGroup::ReadAttributeValues(
    Scope scope, std::string_view key) const {
  std::vector<PackedColumnPtr> columns;
  const TableReader& table = block_->table(scope);
  const auto group = block_->GroupOf(scope, row_group_);
  if (!group) return columns;
  for (const uint32_t c : table.AttributeColumns(key)) {
    if (table.AllNull(*group, c)) continue;
    WEFT_ASSIGN_OR_RETURN(columns.emplace_back(), table.ReadValues(*group, c, &bytes_));
  }
  WEFT_ASSIGN_OR_RETURN(const auto overflow, OverflowColumns(scope, *group, key));
  for (const ColumnPtr& column : overflow)
    columns.push_back(std::make_shared<PackedColumn>(Pack(*column)));
  return columns;
}

bool StoredRowGroup::IsDeleted(int64_t row) const {
  const auto word = static_cast<size_t>(row / 64);
  return word < deleted_.size() && (deleted_[word] >> (row % 64) & 1) != 0;
}

Result<std::vector<bool>> StoredRowGroup::RowsThatCount(Scope scope) const {
  WEFT_ASSIGN_OR_RETURN(const uint32_t rows, TableRows(scope));
  std::vector<bool> counts(rows, false);
  if (scope == Scope::kSpan) {
    for (uint32_t row = 0; row < rows; ++row) counts[row] = !IsDeleted(row);
  } else if (scope == Scope::kEvent || scope == Scope::kLink) {
    WEFT_ASSIGN_OR_RETURN(
        const ColumnPtr spans,
        Read(scope == Scope::kEvent ? Intrinsic::kEventSpan : Intrinsic::kLinkSpan));
    for (uint32_t row = 0; row < rows; ++row) counts[row] = !IsDeleted(spans->ints[row]);
  } else {
    WEFT_ASSIGN_OR_RETURN(
        const ColumnPtr owned,
        Read(scope == Scope::kResource ? Intrinsic::kResource : Intrinsic::kScope));
    for (uint32_t span = 0; span < owned->row_count; ++span) {
      const auto row = static_cast<uint64_t>(owned->ints[span]);
      if (row < rows && !IsDeleted(span)) counts[row] = true;
    }
  }
  return counts;
}

Result<bool> StoredRowGroup::HasValueThatCounts(Scope scope, uint32_t column,
                                                const std::vector<bool>& counts) const {
  const auto group = block_->GroupOf(scope, row_group_);
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr values, block_->table(scope).Read(*group, column, &bytes_));
  for (uint32_t row = 0; row < values->row_count && row < counts.size(); ++row) {
    if (counts[row] && values->has(row)) return true;
  }
  return false;
}

Result<std::vector<RowGroup::KeyInfo>> StoredRowGroup::AttributeKeys() const {
  std::map<std::pair<Scope, std::string>, uint8_t> keys;
  std::array<std::vector<bool>, 5> counts;  // by scope, where rows are deleted
  for (uint8_t s = 0; s < 5; ++s) {
    const Scope scope = static_cast<Scope>(s);
    const TableReader& table = block_->table(scope);
    const auto group = block_->GroupOf(scope, row_group_);
    if (!group) continue;
    if (!deleted_.empty()) {
      WEFT_ASSIGN_OR_RETURN(counts[s], RowsThatCount(scope));
    }
    for (uint32_t c = 0; c < table.columns().size(); ++c) {
      if (table.AllNull(*group, c)) continue;
      const auto attribute = ParseAttributeColumn(table.columns()[c]);
      if (!attribute) continue;
      if (!deleted_.empty()) {
        WEFT_ASSIGN_OR_RETURN(const bool has, HasValueThatCounts(scope, c, counts[s]));
        if (!has) continue;
      }
      keys[{scope, attribute->key}] |= 1u << static_cast<uint32_t>(attribute->type);
    }
  }
  for (const int32_t part : {static_cast<int32_t>(row_group_), -1}) {
    WEFT_ASSIGN_OR_RETURN(const auto overflow, block_->Overflow(part, &bytes_));
    for (uint32_t i = 0; i < overflow->size(); ++i) {
      const OverflowReader::Entry entry = overflow->entry(i);
      if (entry.type == ValueType::kEmpty) continue;
      if (!deleted_.empty()) {
        const std::vector<bool>& rows = counts[static_cast<size_t>(entry.scope)];
        const auto group = block_->GroupOf(entry.scope, row_group_);
        if (!group) continue;
        const uint64_t row = entry.row - block_->table(entry.scope).row_groups()[*group].first_row;
        if (row >= rows.size() || !rows[row]) continue;
      }
      keys[{entry.scope, std::string(entry.key)}] |= 1u << static_cast<uint32_t>(entry.type);
    }
  }
  std::vector<KeyInfo> result;
  result.reserve(keys.size());
  for (const auto& [key, types] : keys) result.push_back({key.first, key.second, types});
  return result;
}

}  // namespace weft::block
