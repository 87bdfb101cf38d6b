#include "query/exec/spansets.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "query/exec/group_filter.h"
#include "query/exec/value_key.h"

namespace weft::query::exec {
namespace {

using plan::Aggregate;
using plan::Scalar;
using plan::ScalarExpression;
using plan::SpansetExpression;
using plan::Stage;

Rows Union(const Rows& a, const Rows& b) {
  Rows out;
  out.reserve(a.size() + b.size());
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
  return out;
}

Rows Flatten(const std::vector<Spanset>& sets) {
  Rows out;
  for (const Spanset& set : sets) out.insert(out.end(), set.rows.begin(), set.rows.end());
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<Spanset> CutByTrace(const Rows& rows, const std::vector<uint32_t>& trace_of_row) {
  std::vector<Spanset> sets;
  for (size_t i = 0; i < rows.size();) {
    size_t end = i + 1;
    while (end < rows.size() && trace_of_row[rows[end]] == trace_of_row[rows[i]]) ++end;
    sets.push_back(
        {trace_of_row[rows[i]],
         Rows(rows.begin() + static_cast<ptrdiff_t>(i), rows.begin() + static_cast<ptrdiff_t>(end)),
         {}});
    i = end;
  }
  return sets;
}

Scalar Compute(const ScalarExpression& e, const std::vector<Scalar>& aggregates) {
  switch (e.op) {
    case ScalarExpression::Op::kConstant: return Scalar::Of(e.constant);
    case ScalarExpression::Op::kAggregate: return aggregates[e.aggregate];
    case ScalarExpression::Op::kArithmetic: break;
  }
  return plan::Apply(e.arithmetic, Compute(e.operands[0], aggregates),
                     Compute(e.operands[1], aggregates));
}

// Sums and extremes of numbers as they come. Of an int and a double that are equal the int is the
// extreme, whichever came first.
class Accumulator {
 public:
  explicit Accumulator(Aggregate::Kind kind) : kind_(kind) {}

  void Add(const Scalar& value) {
    if (!value.is_number()) return;
    ++count_;
    if (count_ == 1) {
      total_ = value;
    } else if (kind_ == Aggregate::Kind::kMin || kind_ == Aggregate::Kind::kMax) {
      const bool less = kind_ == Aggregate::Kind::kMin;
      const bool to_int =
          value.type == plan::Value::Type::kInt && total_.type == plan::Value::Type::kDouble;
      const plan::Compare or_equal =
          less ? plan::Compare::kLessEqual : plan::Compare::kGreaterEqual;
      const plan::Compare strict = less ? plan::Compare::kLess : plan::Compare::kGreater;
      if (plan::Compares(to_int ? or_equal : strict, value, total_)) total_ = value;
    } else {
      total_ = plan::Apply(plan::Expression::Op::kAdd, total_, value);
    }
  }

  Scalar Value() const {
    if (count_ == 0) return {};
    if (kind_ != Aggregate::Kind::kAverage) return total_;
    const double sum =
        total_.type == plan::Value::Type::kInt ? static_cast<double>(total_.number) : total_.real;
    return Scalar::Double(sum / static_cast<double>(count_));
  }

 private:
  Aggregate::Kind kind_;
  uint64_t count_ = 0;
  Scalar total_;
};

// The key of each row.
class KeyReader {
 public:
  static Result<KeyReader> Open(const plan::GroupKey& key, GroupColumns* columns) {
    KeyReader out;
    WEFT_ASSIGN_OR_RETURN(out.reader_, ExpressionReader::Open(key.value, columns, nullptr));
    return out;
  }
  explicit KeyReader(Bitmap truth) : truth_(std::move(truth)), is_truth_(true) {}

  Result<plan::Value> Get(uint32_t row) {
    if (is_truth_) return plan::Value::Bool(truth_.Test(row));
    WEFT_ASSIGN_OR_RETURN(const Scalar value, reader_.Get(row, 0));
    return value.ToValue();
  }

 private:
  KeyReader() = default;

  ExpressionReader reader_;
  Bitmap truth_;
  bool is_truth_ = false;
};

Error SplitByKey(const Spanset& set, const plan::GroupKey& key, KeyReader* keys,
                 std::vector<Spanset>* out) {
  absl::flat_hash_map<ValueKey, size_t> by_key;
  for (uint32_t row : set.rows) {
    WEFT_ASSIGN_OR_RETURN(plan::Value value, keys->Get(row));
    const auto [found, is_new] = by_key.try_emplace(ValueKey{value}, out->size());
    if (is_new) {
      out->push_back({set.trace, {}, set.attributes});
      out->back().attributes.push_back({&key.name, std::move(value), key.meaning});
    }
    (*out)[found->second].rows.push_back(row);
  }
  return Error::Ok();
}

bool OfOwnPipelines(const Stage& stage) {
  return !stage.aggregates.empty() &&
         std::all_of(stage.aggregates.begin(), stage.aggregates.end(),
                     [](const Aggregate& a) { return !a.pipeline.empty(); });
}

}  // namespace

Result<std::vector<Spanset>> SpansetEvaluator::Run(const std::vector<Stage>& stages,
                                                   const Bitmap& rows) {
  State state;
  state.uncut.emplace();
  rows.ForEach([&](uint32_t row) { state.uncut->push_back(row); });
  WEFT_RETURN_IF_ERROR(RunStages(stages, &state));
  Cut(&state);
  return std::move(state.sets);
}

Error SpansetEvaluator::RunStages(const std::vector<Stage>& stages, State* state) {
  for (const Stage& stage : stages) {
    if (state->uncut ? state->uncut->empty() : state->sets.empty()) return Error::Ok();
    const bool first = &stage == stages.data();
    if (first && stage.kind == Stage::Kind::kCondition && OfOwnPipelines(stage)) {
      WEFT_RETURN_IF_ERROR(KeepWhereOfPipelines(stage, state));
    } else {
      WEFT_RETURN_IF_ERROR(RunStage(stage, state));
    }
  }
  return Error::Ok();
}

Error SpansetEvaluator::RunStage(const Stage& stage, State* state) {
  switch (stage.kind) {
    case Stage::Kind::kSpansets: return Choose(stage.spansets, state);
    case Stage::Kind::kCondition: return KeepWhere(stage, state);
    case Stage::Kind::kGroup: return Group(stage, state);
    case Stage::Kind::kCoalesce: Coalesce(state); return Error::Ok();
  }
  return Error::Ok();
}

void SpansetEvaluator::Cut(State* state) {
  if (!state->uncut) return;
  state->sets = CutByTrace(*state->uncut, columns_.group().trace_of_row());
  state->uncut.reset();
}

Error SpansetEvaluator::Choose(const SpansetExpression& expression, State* state) {
  Filters filters;
  if (state->uncut) {
    const Bitmap all = BitmapOf(*state->uncut);
    WEFT_ASSIGN_OR_RETURN(*state->uncut, RowsOf(expression, *state->uncut, all, &filters));
    return Error::Ok();
  }
  Bitmap all(columns_.group().row_count());
  for (const Spanset& set : state->sets) {
    for (uint32_t row : set.rows) all.Set(row);
  }
  for (Spanset& set : state->sets) {
    WEFT_ASSIGN_OR_RETURN(set.rows, RowsOf(expression, set.rows, all, &filters));
  }
  std::erase_if(state->sets, [](const Spanset& set) { return set.rows.empty(); });
  return Error::Ok();
}

Result<Rows> SpansetEvaluator::RowsOf(const SpansetExpression& e, const Rows& rows,
                                      const Bitmap& all, Filters* filters) {
  switch (e.op) {
    case SpansetExpression::Op::kFilter: {
      const bool always = e.predicate.kind == plan::Predicate::Kind::kConstant && e.predicate.truth;
      if (always) return rows;
      if (!filters->contains(&e)) {
        WEFT_ASSIGN_OR_RETURN((*filters)[&e], Filter(e.predicate, all));
      }
      const Bitmap& found = (*filters)[&e];
      Rows out;
      std::copy_if(rows.begin(), rows.end(), std::back_inserter(out),
                   [&](uint32_t row) { return found.Test(row); });
      return out;
    }
    case SpansetExpression::Op::kPipeline: return PipelineOf(e.stages, rows);
    case SpansetExpression::Op::kAnd: return AllOf(e, rows, all, filters);
    case SpansetExpression::Op::kOr: {
      Rows out;
      for (const SpansetExpression& operand : e.operands) {
        WEFT_ASSIGN_OR_RETURN(const Rows more, RowsOf(operand, rows, all, filters));
        out = Union(out, more);
      }
      return out;
    }
    default: break;
  }
  WEFT_ASSIGN_OR_RETURN(const Rows left, RowsOf(e.operands[0], rows, all, filters));
  WEFT_ASSIGN_OR_RETURN(const Rows right, RowsOf(e.operands[1], rows, all, filters));
  if (!relations_) {
    WEFT_ASSIGN_OR_RETURN(const auto* parent, columns_.Read(block::Intrinsic::kParentRow));
    WEFT_ASSIGN_OR_RETURN(const auto* subtree, columns_.Read(block::Intrinsic::kSubtreeSize));
    relations_.emplace(*parent, *subtree);
  }
  return relations_->Relate(e.op, e.keep, left, right);
}

// The union, of traces in which no operand is empty.
Result<Rows> SpansetEvaluator::AllOf(const SpansetExpression& e, const Rows& rows,
                                     const Bitmap& all, Filters* filters) {
  const std::vector<uint32_t>& trace_of_row = columns_.group().trace_of_row();
  Rows out;
  std::optional<Bitmap> traces;
  for (const SpansetExpression& operand : e.operands) {
    WEFT_ASSIGN_OR_RETURN(const Rows more, RowsOf(operand, rows, all, filters));
    Bitmap there(columns_.group().trace_count());
    for (uint32_t row : more) there.Set(trace_of_row[row]);
    if (traces) there.And(*traces);
    traces = std::move(there);
    if (!traces->Any()) return Rows();
    out = Union(out, more);
  }
  std::erase_if(out, [&](uint32_t row) { return !traces->Test(trace_of_row[row]); });
  return out;
}

Result<Rows> SpansetEvaluator::PipelineOf(const std::vector<Stage>& stages, Rows rows) {
  State state;
  state.uncut = std::move(rows);
  WEFT_RETURN_IF_ERROR(RunStages(stages, &state));
  return state.uncut ? *std::move(state.uncut) : Flatten(state.sets);
}

Error SpansetEvaluator::KeepWhere(const Stage& stage, State* state) {
  Cut(state);
  std::vector<Spanset> kept;
  for (Spanset& set : state->sets) {
    std::vector<Scalar> values;
    for (const Aggregate& aggregate : stage.aggregates) {
      WEFT_ASSIGN_OR_RETURN(const Scalar value, ValueOf(aggregate, set.rows));
      values.push_back(value);
    }
    if (!plan::Compares(stage.compare, Compute(stage.left, values), Compute(stage.right, values))) {
      continue;
    }
    for (size_t i = 0; i < values.size(); ++i) {
      const Aggregate& aggregate = stage.aggregates[i];
      set.attributes.push_back({&aggregate.name, values[i].ToValue(), aggregate.meaning});
    }
    kept.push_back(std::move(set));
  }
  state->sets = std::move(kept);
  return Error::Ok();
}

Error SpansetEvaluator::KeepWhereOfPipelines(const Stage& stage, State* state) {
  WEFT_RETURN_IF_ERROR(KeepWhere(stage, state));
  for (Spanset& set : state->sets) {
    Rows rows;
    for (const Aggregate& aggregate : stage.aggregates) {
      WEFT_ASSIGN_OR_RETURN(const Rows more, PipelineOf(aggregate.pipeline, set.rows));
      rows = Union(rows, more);
    }
    set.rows = std::move(rows);
  }
  std::erase_if(state->sets, [](const Spanset& set) { return set.rows.empty(); });
  return Error::Ok();
}

Result<Scalar> SpansetEvaluator::ValueOf(const Aggregate& aggregate, const Rows& rows) {
  const Rows* of = &rows;
  Rows left;
  if (!aggregate.pipeline.empty()) {
    WEFT_ASSIGN_OR_RETURN(left, PipelineOf(aggregate.pipeline, rows));
    of = &left;
  }
  if (aggregate.kind == Aggregate::Kind::kCount) {
    return Scalar::Int(static_cast<int64_t>(of->size()));
  }
  WEFT_ASSIGN_OR_RETURN(ExpressionReader * reader, ReaderOf(aggregate.of));
  Accumulator accumulator(aggregate.kind);
  for (uint32_t row : *of) {
    WEFT_ASSIGN_OR_RETURN(const Scalar value, reader->Get(row, 0));
    accumulator.Add(value);
  }
  return accumulator.Value();
}

Result<ExpressionReader*> SpansetEvaluator::ReaderOf(const plan::Expression& expression) {
  const auto found = readers_.find(&expression);
  if (found != readers_.end()) return &found->second;
  WEFT_ASSIGN_OR_RETURN(ExpressionReader reader,
                        ExpressionReader::Open(expression, &columns_, nullptr));
  return &readers_.emplace(&expression, std::move(reader)).first->second;
}

Error SpansetEvaluator::Group(const Stage& stage, State* state) {
  Cut(state);
  std::optional<KeyReader> keys;
  if (stage.key.is_condition) {
    WEFT_ASSIGN_OR_RETURN(Bitmap truth,
                          Filter(stage.key.condition, BitmapOf(Flatten(state->sets))));
    keys.emplace(std::move(truth));
  } else {
    WEFT_ASSIGN_OR_RETURN(KeyReader reader, KeyReader::Open(stage.key, &columns_));
    keys.emplace(std::move(reader));
  }
  std::vector<Spanset> out;
  for (const Spanset& set : state->sets) {
    WEFT_RETURN_IF_ERROR(SplitByKey(set, stage.key, &*keys, &out));
  }
  state->sets = std::move(out);
  return Error::Ok();
}

void SpansetEvaluator::Coalesce(State* state) {
  if (state->uncut) return;
  state->sets = CutByTrace(Flatten(state->sets), columns_.group().trace_of_row());
}

Result<Bitmap> SpansetEvaluator::Filter(const plan::Predicate& predicate, const Bitmap& rows) {
  return GroupFilter(&columns_, nullptr).Filter(predicate, rows);
}

Bitmap SpansetEvaluator::BitmapOf(const Rows& rows) const {
  Bitmap out(columns_.group().row_count());
  for (uint32_t row : rows) out.Set(row);
  return out;
}

}  // namespace weft::query::exec
