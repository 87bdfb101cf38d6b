#include "block/batch_row_group.h"

#include <algorithm>
#include <numeric>

#include <absl/container/flat_hash_map.h>

#include "block/json_text.h"
#include "block/trace_summary.h"

namespace weft::block {
namespace {

using model::Attribute;
using model::AttributeArray;
using model::Code;
using model::SpanBatch;
using model::ValueType;

constexpr size_t kCachedMax = 64;

template <typename T>
ColumnPtr PlainInts(const std::vector<T>& values) {
  auto column = std::make_shared<Column>();
  column->type = ValueType::kInt;
  column->row_count = static_cast<uint32_t>(values.size());
  column->ints.assign(values.begin(), values.end());
  return column;
}

ColumnPtr PlainIds(const std::vector<model::SpanId>& ids) {
  auto column = std::make_shared<Column>();
  column->type = ValueType::kInt;
  column->row_count = static_cast<uint32_t>(ids.size());
  column->ints.reserve(ids.size());
  for (model::SpanId id : ids) column->ints.push_back(static_cast<int64_t>(id.value));
  return column;
}

// A column whose dictionary is every small number up to the largest value.
ColumnPtr SmallInts(const std::vector<uint8_t>& values) {
  auto column = std::make_shared<Column>();
  auto dictionary = std::make_shared<Dictionary>();
  column->type = dictionary->type = ValueType::kInt;
  column->row_count = static_cast<uint32_t>(values.size());
  const uint8_t largest = values.empty() ? 0 : *std::max_element(values.begin(), values.end());
  dictionary->ints.resize(largest + 1);
  std::iota(dictionary->ints.begin(), dictionary->ints.end(), 0);
  column->codes.assign(values.begin(), values.end());
  column->dictionary = std::move(dictionary);
  return column;
}

// Builds a text column value by value; each distinct key is turned into text once.
class TextColumnBuilder {
 public:
  TextColumnBuilder(ValueType type, uint32_t rows) {
    column_->type = dictionary_->type = type;
    column_->row_count = rows;
    column_->codes.assign(rows, kNoValue);
  }

  template <typename MakeText>
  void Set(uint32_t row, uint64_t key, MakeText make_text) {
    const auto [at, added] = codes_.try_emplace(key, static_cast<uint32_t>(texts_.size()));
    if (added) texts_.push_back(make_text());
    column_->codes[row] = at->second;
  }

  // `owner` keeps views returned by make_text alive.
  ColumnPtr Finish(std::shared_ptr<const void> owner) {
    dictionary_->strings = std::move(texts_);
    dictionary_->owner = std::move(owner);
    column_->dictionary = std::move(dictionary_);
    return column_;
  }

 private:
  std::shared_ptr<Column> column_ = std::make_shared<Column>();
  std::shared_ptr<Dictionary> dictionary_ = std::make_shared<Dictionary>();
  absl::flat_hash_map<uint64_t, uint32_t> codes_;
  std::vector<std::string_view> texts_;
};

// Texts made for a column, kept alive by its dictionary.
class OwnedTexts {
 public:
  std::string_view Add(std::string text) {
    texts_->push_back(std::make_unique<std::string>(std::move(text)));
    return *texts_->back();
  }
  std::shared_ptr<const void> owner() const { return texts_; }

 private:
  std::shared_ptr<std::vector<std::unique_ptr<std::string>>> texts_ =
      std::make_shared<std::vector<std::unique_ptr<std::string>>>();
};

ColumnPtr LinkTraceIds(const std::vector<model::TraceId>& ids) {
  TextColumnBuilder builder(ValueType::kString, static_cast<uint32_t>(ids.size()));
  OwnedTexts texts;
  for (uint32_t i = 0; i < ids.size(); ++i)
    builder.Set(i, i, [&] { return texts.Add(ids[i].ToHex()); });
  return builder.Finish(texts.owner());
}

ColumnPtr LinkSpanIds(const std::vector<model::SpanId>& ids) {
  TextColumnBuilder builder(ValueType::kString, static_cast<uint32_t>(ids.size()));
  OwnedTexts texts;
  for (uint32_t i = 0; i < ids.size(); ++i) {
    builder.Set(i, ids[i].value, [&] { return texts.Add(ids[i].ToHex()); });
  }
  return builder.Finish(texts.owner());
}

// The attribute arrays of one scope's table.
struct AttributeTable {
  const AttributeArray* attributes;
  const std::vector<uint32_t>* ends;
};

AttributeTable TableOf(const SpanBatch& b, Scope scope) {
  switch (scope) {
    case Scope::kSpan: return {&b.attributes, &b.attribute_end};
    case Scope::kResource: return {&b.resources.attributes, &b.resources.attribute_end};
    case Scope::kInstrumentation: return {&b.scopes.attributes, &b.scopes.attribute_end};
    case Scope::kEvent: return {&b.events.attributes, &b.events.attribute_end};
    case Scope::kLink: return {&b.links.attributes, &b.links.attribute_end};
  }
  return {&b.attributes, &b.attribute_end};
}

// Where a key stands in a table, by type: (row, value) pairs. Of a key that stands twice in one row
// the first counts.
struct Occurrences {
  std::vector<std::pair<uint32_t, uint64_t>> by_type[8];
};

Occurrences FindKey(const AttributeTable& table, Code key) {
  Occurrences found;
  uint32_t row = 0;
  const std::vector<uint32_t>& ends = *table.ends;
  for (uint32_t i = 0; i < table.attributes->size(); ++i) {
    if (table.attributes->key(i) != key) continue;
    while (ends[row] <= i) ++row;
    auto& list = found.by_type[static_cast<uint8_t>(table.attributes->type(i))];
    if (list.empty() || list.back().first != row)
      list.emplace_back(row, table.attributes->value(i));
  }
  return found;
}

void MarkPresent(Column* column, const std::vector<std::pair<uint32_t, uint64_t>>& found) {
  column->present.assign((column->row_count + 63) / 64, 0);
  for (const auto& [row, value] : found) column->present[row / 64] |= uint64_t{1} << (row % 64);
}

ColumnPtr NumberColumn(ValueType type, uint32_t rows,
                       const std::vector<std::pair<uint32_t, uint64_t>>& found) {
  auto column = std::make_shared<Column>();
  column->type = type;
  column->row_count = rows;
  MarkPresent(column.get(), found);
  if (type == ValueType::kInt) {
    column->ints.assign(rows, 0);
    for (const auto& [row, value] : found) column->ints[row] = static_cast<int64_t>(value);
  } else {
    column->doubles.assign(rows, 0);
    for (const auto& [row, value] : found) column->doubles[row] = std::bit_cast<double>(value);
  }
  return column;
}

ColumnPtr BoolColumn(uint32_t rows, const std::vector<std::pair<uint32_t, uint64_t>>& found) {
  auto column = std::make_shared<Column>();
  auto dictionary = std::make_shared<Dictionary>();
  column->type = dictionary->type = ValueType::kBool;
  column->row_count = rows;
  dictionary->ints = {0, 1};
  column->dictionary = std::move(dictionary);
  column->codes.assign(rows, kNoValue);
  for (const auto& [row, value] : found) column->codes[row] = value != 0;
  return column;
}

ColumnPtr StringColumn(const std::shared_ptr<const SpanBatch>& batch, ValueType type, uint32_t rows,
                       const std::vector<std::pair<uint32_t, uint64_t>>& found) {
  TextColumnBuilder builder(type, rows);
  for (const auto& [row, value] : found) {
    builder.Set(row, value, [&, v = value] { return batch->strings[static_cast<Code>(v)]; });
  }
  return builder.Finish(batch);
}

ColumnPtr NestedColumn(const SpanBatch& batch, ValueType type, uint32_t rows,
                       const std::vector<std::pair<uint32_t, uint64_t>>& found) {
  TextColumnBuilder builder(type, rows);
  OwnedTexts texts;
  for (const auto& [row, value] : found) {
    builder.Set(row, value, [&, v = value] {
      std::string text;
      AppendJsonText(batch, Attribute{0, type, v}, &text);
      return texts.Add(std::move(text));
    });
  }
  return builder.Finish(texts.owner());
}

// The rows of a batch by trace: `rows` ordered by trace, those of trace t at [ends[t-1], ends[t]).
struct RowsByTrace {
  std::vector<uint32_t> rows;
  std::vector<uint32_t> ends;
};

RowsByTrace GroupByTrace(const model::SpanBatch& batch) {
  RowsByTrace out;
  out.rows.resize(batch.size());
  std::iota(out.rows.begin(), out.rows.end(), 0);
  std::stable_sort(out.rows.begin(), out.rows.end(),
                   [&](uint32_t a, uint32_t b) { return batch.trace[a] < batch.trace[b]; });
  out.ends.assign(batch.traces.size(), 0);
  for (uint32_t trace : batch.trace) ++out.ends[trace];
  std::partial_sum(out.ends.begin(), out.ends.end(), out.ends.begin());
  return out;
}

}  // namespace

BatchColumns::BatchColumns(std::shared_ptr<const SpanBatch> batch,
                           std::unique_ptr<TreeColumns> tree)
    : batch_(std::move(batch)), tree_(std::move(tree)), traces_(batch_->traces.size()) {
  if (batch_->empty()) return;
  const auto [first, last] = std::minmax_element(batch_->start_ns.begin(), batch_->start_ns.end());
  first_start_ns_ = *first;
  last_start_ns_ = *last;
  for (uint32_t row = 0; row < batch_->size(); ++row) {
    TraceBounds& bounds = traces_[batch_->trace[row]];
    bounds.start_ns = std::min(bounds.start_ns, batch_->start_ns[row]);
    bounds.end_ns = std::max(bounds.end_ns, batch_->end_ns[row]);
  }
}

Result<ColumnPtr> BatchColumns::Read(Intrinsic column) const {
  if (!tree_ && (column == Intrinsic::kParentRow || column == Intrinsic::kSubtreeSize)) {
    return Error(ErrorCode::kInternal,
                 "tree columns were asked of live rows that are not in preorder");
  }
  std::lock_guard lock(mutex_);
  if (intrinsics_.size() >= kCachedMax) intrinsics_.clear();
  ColumnPtr& cached = intrinsics_[column];
  if (!cached) cached = Make(column);
  return cached;
}

ColumnPtr BatchColumns::MakeText(const std::vector<Code>& codes, bool empty_is_none) const {
  TextColumnBuilder builder(ValueType::kString, static_cast<uint32_t>(codes.size()));
  for (uint32_t row = 0; row < codes.size(); ++row) {
    if (empty_is_none && codes[row] == 0) continue;
    builder.Set(row, codes[row], [&] { return batch_->strings[codes[row]]; });
  }
  return builder.Finish(batch_);
}

ColumnPtr BatchColumns::Make(Intrinsic column) const {
  const SpanBatch& b = *batch_;
  switch (column) {
    case Intrinsic::kName: return MakeText(b.name, false);
    case Intrinsic::kKind: return SmallInts(b.kind);
    case Intrinsic::kStatus: return SmallInts(b.status);
    case Intrinsic::kStatusMessage: return MakeText(b.status_message, true);
    case Intrinsic::kTraceState: return MakeText(b.trace_state, true);
    case Intrinsic::kStartTime: return PlainInts(b.start_ns);
    case Intrinsic::kDuration: {
      std::vector<int64_t> durations(b.size());
      for (uint32_t i = 0; i < b.size(); ++i)
        durations[i] = static_cast<int64_t>(b.end_ns[i] - b.start_ns[i]);
      return PlainInts(durations);
    }
    case Intrinsic::kSpanId: return PlainIds(b.span_id);
    case Intrinsic::kParentSpanId: return PlainIds(b.parent_span_id);
    case Intrinsic::kFlags: return PlainInts(b.flags);
    case Intrinsic::kResource: return PlainInts(b.resource);
    case Intrinsic::kScope: return PlainInts(b.scope);
    case Intrinsic::kMarks:
      return PlainInts(tree_ ? tree_->marks : std::vector<uint8_t>(b.size(), 0));
    case Intrinsic::kParentRow: return PlainInts(tree_->parent);
    case Intrinsic::kSubtreeSize: return PlainInts(tree_->subtree_size);
    case Intrinsic::kEventSpan:
    case Intrinsic::kLinkSpan: {
      const std::vector<uint32_t>& ends =
          column == Intrinsic::kEventSpan ? b.event_end : b.link_end;
      std::vector<uint32_t> owners(ends.empty() ? 0 : ends.back());
      for (uint32_t i = 0, row = 0; i < owners.size(); ++i) {
        while (ends[row] <= i) ++row;
        owners[i] = row;
      }
      return PlainInts(owners);
    }
    case Intrinsic::kEventName: return MakeText(b.events.name, false);
    case Intrinsic::kEventTime: return PlainInts(b.events.time_ns);
    case Intrinsic::kLinkTraceId: return LinkTraceIds(b.links.trace_id);
    case Intrinsic::kLinkSpanId: return LinkSpanIds(b.links.span_id);
    case Intrinsic::kScopeName: return MakeText(b.scopes.name, false);
    case Intrinsic::kScopeVersion: return MakeText(b.scopes.version, false);
  }
  return nullptr;
}

Result<std::vector<ColumnPtr>> BatchColumns::ReadAttribute(Scope scope,
                                                           std::string_view key) const {
  const Code code = batch_->strings.Find(key);
  if (code == model::StringTable::kMissing) return std::vector<ColumnPtr>{};
  std::lock_guard lock(mutex_);
  if (attributes_.size() >= kCachedMax) attributes_.clear();
  const auto [at, added] = attributes_.try_emplace({scope, code});
  if (added) at->second = MakeAttribute(scope, code);
  return at->second;
}

std::vector<ColumnPtr> BatchColumns::MakeAttribute(Scope scope, Code key) const {
  const AttributeTable table = TableOf(*batch_, scope);
  const uint32_t rows = static_cast<uint32_t>(table.ends->size());
  const Occurrences occurrences = FindKey(table, key);
  std::vector<ColumnPtr> columns;
  for (uint8_t t = 1; t < 8; ++t) {
    const auto& found = occurrences.by_type[t];
    if (found.empty()) continue;
    const ValueType type = static_cast<ValueType>(t);
    switch (type) {
      case ValueType::kInt:
      case ValueType::kDouble: columns.push_back(NumberColumn(type, rows, found)); break;
      case ValueType::kBool: columns.push_back(BoolColumn(rows, found)); break;
      case ValueType::kArray:
      case ValueType::kKvList: columns.push_back(NestedColumn(*batch_, type, rows, found)); break;
      default: columns.push_back(StringColumn(batch_, type, rows, found));
    }
  }
  return columns;
}

std::vector<RowGroup::KeyInfo> BatchColumns::AttributeKeys() const {
  std::vector<RowGroup::KeyInfo> keys;
  for (Scope scope :
       {Scope::kSpan, Scope::kResource, Scope::kInstrumentation, Scope::kEvent, Scope::kLink}) {
    const AttributeTable table = TableOf(*batch_, scope);
    std::vector<uint8_t> types(batch_->strings.size(), 0);
    for (uint32_t i = 0; i < table.attributes->size(); ++i) {
      types[table.attributes->key(i)] |=
          static_cast<uint8_t>(1u << static_cast<uint8_t>(table.attributes->type(i)));
    }
    for (Code code = 0; code < types.size(); ++code) {
      if (types[code] != 0)
        keys.push_back({scope, std::string(batch_->strings[code]), types[code]});
    }
  }
  return keys;
}

BatchRowGroup::BatchRowGroup(std::shared_ptr<const BatchColumns> columns,
                             std::vector<uint64_t> excluded)
    : columns_(std::move(columns)), excluded_(std::move(excluded)) {}

Result<TraceSummary> BatchRowGroup::Summary(uint32_t trace) const {
  std::vector<uint32_t> rows;
  for (uint32_t row = 0; row < batch().size(); ++row) {
    if (batch().trace[row] == trace) rows.push_back(row);
  }
  SpanBatch spans;
  model::BatchAppender(&spans).Append(batch(), rows);
  return SummarizeSpans(spans);
}

// What is excluded may have been deleted from its block since: then its keys are gone, too.
Result<std::vector<RowGroup::KeyInfo>> BatchRowGroup::AttributeKeys() const {
  if (excluded_.empty()) return columns_->AttributeKeys();
  std::vector<uint32_t> rows;
  for (uint32_t row = 0; row < batch().size(); ++row) {
    const bool excluded =
        row / 64 < excluded_.size() && (excluded_[row / 64] >> (row % 64) & 1) != 0;
    if (!excluded) rows.push_back(row);
  }
  auto rest = std::make_shared<SpanBatch>();
  model::BatchAppender(rest.get()).Append(batch(), rows);
  return BatchColumns(std::move(rest)).AttributeKeys();
}

Result<uint32_t> BatchRowGroup::TableRows(Scope scope) const {
  return static_cast<uint32_t>(TableOf(batch(), scope).ends->size());
}

Result<ColumnPtr> BatchRowGroup::ReadAt(Intrinsic column, std::span<const uint32_t> rows) const {
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr whole, columns_->Read(column));
  auto picked = std::make_shared<Column>();
  picked->type = whole->type;
  picked->row_count = static_cast<uint32_t>(rows.size());
  picked->dictionary = whole->dictionary;
  for (uint32_t row : rows) {
    if (whole->dictionary) {
      picked->codes.push_back(whole->codes[row]);
    } else {
      picked->ints.push_back(whole->ints[row]);
    }
  }
  return ColumnPtr(std::move(picked));
}

std::shared_ptr<const RowGroup> InPreorder(const SpanBatch& batch) {
  const RowsByTrace grouped = GroupByTrace(batch);
  auto tree = std::make_unique<TreeColumns>();
  std::vector<uint32_t> order;
  std::vector<model::TreeSpan> spans;
  model::PreorderBuilder builder;
  for (uint32_t t = 0, begin = 0; t < grouped.ends.size(); begin = grouped.ends[t++]) {
    const uint32_t* rows = grouped.rows.data() + begin;
    spans.clear();
    for (uint32_t i = begin; i < grouped.ends[t]; ++i) {
      const uint32_t row = grouped.rows[i];
      spans.push_back({batch.span_id[row], batch.parent_span_id[row], batch.start_ns[row],
                       batch.end_ns[row], batch.kind[row]});
    }
    const model::Preorder& preorder =
        builder.Build(spans, [&](uint32_t i) { return model::ContentHash(batch, rows[i]); });
    for (uint32_t i : preorder.input) order.push_back(rows[i]);
    tree->parent.insert(tree->parent.end(), preorder.parent.begin(), preorder.parent.end());
    tree->subtree_size.insert(tree->subtree_size.end(), preorder.subtree_size.begin(),
                              preorder.subtree_size.end());
    tree->marks.insert(tree->marks.end(), preorder.marks.begin(), preorder.marks.end());
  }
  auto sorted = std::make_shared<SpanBatch>();
  model::BatchAppender(sorted.get()).Append(batch, order);
  return std::make_shared<BatchRowGroup>(
      std::make_shared<BatchColumns>(std::move(sorted), std::move(tree)), std::vector<uint64_t>());
}

}  // namespace weft::block
