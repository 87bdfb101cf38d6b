#include "query/plan/plan.h"

#include <algorithm>
#include <utility>

namespace weft::query::plan {
namespace {

bool DependsOnTrace(const Expression& e) {
  if (e.op == Expression::Op::kField) {
    return e.field.of_tree() || (e.field.of_trace() && !e.field.is(Property::kTraceId));
  }
  return std::any_of(e.operands.begin(), e.operands.end(), DependsOnTrace);
}

bool DependsOnTrace(const Predicate& p) {
  return DependsOnTrace(p.left) || DependsOnTrace(p.right) ||
         std::any_of(p.operands.begin(), p.operands.end(),
                     [](const Predicate& operand) { return DependsOnTrace(operand); });
}

// True wherever `p` is true in the whole trace, asked of a fragment.
Predicate OfFragment(const Predicate& p) {
  if (!DependsOnTrace(p)) return p;
  if (p.kind != Predicate::Kind::kAnd && p.kind != Predicate::Kind::kOr) {
    return Predicate::Constant(true);
  }
  Predicate out = p;
  for (Predicate& operand : out.operands) operand = OfFragment(operand);
  return out;
}

// How few spans a predicate is likely to be true on: what is looked for first.
int Selectivity(const Predicate& p) {
  const auto of = [](const Predicate& operand) { return Selectivity(operand); };
  const auto less = [&](const Predicate& a, const Predicate& b) { return of(a) < of(b); };
  switch (p.kind) {
    case Predicate::Kind::kConstant: return p.truth ? 0 : 9;
    case Predicate::Kind::kAnd:
      return of(*std::max_element(p.operands.begin(), p.operands.end(), less));
    case Predicate::Kind::kOr:
      return of(*std::min_element(p.operands.begin(), p.operands.end(), less));
    case Predicate::Kind::kNot:
    case Predicate::Kind::kSame:
    case Predicate::Kind::kNotMatch: return 1;
    case Predicate::Kind::kPresent: return 2;
    case Predicate::Kind::kMatch: return 4;
    case Predicate::Kind::kCompare: break;
  }
  if (p.compare == Compare::kNotEqual) return 1;
  if (p.compare != Compare::kEqual) return 3;
  // Ids and attributes have many values, statuses and kinds few.
  const bool few = p.left.op == Expression::Op::kField &&
                   (p.left.field.is(Property::kStatus) || p.left.field.is(Property::kKind));
  return few ? 3 : 5;
}

Predicate Necessary(const std::vector<Stage>& stages);

Predicate MoreSelective(Predicate a, Predicate b) {
  return Selectivity(b) > Selectivity(a) ? std::move(b) : std::move(a);
}

Predicate Necessary(const SpansetExpression& e) {
  using Op = SpansetExpression::Op;
  switch (e.op) {
    case Op::kFilter: return OfFragment(e.predicate);
    case Op::kPipeline: return Necessary(e.stages);
    case Op::kOr: {
      std::vector<Predicate> any;
      for (const SpansetExpression& operand : e.operands) any.push_back(Necessary(operand));
      return Predicate::Or(std::move(any));
    }
    default: break;
  }
  // Every operand has spans in the answer's traces, but for the left one of a negated relation.
  Predicate best = Necessary(e.operands.back());
  if (e.keep == SpansetExpression::Keep::kUnrelated) return best;
  for (size_t i = 0; i + 1 < e.operands.size(); ++i) {
    best = MoreSelective(std::move(best), Necessary(e.operands[i]));
  }
  return best;
}

// A condition holds of a trace where none of an aggregate's own spans is left (count() = 0), so
// only what chooses spans counts.
Predicate Necessary(const std::vector<Stage>& stages) {
  Predicate best = Predicate::Constant(true);
  for (const Stage& stage : stages) {
    if (stage.kind != Stage::Kind::kSpansets) continue;
    best = MoreSelective(std::move(best), Necessary(stage.spansets));
  }
  return best;
}

}  // namespace

Stage Stage::Filter(Predicate predicate) {
  Stage out;
  out.spansets.predicate = std::move(predicate);
  return out;
}

Plan Plan::Filter(Predicate predicate) {
  Plan out;
  out.stages.push_back(Stage::Filter(std::move(predicate)));
  return out;
}

const Predicate* Plan::filter() const {
  const bool one = stages.size() == 1 && stages[0].kind == Stage::Kind::kSpansets &&
                   stages[0].spansets.op == SpansetExpression::Op::kFilter;
  return one ? &stages[0].spansets.predicate : nullptr;
}

bool Plan::of_whole_traces() const {
  const Predicate* const predicate = filter();
  return whole_traces || predicate == nullptr || DependsOnTrace(*predicate) ||
         std::any_of(shown.begin(), shown.end(),
                     [](const ShownField& s) { return s.field.of_tree(); });
}

Predicate NecessaryPredicate(const Plan& plan) { return Necessary(plan.stages); }

}  // namespace weft::query::plan
