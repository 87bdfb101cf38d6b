#include "query/exec/row_values.h"

#include <optional>

#include <absl/container/flat_hash_map.h>

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

// Which row of its table a value stands at.
enum class Place : uint8_t { kRow, kElement, kThroughIndex };

class ColumnReader : public FieldReader {
 public:
  ColumnReader(std::vector<const Column*> columns, Place place, const Column* index, Scalar missing)
      : columns_(std::move(columns)), place_(place), index_(index), missing_(missing) {}

  Result<Scalar> Get(uint32_t row, uint32_t element) override {
    const uint32_t at = At(row, element);
    for (const Column* column : columns_) {
      if (at >= column->row_count) continue;
      const Scalar value = ScalarAt(*column, at);
      if (value.type != plan::Value::Type::kNil) return value;
    }
    return missing_;
  }

  // Whether it has a value of any type.
  bool Has(uint32_t row, uint32_t element) const {
    const uint32_t at = At(row, element);
    for (const Column* column : columns_) {
      if (at < column->row_count && column->has(at)) return true;
    }
    return false;
  }

 private:
  uint32_t At(uint32_t row, uint32_t element) const {
    if (place_ == Place::kElement) return element;
    return place_ == Place::kRow ? row : static_cast<uint32_t>(index_->ints[row]);
  }

  std::vector<const Column*> columns_;
  Place place_;
  const Column* index_;
  Scalar missing_;
};

class UnscopedReader : public FieldReader {
 public:
  UnscopedReader(std::unique_ptr<ColumnReader> span, std::unique_ptr<ColumnReader> resource)
      : span_(std::move(span)), resource_(std::move(resource)) {}

  Result<Scalar> Get(uint32_t row, uint32_t element) override {
    return span_->Has(row, element) ? span_->Get(row, element) : resource_->Get(row, element);
  }

 private:
  std::unique_ptr<ColumnReader> span_;
  std::unique_ptr<ColumnReader> resource_;
};

class SpanIdReader : public FieldReader {
 public:
  explicit SpanIdReader(const Column* ids) : ids_(ids) {}

  Result<Scalar> Get(uint32_t row, uint32_t) override {
    const model::SpanId id{static_cast<uint64_t>(ids_->ints[row])};
    text_ = id.valid() ? id.ToHex() : "";
    return Scalar::String(text_);
  }

 private:
  const Column* ids_;
  std::string text_;
};

class SinceStartReader : public FieldReader {
 public:
  SinceStartReader(const Column* event_time, const Column* start)
      : event_time_(event_time), start_(start) {}

  Result<Scalar> Get(uint32_t row, uint32_t element) override {
    const uint64_t since = static_cast<uint64_t>(event_time_->ints[element]) -
                           static_cast<uint64_t>(start_->ints[row]);
    return Scalar::Int(static_cast<int64_t>(since));
  }

 private:
  const Column* event_time_;
  const Column* start_;
};

// Fields of the whole trace. Who asks about more than a few traces of a group has those that are
// nowhere else answered from the group's own columns.
class TraceReader : public FieldReader {
 public:
  TraceReader(Property property, const block::RowGroup& group, TraceJoiner* joiner)
      : property_(property), group_(group), joiner_(joiner) {}

  Result<Scalar> Get(uint32_t row, uint32_t) override {
    const uint32_t trace = group_.trace_of_row()[row];
    if (trace == trace_) return Value();
    trace_ = trace;
    if (property_ == Property::kTraceId) {
      text_ = group_.trace_id(trace).ToHex();
      return Value();
    }
    if (++asked_ == kFewTraces) WEFT_RETURN_IF_ERROR(LoadColumns());
    if (elsewhere_ != nullptr && !(*elsewhere_)[trace]) {
      TakeFromColumns(trace);
      return Value();
    }
    WEFT_ASSIGN_OR_RETURN(const block::TraceSummary summary, Summarize(trace));
    duration_ns_ = static_cast<int64_t>(summary.end_ns - summary.start_ns);
    text_ = property_ == Property::kRootName ? summary.root_name : summary.root_service;
    return Value();
  }

 private:
  static constexpr uint32_t kFewTraces = 16;

  Error LoadColumns() {
    if (joiner_ == nullptr) return Error::Ok();
    if (property_ != Property::kTraceDuration) {
      using TraceText = block::RowGroup::TraceText;
      const bool name = property_ == Property::kRootName;
      WEFT_ASSIGN_OR_RETURN(
          texts_, group_.ReadTraces(name ? TraceText::kRootName : TraceText::kRootService));
      if (texts_ == nullptr) return Error::Ok();
    }
    WEFT_ASSIGN_OR_RETURN(elsewhere_, joiner_->Elsewhere(group_));
    return Error::Ok();
  }

  void TakeFromColumns(uint32_t trace) {
    duration_ns_ = static_cast<int64_t>(group_.trace_end_ns(trace) - group_.trace_start_ns(trace));
    if (texts_ != nullptr) text_ = ScalarAt(*texts_, trace).text;
  }

  Result<block::TraceSummary> Summarize(uint32_t trace) {
    if (joiner_ != nullptr) {
      WEFT_ASSIGN_OR_RETURN(auto joined, joiner_->Summarize(group_.trace_id(trace)));
      if (joined->summary.span_count > 0) return joined->summary;
    }
    // Whole, or expired since the snapshot was taken.
    return group_.Summary(trace);
  }

  Scalar Value() const {
    return property_ == Property::kTraceDuration ? Scalar::Int(duration_ns_)
                                                 : Scalar::String(text_);
  }

  Property property_;
  const block::RowGroup& group_;
  TraceJoiner* joiner_;
  uint32_t asked_ = 0;
  ColumnPtr texts_;
  std::shared_ptr<const std::vector<bool>> elsewhere_;
  uint32_t trace_ = UINT32_MAX;
  int64_t duration_ns_ = 0;
  std::string text_;
};

std::vector<uint32_t> ToRows(const Column& column) {
  return {column.ints.begin(), column.ints.end()};
}

const std::vector<int64_t>& Pick(const TreeValues& values, Property property) {
  switch (property) {
    case Property::kChildCount: return values.child_count;
    case Property::kNestedSetLeft: return values.left;
    case Property::kNestedSetRight: return values.right;
    default: return values.parent;
  }
}

// Fields of the tree: the group's own where it has the whole trace, else of the joined trace.
class TreeReader : public FieldReader {
 public:
  TreeReader(Property property, GroupColumns* columns, TraceJoiner* joiner)
      : property_(property), columns_(columns), joiner_(joiner) {}

  Error Load() {
    const block::RowGroup& group = columns_->group();
    if (!group.has_tree())
      return {ErrorCode::kInternal, "a row group without a tree was asked for its tree"};
    WEFT_RETURN_IF_ERROR(group.LoadTraces());
    WEFT_ASSIGN_OR_RETURN(const Column* parent, columns_->Read(Intrinsic::kParentRow));
    WEFT_ASSIGN_OR_RETURN(const Column* subtree, columns_->Read(Intrinsic::kSubtreeSize));
    WEFT_ASSIGN_OR_RETURN(const Column* marks, columns_->Read(Intrinsic::kMarks));
    const std::vector<uint8_t> mark_bytes(marks->ints.begin(), marks->ints.end());
    values_ =
        Pick(MakeTreeValues(ToRows(*parent), ToRows(*subtree), mark_bytes, group.trace_of_row()),
             property_);
    WEFT_ASSIGN_OR_RETURN(span_id_, columns_->Read(Intrinsic::kSpanId));
    WEFT_ASSIGN_OR_RETURN(start_, columns_->Read(Intrinsic::kStartTime));
    WEFT_ASSIGN_OR_RETURN(duration_, columns_->Read(Intrinsic::kDuration));
    WEFT_ASSIGN_OR_RETURN(kind_, columns_->Read(Intrinsic::kKind));
    return Error::Ok();
  }

  Result<Scalar> Get(uint32_t row, uint32_t) override {
    const uint32_t trace = columns_->group().trace_of_row()[row];
    if (trace != trace_ && joiner_ != nullptr) WEFT_RETURN_IF_ERROR(EnterTrace(trace));
    if (!joined_) return Scalar::Int(values_[row]);
    const auto found = joined_values_.find(KeyOf(row));
    return Scalar::Int(found == joined_values_.end() ? values_[row] : found->second);
  }

 private:
  using Key = std::tuple<uint64_t, uint64_t, uint64_t, int64_t>;  // id, start, end, kind

  Key KeyOf(uint32_t row) const {
    const auto start = static_cast<uint64_t>(start_->ints[row]);
    return {static_cast<uint64_t>(span_id_->ints[row]), start,
            start + static_cast<uint64_t>(duration_->ints[row]), ScalarAt(*kind_, row).number};
  }

  Error EnterTrace(uint32_t trace) {
    trace_ = trace;
    const model::TraceId id = columns_->group().trace_id(trace);
    WEFT_ASSIGN_OR_RETURN(const auto summary, joiner_->Summarize(id));
    joined_ = summary->fragments > 1;
    joined_values_.clear();
    if (!joined_) return Error::Ok();
    WEFT_ASSIGN_OR_RETURN(const TraceJoiner::Tree tree, joiner_->BuildTree(id));
    const std::vector<int64_t>& values = Pick(tree.values, property_);
    for (size_t i = 0; i < tree.rows.size(); ++i) {
      const uint32_t span = tree.rows[i];
      const Key key(tree.spans.span_id[span].value, tree.spans.start_ns[span],
                    tree.spans.end_ns[span], tree.spans.kind[span]);
      joined_values_.emplace(key, values[i]);
    }
    return Error::Ok();
  }

  Property property_;
  GroupColumns* columns_;
  TraceJoiner* joiner_;
  std::vector<int64_t> values_;
  const Column* span_id_ = nullptr;
  const Column* start_ = nullptr;
  const Column* duration_ = nullptr;
  const Column* kind_ = nullptr;
  uint32_t trace_ = UINT32_MAX;
  bool joined_ = false;
  absl::flat_hash_map<Key, int64_t> joined_values_;
};

using ReaderPtr = std::unique_ptr<FieldReader>;

// A field of the span's parent, in a group where its trace is whole.
class ParentReader : public FieldReader {
 public:
  ParentReader(ReaderPtr field, const Column* parent_row)
      : field_(std::move(field)), parent_row_(parent_row) {}

  Result<Scalar> Get(uint32_t row, uint32_t) override {
    const auto back = static_cast<uint32_t>(parent_row_->ints[row]);
    if (back == 0) return Scalar();
    return field_->Get(row - back, row - back);
  }

 private:
  ReaderPtr field_;
  const Column* parent_row_;
};

Result<std::unique_ptr<ColumnReader>> OpenAttribute(Scope scope, const std::string& key,
                                                    GroupColumns* columns) {
  WEFT_ASSIGN_OR_RETURN(const auto* read, columns->ReadAttribute(scope, key));
  std::vector<const Column*> list;
  for (const ColumnPtr& c : *read) list.push_back(c.get());
  if (scope == Scope::kSpan)
    return std::make_unique<ColumnReader>(std::move(list), Place::kRow, nullptr, Scalar());
  if (scope == Scope::kEvent || scope == Scope::kLink) {
    return std::make_unique<ColumnReader>(std::move(list), Place::kElement, nullptr, Scalar());
  }
  WEFT_ASSIGN_OR_RETURN(const Column* index, columns->Read(IndexColumn(scope)));
  return std::make_unique<ColumnReader>(std::move(list), Place::kThroughIndex, index, Scalar());
}

Result<ReaderPtr> OpenColumn(Intrinsic column, Place place, GroupColumns* columns) {
  WEFT_ASSIGN_OR_RETURN(const Column* read, columns->Read(column));
  const Column* index = nullptr;
  if (place == Place::kThroughIndex) {
    WEFT_ASSIGN_OR_RETURN(index, columns->Read(Intrinsic::kScope));
  }
  const bool is_text = read->type == ValueType::kString;
  return ReaderPtr(new ColumnReader({read}, place, index, is_text ? Scalar::String("") : Scalar()));
}

Result<ReaderPtr> OpenProperty(Property property, GroupColumns* columns, TraceJoiner* joiner) {
  switch (property) {
    case Property::kDuration: return OpenColumn(Intrinsic::kDuration, Place::kRow, columns);
    case Property::kName: return OpenColumn(Intrinsic::kName, Place::kRow, columns);
    case Property::kStatus: return OpenColumn(Intrinsic::kStatus, Place::kRow, columns);
    case Property::kStatusMessage:
      return OpenColumn(Intrinsic::kStatusMessage, Place::kRow, columns);
    case Property::kKind: return OpenColumn(Intrinsic::kKind, Place::kRow, columns);
    case Property::kEventName: return OpenColumn(Intrinsic::kEventName, Place::kElement, columns);
    case Property::kLinkTraceId:
      return OpenColumn(Intrinsic::kLinkTraceId, Place::kElement, columns);
    case Property::kLinkSpanId: return OpenColumn(Intrinsic::kLinkSpanId, Place::kElement, columns);
    case Property::kScopeName:
      return OpenColumn(Intrinsic::kScopeName, Place::kThroughIndex, columns);
    case Property::kScopeVersion:
      return OpenColumn(Intrinsic::kScopeVersion, Place::kThroughIndex, columns);
    case Property::kSpanId:
    case Property::kParentSpanId: {
      const bool own = property == Property::kSpanId;
      WEFT_ASSIGN_OR_RETURN(const Column* ids,
                            columns->Read(own ? Intrinsic::kSpanId : Intrinsic::kParentSpanId));
      return ReaderPtr(new SpanIdReader(ids));
    }
    case Property::kEventTimeSinceStart: {
      WEFT_ASSIGN_OR_RETURN(const Column* time, columns->Read(Intrinsic::kEventTime));
      WEFT_ASSIGN_OR_RETURN(const Column* start, columns->Read(Intrinsic::kStartTime));
      return ReaderPtr(new SinceStartReader(time, start));
    }
    case Property::kChildCount:
    case Property::kNestedSetLeft:
    case Property::kNestedSetRight:
    case Property::kNestedSetParent: {
      auto reader = std::make_unique<TreeReader>(property, columns, joiner);
      WEFT_RETURN_IF_ERROR(reader->Load());
      return ReaderPtr(std::move(reader));
    }
    default:
      WEFT_RETURN_IF_ERROR(columns->group().LoadTraces());
      return ReaderPtr(new TraceReader(property, columns->group(), joiner));
  }
}

}  // namespace

Scalar EntryOf(const block::Dictionary& dictionary, uint32_t code) {
  switch (dictionary.type) {
    case ValueType::kString: return Scalar::String(dictionary.strings[code]);
    case ValueType::kInt: return Scalar::Int(dictionary.ints[code]);
    case ValueType::kBool: return Scalar::Bool(dictionary.ints[code] != 0);
    case ValueType::kDouble: return Scalar::Double(dictionary.doubles[code]);
    default: return {};
  }
}

Scalar ScalarAt(const Column& column, uint32_t row) {
  if (!column.has(row)) return {};
  if (column.dictionary) return EntryOf(*column.dictionary, column.codes[row]);
  switch (column.type) {
    case ValueType::kInt: return Scalar::Int(column.ints[row]);
    case ValueType::kBool: return Scalar::Bool(column.ints[row] != 0);
    case ValueType::kDouble: return Scalar::Double(column.doubles[row]);
    default: return {};
  }
}

Result<ReaderPtr> FieldReader::Open(const Field& field, GroupColumns* columns,
                                    TraceJoiner* joiner) {
  if (field.of_parent) {
    WEFT_ASSIGN_OR_RETURN(ReaderPtr own, Open(field.OfSpan(), columns, joiner));
    WEFT_ASSIGN_OR_RETURN(const Column* parent_row, columns->Read(Intrinsic::kParentRow));
    return ReaderPtr(new ParentReader(std::move(own), parent_row));
  }
  if (field.source == Field::Source::kProperty)
    return OpenProperty(field.property, columns, joiner);
  if (field.source == Field::Source::kAttribute) {
    WEFT_ASSIGN_OR_RETURN(auto reader, OpenAttribute(field.scope, field.key, columns));
    return ReaderPtr(std::move(reader));
  }
  WEFT_ASSIGN_OR_RETURN(auto span, OpenAttribute(Scope::kSpan, field.key, columns));
  WEFT_ASSIGN_OR_RETURN(auto resource, OpenAttribute(Scope::kResource, field.key, columns));
  return ReaderPtr(new UnscopedReader(std::move(span), std::move(resource)));
}

Result<ExpressionReader> ExpressionReader::Open(const plan::Expression& expression,
                                                GroupColumns* columns, TraceJoiner* joiner) {
  ExpressionReader out;
  out.op_ = expression.op;
  out.constant_ = expression.constant;
  if (expression.op == plan::Expression::Op::kField) {
    WEFT_ASSIGN_OR_RETURN(out.field_, FieldReader::Open(expression.field, columns, joiner));
  }
  for (const plan::Expression& operand : expression.operands) {
    WEFT_ASSIGN_OR_RETURN(ExpressionReader reader, Open(operand, columns, joiner));
    out.operands_.push_back(std::move(reader));
  }
  return out;
}

Result<Scalar> ExpressionReader::Get(uint32_t row, uint32_t element) {
  switch (op_) {
    case plan::Expression::Op::kConstant: return Scalar::Of(constant_);
    case plan::Expression::Op::kField: return field_->Get(row, element);
    case plan::Expression::Op::kNegate: {
      WEFT_ASSIGN_OR_RETURN(const Scalar a, operands_[0].Get(row, element));
      return plan::Negate(a);
    }
    default: {
      WEFT_ASSIGN_OR_RETURN(const Scalar a, operands_[0].Get(row, element));
      WEFT_ASSIGN_OR_RETURN(const Scalar b, operands_[1].Get(row, element));
      return plan::Apply(op_, a, b);
    }
  }
}

}  // namespace weft::query::exec
