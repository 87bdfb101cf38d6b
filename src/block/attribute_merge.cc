#include "block/attribute_merge.h"

#include <algorithm>

#include <absl/container/flat_hash_map.h>

#include "block/column_assembler.h"
#include "block/column_merger.h"
#include "block/schema.h"
#include "block/uuid_text.h"

namespace weft::block {

using model::ValueType;

namespace {

// UUIDs as 16 bytes.
std::shared_ptr<const Dictionary> RawUuids(const Dictionary& texts) {
  auto owner = std::make_shared<std::string>();
  for (const std::string_view text : texts.strings) AppendUuidBytes(text, owner.get());
  auto raw = std::make_shared<Dictionary>();
  raw->type = texts.type;
  for (size_t i = 0; i < texts.strings.size(); ++i) {
    raw->strings.push_back(std::string_view(*owner).substr(i * 16, 16));
  }
  raw->owner = std::move(owner);
  return raw;
}

constexpr size_t kSketchSlots = size_t{1} << 20;

size_t SlotOf(const OverflowReader::Entry& entry) {
  const uint64_t hash = model::StringTable::Hash(entry.key);
  return model::MixBits(hash * 8 + static_cast<uint64_t>(entry.type)) % kSketchSlots;
}

// Values of rows that come along.
Result<uint32_t> CountKept(const MergePart& part, Scope scope, uint32_t column) {
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr values, part.Read(scope, column));
  uint32_t kept = 0;
  for (uint32_t row = 0; values != nullptr && row < values->row_count; ++row) {
    kept += values->has(row) && !part.IsLeftOut(scope, row) ? 1 : 0;
  }
  return kept;
}

}  // namespace

Result<std::unique_ptr<AttributeMerge>> AttributeMerge::Make(Scope scope,
                                                             std::span<const MergePart> parts) {
  std::unique_ptr<AttributeMerge> merge(new AttributeMerge(scope, parts));
  Counts counts;
  for (const MergePart& part : parts) {
    WEFT_RETURN_IF_ERROR(merge->CountColumns(part, &counts));
  }
  const Sketch sketch = merge->CountRoughly();
  const uint64_t rare_below = RareRowsBelow(merge->KeptRows());
  for (const MergePart& part : parts) merge->CountOverflow(part, sketch, rare_below, &counts);
  merge->Choose(counts);
  return merge;
}

void AttributeMerge::Choose(const Counts& counts) {
  uint32_t inputs = 0;
  for (const MergePart& part : parts_) inputs = std::max(inputs, part.input + 1);
  std::vector<AttributeCount> list;
  std::vector<Name> names;
  for (const auto& [name, count] : counts) {
    list.push_back({name.first, name.second, count.rows, count.uuid});
    names.push_back(name);
  }
  chosen_ = ChooseColumns(list, KeptRows());
  for (uint32_t c = 0; c < chosen_.counts.size(); ++c) {
    names_.push_back(names[chosen_.counts[c]]);
    column_of_.emplace(names_.back(), c);
  }
  own_.resize(inputs);
  without_column_.resize(inputs);
  for (const MergePart& part : parts_) {
    std::vector<uint32_t>& own = own_[part.input];
    if (!own.empty() || !without_column_[part.input].empty()) continue;
    own.assign(names_.size(), kNone);
    const std::vector<ColumnSpec>& columns = part.block->table(scope_).columns();
    for (uint32_t c = 0; c < columns.size(); ++c) {
      const auto attribute = ParseAttributeColumn(columns[c]);
      if (!attribute) continue;
      const auto chosen = column_of_.find(Name(attribute->key, attribute->type));
      if (chosen == column_of_.end()) {
        without_column_[part.input].push_back(c);
      } else {
        own[chosen->second] = c;
      }
    }
  }
}

Error AttributeMerge::CountColumns(const MergePart& part, Counts* counts) const {
  const auto group = part.GroupOf(scope_);
  if (!group) return Error::Ok();
  const bool all_kept = part.left_out[static_cast<size_t>(scope_)].empty();
  const TableReader& table = part.block->table(scope_);
  const FileRowGroup& rows = table.row_groups()[*group];
  for (uint32_t c = 0; c < table.columns().size(); ++c) {
    const auto attribute = ParseAttributeColumn(table.columns()[c]);
    uint32_t values = rows.row_count - rows.chunks[c].nulls;
    if (!attribute || values == 0) continue;
    if (!all_kept) {
      WEFT_ASSIGN_OR_RETURN(values, CountKept(part, scope_, c));
      if (values == 0) continue;
    }
    Count& count = (*counts)[Name(attribute->key, attribute->type)];
    count.rows += values;
    count.uuid &= table.columns()[c].kind == ColumnKind::kUuid;
  }
  return Error::Ok();
}

uint64_t AttributeMerge::KeptRows() const {
  uint64_t rows = 0;
  for (const MergePart& part : parts_) rows += part.KeptRowsOf(scope_);
  return rows;
}

AttributeMerge::Sketch AttributeMerge::CountRoughly() const {
  Sketch sketch(kSketchSlots, 0);
  for (const MergePart& part : parts_) {
    for (const uint32_t i : part.overflow->EntriesOf(scope_)) {
      ++sketch[SlotOf(part.overflow->entry(i))];
    }
  }
  return sketch;
}

void AttributeMerge::CountOverflow(const MergePart& part, const Sketch& sketch, uint64_t rare_below,
                                   Counts* counts) const {
  for (uint32_t i = 0; i < part.overflow->size(); ++i) {
    const OverflowReader::Entry entry = part.overflow->entry(i);
    if (entry.scope != scope_) continue;
    if (part.IsLeftOut(scope_, static_cast<uint32_t>(entry.row - part.FirstRowOf(scope_))))
      continue;
    const Name name(std::string(entry.key), entry.type);
    // What some part has a column for counts in full, so that the sum is exact.
    if (sketch[SlotOf(entry)] < rare_below && !counts->contains(name)) continue;
    Count& count = (*counts)[name];
    ++count.rows;
    count.uuid &= entry.type == ValueType::kString && IsUuidText(entry.text);
  }
}

Result<std::vector<PackedColumnPtr>> AttributeMerge::Read(uint32_t column,
                                                          const std::vector<bool>& wanted) const {
  const auto& [key, type] = names_[column];
  // Then all parts have nothing but UUIDs.
  const bool raw_uuids = chosen_.specs[column].kind == ColumnKind::kUuid;
  std::vector<PackedColumnPtr> columns(parts_.size());
  for (size_t p = 0; p < parts_.size(); ++p) {
    if (!wanted[p]) continue;
    const MergePart& part = parts_[p];
    const uint32_t own = OwnColumn(part, column);
    if (own != kNone) {
      WEFT_ASSIGN_OR_RETURN(columns[p], part.ReadPacked(scope_, own, raw_uuids));
      continue;
    }
    if (!part.overflow->HasKey(key)) continue;
    for (const ColumnPtr& found :
         part.overflow->Columns(scope_, key, part.FirstRowOf(scope_), part.RowsOf(scope_))) {
      if (found->type != type) continue;
      PackedColumn packed = Pack(*found);
      if (raw_uuids) packed.dictionary = RawUuids(*packed.dictionary);
      columns[p] = std::make_shared<PackedColumn>(std::move(packed));
    }
  }
  return columns;
}

Error AttributeMerge::AddOverflow(const std::vector<std::vector<uint64_t>>& new_row,
                                  OverflowRows* out, model::StringTable* strings) const {
  const size_t begin = out->rows.size();
  for (uint32_t p = 0; p < parts_.size(); ++p) {
    if (new_row[p].empty()) continue;
    WEFT_RETURN_IF_ERROR(AddColumns(p, new_row[p], out, strings));
    AddEntries(p, new_row[p], out, strings);
  }
  std::stable_sort(
      out->rows.begin() + static_cast<ptrdiff_t>(begin), out->rows.end(),
      [](const OverflowRows::Row& a, const OverflowRows::Row& b) { return a.row < b.row; });
  return Error::Ok();
}

// Columns of the part that did not get one.
Error AttributeMerge::AddColumns(uint32_t part, const std::vector<uint64_t>& new_row,
                                 OverflowRows* out, model::StringTable* strings) const {
  for (const uint32_t c : without_column_[parts_[part].input]) {
    WEFT_ASSIGN_OR_RETURN(const ColumnPtr column, parts_[part].Read(scope_, c));
    if (column == nullptr) continue;
    const auto attribute = ParseAttributeColumn(parts_[part].block->table(scope_).columns()[c]);
    const bool text = column->dictionary && !column->dictionary->strings.empty();
    for (uint32_t row = 0; row < column->row_count; ++row) {
      if (new_row[row] == kNotHere || !column->has(row)) continue;
      const uint64_t value = text ? strings->Intern(column->dictionary->strings[column->codes[row]])
                                  : NumberAt(*column, row);
      out->rows.push_back(
          {scope_, new_row[row], strings->Intern(attribute->key), attribute->type, value});
    }
  }
  return Error::Ok();
}

// Entries of attributes.parquet, but for those that a chosen column takes over: the first of a row.
void AttributeMerge::AddEntries(uint32_t part, const std::vector<uint64_t>& new_row,
                                OverflowRows* out, model::StringTable* strings) const {
  const MergePart& from = parts_[part];
  const uint64_t first_row = from.FirstRowOf(scope_);
  absl::flat_hash_map<uint32_t, uint64_t> last_taken;  // column -> row
  for (const uint32_t i : from.overflow->EntriesOf(scope_)) {
    const OverflowReader::Entry entry = from.overflow->entry(i);
    const uint64_t row = entry.row - first_row;
    if (row >= new_row.size()) continue;
    const auto chosen = column_of_.find(Name(std::string(entry.key), entry.type));
    if (chosen != column_of_.end() && OwnColumn(from, chosen->second) == kNone) {
      const auto [at, is_first] = last_taken.try_emplace(chosen->second, row);
      if (is_first || at->second != row) {
        at->second = row;
        continue;
      }
    }
    if (new_row[row] == kNotHere) continue;
    const bool text = entry.type == ValueType::kString || entry.type == ValueType::kBytes ||
                      entry.type == ValueType::kArray || entry.type == ValueType::kKvList;
    const uint64_t value = text ? strings->Intern(entry.text) : entry.number;
    out->rows.push_back({scope_, new_row[row], strings->Intern(entry.key), entry.type, value});
  }
}

}  // namespace weft::block
