// 1. A table of the field (spans, resources, events, ...) gives a weight to each of its rows: how
//    many spans of `rows` lead to it.
// 2. The weights are summed by code. A span with many events is counted once for a code, as events
//    stand in the order of their spans.
// 3. Only codes that were met become text.
#include "query/exec/value_count.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <set>
#include <vector>

#include <absl/container/flat_hash_set.h>

#include "query/exec/column_match.h"
#include "query/exec/row_values.h"
#include "query/exec/value_key.h"

namespace weft::query::exec {
namespace {

using block::Column;
using block::ColumnPtr;
using block::Intrinsic;
using block::Scope;
using model::ValueType;
using plan::Field;
using plan::Property;
using plan::Scalar;
using plan::Value;

// Whatever the case of ASCII letters.
bool BeginsWith(std::string_view text, std::string_view prefix) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return text.size() >= prefix.size() &&
         std::equal(prefix.begin(), prefix.end(), text.begin(),
                    [&](char a, char b) { return lower(a) == lower(b); });
}

struct Source {
  Intrinsic column;
  Scope table;
};
std::optional<Source> SourceOf(Property property) {
  switch (property) {
    case Property::kName: return Source{Intrinsic::kName, Scope::kSpan};
    case Property::kKind: return Source{Intrinsic::kKind, Scope::kSpan};
    case Property::kStatus: return Source{Intrinsic::kStatus, Scope::kSpan};
    case Property::kStatusMessage: return Source{Intrinsic::kStatusMessage, Scope::kSpan};
    case Property::kEventName: return Source{Intrinsic::kEventName, Scope::kEvent};
    case Property::kScopeName: return Source{Intrinsic::kScopeName, Scope::kInstrumentation};
    case Property::kScopeVersion: return Source{Intrinsic::kScopeVersion, Scope::kInstrumentation};
    default: return std::nullopt;
  }
}

std::string DoubleText(double value) {
  std::array<char, 32> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  std::string out(buffer.data(), end);
  if (out.find_first_not_of("-0123456789") == std::string::npos) out += ".0";
  return out;
}

// Values that were met, each once.
using ValueSet = absl::flat_hash_set<ValueKey>;

void AddElements(std::string_view json, ValueSet* out) {
  model::SpanBatch owner;
  for (const Scalar& element : ArrayElements(json, &owner)) out->insert({element.ToValue()});
}

// The elements of an array, each once.
void AddCode(const block::Dictionary& dictionary, uint32_t code, uint64_t count, ValueSink* out) {
  if (dictionary.type == ValueType::kArray) {
    ValueSet elements;
    AddElements(dictionary.strings[code], &elements);
    for (const ValueKey& element : elements) out->Add(Scalar::Of(element.value), count);
    return;
  }
  const Scalar value = EntryOf(dictionary, code);
  if (value.type != Value::Type::kNil) out->Add(value, count);
}

uint64_t AskWhatToLeaveOut(const std::vector<uint64_t>& counts, ValueSink* out) {
  uint64_t spans = 0;
  uint64_t distinct = 0;
  for (const uint64_t count : counts) {
    spans += count;
    distinct += count > 0 ? 1 : 0;
  }
  return out->LeaveOut(spans, distinct);
}

void AddCodes(const block::Dictionary& dictionary, const std::vector<uint64_t>& counts,
              ValueSink* out) {
  const uint64_t left_out = AskWhatToLeaveOut(counts, out);
  for (uint32_t code = 0; code < counts.size(); ++code) {
    if (counts[code] > left_out) AddCode(dictionary, code, counts[code], out);
  }
}

// Numbers by their bits.
using NumberCounts = absl::flat_hash_map<uint64_t, uint64_t>;

void AddNumbers(ValueType type, const NumberCounts& counts, ValueSink* out) {
  uint64_t spans = 0;
  for (const auto& [bits, count] : counts) spans += count;
  const uint64_t left_out = out->LeaveOut(spans, counts.size());
  for (const auto& [bits, count] : counts) {
    if (count <= left_out) continue;
    out->Add(type == ValueType::kDouble ? Scalar::Double(std::bit_cast<double>(bits))
             : type == ValueType::kBool ? Scalar::Bool(bits != 0)
                                        : Scalar::Int(static_cast<int64_t>(bits)),
             count);
  }
}

// Calls f(begin, end) for stretches of values that belong to `rows`, as indexes of values.
template <typename F>
void ForEachValue(const block::PackedColumn& column, const Bitmap& rows, F f) {
  const uint32_t words = (rows.size() + 63) / 64;
  for (uint32_t i = 0; i < words; ++i) {
    const uint64_t wanted = rows.words()[i];
    if (wanted == 0) continue;
    const bool all = column.present.empty();
    const uint64_t present = all ? ~uint64_t{0} : column.present[i];
    const uint32_t before = all ? i * 64 : column.values_before[i];
    uint64_t found = wanted & present;
    if (found == present && !all) {
      f(before, before + static_cast<uint32_t>(std::popcount(present)));
      continue;
    }
    for (; found != 0; found &= found - 1) {
      const uint64_t below = (found & -found) - 1;
      const uint32_t value = before + static_cast<uint32_t>(std::popcount(present & below));
      f(value, value + 1);
    }
  }
}

std::vector<uint64_t> CountCodesOf(const block::PackedColumn& column, const Bitmap& rows) {
  std::vector<uint64_t> counts(column.dictionary->size(), 0);
  column.WithCodes([&](const auto* codes, size_t) {
    ForEachValue(column, rows, [&](uint32_t begin, uint32_t end) {
      for (uint32_t i = begin; i < end; ++i) ++counts[codes[i]];
    });
  });
  return counts;
}

// Of two sets of rows that are all rows together only the smaller is counted.
std::array<std::vector<uint64_t>, 2> CountCodesOfBoth(const block::PackedColumn& column,
                                                      const std::array<Bitmap, 2>& sides,
                                                      bool all) {
  if (!all) return {CountCodesOf(column, sides[0]), CountCodesOf(column, sides[1])};
  const size_t smaller = sides[0].Count() < sides[1].Count() ? 0 : 1;
  std::array<std::vector<uint64_t>, 2> out;
  out[smaller] = CountCodesOf(column, sides[smaller]);
  const std::vector<uint32_t>& together = column.code_counts->Of(column);
  std::vector<uint64_t>& others = out[1 - smaller];
  others.assign(together.begin(), together.end());
  for (size_t code = 0; code < others.size(); ++code) others[code] -= out[smaller][code];
  return out;
}

// Both of a value one after the other: the second finds it in the processor's cache.
void AddCodesOfBoth(const block::Dictionary& dictionary,
                    const std::array<std::vector<uint64_t>, 2>& counts,
                    const std::array<ValueSink*, 2>& out) {
  const std::array left_out{AskWhatToLeaveOut(counts[0], out[0]),
                            AskWhatToLeaveOut(counts[1], out[1])};
  for (uint32_t code = 0; code < dictionary.size(); ++code) {
    for (const size_t side : {0, 1}) {
      const uint64_t count = counts[side][code];
      if (count > left_out[side]) AddCode(dictionary, code, count, out[side]);
    }
  }
}

// Which of the rows have a value in the column.
Bitmap RowsWith(const block::PackedColumn& column, const Bitmap& rows) {
  Bitmap out = rows;
  for (size_t i = 0; i < column.present.size(); ++i) out.words()[i] &= column.present[i];
  return out;
}

void CountValuesOf(const block::PackedColumn& column, const Bitmap& rows, ValueSink* out) {
  if (column.dictionary) return AddCodes(*column.dictionary, CountCodesOf(column, rows), out);
  NumberCounts counts;
  ForEachValue(column, rows, [&](uint32_t begin, uint32_t end) {
    for (uint32_t i = begin; i < end; ++i) {
      ++counts[column.doubles.empty() ? static_cast<uint64_t>(column.ints[i])
                                      : std::bit_cast<uint64_t>(column.doubles[i])];
    }
  });
  AddNumbers(column.type, counts, out);
}

void CountSpanCodes(const Column& column, const Bitmap& spans, std::vector<uint64_t>* counts) {
  const auto size = static_cast<uint32_t>(counts->size());
  counts->push_back(0);  // for rows without a value
  uint64_t* sums = counts->data();
  const uint32_t* codes = column.codes.data();
  if (spans.All()) {
    for (uint32_t row = 0; row < column.row_count; ++row) ++sums[std::min(codes[row], size)];
  } else {
    spans.ForEach([&](uint32_t row) { ++sums[std::min(codes[row], size)]; });
  }
  counts->pop_back();
}

bool HasArrays(const std::vector<ColumnPtr>& columns) {
  return std::any_of(columns.begin(), columns.end(),
                     [](const ColumnPtr& c) { return c->type == ValueType::kArray; });
}

constexpr std::array<const char*, 6> kKindNames{"unspecified", "internal", "server",
                                                "client",      "producer", "consumer"};
constexpr std::array<const char*, 3> kStatusNames{"unset", "ok", "error"};

// Statuses and kinds by their names; numbers that have none stay numbers.
template <size_t N>
class NamedSink : public ValueSink {
 public:
  NamedSink(const std::array<const char*, N>& names, ValueSink* out) : names_(names), out_(out) {}

  void Add(const Scalar& value, uint64_t count) override {
    const auto number = static_cast<size_t>(value.number);
    out_->Add(number < N ? Scalar::String(names_[number]) : value, count);
  }

 private:
  const std::array<const char*, N>& names_;
  ValueSink* out_;
};

}  // namespace

void ValueCounts::Add(const Scalar& value, uint64_t count) {
  switch (value.type) {
    case Value::Type::kString: return AddText(ValueType::kString, value.text, count);
    case Value::Type::kInt: return AddText(ValueType::kInt, std::to_string(value.number), count);
    case Value::Type::kDouble: return AddText(ValueType::kDouble, DoubleText(value.real), count);
    case Value::Type::kBool:
      return AddText(ValueType::kBool, value.number != 0 ? "true" : "false", count);
    case Value::Type::kNil: return;
  }
}

void ValueCounts::AddText(ValueType type, std::string_view text, uint64_t count) {
  if (!prefix_.empty() && (type != ValueType::kString || !BeginsWith(text, prefix_))) return;
  counts_[{type, std::string(text)}] += count;
}

Error CheckCountable(const Field& field) {
  if (field.of_parent)
    return {ErrorCode::kInvalidArgument, "values are listed of spans, not of their parents"};
  const bool attribute = field.source != Field::Source::kProperty;
  if (attribute || field.is(Property::kRootName) || field.is(Property::kRootServiceName))
    return Error::Ok();
  if (SourceOf(field.property)) return Error::Ok();
  return {ErrorCode::kInvalidArgument,
          "values are listed for attributes and for name, kind, status, statusMessage, rootName, "
          "rootServiceName, event:name, instrumentation:name and instrumentation:version"};
}

Result<std::array<uint64_t, 2>> CountOnBothSides(GroupColumns* columns, const std::string& key,
                                                 const std::array<Bitmap, 2>& sides, bool all,
                                                 const std::array<ValueSink*, 2>& out) {
  WEFT_ASSIGN_OR_RETURN(const auto* read, columns->ReadAttributeValues(Scope::kSpan, key));
  std::array having{Bitmap(sides[0].size()), Bitmap(sides[1].size())};
  for (const block::PackedColumnPtr& column : *read) {
    if (column->dictionary) {
      AddCodesOfBoth(*column->dictionary, CountCodesOfBoth(*column, sides, all), out);
    }
    for (const size_t side : {0, 1}) {
      if (!column->dictionary) CountValuesOf(*column, sides[side], out[side]);
      having[side].Or(RowsWith(*column, sides[side]));
    }
  }
  return std::array<uint64_t, 2>{having[0].Count(), having[1].Count()};
}

Result<const ValueCounter::Weights*> ValueCounter::WeightsOf(Scope table) {
  const auto [found, is_new] = weights_.try_emplace(table);
  Weights& out = found->second;
  if (!is_new) return const_cast<const Weights*>(&out);
  if (table == Scope::kResource || table == Scope::kInstrumentation) {
    WEFT_ASSIGN_OR_RETURN(const uint32_t table_rows, columns_->TableRows(table));
    WEFT_ASSIGN_OR_RETURN(const Column* index, columns_->Read(IndexColumn(table)));
    out.by_row.assign(table_rows, 0);
    rows_.ForEach([&](uint32_t row) { ++out.by_row[static_cast<size_t>(index->ints[row])]; });
  } else {
    WEFT_ASSIGN_OR_RETURN(
        const Column* index,
        columns_->Read(table == Scope::kEvent ? Intrinsic::kEventSpan : Intrinsic::kLinkSpan));
    out.span_of = &index->ints;
  }
  return const_cast<const Weights*>(&out);
}

// Of a table that is not the spans'. A span with many events is counted once for a code, as events
// stand in the order of their spans.
std::vector<uint64_t> ValueCounter::CountCodes(const Column& column, const Weights& weights) const {
  const uint32_t size = column.dictionary->size();
  std::vector<uint64_t> counts(size, 0);
  if (weights.span_of == nullptr) {
    for (uint32_t i = 0; i < column.row_count; ++i) {
      if (column.codes[i] < size) counts[column.codes[i]] += weights.by_row[i];
    }
    return counts;
  }
  std::vector<int64_t> last_span(size, -1);
  for (uint32_t i = 0; i < column.row_count; ++i) {
    const int64_t span = (*weights.span_of)[i];
    const uint32_t code = column.codes[i];
    if (code >= size || last_span[code] == span || !rows_.Test(static_cast<uint32_t>(span)))
      continue;
    last_span[code] = span;
    ++counts[code];
  }
  return counts;
}

void ValueCounter::CountPlain(const Column& column, const Weights& weights, ValueSink* out) const {
  NumberCounts counts;
  std::set<std::pair<int64_t, uint64_t>> seen;
  for (uint32_t i = 0; i < column.row_count; ++i) {
    if (!column.has(i)) continue;
    const uint64_t bits = block::NumberAt(column, i);
    if (weights.span_of == nullptr) {
      if (weights.by_row[i] > 0) counts[bits] += weights.by_row[i];
      continue;
    }
    const int64_t span = (*weights.span_of)[i];
    if (rows_.Test(static_cast<uint32_t>(span)) && seen.insert({span, bits}).second) ++counts[bits];
  }
  AddNumbers(column.type, counts, out);
}

// Events with arrays: an element of one and the value of another may be the same, and are counted
// once a span.
void ValueCounter::CountSpanBySpan(const std::vector<ColumnPtr>& columns, const Weights& weights,
                                   ValueSink* out) const {
  const auto& span_of = *weights.span_of;
  ValueSet carried;
  for (uint32_t i = 0; i < span_of.size(); ++i) {
    if (!rows_.Test(static_cast<uint32_t>(span_of[i]))) continue;
    for (const ColumnPtr& column : columns) {
      if (!column->has(i)) continue;
      const bool array = column->type == ValueType::kArray;
      if (array) AddElements(column->dictionary->strings[column->codes[i]], &carried);
      const Scalar value = array ? Scalar() : ScalarAt(*column, i);
      if (value.type != Value::Type::kNil) carried.insert({value.ToValue()});
    }
    const bool last_of_span = i + 1 == span_of.size() || span_of[i + 1] != span_of[i];
    if (!last_of_span) continue;
    for (const ValueKey& value : carried) out->Add(Scalar::Of(value.value), 1);
    carried.clear();
  }
}

// Spans that a row with a value leads to.
uint64_t ValueCounter::SpansWith(const std::vector<ColumnPtr>& columns,
                                 const Weights& weights) const {
  uint64_t spans = 0;
  int64_t last_span = -1;
  for (uint32_t i = 0; !columns.empty() && i < columns[0]->row_count; ++i) {
    const bool has = std::any_of(columns.begin(), columns.end(),
                                 [i](const ColumnPtr& column) { return column->has(i); });
    if (!has) continue;
    if (weights.span_of == nullptr) {
      spans += weights.by_row[i];
      continue;
    }
    const int64_t span = (*weights.span_of)[i];
    if (span != last_span && rows_.Test(static_cast<uint32_t>(span))) ++spans;
    last_span = span;
  }
  return spans;
}

Result<uint64_t> ValueCounter::CountAttribute(Scope scope, const std::string& key, ValueSink* out) {
  if (scope == Scope::kSpan) return CountOfSpans(key, out);
  WEFT_ASSIGN_OR_RETURN(const auto* read, columns_->ReadAttribute(scope, key));
  if (read->empty()) return 0;
  WEFT_ASSIGN_OR_RETURN(const Weights* weights, WeightsOf(scope));
  if (weights->span_of != nullptr && HasArrays(*read)) {
    CountSpanBySpan(*read, *weights, out);
    return SpansWith(*read, *weights);
  }
  for (const ColumnPtr& column : *read) {
    if (column->dictionary) {
      AddCodes(*column->dictionary, CountCodes(*column, *weights), out);
    } else {
      CountPlain(*column, *weights, out);
    }
  }
  return SpansWith(*read, *weights);
}

Result<uint64_t> ValueCounter::CountOfSpans(const std::string& key, ValueSink* out) {
  WEFT_ASSIGN_OR_RETURN(const auto* columns, columns_->ReadAttributeValues(Scope::kSpan, key));
  Bitmap having(rows_.size());
  for (const block::PackedColumnPtr& column : *columns) {
    CountValuesOf(*column, rows_, out);
    having.Or(RowsWith(*column, rows_));
  }
  return having.Count();
}

// Spans with the attribute count for it, the others for their resource's.
Result<uint64_t> ValueCounter::CountUnscoped(const std::string& key, ValueSink* out) {
  WEFT_ASSIGN_OR_RETURN(const uint64_t own_spans, CountOfSpans(key, out));
  Bitmap hidden(rows_.size());
  WEFT_ASSIGN_OR_RETURN(const auto* own, columns_->ReadAttribute(Scope::kSpan, key));
  for (const ColumnPtr& column : *own) MarkPresent(*column, &hidden);
  Bitmap rest = rows_;
  rest.AndNot(hidden);
  WEFT_ASSIGN_OR_RETURN(
      const uint64_t other_spans,
      ValueCounter(columns_, joiner_, rest).CountAttribute(Scope::kResource, key, out));
  return own_spans + other_spans;
}

Result<uint64_t> ValueCounter::CountProperty(Property property, ValueSink* out) {
  const Source source = *SourceOf(property);
  WEFT_ASSIGN_OR_RETURN(const Column* column, columns_->Read(source.column));
  NamedSink kinds(kKindNames, out);
  NamedSink statuses(kStatusNames, out);
  if (property == Property::kKind) out = &kinds;
  if (property == Property::kStatus) out = &statuses;
  std::vector<uint64_t> counts(column->dictionary->size(), 0);
  if (source.table != Scope::kSpan) {
    WEFT_ASSIGN_OR_RETURN(const Weights* weights, WeightsOf(source.table));
    counts = CountCodes(*column, *weights);
  } else {
    CountSpanCodes(*column, rows_, &counts);
  }
  AddCodes(*column->dictionary, counts, out);
  if (source.table == Scope::kEvent) {
    WEFT_ASSIGN_OR_RETURN(const Weights* weights, WeightsOf(source.table));
    return SpansWith({ColumnPtr(ColumnPtr(), column)}, *weights);
  }
  uint64_t spans = 0;
  for (uint32_t code = 0; code < counts.size(); ++code) {
    const bool is_text = column->dictionary->type == ValueType::kString;
    if (!is_text || !column->dictionary->strings[code].empty()) spans += counts[code];
  }
  return spans;
}

Result<uint64_t> ValueCounter::CountByTrace(const Field& field, ValueSink* out) {
  const block::RowGroup& group = columns_->group();
  WEFT_RETURN_IF_ERROR(group.LoadTraces());
  const std::vector<uint32_t>& trace_of_row = group.trace_of_row();
  std::vector<uint64_t> spans(group.trace_count(), 0);
  std::vector<uint32_t> example(group.trace_count(), 0);
  rows_.ForEach([&](uint32_t row) {
    ++spans[trace_of_row[row]];
    example[trace_of_row[row]] = row;
  });
  WEFT_ASSIGN_OR_RETURN(const auto reader, FieldReader::Open(field, columns_, joiner_));
  absl::flat_hash_map<std::string, uint64_t> counts;  // they are texts, and few
  uint64_t having = 0;
  for (uint32_t trace = 0; trace < spans.size(); ++trace) {
    if (spans[trace] == 0) continue;
    WEFT_ASSIGN_OR_RETURN(const Scalar value, reader->Get(example[trace], 0));
    counts[std::string(value.text)] += spans[trace];
    if (!value.text.empty()) having += spans[trace];
  }
  for (const auto& [text, count] : counts) out->Add(Scalar::String(text), count);
  return having;
}

Result<uint64_t> ValueCounter::Count(const Field& field, ValueSink* out) {
  switch (field.source) {
    case Field::Source::kAttribute: return CountAttribute(field.scope, field.key, out);
    case Field::Source::kUnscoped: return CountUnscoped(field.key, out);
    case Field::Source::kProperty: break;
  }
  return field.of_trace() ? CountByTrace(field, out) : CountProperty(field.property, out);
}

}  // namespace weft::query::exec
