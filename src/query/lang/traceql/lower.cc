#include "query/lang/traceql/lower.h"

#include <algorithm>
#include <array>

#include "query/lang/nearest_name.h"
#include "query/lang/traceql/names.h"
#include "query/plan/arithmetic.h"

namespace weft::query::lang::traceql {
namespace {

using plan::Expression;
using plan::Field;
using plan::Predicate;
using plan::Property;
using plan::Value;

StaticType TypeOf(LiteralType type) {
  switch (type) {
    case LiteralType::kNil: return StaticType::kNil;
    case LiteralType::kString: return StaticType::kString;
    case LiteralType::kInt: return StaticType::kInt;
    case LiteralType::kFloat: return StaticType::kFloat;
    case LiteralType::kBool: return StaticType::kBool;
    case LiteralType::kDuration: return StaticType::kDuration;
    case LiteralType::kStatus: return StaticType::kStatus;
    case LiteralType::kKind: return StaticType::kKind;
  }
  return StaticType::kNil;
}

block::Scope ToScope(AttributeScope scope) {
  switch (scope) {
    case AttributeScope::kResource: return block::Scope::kResource;
    case AttributeScope::kEvent: return block::Scope::kEvent;
    case AttributeScope::kLink: return block::Scope::kLink;
    case AttributeScope::kInstrumentation: return block::Scope::kInstrumentation;
    default: return block::Scope::kSpan;
  }
}

// `parent`, the span itself.
bool IsParent(const Node& node) {
  return node.kind == NodeKind::kAttribute && node.of_parent && node.text.empty();
}

bool IsNil(const Node& node) {
  return node.kind == NodeKind::kLiteral && node.literal.type == LiteralType::kNil;
}

}  // namespace

StaticType TypeOfProperty(Property property) {
  switch (property) {
    case Property::kDuration:
    case Property::kTraceDuration:
    case Property::kEventTimeSinceStart: return StaticType::kDuration;
    case Property::kStatus: return StaticType::kStatus;
    case Property::kKind: return StaticType::kKind;
    case Property::kChildCount:
    case Property::kNestedSetLeft:
    case Property::kNestedSetRight:
    case Property::kNestedSetParent: return StaticType::kInt;
    default: return StaticType::kString;
  }
}

Value ToValue(const Literal& literal) {
  switch (literal.type) {
    case LiteralType::kNil: return Value::Nil();
    case LiteralType::kString: return Value::String(literal.text);
    case LiteralType::kFloat: return Value::Double(literal.real);
    case LiteralType::kBool: return Value::Bool(literal.number != 0);
    default: return Value::Int(literal.number);
  }
}

Expression::Op ToOp(TokenKind op) {
  switch (op) {
    case TokenKind::kPlus: return Expression::Op::kAdd;
    case TokenKind::kMinus: return Expression::Op::kSubtract;
    case TokenKind::kStar: return Expression::Op::kMultiply;
    case TokenKind::kSlash: return Expression::Op::kDivide;
    case TokenKind::kPercent: return Expression::Op::kModulo;
    default: return Expression::Op::kPower;
  }
}

std::nullopt_t Lowering::Fail(TextRange where, std::string message, ErrorCode code) {
  if (!error_) error_ = MakeQueryError(text_, where, code, std::move(message));
  return std::nullopt;
}

std::optional<plan::Plan> Lowering::LowerQuery(const Node& query) {
  plan::Plan plan;
  const Node& body = *query.children[0];
  if (IsMetricQuery(body)) {
    // What a metric is computed from can be looked at.
    auto series = LowerMetricQuery(query);
    if (!series) return std::nullopt;
    if (series->op == plan::SeriesExpression::Op::kArithmetic ||
        series->op == plan::SeriesExpression::Op::kNumber)
      return Fail(body.where, "arithmetic between metrics has no spans to show");
    plan = std::move(series->spans);
    plan.shown = std::move(shown_);
    return plan;
  }
  if (PathOf(body) != nullptr) {
    // So can the traces whose paths are asked for.
    auto path = LowerPathQuery(query);
    if (!path) return std::nullopt;
    plan = std::move(path->spans);
    plan.shown = std::move(shown_);
    return plan;
  }
  if (!LowerPipeline(body, &plan.stages) || !CheckHints(query)) return std::nullopt;
  // select() alone selects of everything.
  if (plan.stages.empty()) plan.stages.push_back(plan::Stage::Filter(Predicate::Constant(true)));
  plan.shown = std::move(shown_);
  return plan;
}

std::optional<plan::SeriesExpression> Lowering::LowerMetricQuery(const Node& query) {
  const Node& body = *query.children[0];
  if (!IsMetricQuery(body)) {
    return Fail(body.where, "expected a metric at the end, as in { ... } | rate()");
  }
  if (!CheckHints(query)) return std::nullopt;
  return LowerSeries(body);
}

// No hint changes an exact answer, so all that are known are taken and change nothing.
bool Lowering::CheckHints(const Node& query) {
  for (size_t i = 1; i < query.children.size() && !as_tempo_; ++i) {
    const Node& hint = *query.children[i];
    const auto known = HintNames();
    if (std::find(known.begin(), known.end(), hint.text) != known.end()) continue;
    Fail(hint.where, "unknown hint `" + hint.text + "`" + DidYouMean(hint.text, known));
    return false;
  }
  return true;
}

std::optional<Field> Lowering::LowerField(const Node& node) {
  if (node.of_parent && RefuseExtension(node, "`parent`")) return std::nullopt;
  if (IsParent(node)) {
    return Fail(node.where,
                "`parent` alone is the parent span; expected parent = nil, parent != nil or an "
                "attribute of it, such as parent.http.route");
  }
  if (node.kind == NodeKind::kIntrinsic) return Field::Of(node.property);
  Field out = node.scope == AttributeScope::kNone
                  ? Field::Unscoped(node.text)
                  : Field::Attribute(ToScope(node.scope), node.text);
  out.of_parent = node.of_parent;
  if (node.of_parent && out.multiplicity() != plan::Multiplicity::kOnce) {
    return Fail(node.where,
                "of a parent one can ask about attributes of the span, its resource "
                "and its scope, not of its events and links");
  }
  return out;
}

Lowering::MaybePredicate Lowering::LowerPredicate(const Node& node) {
  MaybeOperand operand = LowerOperand(node);
  if (!operand) return std::nullopt;
  return ToPredicate(*std::move(operand));
}

Lowering::MaybePredicate Lowering::ToPredicate(Operand operand) {
  if (IsSelected(operand)) return Predicate::Constant(false);
  if (operand.predicate) return std::move(operand.predicate);
  if (operand.is_constant() && operand.type == StaticType::kBool) {
    return Predicate::Constant(operand.value.constant.number != 0);
  }
  if (operand.is_field() && operand.type == StaticType::kAny) {
    return Predicate::Comparison(plan::Compare::kEqual, std::move(operand.value),
                                 Expression::Constant(Value::Bool(true)));
  }
  return Fail(operand.node->where,
              "expected a condition, which is true or false, found " + TypeName(operand.type) +
                  "; compare it with something, as in " + ExampleOf(operand.type));
}

Lowering::MaybeOperand Lowering::LowerOperand(const Node& node) {
  switch (node.kind) {
    case NodeKind::kLiteral: return LowerLiteral(node);
    case NodeKind::kNegate: return LowerNegation(node);
    case NodeKind::kNot: {
      MaybePredicate inner = LowerPredicate(*node.children[0]);
      if (!inner) return std::nullopt;
      return Operand{Predicate::Not(*std::move(inner)), {}, StaticType::kBool, &node};
    }
    case NodeKind::kFieldOperation:
      if (node.op == TokenKind::kAnd || node.op == TokenKind::kOr) return LowerLogic(node);
      return LowerOperation(node);
    default: return LowerFieldOperand(node);
  }
}

Lowering::MaybeOperand Lowering::LowerLiteral(const Node& node) {
  return Operand{std::nullopt, Expression::Constant(ToValue(node.literal)),
                 TypeOf(node.literal.type), &node};
}

Lowering::MaybeOperand Lowering::LowerFieldOperand(const Node& node) {
  std::optional<Field> field = LowerField(node);
  if (!field) return std::nullopt;
  Show(node, *field);
  const StaticType type =
      node.kind == NodeKind::kIntrinsic ? TypeOfProperty(node.property) : StaticType::kAny;
  return Operand{std::nullopt, Expression::OfField(*std::move(field)), type, &node};
}

Lowering::MaybeOperand Lowering::LowerNegation(const Node& node) {
  MaybeOperand inner = LowerOperand(*node.children[0]);
  if (!inner || !CheckNumeric(node, *inner)) return std::nullopt;
  const StaticType type = inner->type == StaticType::kAny ? StaticType::kInt : inner->type;
  if (inner->is_constant()) {
    const plan::Scalar value = plan::Negate(plan::Scalar::Of(inner->value.constant));
    return Operand{std::nullopt, Expression::Constant(value.ToValue()), type, &node};
  }
  std::vector<Expression> operands;
  operands.push_back(std::move(inner->value));
  return Operand{std::nullopt, Expression::Of(Expression::Op::kNegate, std::move(operands)), type,
                 &node};
}

Lowering::MaybeOperand Lowering::LowerLogic(const Node& node) {
  std::vector<Predicate> operands;
  for (const NodePtr& child : node.children) {
    MaybePredicate operand = LowerPredicate(*child);
    if (!operand) return std::nullopt;
    operands.push_back(*std::move(operand));
  }
  Predicate out = node.op == TokenKind::kAnd ? Predicate::And(std::move(operands))
                                             : Predicate::Or(std::move(operands));
  return Operand{std::move(out), {}, StaticType::kBool, &node};
}

Lowering::MaybeOperand Lowering::LowerOperation(const Node& node) {
  if (auto has_parent = LowerParentComparison(node)) {
    return Operand{*std::move(has_parent), {}, StaticType::kBool, &node};
  }
  MaybeOperand left = LowerOperand(*node.children[0]);
  if (!left) return std::nullopt;
  MaybeOperand right = LowerOperand(*node.children[1]);
  if (!right) return std::nullopt;
  if (auto hidden = LowerHiddenBySelect(node, *left, *right)) return hidden;
  if (node.op >= TokenKind::kPlus)
    return LowerArithmetic(node, *std::move(left), *std::move(right));
  const bool regex = node.op == TokenKind::kMatch || node.op == TokenKind::kNotMatch;
  MaybePredicate out = regex ? LowerRegex(node, *std::move(left), *right)
                             : LowerFieldComparison(node, *std::move(left), *std::move(right));
  if (!out) return std::nullopt;
  return Operand{*std::move(out), {}, StaticType::kBool, &node};
}

// parent = nil, parent != nil; nothing for anything else.
Lowering::MaybePredicate Lowering::LowerParentComparison(const Node& node) {
  const bool equality = node.op == TokenKind::kEqual || node.op == TokenKind::kNotEqual;
  const Node& left = *node.children[0];
  const Node& right = *node.children[1];
  const bool fits = (IsParent(left) && IsNil(right)) || (IsNil(left) && IsParent(right));
  if (!equality || !fits || as_tempo_) return std::nullopt;
  Field name = Field::Of(plan::Property::kName);  // every span has one
  name.of_parent = true;
  Predicate present = Predicate::Present(std::move(name));
  return node.op == TokenKind::kEqual ? Predicate::Not(std::move(present)) : std::move(present);
}

Lowering::MaybeOperand Lowering::LowerArithmetic(const Node& node, Operand left, Operand right) {
  if (!CheckNumeric(node, left) || !CheckNumeric(node, right)) return std::nullopt;
  if (!CheckMultiplicity(node, left, right)) return std::nullopt;
  const auto either = [&](StaticType t) { return left.type == t || right.type == t; };
  const StaticType type = either(StaticType::kDuration) ? StaticType::kDuration
                          : either(StaticType::kFloat)  ? StaticType::kFloat
                                                        : StaticType::kInt;
  const bool divides = node.op == TokenKind::kSlash || node.op == TokenKind::kPercent;
  const auto& divisor = right.value.constant;
  if (as_tempo_ && divides && right.is_constant() && divisor.number == 0 && divisor.real == 0)
    return Fail(node.where, "division by zero (compat=tempo)");
  // Tempo has the operands of whole numbers the other way round.
  if (as_tempo_ && node.op == TokenKind::kCaret && !either(StaticType::kFloat))
    std::swap(left, right);
  if (left.is_constant() && right.is_constant()) {
    const plan::Scalar value = plan::Apply(ToOp(node.op), plan::Scalar::Of(left.value.constant),
                                           plan::Scalar::Of(right.value.constant));
    return Operand{std::nullopt, Expression::Constant(value.ToValue()), type, &node};
  }
  std::vector<Expression> operands;
  operands.push_back(std::move(left.value));
  operands.push_back(std::move(right.value));
  return Operand{std::nullopt, Expression::Of(ToOp(node.op), std::move(operands)), type, &node};
}

QueryResult<plan::Plan> Lower(const Node& query, std::string_view text, Dialect dialect) {
  Lowering lowering(text, dialect);
  auto plan = lowering.LowerQuery(query);
  if (!plan) return lowering.error();
  return *std::move(plan);
}

QueryResult<plan::Plan> Compile(std::string_view text, Dialect dialect) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) text = "{}";
  auto tree = Parse(text);
  if (!tree.ok()) return tree.error();
  return Lower(**tree, text, dialect);
}

QueryResult<plan::SeriesExpression> CompileMetrics(std::string_view text, Dialect dialect) {
  auto tree = Parse(text);
  if (!tree.ok()) return tree.error();
  Lowering lowering(text, dialect);
  auto series = lowering.LowerMetricQuery(**tree);
  if (!series) return lowering.error();
  return *std::move(series);
}

QueryResult<plan::PathQuery> CompilePath(std::string_view text) {
  auto tree = Parse(text);
  if (!tree.ok()) return tree.error();
  Lowering lowering(text);
  auto path = lowering.LowerPathQuery(**tree);
  if (!path) return lowering.error();
  return *std::move(path);
}

QueryResult<plan::Field> CompileField(std::string_view text) {
  auto tree = ParseField(text);
  if (!tree.ok()) return tree.error();
  Lowering lowering(text);
  auto field = lowering.LowerField(**tree);
  if (!field) return lowering.error();
  return *std::move(field);
}

}  // namespace weft::query::lang::traceql
