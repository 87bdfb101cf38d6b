// Where Tempo's answer is not what the text says, and Tempo's is wanted. Each is a row of the table
// in docs/traceql.md with cases in test/corpus/traceql/as_tempo.test.
#include <algorithm>

#include "model/ids.h"
#include "query/lang/traceql/lower.h"

namespace weft::query::lang::traceql {
namespace {

using plan::Compare;
using plan::Expression;
using plan::Field;
using plan::Predicate;
using plan::Property;
using plan::SpansetExpression;

bool IsLogic(const Node& node) {
  return node.kind == NodeKind::kFieldOperation &&
         (node.op == TokenKind::kAnd || node.op == TokenKind::kOr);
}

bool IsArithmetic(const Node& node) {
  return node.kind == NodeKind::kFieldOperation && node.op >= TokenKind::kPlus;
}

bool HasPlainAggregate(const Node& node) {
  if (node.kind == NodeKind::kAggregate) return true;
  return node.kind == NodeKind::kScalarOperation &&
         std::any_of(node.children.begin(), node.children.end(),
                     [](const NodePtr& child) { return HasPlainAggregate(*child); });
}

// The start of an id's text is lost there when it is zeros, and capitals are no digits.
bool IsNeverId(const Field& field, const std::string& text) {
  const bool has_capitals =
      std::any_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'F'; });
  switch (field.property) {
    case Property::kTraceId: return has_capitals;
    case Property::kSpanId:
    case Property::kLinkSpanId:
    case Property::kLinkTraceId: return has_capitals || text.starts_with('0');
    case Property::kParentSpanId: return has_capitals || text.starts_with('0') || text.empty();
    default: return false;
  }
}

}  // namespace

bool Lowering::RefuseExtension(const Node& node, std::string_view what) {
  if (!as_tempo_) return false;
  Fail(node.where, std::string(what) + " is weft's own: Tempo does not have it (compat=tempo)");
  return true;
}

bool Lowering::RefuseGroupedStructure(const Node& node) {
  if (!as_tempo_ || !grouped_) return false;
  Fail(node.where,
       "Tempo can't relate spansets behind by(): expected coalesce() before it (compat=tempo)");
  return true;
}

// Aggregates meet numbers there, or each other with pipelines of their own.
bool Lowering::RefuseJoinedAggregates(const Node& node) {
  if (!as_tempo_) return false;
  const Node& left = *node.children[0];
  const Node& right = *node.children[1];
  const auto computed = [](const Node& side) {
    return side.kind == NodeKind::kScalarOperation && HasPlainAggregate(side);
  };
  const bool both = HasPlainAggregate(left) && HasPlainAggregate(right);
  if (!both && !computed(left) && !computed(right)) return false;
  Fail(node.where,
       "Tempo compares one aggregate with a number, and computes with none (compat=tempo)");
  return true;
}

// What is fetched in Tempo: spans on which all conditions are true or, where there is an `||`, one
// of them. Behind a `!` that leaves too few.
void Lowering::KeepFetched(const Node& condition, Predicate* predicate) {
  if (!as_tempo_) return;
  Fetch fetch;
  CollectFetch(condition, &fetch);
  if (!fetch.negated || fetch.conditions.empty() || (fetch.any && fetch.open)) return;
  std::vector<Predicate> fetched;
  const size_t shown = shown_.size();
  for (const Node* one : fetch.conditions) {
    MaybePredicate lowered = LowerPredicate(*one);
    if (lowered) fetched.push_back(*std::move(lowered));
  }
  shown_.resize(shown);
  std::vector<Predicate> both;
  both.push_back(std::move(*predicate));
  both.push_back(fetch.any ? Predicate::Or(std::move(fetched))
                           : Predicate::And(std::move(fetched)));
  *predicate = Predicate::And(std::move(both));
}

void Lowering::CollectFetch(const Node& node, Fetch* out) {
  out->negated = out->negated || node.kind == NodeKind::kNot;
  out->any = out->any || (IsLogic(node) && node.op == TokenKind::kOr);
  if (node.kind == NodeKind::kNot || IsLogic(node)) {
    for (const NodePtr& child : node.children) CollectFetch(*child, out);
    return;
  }
  const auto is_constant = [](const Node& n) {
    return n.kind == NodeKind::kLiteral && n.literal.type != LiteralType::kNil;
  };
  const auto is_field = [](const Node& n) {
    return n.kind == NodeKind::kAttribute || n.kind == NodeKind::kIntrinsic;
  };
  const bool compares = node.kind == NodeKind::kFieldOperation && !IsArithmetic(node);
  const bool simple =
      compares && ((is_field(*node.children[0]) && is_constant(*node.children[1])) ||
                   (is_constant(*node.children[0]) && is_field(*node.children[1])));
  if (simple) {
    out->conditions.push_back(&node);
  } else {
    out->open = true;
  }
}

// Without the spans that no root leads to, which its relations never find.
SpansetExpression Lowering::Connected(SpansetExpression spansets) {
  plan::Stage stage;
  stage.spansets = std::move(spansets);
  SpansetExpression out;
  out.op = SpansetExpression::Op::kPipeline;
  out.stages.push_back(std::move(stage));
  out.stages.push_back(plan::Stage::Filter(Predicate::Comparison(
      Compare::kNotEqual, Expression::OfField(Field::Of(Property::kNestedSetParent)),
      Expression::Constant(plan::Value::Int(0)))));
  return out;
}

bool Lowering::IsSelected(const Operand& operand) const {
  return operand.is_field() &&
         std::find(selected_.begin(), selected_.end(), operand.value.field) != selected_.end();
}

// Behind select(x), x is nil.
std::optional<Lowering::Operand> Lowering::LowerHiddenBySelect(const Node& node,
                                                               const Operand& left,
                                                               const Operand& right) {
  if (!IsSelected(left) && !IsSelected(right)) return std::nullopt;
  const bool with_nil = left.type == StaticType::kNil || right.type == StaticType::kNil;
  const bool truth = with_nil && node.op == TokenKind::kEqual;
  return Operand{Predicate::Constant(truth), {}, StaticType::kBool, &node};
}

// Comparisons that are always false there; nothing for all others.
Lowering::MaybePredicate Lowering::CompareAsTempo(const Node& node, const Operand& left,
                                                  const Operand& right) {
  if (!as_tempo_) return std::nullopt;
  const auto is = [](const Operand& o, StaticType type) { return o.type == type; };
  const auto of_span = [&](const Operand& o) {
    return is(o, StaticType::kStatus) || is(o, StaticType::kKind);
  };
  const bool never = (is(left, StaticType::kAny) && of_span(right)) ||
                     (of_span(left) && is(right, StaticType::kAny));
  if (never) return Predicate::Constant(false);
  const Operand& field = left.is_field() ? left : right;
  const Operand& constant = left.is_field() ? right : left;
  const bool id = field.is_field() && constant.is_constant() && is(constant, StaticType::kString) &&
                  field.value.field.source == Field::Source::kProperty &&
                  node.op == TokenKind::kEqual &&
                  IsNeverId(field.value.field, constant.value.constant.text);
  if (id) return Predicate::Constant(false);
  return std::nullopt;
}

}  // namespace weft::query::lang::traceql
