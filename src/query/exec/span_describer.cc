#include "query/exec/span_describer.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

namespace weft::query::exec {

using block::Column;
using block::ColumnPtr;
using block::Intrinsic;
using block::Scope;
using model::ValueType;
using plan::Field;
using plan::Multiplicity;
using plan::Property;

namespace {

// Rows of the table that belong to a span, in a column that tells the span of each.
std::pair<uint32_t, uint32_t> ElementsOf(const Column& span_of, uint32_t row) {
  const auto [begin, end] = std::equal_range(span_of.ints.begin(), span_of.ints.end(), row);
  return {static_cast<uint32_t>(begin - span_of.ints.begin()),
          static_cast<uint32_t>(end - span_of.ints.begin())};
}

// What a column holds at a row, of any type; text of arrays and the like is JSON.
std::optional<FoundValue> ValueAt(const Column& column, uint32_t row) {
  if (row >= column.row_count || !column.has(row)) return std::nullopt;
  FoundValue out;
  out.type = column.type;
  const uint32_t at = column.dictionary ? column.codes[row] : row;
  switch (column.type) {
    case ValueType::kInt:
    case ValueType::kBool:
      out.number = (column.dictionary ? column.dictionary->ints : column.ints)[at];
      break;
    case ValueType::kDouble:
      out.real = (column.dictionary ? column.dictionary->doubles : column.doubles)[at];
      break;
    default: out.text = std::string(column.dictionary->strings[at]);
  }
  return out;
}

// All rows of the sets, ascending, each once.
Rows UnionOf(const std::vector<const Rows*>& sets) {
  Rows out;
  for (const Rows* set : sets) out.insert(out.end(), set->begin(), set->end());
  std::ranges::sort(out);
  const auto rest = std::ranges::unique(out);
  out.erase(rest.begin(), rest.end());
  return out;
}

}  // namespace

FoundValue ToFoundValue(std::string name, const plan::Scalar& value, plan::Meaning meaning) {
  FoundValue out;
  out.name = std::move(name);
  out.meaning = meaning;
  out.number = value.number;
  out.real = value.real;
  out.text = std::string(value.text);
  switch (value.type) {
    case plan::Value::Type::kNil: break;
    case plan::Value::Type::kBool: out.type = ValueType::kBool; break;
    case plan::Value::Type::kInt: out.type = ValueType::kInt; break;
    case plan::Value::Type::kDouble: out.type = ValueType::kDouble; break;
    case plan::Value::Type::kString: out.type = ValueType::kString; break;
  }
  return out;
}

// Of several events or links the first that has a value counts.
class ShownReader {
 public:
  static Result<std::unique_ptr<ShownReader>> Open(const plan::ShownField& shown,
                                                   GroupColumns* columns, TraceJoiner* joiner) {
    auto out = std::unique_ptr<ShownReader>(new ShownReader(shown));
    const Field& field = shown.field;
    if (field.multiplicity() != Multiplicity::kOnce) {
      const bool of_event = field.multiplicity() == Multiplicity::kPerEvent;
      WEFT_ASSIGN_OR_RETURN(out->span_of_,
                            columns->Read(of_event ? Intrinsic::kEventSpan : Intrinsic::kLinkSpan));
    }
    if (field.source == Field::Source::kProperty || field.of_parent) {
      if (IsKnown(field)) return out;
      WEFT_ASSIGN_OR_RETURN(out->property_, FieldReader::Open(field, columns, joiner));
      return out;
    }
    const bool unscoped = field.source == Field::Source::kUnscoped;
    WEFT_RETURN_IF_ERROR(out->OpenTable(unscoped ? Scope::kSpan : field.scope, columns));
    if (unscoped) WEFT_RETURN_IF_ERROR(out->OpenTable(Scope::kResource, columns));
    return out;
  }

  // For what Get() is asked next: spans of these rows.
  Error ReadIndexes(const Rows& rows) {
    for (Table& table : tables_) {
      if (!table.index) continue;
      WEFT_ASSIGN_OR_RETURN(table.row_of, group_->ReadAt(*table.index, rows));
    }
    return Error::Ok();
  }

  // Of the `i`th of the rows, `row`, of which `span` is known already.
  Result<std::optional<FoundValue>> Get(uint32_t i, uint32_t row, const FoundSpan& span) {
    if (IsKnown(shown_.field)) {
      if (auto known = Known(span)) return std::optional(*std::move(known));
    }
    std::pair<uint32_t, uint32_t> elements{row, row + 1};
    if (span_of_ != nullptr) elements = ElementsOf(*span_of_, row);
    for (uint32_t element = elements.first; element < elements.second; ++element) {
      WEFT_ASSIGN_OR_RETURN(std::optional<FoundValue> value, GetOne(i, row, element));
      if (!value) continue;
      value->name = plan::NameInAnswers(shown_.field);
      value->meaning = shown_.meaning;
      return value;
    }
    return std::optional<FoundValue>();
  }

 private:
  struct Table {
    const std::vector<ColumnPtr>* columns = nullptr;
    std::optional<Intrinsic> index;  // from span rows; none where rows are the span's or element's
    ColumnPtr row_of;                // that index, of the rows that are asked about
  };

  explicit ShownReader(const plan::ShownField& shown) : shown_(shown) {}

  static bool IsKnown(const Field& field) {
    if (field.of_parent) return false;
    return field.is(Property::kName) || field.is(Property::kKind) || field.is(Property::kStatus) ||
           field.is(Property::kDuration);
  }

  // What every span that is found shows anyway.
  std::optional<FoundValue> Known(const FoundSpan& span) const {
    plan::Scalar value;
    switch (shown_.field.property) {
      case Property::kName: value = plan::Scalar::String(span.name); break;
      case Property::kKind: value = plan::Scalar::Int(span.kind); break;
      case Property::kStatus: value = plan::Scalar::Int(span.status); break;
      case Property::kDuration: value = plan::Scalar::Int(span.duration_ns); break;
      default: return std::nullopt;
    }
    return ToFoundValue(plan::NameInAnswers(shown_.field), value, shown_.meaning);
  }

  Error OpenTable(Scope scope, GroupColumns* columns) {
    Table table;
    WEFT_ASSIGN_OR_RETURN(table.columns, columns->ReadAttribute(scope, shown_.field.key));
    if (scope == Scope::kResource || scope == Scope::kInstrumentation) {
      table.index = IndexColumn(scope);
    }
    tables_.push_back(table);
    group_ = &columns->group();
    return Error::Ok();
  }

  Result<std::optional<FoundValue>> GetOne(uint32_t i, uint32_t row, uint32_t element) {
    if (property_) {
      WEFT_ASSIGN_OR_RETURN(const plan::Scalar value, property_->Get(row, element));
      if (value.type == plan::Value::Type::kNil) return std::optional<FoundValue>();
      return std::optional(ToFoundValue({}, value, shown_.meaning));
    }
    for (const Table& table : tables_) {
      const auto at = table.index ? static_cast<uint32_t>(table.row_of->ints[i]) : element;
      for (const ColumnPtr& column : *table.columns) {
        if (auto value = ValueAt(*column, at)) return value;
      }
    }
    return std::optional<FoundValue>();
  }

  const plan::ShownField& shown_;
  const Column* span_of_ = nullptr;
  std::unique_ptr<FieldReader> property_;
  std::vector<Table> tables_;  // in the order in which they are looked at
  const block::RowGroup* group_ = nullptr;
};

SpanDescriber::SpanDescriber(const block::RowGroup& group,
                             const std::vector<plan::ShownField>& shown, TraceJoiner* joiner)
    : group_(group), shown_(shown), joiner_(joiner), columns_(group) {}

SpanDescriber::~SpanDescriber() = default;

Error SpanDescriber::OpenShown() {
  if (opened_) return Error::Ok();
  for (const plan::ShownField& shown : shown_) {
    WEFT_ASSIGN_OR_RETURN(auto reader, ShownReader::Open(shown, &columns_, joiner_));
    readers_.push_back(std::move(reader));
  }
  opened_ = true;
  return Error::Ok();
}

// service.name of a row of the resource table.
Result<std::string> SpanDescriber::ServiceOf(uint32_t resource) {
  WEFT_ASSIGN_OR_RETURN(const std::vector<ColumnPtr>* columns,
                        columns_.ReadAttribute(Scope::kResource, "service.name"));
  for (const ColumnPtr& column : *columns) {
    if (column->type == ValueType::kString) return std::string(ScalarAt(*column, resource).text);
  }
  return std::string();
}

Error SpanDescriber::ReadProperties(const Rows& rows, std::vector<FoundSpan>* out) {
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr id, group_.ReadAt(Intrinsic::kSpanId, rows));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr start, group_.ReadAt(Intrinsic::kStartTime, rows));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr kind, group_.ReadAt(Intrinsic::kKind, rows));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr name, group_.ReadAt(Intrinsic::kName, rows));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr status, group_.ReadAt(Intrinsic::kStatus, rows));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr duration, group_.ReadAt(Intrinsic::kDuration, rows));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr resource, group_.ReadAt(Intrinsic::kResource, rows));
  for (uint32_t i = 0; i < rows.size(); ++i) {
    FoundSpan& span = (*out)[i];
    span.span_id = {static_cast<uint64_t>(id->ints[i])};
    span.start_ns = static_cast<uint64_t>(start->ints[i]);
    span.kind = static_cast<uint8_t>(ScalarAt(*kind, i).number);
    span.name = std::string(ScalarAt(*name, i).text);
    span.status = static_cast<uint8_t>(ScalarAt(*status, i).number);
    span.duration_ns = duration->ints[i];
    WEFT_ASSIGN_OR_RETURN(span.service, ServiceOf(static_cast<uint32_t>(resource->ints[i])));
  }
  return Error::Ok();
}

Result<std::vector<FoundSpan>> SpanDescriber::Describe(const Rows& rows) {
  std::vector<FoundSpan> out(rows.size());
  if (rows.empty()) return out;
  WEFT_RETURN_IF_ERROR(ReadProperties(rows, &out));
  WEFT_RETURN_IF_ERROR(OpenShown());
  for (const auto& reader : readers_) {
    WEFT_RETURN_IF_ERROR(reader->ReadIndexes(rows));
    for (uint32_t i = 0; i < rows.size(); ++i) {
      WEFT_ASSIGN_OR_RETURN(std::optional<FoundValue> value, reader->Get(i, rows[i], out[i]));
      if (value) out[i].values.push_back(*std::move(value));
    }
  }
  return out;
}

Result<std::vector<std::vector<FoundSpan>>> SpanDescriber::DescribeFirst(
    const std::vector<const Rows*>& sets, uint32_t count) {
  std::vector<std::vector<FoundSpan>> out(sets.size());
  if (count == 0) return out;
  const Rows all = UnionOf(sets);
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr start, group_.ReadAt(Intrinsic::kStartTime, all));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr span_id, group_.ReadAt(Intrinsic::kSpanId, all));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr kind, group_.ReadAt(Intrinsic::kKind, all));
  const auto before = [&](uint32_t a, uint32_t b) {
    const auto key = [&](uint32_t row) {
      const auto i = static_cast<uint32_t>(std::ranges::lower_bound(all, row) - all.begin());
      return std::tuple(start->ints[i], span_id->ints[i], ScalarAt(*kind, i).number, row);
    };
    return key(a) < key(b);
  };
  std::vector<Rows> chosen;
  for (const Rows* set : sets) {
    Rows& first = chosen.emplace_back(*set);
    const auto shown = std::min<size_t>(count, first.size());
    std::partial_sort(first.begin(), first.begin() + static_cast<ptrdiff_t>(shown), first.end(),
                      before);
    first.resize(shown);
  }
  std::vector<const Rows*> wanted;
  for (const Rows& rows : chosen) wanted.push_back(&rows);
  const Rows described_rows = UnionOf(wanted);
  WEFT_ASSIGN_OR_RETURN(const std::vector<FoundSpan> described, Describe(described_rows));
  for (size_t set = 0; set < sets.size(); ++set) {
    for (const uint32_t row : chosen[set]) {
      const auto at = std::ranges::lower_bound(described_rows, row) - described_rows.begin();
      out[set].push_back(described[static_cast<size_t>(at)]);
    }
  }
  return out;
}

}  // namespace weft::query::exec
