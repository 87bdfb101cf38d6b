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

#include "query/exec/column_match.h"
#include "query/exec/row_values.h"

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

void AddScalar(const Scalar& value, uint64_t count, ValueCounts* out) {
  switch (value.type) {
    case Value::Type::kString: out->Add(ValueType::kString, std::string(value.text), count); break;
    case Value::Type::kInt: out->Add(ValueType::kInt, std::to_string(value.number), count); break;
    case Value::Type::kDouble: out->Add(ValueType::kDouble, DoubleText(value.real), count); break;
    case Value::Type::kBool:
      out->Add(ValueType::kBool, value.number != 0 ? "true" : "false", count);
      break;
    case Value::Type::kNil: break;
  }
}

// Each element of an array once.
void AddArray(std::string_view json, uint64_t count, ValueCounts* out) {
  model::SpanBatch owner;
  ValueCounts elements{{}};
  for (const Scalar& element : ArrayElements(json, &owner)) AddScalar(element, 1, &elements);
  for (const auto& e : elements.counts()) out->Add(e.first.first, e.first.second, count);
}

void AddCode(const block::Dictionary& dictionary, uint32_t code, uint64_t count, ValueCounts* out) {
  switch (dictionary.type) {
    case ValueType::kString: return AddScalar(Scalar::String(dictionary.strings[code]), count, out);
    case ValueType::kInt: return AddScalar(Scalar::Int(dictionary.ints[code]), count, out);
    case ValueType::kBool: return AddScalar(Scalar::Bool(dictionary.ints[code] != 0), count, out);
    case ValueType::kDouble: return AddScalar(Scalar::Double(dictionary.doubles[code]), count, out);
    case ValueType::kArray: return AddArray(dictionary.strings[code], count, out);
    default: return;
  }
}

// How a table's rows lead to spans: `weight_of(row)` spans, and whether `seen` must keep a span
// from counting twice.
struct Weights {
  const Bitmap* spans = nullptr;                  // of the span table
  std::vector<uint64_t> by_row;                   // of resources and scopes
  const std::vector<int64_t>* span_of = nullptr;  // of events and links
};

Result<Weights> WeightsOf(Scope table, GroupColumns* columns, const Bitmap& rows) {
  Weights out;
  out.spans = &rows;
  if (table == Scope::kResource || table == Scope::kInstrumentation) {
    WEFT_ASSIGN_OR_RETURN(const uint32_t table_rows, columns->TableRows(table));
    WEFT_ASSIGN_OR_RETURN(const Column* index, columns->Read(IndexColumn(table)));
    out.by_row.assign(table_rows, 0);
    rows.ForEach([&](uint32_t row) { ++out.by_row[static_cast<size_t>(index->ints[row])]; });
  } else if (table == Scope::kEvent || table == Scope::kLink) {
    WEFT_ASSIGN_OR_RETURN(
        const Column* index,
        columns->Read(table == Scope::kEvent ? Intrinsic::kEventSpan : Intrinsic::kLinkSpan));
    out.span_of = &index->ints;
  }
  return out;
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

void CountCodes(const Column& column, const Weights& weights, ValueCounts* out) {
  const uint32_t size = column.dictionary->size();
  std::vector<uint64_t> counts(size, 0);
  const auto add = [&](uint32_t row, uint64_t weight) {
    if (column.codes[row] < size) counts[column.codes[row]] += weight;
  };
  if (weights.span_of != nullptr) {
    std::vector<int64_t> last_span(size, -1);
    for (uint32_t i = 0; i < column.row_count; ++i) {
      const int64_t span = (*weights.span_of)[i];
      const uint32_t code = column.codes[i];
      if (code >= size || last_span[code] == span ||
          !weights.spans->Test(static_cast<uint32_t>(span)))
        continue;
      last_span[code] = span;
      ++counts[code];
    }
  } else if (!weights.by_row.empty()) {
    for (uint32_t i = 0; i < column.row_count; ++i) add(i, weights.by_row[i]);
  } else {
    CountSpanCodes(column, *weights.spans, &counts);
  }
  for (uint32_t code = 0; code < size; ++code) {
    if (counts[code] > 0) AddCode(*column.dictionary, code, counts[code], out);
  }
}

bool HasArrays(const std::vector<ColumnPtr>& columns) {
  return std::any_of(columns.begin(), columns.end(),
                     [](const ColumnPtr& c) { return c->type == ValueType::kArray; });
}

// Events with arrays: an element of one and the value of another may be the same, and are counted
// once a span.
void CountSpanBySpan(const std::vector<ColumnPtr>& columns, const Weights& weights,
                     ValueCounts* out) {
  const auto& span_of = *weights.span_of;
  ValueCounts carried{{}};
  for (uint32_t i = 0; i < span_of.size(); ++i) {
    if (!weights.spans->Test(static_cast<uint32_t>(span_of[i]))) continue;
    for (const ColumnPtr& column : columns) {
      if (!column->has(i)) continue;
      if (column->dictionary) {
        AddCode(*column->dictionary, column->codes[i], 1, &carried);
      } else {
        AddScalar(ScalarAt(*column, i), 1, &carried);
      }
    }
    const bool last_of_span = i + 1 == span_of.size() || span_of[i + 1] != span_of[i];
    if (!last_of_span) continue;
    for (const auto& v : carried.counts()) out->Add(v.first.first, v.first.second, 1);
    carried.Clear();
  }
}

// Columns without a dictionary have many values; each is looked up.
void CountPlain(const Column& column, const Weights& weights, ValueCounts* out) {
  if (weights.span_of != nullptr) {
    std::set<std::pair<int64_t, uint64_t>> seen;
    for (uint32_t i = 0; i < column.row_count; ++i) {
      const int64_t span = (*weights.span_of)[i];
      const Scalar value = ScalarAt(column, i);
      const uint64_t bits = value.type == Value::Type::kDouble
                                ? std::bit_cast<uint64_t>(value.real)
                                : static_cast<uint64_t>(value.number);
      if (weights.spans->Test(static_cast<uint32_t>(span)) && seen.insert({span, bits}).second)
        AddScalar(value, 1, out);
    }
  } else if (!weights.by_row.empty()) {
    for (uint32_t i = 0; i < column.row_count; ++i) {
      if (weights.by_row[i] > 0) AddScalar(ScalarAt(column, i), weights.by_row[i], out);
    }
  } else {
    weights.spans->ForEach([&](uint32_t row) { AddScalar(ScalarAt(column, row), 1, out); });
  }
}

Error CountAttribute(Scope scope, const std::string& key, GroupColumns* columns, const Bitmap& rows,
                     ValueCounts* out) {
  WEFT_ASSIGN_OR_RETURN(const auto* read, columns->ReadAttribute(scope, key));
  if (read->empty()) return Error::Ok();
  WEFT_ASSIGN_OR_RETURN(const Weights weights, WeightsOf(scope, columns, rows));
  if (weights.span_of != nullptr && HasArrays(*read)) {
    CountSpanBySpan(*read, weights, out);
    return Error::Ok();
  }
  for (const ColumnPtr& column : *read) {
    if (column->dictionary) {
      CountCodes(*column, weights, out);
    } else {
      CountPlain(*column, weights, out);
    }
  }
  return Error::Ok();
}

// Spans with the attribute count for it, the others for their resource's.
Error CountUnscoped(const std::string& key, GroupColumns* columns, const Bitmap& rows,
                    ValueCounts* out) {
  WEFT_RETURN_IF_ERROR(CountAttribute(Scope::kSpan, key, columns, rows, out));
  Bitmap hidden(rows.size());
  WEFT_ASSIGN_OR_RETURN(const auto* own, columns->ReadAttribute(Scope::kSpan, key));
  for (const ColumnPtr& column : *own) MarkPresent(*column, &hidden);
  Bitmap rest = rows;
  rest.AndNot(hidden);
  return CountAttribute(Scope::kResource, key, columns, rest, out);
}

constexpr std::array<const char*, 6> kKindNames{"unspecified", "internal", "server",
                                                "client",      "producer", "consumer"};
constexpr std::array<const char*, 3> kStatusNames{"unset", "ok", "error"};

// Statuses and kinds by their names; numbers that have none stay numbers.
template <size_t N>
void AddNamed(const ValueCounts& counts, const std::array<const char*, N>& names,
              ValueCounts* out) {
  for (const auto& [key, count] : counts.counts()) {
    size_t value = N;
    std::from_chars(key.second.data(), key.second.data() + key.second.size(), value);
    if (value < N) {
      out->Add(ValueType::kString, names[value], count);
    } else {
      out->Add(key.first, key.second, count);
    }
  }
}

Error CountProperty(Property property, GroupColumns* columns, const Bitmap& rows,
                    ValueCounts* out) {
  const Source source = *SourceOf(property);
  WEFT_ASSIGN_OR_RETURN(const Column* column, columns->Read(source.column));
  WEFT_ASSIGN_OR_RETURN(const Weights weights, WeightsOf(source.table, columns, rows));
  ValueCounts counts{{}};
  CountCodes(*column, weights,
             property == Property::kKind || property == Property::kStatus ? &counts : out);
  if (property == Property::kKind) AddNamed(counts, kKindNames, out);
  if (property == Property::kStatus) AddNamed(counts, kStatusNames, out);
  return Error::Ok();
}

Error CountByTrace(const Field& field, GroupColumns* columns, TraceJoiner* joiner,
                   const Bitmap& rows, ValueCounts* out) {
  const block::RowGroup& group = columns->group();
  WEFT_RETURN_IF_ERROR(group.LoadTraces());
  std::vector<uint64_t> spans(group.trace_count(), 0);
  std::vector<uint32_t> example(group.trace_count(), 0);
  rows.ForEach([&](uint32_t row) {
    ++spans[group.trace_of_row()[row]];
    example[group.trace_of_row()[row]] = row;
  });
  WEFT_ASSIGN_OR_RETURN(const auto reader, FieldReader::Open(field, columns, joiner));
  for (uint32_t trace = 0; trace < spans.size(); ++trace) {
    if (spans[trace] == 0) continue;
    WEFT_ASSIGN_OR_RETURN(const Scalar value, reader->Get(example[trace], 0));
    AddScalar(value, spans[trace], out);
  }
  return Error::Ok();
}

}  // namespace

void ValueCounts::Add(ValueType type, std::string_view text, uint64_t count) {
  if (!prefix_.empty() && (type != ValueType::kString || !BeginsWith(text, prefix_))) return;
  counts_[{type, std::string(text)}] += count;
}

Error CheckCountable(const Field& field) {
  const bool attribute = field.source != Field::Source::kProperty;
  if (attribute || field.is(Property::kRootName) || field.is(Property::kRootServiceName))
    return Error::Ok();
  if (SourceOf(field.property)) return Error::Ok();
  return {ErrorCode::kInvalidArgument,
          "values are listed for attributes and for name, kind, status, statusMessage, rootName, "
          "rootServiceName, event:name, instrumentation:name and instrumentation:version"};
}

Error CountValues(const Field& field, GroupColumns* columns, TraceJoiner* joiner,
                  const Bitmap& rows, ValueCounts* out) {
  switch (field.source) {
    case Field::Source::kAttribute:
      return CountAttribute(field.scope, field.key, columns, rows, out);
    case Field::Source::kUnscoped: return CountUnscoped(field.key, columns, rows, out);
    case Field::Source::kProperty: break;
  }
  if (field.of_trace()) return CountByTrace(field, columns, joiner, rows, out);
  return CountProperty(field.property, columns, rows, out);
}

}  // namespace weft::query::exec
