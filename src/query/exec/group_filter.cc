#include "query/exec/group_filter.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <re2/re2.h>

#include "query/exec/column_match.h"
#include "query/exec/row_values.h"

namespace weft::query::exec {
namespace {

using block::Column;
using block::Intrinsic;
using block::Scope;
using plan::Expression;
using plan::Field;
using plan::Multiplicity;
using plan::Predicate;
using plan::Property;
using plan::Value;

// A column that a property is, as it stands, and its table.
struct PropertyColumn {
  Intrinsic column;
  Scope table;
};
std::optional<PropertyColumn> ColumnOf(Property property) {
  switch (property) {
    case Property::kDuration: return PropertyColumn{Intrinsic::kDuration, Scope::kSpan};
    case Property::kName: return PropertyColumn{Intrinsic::kName, Scope::kSpan};
    case Property::kStatus: return PropertyColumn{Intrinsic::kStatus, Scope::kSpan};
    case Property::kStatusMessage: return PropertyColumn{Intrinsic::kStatusMessage, Scope::kSpan};
    case Property::kKind: return PropertyColumn{Intrinsic::kKind, Scope::kSpan};
    case Property::kEventName: return PropertyColumn{Intrinsic::kEventName, Scope::kEvent};
    case Property::kLinkTraceId: return PropertyColumn{Intrinsic::kLinkTraceId, Scope::kLink};
    case Property::kLinkSpanId: return PropertyColumn{Intrinsic::kLinkSpanId, Scope::kLink};
    case Property::kScopeName:
      return PropertyColumn{Intrinsic::kScopeName, Scope::kInstrumentation};
    case Property::kScopeVersion:
      return PropertyColumn{Intrinsic::kScopeVersion, Scope::kInstrumentation};
    default: return std::nullopt;
  }
}

bool IsLeaf(const Predicate& p) { return p.kind >= Predicate::Kind::kCompare; }

// A field against a constant: what columns can answer.
bool IsSimple(const Predicate& leaf) {
  if (leaf.left.op != Expression::Op::kField) return false;
  return leaf.kind != Predicate::Kind::kCompare || leaf.right.op == Expression::Op::kConstant;
}

void CollectFields(const Expression& e, std::vector<const Field*>* out) {
  if (e.op == Expression::Op::kField) out->push_back(&e.field);
  for (const Expression& operand : e.operands) CollectFields(operand, out);
}

std::vector<const Field*> FieldsOf(const Predicate& leaf) {
  std::vector<const Field*> out;
  CollectFields(leaf.left, &out);
  if (leaf.kind == Predicate::Kind::kCompare) CollectFields(leaf.right, &out);
  return out;
}

bool Any(const std::vector<const Field*>& fields, bool (Field::*test)() const) {
  return std::any_of(fields.begin(), fields.end(), [test](const Field* f) { return (f->*test)(); });
}

Multiplicity MultiplicityOf(const std::vector<const Field*>& fields) {
  for (const Field* f : fields) {
    if (f->multiplicity() != Multiplicity::kOnce) return f->multiplicity();
  }
  return Multiplicity::kOnce;
}

// Rough cost of a leaf, cheapest first: what and() is ordered by.
int CostOfLeaf(const Predicate& leaf) {
  const auto fields = FieldsOf(leaf);
  if (Any(fields, &Field::of_trace)) return 9;
  if (Any(fields, &Field::of_tree)) return 8;
  if (!IsSimple(leaf)) return 7;
  const Field& field = leaf.left.field;
  if (field.source == Field::Source::kUnscoped) return 4;
  if (field.source == Field::Source::kProperty) {
    if (field.is(Property::kStatus) || field.is(Property::kKind) || field.is(Property::kName))
      return 2;
    return field.is(Property::kScopeName) || field.is(Property::kScopeVersion) ? 1 : 5;
  }
  switch (field.scope) {
    case Scope::kResource:
    case Scope::kInstrumentation: return 1;
    case Scope::kSpan: return 3;
    default: return 6;
  }
}

int Cost(const Predicate& p) {
  if (p.kind == Predicate::Kind::kConstant) return 0;
  if (IsLeaf(p)) return CostOfLeaf(p);
  int cost = 0;
  for (const Predicate& operand : p.operands) cost = std::max(cost, Cost(operand));
  return cost;
}

std::vector<const Predicate*> CheapestFirst(const std::vector<Predicate>& operands) {
  std::vector<std::pair<int, const Predicate*>> costs;
  costs.reserve(operands.size());
  for (const Predicate& p : operands) costs.emplace_back(Cost(p), &p);
  std::stable_sort(costs.begin(), costs.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<const Predicate*> out;
  out.reserve(costs.size());
  for (const auto& entry : costs) out.push_back(entry.second);
  return out;
}

// A leaf with its expressions opened for reading row by row.
class LeafReader {
 public:
  static Result<LeafReader> Open(const Predicate& leaf, GroupColumns* columns,
                                 TraceJoiner* joiner) {
    LeafReader out(leaf);
    WEFT_ASSIGN_OR_RETURN(out.left_, ExpressionReader::Open(leaf.left, columns, joiner));
    WEFT_ASSIGN_OR_RETURN(out.right_, ExpressionReader::Open(leaf.right, columns, joiner));
    return out;
  }

  Result<bool> Holds(uint32_t row, uint32_t element) {
    WEFT_ASSIGN_OR_RETURN(const plan::Scalar left, left_.Get(row, element));
    if (leaf_->kind == Predicate::Kind::kPresent) return left.type != Value::Type::kNil;
    if (leaf_->kind != Predicate::Kind::kCompare) return MatchesScalar(*leaf_, left);
    WEFT_ASSIGN_OR_RETURN(const plan::Scalar right, right_.Get(row, element));
    return plan::Compares(leaf_->compare, left, right);
  }

 private:
  explicit LeafReader(const Predicate& leaf) : leaf_(&leaf) {}

  const Predicate* leaf_;
  ExpressionReader left_;
  ExpressionReader right_;
};

}  // namespace

Result<Bitmap> RowsInRange(GroupColumns* columns, TimeRange range) {
  const block::RowGroup& group = columns->group();
  const bool all = range.Contains(group.first_start_ns()) && range.Contains(group.last_start_ns());
  Bitmap rows(group.row_count(), all);
  if (!all) {
    WEFT_ASSIGN_OR_RETURN(const Column* start, columns->Read(Intrinsic::kStartTime));
    MatchUnsignedRange(*start, range.start_ns, range.end_ns, &rows);
  }
  rows.AndNotWords(group.excluded_rows());
  return rows;
}

namespace {

// The value that the other side of an equation must have; nothing where filters know none such.
std::optional<block::WantedValue> WantedBy(const Predicate& leaf) {
  if (leaf.kind != Predicate::Kind::kCompare || leaf.compare != plan::Compare::kEqual ||
      !IsSimple(leaf)) {
    return std::nullopt;
  }
  const Value& constant = leaf.right.constant;
  if (constant.type == Value::Type::kString) return block::WantedValue{.text = constant.text};
  if (constant.type == Value::Type::kInt) {
    return block::WantedValue{.type = model::ValueType::kInt, .number = constant.number};
  }
  return std::nullopt;
}

Result<bool> LeafMayMatch(const Predicate& leaf, const block::RowGroup& group) {
  const auto wanted = WantedBy(leaf);
  if (!wanted) return true;
  // A parent is in the same group: whole traces are.
  const Field& field = leaf.left.field;
  switch (field.source) {
    case Field::Source::kAttribute: return group.MayHave(field.scope, field.key, *wanted);
    case Field::Source::kUnscoped: {
      WEFT_ASSIGN_OR_RETURN(const bool on_spans, group.MayHave(Scope::kSpan, field.key, *wanted));
      if (on_spans) return true;
      return group.MayHave(Scope::kResource, field.key, *wanted);
    }
    case Field::Source::kProperty: break;
  }
  const auto column = ColumnOf(field.property);
  if (!column || wanted->type != model::ValueType::kString) return true;
  return group.MayHave(column->column, *wanted);
}

}  // namespace

Result<const Predicate*> RuledOutBy(const Predicate& predicate, const block::RowGroup& group) {
  switch (predicate.kind) {
    case Predicate::Kind::kConstant: return predicate.truth ? nullptr : &predicate;
    case Predicate::Kind::kAnd:
      for (const Predicate& operand : predicate.operands) {
        WEFT_ASSIGN_OR_RETURN(const Predicate* ruled_out, RuledOutBy(operand, group));
        if (ruled_out != nullptr) return ruled_out;
      }
      return nullptr;
    case Predicate::Kind::kOr:
      for (const Predicate& operand : predicate.operands) {
        WEFT_ASSIGN_OR_RETURN(const Predicate* ruled_out, RuledOutBy(operand, group));
        if (ruled_out == nullptr) return nullptr;
      }
      return &predicate;
    default: break;
  }
  WEFT_ASSIGN_OR_RETURN(const bool may, LeafMayMatch(predicate, group));
  return may ? nullptr : &predicate;
}

Result<Bitmap> GroupFilter::Filter(const Predicate& predicate, const Bitmap& interest) {
  switch (predicate.kind) {
    case Predicate::Kind::kConstant: return predicate.truth ? interest : Bitmap(interest.size());
    case Predicate::Kind::kAnd: return FilterAnd(predicate, interest);
    case Predicate::Kind::kOr: return FilterOr(predicate, interest);
    case Predicate::Kind::kNot: return FilterNot(predicate, interest);
    case Predicate::Kind::kSame: return FilterSame(predicate, interest);
    default: break;
  }
  WEFT_ASSIGN_OR_RETURN(Bitmap rows, FilterLeaf(predicate, interest));
  rows.And(interest);
  return rows;
}

Result<Bitmap> GroupFilter::FilterAnd(const Predicate& predicate, const Bitmap& interest) {
  Bitmap rows = interest;
  for (const Predicate* operand : CheapestFirst(predicate.operands)) {
    WEFT_ASSIGN_OR_RETURN(rows, Filter(*operand, rows));
    if (!rows.Any()) break;
  }
  return rows;
}

Result<Bitmap> GroupFilter::FilterOr(const Predicate& predicate, const Bitmap& interest) {
  Bitmap rows(interest.size());
  Bitmap left = interest;
  for (const Predicate* operand : CheapestFirst(predicate.operands)) {
    WEFT_ASSIGN_OR_RETURN(const Bitmap found, Filter(*operand, left));
    rows.Or(found);
    left.AndNot(found);
    if (!left.Any()) break;
  }
  return rows;
}

Result<Bitmap> GroupFilter::FilterNot(const Predicate& predicate, const Bitmap& interest) {
  WEFT_ASSIGN_OR_RETURN(const Bitmap found, Filter(predicate.operands[0], interest));
  Bitmap rows = interest;
  rows.AndNot(found);
  return rows;
}

Result<Bitmap> GroupFilter::FilterSame(const Predicate& predicate, const Bitmap& interest) {
  WEFT_ASSIGN_OR_RETURN(Bitmap differ, Filter(predicate.operands[0], interest));
  WEFT_ASSIGN_OR_RETURN(const Bitmap other, Filter(predicate.operands[1], interest));
  differ.Xor(other);
  Bitmap rows = interest;
  rows.AndNot(differ);
  return rows;
}

Result<Bitmap> GroupFilter::FilterLeaf(const Predicate& leaf, const Bitmap& interest) {
  WEFT_ASSIGN_OR_RETURN(const bool may, LeafMayMatch(leaf, columns_->group()));
  if (!may) return Bitmap(interest.size());
  const auto fields = FieldsOf(leaf);
  if (IsSimple(leaf)) {
    const Field& field = leaf.left.field;
    if (field.of_parent) return FilterParents(leaf, interest);
    if (field.source == Field::Source::kAttribute)
      return FilterAttribute(leaf, field.scope, field.key);
    if (field.source == Field::Source::kUnscoped) return FilterUnscoped(leaf, field.key);
    if (const auto column = ColumnOf(field.property))
      return FilterIntrinsic(leaf, column->column, column->table);
    const bool equality =
        leaf.kind == Predicate::Kind::kCompare &&
        (leaf.compare == plan::Compare::kEqual || leaf.compare == plan::Compare::kNotEqual);
    if (equality && field.is(Property::kSpanId)) return FilterSpanId(leaf, Intrinsic::kSpanId);
    if (equality && field.is(Property::kParentSpanId))
      return FilterSpanId(leaf, Intrinsic::kParentSpanId);
  }
  const bool whole_trace =
      std::all_of(fields.begin(), fields.end(), [](const Field* f) { return f->of_trace(); });
  if (whole_trace) return FilterByTrace(leaf, interest);
  switch (MultiplicityOf(fields)) {
    case Multiplicity::kPerEvent: return FilterByElement(leaf, Intrinsic::kEventSpan, interest);
    case Multiplicity::kPerLink: return FilterByElement(leaf, Intrinsic::kLinkSpan, interest);
    case Multiplicity::kOnce: break;
  }
  return FilterByRow(leaf, interest);
}

Result<Bitmap> GroupFilter::FilterAttribute(const Predicate& leaf, Scope scope,
                                            const std::string& key) {
  WEFT_ASSIGN_OR_RETURN(const auto* columns, columns_->ReadAttribute(scope, key));
  WEFT_ASSIGN_OR_RETURN(const uint32_t table_rows, columns_->TableRows(scope));
  Bitmap rows(table_rows);
  for (const block::ColumnPtr& column : *columns) {
    if (leaf.kind == Predicate::Kind::kPresent) {
      MarkPresent(*column, &rows);
    } else {
      MatchColumn(leaf, *column, &rows);
    }
  }
  return ToSpans(scope, rows);
}

// Whether it holds of the parents.
Result<Bitmap> GroupFilter::FilterParents(const Predicate& leaf, const Bitmap& interest) {
  Predicate of_span = leaf;
  of_span.left.field = leaf.left.field.OfSpan();
  WEFT_ASSIGN_OR_RETURN(const Column* parent_row, columns_->Read(Intrinsic::kParentRow));
  Bitmap parents(interest.size());
  interest.ForEach([&](uint32_t row) {
    const auto back = static_cast<uint32_t>(parent_row->ints[row]);
    if (back != 0) parents.Set(row - back);
  });
  WEFT_ASSIGN_OR_RETURN(const Bitmap found, Filter(of_span, parents));
  Bitmap rows(interest.size());
  interest.ForEach([&](uint32_t row) {
    const auto back = static_cast<uint32_t>(parent_row->ints[row]);
    if (back != 0 && found.Test(row - back)) rows.Set(row);
  });
  return rows;
}

// The span's attribute hides its resource's.
Result<Bitmap> GroupFilter::FilterUnscoped(const Predicate& leaf, const std::string& key) {
  WEFT_ASSIGN_OR_RETURN(Bitmap rows, FilterAttribute(leaf, Scope::kResource, key));
  const Predicate present = Predicate::Present(Field::Attribute(Scope::kSpan, key));
  WEFT_ASSIGN_OR_RETURN(const Bitmap hidden, FilterAttribute(present, Scope::kSpan, key));
  WEFT_ASSIGN_OR_RETURN(const Bitmap own, FilterAttribute(leaf, Scope::kSpan, key));
  rows.AndNot(hidden);
  rows.Or(own);
  return rows;
}

Result<Bitmap> GroupFilter::FilterIntrinsic(const Predicate& leaf, Intrinsic column, Scope table) {
  WEFT_ASSIGN_OR_RETURN(const uint32_t table_rows, columns_->TableRows(table));
  WEFT_ASSIGN_OR_RETURN(const Column* read, columns_->Read(column));
  Bitmap rows(table_rows);
  if (leaf.kind == Predicate::Kind::kPresent) {
    rows = Bitmap(table_rows, true);
    return ToSpans(table, rows);
  }
  MatchColumn(leaf, *read, &rows);
  // Text that is missing is the empty text.
  const bool is_text = read->type == model::ValueType::kString;
  if (is_text && MatchesScalar(leaf, plan::Scalar::String(""))) {
    Bitmap missing(table_rows);
    MarkPresent(*read, &missing);
    Bitmap all(table_rows, true);
    all.AndNot(missing);
    rows.Or(all);
  }
  return ToSpans(table, rows);
}

Result<Bitmap> GroupFilter::FilterSpanId(const Predicate& leaf, Intrinsic column) {
  const std::string& text = leaf.right.constant.text;
  const auto id = text.empty() ? std::optional(model::SpanId()) : model::SpanId::FromHex(text);
  WEFT_ASSIGN_OR_RETURN(const Column* ids, columns_->Read(column));
  // As text of 16 digits, or none for 0: other texts equal no id.
  Predicate by_number = leaf;
  const bool possible = id && (id->valid() ? text.size() == 16 : text.empty());
  if (!possible) return Bitmap(ids->row_count, leaf.compare == plan::Compare::kNotEqual);
  by_number.right.constant = Value::Int(static_cast<int64_t>(id->value));
  Bitmap rows(ids->row_count);
  MatchColumn(by_number, *ids, &rows);
  return rows;
}

Result<Bitmap> GroupFilter::ToSpans(Scope scope, const Bitmap& rows) {
  if (scope == Scope::kSpan) return rows;
  Bitmap spans(columns_->group().row_count());
  if (!rows.Any()) return spans;
  if (scope == Scope::kResource || scope == Scope::kInstrumentation) {
    if (rows.All()) return Bitmap(spans.size(), true);
    WEFT_ASSIGN_OR_RETURN(const Column* index, columns_->Read(IndexColumn(scope)));
    MapThrough(index->ints, rows, &spans);
    return spans;
  }
  const Intrinsic span_of = scope == Scope::kEvent ? Intrinsic::kEventSpan : Intrinsic::kLinkSpan;
  WEFT_ASSIGN_OR_RETURN(const Column* index, columns_->Read(span_of));
  rows.ForEach([&](uint32_t i) { spans.Set(static_cast<uint32_t>(index->ints[i])); });
  return spans;
}

Result<Bitmap> GroupFilter::FilterByRow(const Predicate& leaf, const Bitmap& interest) {
  WEFT_ASSIGN_OR_RETURN(LeafReader reader, LeafReader::Open(leaf, columns_, joiner_));
  Bitmap rows(interest.size());
  Error error;
  interest.ForEach([&](uint32_t row) {
    if (!error.ok()) return;
    const Result<bool> holds = reader.Holds(row, 0);
    if (!holds.ok()) {
      error = holds.error();
    } else if (*holds) {
      rows.Set(row);
    }
  });
  if (!error.ok()) return error;
  return rows;
}

Result<Bitmap> GroupFilter::FilterByElement(const Predicate& leaf, Intrinsic span_of,
                                            const Bitmap& interest) {
  WEFT_ASSIGN_OR_RETURN(LeafReader reader, LeafReader::Open(leaf, columns_, joiner_));
  WEFT_ASSIGN_OR_RETURN(const Column* index, columns_->Read(span_of));
  Bitmap rows(interest.size());
  for (uint32_t i = 0; i < index->ints.size(); ++i) {
    const auto row = static_cast<uint32_t>(index->ints[i]);
    if (!interest.Test(row) || rows.Test(row)) continue;
    WEFT_ASSIGN_OR_RETURN(const bool holds, reader.Holds(row, i));
    if (holds) rows.Set(row);
  }
  return rows;
}

Result<Bitmap> GroupFilter::FilterByTrace(const Predicate& leaf, const Bitmap& interest) {
  enum State : uint8_t { kUnknown, kYes, kNo };
  WEFT_ASSIGN_OR_RETURN(LeafReader reader, LeafReader::Open(leaf, columns_, joiner_));
  WEFT_RETURN_IF_ERROR(columns_->group().LoadTraces());
  const std::vector<uint32_t>& trace_of_row = columns_->group().trace_of_row();
  std::vector<State> known(columns_->group().trace_count(), kUnknown);
  Bitmap rows(interest.size());
  Error error;
  interest.ForEach([&](uint32_t row) {
    State& state = known[trace_of_row[row]];
    if (state == kUnknown && error.ok()) {
      const Result<bool> holds = reader.Holds(row, 0);
      if (!holds.ok()) error = holds.error();
      state = holds.ok() && *holds ? kYes : kNo;
    }
    if (state == kYes) rows.Set(row);
  });
  if (!error.ok()) return error;
  return rows;
}

}  // namespace weft::query::exec
