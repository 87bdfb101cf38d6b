#include "query/exec/memory_source.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "block/json_text.h"
#include "block/trace_summary.h"

namespace weft::query::exec {
namespace {

using block::Column;
using block::ColumnPtr;
using block::Dictionary;
using block::Intrinsic;
using block::Scope;
using model::Attribute;
using model::AttributeArray;
using model::IndexRange;
using model::SpanBatch;
using model::ValueType;

// Values of one type, one or none a row, as a column with a dictionary.
class DictionaryColumn {
 public:
  DictionaryColumn(ValueType type, uint32_t rows) : type_(type), codes_(rows, block::kNoValue) {}

  void Set(uint32_t row, const std::string& text) {
    codes_[row] = texts_.try_emplace(text, static_cast<uint32_t>(texts_.size())).first->second;
  }
  void Set(uint32_t row, uint64_t bits) {
    codes_[row] = numbers_.try_emplace(bits, static_cast<uint32_t>(numbers_.size())).first->second;
  }

  ColumnPtr Make() const {
    auto dictionary = std::make_shared<Dictionary>();
    dictionary->type = type_;
    auto owned = std::make_shared<std::vector<std::string>>(texts_.size());
    for (const auto& [text, code] : texts_) (*owned)[code] = text;
    dictionary->strings.assign(owned->begin(), owned->end());
    dictionary->owner = owned;
    auto& ints = dictionary->ints;
    auto& doubles = dictionary->doubles;
    (type_ == ValueType::kDouble ? doubles.resize(numbers_.size()) : ints.resize(numbers_.size()));
    for (const auto& [bits, code] : numbers_) {
      if (type_ == ValueType::kDouble) {
        doubles[code] = std::bit_cast<double>(bits);
      } else {
        ints[code] = static_cast<int64_t>(bits);
      }
    }
    auto column = std::make_shared<Column>();
    column->type = type_;
    column->row_count = static_cast<uint32_t>(codes_.size());
    column->dictionary = std::move(dictionary);
    column->codes = codes_;
    return column;
  }

 private:
  ValueType type_;
  std::vector<uint32_t> codes_;
  std::map<std::string, uint32_t> texts_;
  std::map<uint64_t, uint32_t> numbers_;
};

template <typename Get>
ColumnPtr MakeInts(uint32_t rows, Get get) {
  auto column = std::make_shared<Column>();
  column->type = ValueType::kInt;
  column->row_count = rows;
  for (uint32_t i = 0; i < rows; ++i) column->ints.push_back(static_cast<int64_t>(get(i)));
  return column;
}

template <typename Get>
ColumnPtr MakeTexts(uint32_t rows, bool empty_is_none, Get get) {
  DictionaryColumn column(ValueType::kString, rows);
  for (uint32_t i = 0; i < rows; ++i) {
    const std::string text(get(i));
    if (!text.empty() || !empty_is_none) column.Set(i, text);
  }
  return column.Make();
}

template <typename Get>
ColumnPtr MakeSmallInts(uint32_t rows, Get get) {
  DictionaryColumn column(ValueType::kInt, rows);
  for (uint32_t i = 0; i < rows; ++i) column.Set(i, uint64_t{get(i)});
  return column.Make();
}

const AttributeArray& AttributesOf(const SpanBatch& b, Scope scope) {
  switch (scope) {
    case Scope::kSpan: return b.attributes;
    case Scope::kResource: return b.resources.attributes;
    case Scope::kInstrumentation: return b.scopes.attributes;
    case Scope::kEvent: return b.events.attributes;
    case Scope::kLink: return b.links.attributes;
  }
  return b.attributes;
}

IndexRange RangeOf(const SpanBatch& b, Scope scope, uint32_t row) {
  switch (scope) {
    case Scope::kSpan: return b.AttributesOf(row);
    case Scope::kResource: return b.ResourceAttributesOf(row);
    case Scope::kInstrumentation: return b.ScopeAttributesOf(row);
    case Scope::kEvent: return b.EventAttributesOf(row);
    case Scope::kLink: return b.LinkAttributesOf(row);
  }
  return {};
}

uint32_t RowsOf(const SpanBatch& b, Scope scope) {
  switch (scope) {
    case Scope::kSpan: return b.size();
    case Scope::kResource: return b.resources.size();
    case Scope::kInstrumentation: return b.scopes.size();
    case Scope::kEvent: return b.events.size();
    case Scope::kLink: return b.links.size();
  }
  return 0;
}

void SetValue(const SpanBatch& b, const Attribute& a, uint32_t row, DictionaryColumn* column) {
  switch (a.type) {
    case ValueType::kString:
    case ValueType::kBytes: return column->Set(row, std::string(b.strings[a.as_code()]));
    case ValueType::kArray:
    case ValueType::kKvList: {
      std::string text;
      block::AppendJsonText(b, a, &text);
      return column->Set(row, text);
    }
    default: return column->Set(row, a.value);
  }
}

// The span that each event or link belongs to.
std::vector<uint32_t> Owners(const std::vector<uint32_t>& ends) {
  std::vector<uint32_t> out;
  for (uint32_t span = 0; span < ends.size(); ++span) {
    while (out.size() < ends[span]) out.push_back(span);
  }
  return out;
}

class MemoryGroup : public block::RowGroup {
 public:
  MemoryGroup(std::shared_ptr<const SpanBatch> batch, std::vector<uint64_t> excluded)
      : batch_(std::move(batch)), excluded_(std::move(excluded)) {
    const SpanBatch& b = *batch_;
    starts_.assign(b.traces.size(), UINT64_MAX);
    ends_.assign(b.traces.size(), 0);
    for (uint32_t i = 0; i < b.size(); ++i) {
      starts_[b.trace[i]] = std::min(starts_[b.trace[i]], b.start_ns[i]);
      ends_[b.trace[i]] = std::max(ends_[b.trace[i]], b.end_ns[i]);
    }
  }

  uint32_t row_count() const override { return batch_->size(); }
  uint64_t first_start_ns() const override {
    return *std::min_element(batch_->start_ns.begin(), batch_->start_ns.end());
  }
  uint64_t last_start_ns() const override {
    return *std::max_element(batch_->start_ns.begin(), batch_->start_ns.end());
  }
  uint64_t last_trace_start_ns() const override {
    return *std::max_element(starts_.begin(), starts_.end());
  }
  bool has_tree() const override { return false; }
  const std::string& block_id() const override { return block_id_; }
  uint32_t trace_count() const override { return static_cast<uint32_t>(batch_->traces.size()); }
  model::TraceId trace_id(uint32_t trace) const override { return batch_->traces[trace]; }
  uint64_t trace_start_ns(uint32_t trace) const override { return starts_[trace]; }
  uint64_t trace_end_ns(uint32_t trace) const override { return ends_[trace]; }
  const std::vector<uint32_t>& trace_of_row() const override { return batch_->trace; }
  const std::vector<uint64_t>& excluded_rows() const override { return excluded_; }
  Result<uint32_t> TableRows(Scope scope) const override { return RowsOf(*batch_, scope); }

  Result<block::TraceSummary> Summary(uint32_t trace) const override {
    std::vector<uint32_t> rows;
    for (uint32_t i = 0; i < batch_->size(); ++i) {
      if (batch_->trace[i] == trace) rows.push_back(i);
    }
    SpanBatch spans;
    model::BatchAppender(&spans).Append(*batch_, rows);
    return block::SummarizeSpans(spans);
  }

  Result<ColumnPtr> Read(Intrinsic column) const override;

  Result<std::vector<ColumnPtr>> ReadAttribute(Scope scope, std::string_view key) const override {
    const SpanBatch& b = *batch_;
    const AttributeArray& attributes = AttributesOf(b, scope);
    std::map<ValueType, DictionaryColumn> columns;
    for (uint32_t row = 0; row < RowsOf(b, scope); ++row) {
      const IndexRange range = RangeOf(b, scope, row);
      for (uint32_t i = range.begin; i < range.end; ++i) {
        const Attribute a = attributes[i];
        if (b.strings[a.key] != key || a.type == ValueType::kEmpty) continue;
        SetValue(b, a, row, &columns.try_emplace(a.type, a.type, RowsOf(b, scope)).first->second);
      }
    }
    std::vector<ColumnPtr> out;
    for (const auto& entry : columns) out.push_back(entry.second.Make());
    return out;
  }

  Result<ColumnPtr> ReadAt(Intrinsic column, std::span<const uint32_t> rows) const override {
    WEFT_ASSIGN_OR_RETURN(const ColumnPtr all, Read(column));
    auto out = std::make_shared<Column>();
    out->type = all->type;
    out->row_count = static_cast<uint32_t>(rows.size());
    out->dictionary = all->dictionary;
    for (uint32_t row : rows) {
      if (all->dictionary) {
        out->codes.push_back(all->codes[row]);
      } else {
        out->ints.push_back(all->ints[row]);
      }
    }
    return ColumnPtr(std::move(out));
  }

  Result<std::vector<KeyInfo>> AttributeKeys() const override {
    std::map<std::pair<Scope, std::string>, uint8_t> keys;
    for (Scope scope :
         {Scope::kSpan, Scope::kResource, Scope::kInstrumentation, Scope::kEvent, Scope::kLink}) {
      const AttributeArray& attributes = AttributesOf(*batch_, scope);
      for (uint32_t i = 0; i < attributes.size(); ++i) {
        const Attribute a = attributes[i];
        keys[{scope, std::string(batch_->strings[a.key])}] |=
            static_cast<uint8_t>(1u << static_cast<unsigned>(a.type));
      }
    }
    std::vector<KeyInfo> out;
    for (const auto& [key, types] : keys) out.push_back({key.first, key.second, types});
    return out;
  }

 private:
  std::shared_ptr<const SpanBatch> batch_;
  std::vector<uint64_t> excluded_;
  std::vector<uint64_t> starts_;
  std::vector<uint64_t> ends_;
  std::string block_id_;
};

Result<ColumnPtr> MemoryGroup::Read(Intrinsic column) const {
  const SpanBatch& b = *batch_;
  const uint32_t n = b.size();
  const auto text = [&b](model::Code code) { return b.strings[code]; };
  switch (column) {
    case Intrinsic::kName: return MakeTexts(n, false, [&](uint32_t i) { return text(b.name[i]); });
    case Intrinsic::kKind: return MakeSmallInts(n, [&](uint32_t i) { return b.kind[i]; });
    case Intrinsic::kStatus: return MakeSmallInts(n, [&](uint32_t i) { return b.status[i]; });
    case Intrinsic::kStatusMessage:
      return MakeTexts(n, true, [&](uint32_t i) { return text(b.status_message[i]); });
    case Intrinsic::kTraceState:
      return MakeTexts(n, true, [&](uint32_t i) { return text(b.trace_state[i]); });
    case Intrinsic::kStartTime: return MakeInts(n, [&](uint32_t i) { return b.start_ns[i]; });
    case Intrinsic::kDuration:
      return MakeInts(n, [&](uint32_t i) { return b.end_ns[i] - b.start_ns[i]; });
    case Intrinsic::kSpanId: return MakeInts(n, [&](uint32_t i) { return b.span_id[i].value; });
    case Intrinsic::kParentSpanId:
      return MakeInts(n, [&](uint32_t i) { return b.parent_span_id[i].value; });
    case Intrinsic::kFlags: return MakeInts(n, [&](uint32_t i) { return b.flags[i]; });
    case Intrinsic::kResource: return MakeInts(n, [&](uint32_t i) { return b.resource[i]; });
    case Intrinsic::kScope: return MakeInts(n, [&](uint32_t i) { return b.scope[i]; });
    case Intrinsic::kMarks: return MakeInts(n, [](uint32_t) { return 0; });
    case Intrinsic::kParentRow:
    case Intrinsic::kSubtreeSize: return Error(ErrorCode::kInternal, "the group has no tree");
    case Intrinsic::kEventSpan: {
      const auto owners = Owners(b.event_end);
      return MakeInts(b.events.size(), [&](uint32_t i) { return owners[i]; });
    }
    case Intrinsic::kEventName:
      return MakeTexts(b.events.size(), false, [&](uint32_t i) { return text(b.events.name[i]); });
    case Intrinsic::kEventTime:
      return MakeInts(b.events.size(), [&](uint32_t i) { return b.events.time_ns[i]; });
    case Intrinsic::kLinkSpan: {
      const auto owners = Owners(b.link_end);
      return MakeInts(b.links.size(), [&](uint32_t i) { return owners[i]; });
    }
    case Intrinsic::kLinkTraceId:
      return MakeTexts(b.links.size(), false,
                       [&](uint32_t i) { return b.links.trace_id[i].ToHex(); });
    case Intrinsic::kLinkSpanId:
      return MakeTexts(b.links.size(), false,
                       [&](uint32_t i) { return b.links.span_id[i].ToHex(); });
    case Intrinsic::kScopeName:
      return MakeTexts(b.scopes.size(), false, [&](uint32_t i) { return text(b.scopes.name[i]); });
    case Intrinsic::kScopeVersion:
      return MakeTexts(b.scopes.size(), false,
                       [&](uint32_t i) { return text(b.scopes.version[i]); });
  }
  return Error(ErrorCode::kInternal, "unknown column");
}

std::vector<uint64_t> ToBits(const std::vector<uint32_t>& rows, uint32_t size) {
  if (rows.empty()) return {};
  std::vector<uint64_t> bits((size + 63) / 64, 0);
  for (uint32_t row : rows) bits[row / 64] |= uint64_t{1} << (row % 64);
  return bits;
}

}  // namespace

MemorySource::MemorySource(std::vector<Group> groups) : groups_(std::move(groups)) {
  std::erase_if(groups_, [](const Group& g) { return g.spans->empty(); });
  for (uint32_t i = 0; i < groups_.size(); ++i) {
    const SpanBatch& spans = *groups_[i].spans;
    for (uint32_t row = 0; row < spans.size(); ++row)
      rows_of_[spans.trace_id(row)][i].push_back(row);
  }
  for (const Group& g : groups_) {
    row_groups_.push_back(
        std::make_shared<MemoryGroup>(g.spans, ToBits(g.excluded, g.spans->size())));
  }
}

MemorySource MemorySource::Of(std::vector<SpanBatch> batches) {
  std::vector<Group> groups;
  for (SpanBatch& b : batches)
    groups.push_back({std::make_shared<const SpanBatch>(std::move(b)), {}});
  return MemorySource(std::move(groups));
}

Result<std::vector<std::shared_ptr<const block::RowGroup>>> MemorySource::Snapshot(
    const model::TenantId&, TimeRange range, const block::SnapshotOptions&) const {
  std::vector<std::shared_ptr<const block::RowGroup>> out;
  for (const auto& group : row_groups_) {
    if (range.Touches(group->first_start_ns(), group->last_start_ns())) out.push_back(group);
  }
  return out;
}

Result<SpanBatch> MemorySource::FindTrace(const model::TenantId&, model::TraceId id) const {
  SpanBatch out;
  model::BatchAppender appender(&out);
  const auto found = rows_of_.find(id);
  if (found == rows_of_.end()) return out;
  for (const auto& [group, of_trace] : found->second) {
    const auto& excluded = groups_[group].excluded;
    std::vector<uint32_t> rows;
    for (const uint32_t row : of_trace) {
      if (std::find(excluded.begin(), excluded.end(), row) == excluded.end()) rows.push_back(row);
    }
    appender.Append(*groups_[group].spans, rows);
  }
  return block::WithoutDuplicates(out);
}

Result<block::RowSource::JoinedSummary> MemorySource::SummarizeTrace(const model::TenantId& tenant,
                                                                     model::TraceId id) const {
  WEFT_ASSIGN_OR_RETURN(const SpanBatch spans, FindTrace(tenant, id));
  const auto found = rows_of_.find(id);
  const size_t fragments = found == rows_of_.end() ? 0 : found->second.size();
  return JoinedSummary{block::SummarizeSpans(spans), static_cast<uint32_t>(fragments)};
}

}  // namespace weft::query::exec
