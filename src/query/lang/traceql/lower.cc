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

StaticType TypeOf(Property property) {
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

Value ToValue(const Literal& literal) {
  switch (literal.type) {
    case LiteralType::kNil: return Value::Nil();
    case LiteralType::kString: return Value::String(literal.text);
    case LiteralType::kFloat: return Value::Double(literal.real);
    case LiteralType::kBool: return Value::Bool(literal.number != 0);
    default: return Value::Int(literal.number);
  }
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

const char* StageText(NodeKind kind) {
  switch (kind) {
    case NodeKind::kGroup: return "by()";
    case NodeKind::kCoalesce: return "coalesce()";
    case NodeKind::kSelect: return "select()";
    case NodeKind::kAggregate:
    case NodeKind::kScalarFilter:
    case NodeKind::kScalarOperation: return "aggregates";
    case NodeKind::kMetric:
    case NodeKind::kMetricFilter:
    case NodeKind::kTop: return "metrics";
    default: return "pipelines";
  }
}

}  // namespace

std::nullopt_t Lowering::Fail(TextRange where, std::string message, ErrorCode code) {
  if (!error_) error_ = MakeQueryError(text_, where, code, std::move(message));
  return std::nullopt;
}

std::optional<plan::Plan> Lowering::LowerQuery(const Node& query) {
  if (!CheckSupported(*query.children[0]) || !CheckHints(query)) return std::nullopt;
  const Node& filter = *query.children[0];
  if (filter.children.empty()) return plan::Plan::Filter(Predicate::Constant(true));
  MaybePredicate predicate = LowerCondition(*filter.children[0]);
  if (!predicate) return std::nullopt;
  return plan::Plan::Filter(*std::move(predicate));
}

// The leftmost construct around the braces that has no plan yet.
bool Lowering::CheckSupported(const Node& body) {
  if (body.kind == NodeKind::kFilter) return true;
  if (body.kind == NodeKind::kSpansetOperation) {
    if (body.children[0]->kind != NodeKind::kFilter) return CheckSupported(*body.children[0]);
    Fail(body.op_where,
         "not supported yet: the operator `" + std::string(OperatorText(body.op)) +
             "` between spansets",
         ErrorCode::kUnsupported);
    return false;
  }
  const bool computes =
      body.kind == NodeKind::kScalarOperation || body.kind == NodeKind::kScalarFilter;
  if (computes && body.children[0]->kind == NodeKind::kPipeline)
    return CheckSupported(*body.children[0]);
  const Node* stage = &body;
  if (body.kind == NodeKind::kPipeline) {
    if (body.children[0]->kind != NodeKind::kFilter) return CheckSupported(*body.children[0]);
    stage = body.children[1].get();
  }
  Fail(stage->where, std::string("not supported yet: ") + StageText(stage->kind),
       ErrorCode::kUnsupported);
  return false;
}

// No hint changes an exact answer, so all that are known are taken and change nothing.
bool Lowering::CheckHints(const Node& query) {
  for (size_t i = 1; i < query.children.size(); ++i) {
    const Node& hint = *query.children[i];
    const auto known = HintNames();
    if (std::find(known.begin(), known.end(), hint.text) != known.end()) continue;
    Fail(hint.where, "unknown hint `" + hint.text + "`" + DidYouMean(hint.text, known));
    return false;
  }
  return true;
}

std::optional<Field> Lowering::LowerField(const Node& node) {
  if (node.of_parent)
    return Fail(node.where, "not supported yet: parent.", ErrorCode::kUnsupported);
  if (node.kind == NodeKind::kIntrinsic) return Field::Of(node.property);
  if (node.scope == AttributeScope::kNone) return Field::Unscoped(node.text);
  return Field::Attribute(ToScope(node.scope), node.text);
}

Lowering::MaybePredicate Lowering::LowerCondition(const Node& node) {
  MaybeOperand operand = LowerOperand(node);
  if (!operand) return std::nullopt;
  return ToPredicate(*std::move(operand));
}

Lowering::MaybePredicate Lowering::ToPredicate(Operand operand) {
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
      MaybePredicate inner = LowerCondition(*node.children[0]);
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
  const StaticType type =
      node.kind == NodeKind::kIntrinsic ? TypeOf(node.property) : StaticType::kAny;
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
    MaybePredicate operand = LowerCondition(*child);
    if (!operand) return std::nullopt;
    operands.push_back(*std::move(operand));
  }
  Predicate out = node.op == TokenKind::kAnd ? Predicate::And(std::move(operands))
                                             : Predicate::Or(std::move(operands));
  return Operand{std::move(out), {}, StaticType::kBool, &node};
}

Lowering::MaybeOperand Lowering::LowerOperation(const Node& node) {
  MaybeOperand left = LowerOperand(*node.children[0]);
  if (!left) return std::nullopt;
  MaybeOperand right = LowerOperand(*node.children[1]);
  if (!right) return std::nullopt;
  if (node.op >= TokenKind::kPlus)
    return LowerArithmetic(node, *std::move(left), *std::move(right));
  const bool regex = node.op == TokenKind::kMatch || node.op == TokenKind::kNotMatch;
  MaybePredicate out = regex ? LowerRegex(node, *std::move(left), *right)
                             : LowerComparison(node, *std::move(left), *std::move(right));
  if (!out) return std::nullopt;
  return Operand{*std::move(out), {}, StaticType::kBool, &node};
}

Lowering::MaybeOperand Lowering::LowerArithmetic(const Node& node, Operand left, Operand right) {
  if (!CheckNumeric(node, left) || !CheckNumeric(node, right)) return std::nullopt;
  if (!CheckMultiplicity(node, left, right)) return std::nullopt;
  const auto either = [&](StaticType t) { return left.type == t || right.type == t; };
  const StaticType type = either(StaticType::kDuration) ? StaticType::kDuration
                          : either(StaticType::kFloat)  ? StaticType::kFloat
                                                        : StaticType::kInt;
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

QueryResult<plan::Plan> Lower(const Node& query, std::string_view text) {
  Lowering lowering(text);
  auto plan = lowering.LowerQuery(query);
  if (!plan) return lowering.error();
  return *std::move(plan);
}

QueryResult<plan::Plan> Compile(std::string_view text) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) text = "{}";
  auto tree = Parse(text);
  if (!tree.ok()) return tree.error();
  return Lower(**tree, text);
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
