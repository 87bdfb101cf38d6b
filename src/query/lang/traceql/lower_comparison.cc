// Comparisons: which types may meet, and what is done ahead of time.
#include <algorithm>

#include <re2/re2.h>

#include "model/ids.h"
#include "query/lang/traceql/lower.h"
#include "query/lang/traceql/names.h"
#include "query/plan/arithmetic.h"

namespace weft::query::lang::traceql {
namespace {

using plan::Compare;
using plan::Expression;
using plan::Field;
using plan::Multiplicity;
using plan::Predicate;
using plan::Property;
using plan::Value;

bool IsNumeric(StaticType type) {
  return type == StaticType::kInt || type == StaticType::kFloat || type == StaticType::kDuration;
}

bool IsOrdered(StaticType type) { return IsNumeric(type) || type == StaticType::kString; }

bool IsEquality(TokenKind op) { return op == TokenKind::kEqual || op == TokenKind::kNotEqual; }

bool UsesMultiplicity(const Expression& e, Multiplicity m) {
  if (e.op == Expression::Op::kField) return e.field.multiplicity() == m;
  return std::any_of(e.operands.begin(), e.operands.end(),
                     [m](const Expression& o) { return UsesMultiplicity(o, m); });
}

// Ids are compared in full, lower-case form, however they were written.
void CompleteId(const Field& field, Value* constant) {
  if (constant->type != Value::Type::kString || field.source != Field::Source::kProperty) return;
  switch (field.property) {
    case Property::kTraceId:
    case Property::kLinkTraceId:
      if (const auto id = model::TraceId::FromHex(constant->text)) constant->text = id->ToHex();
      break;
    case Property::kSpanId:
    case Property::kParentSpanId:
    case Property::kLinkSpanId:
      if (const auto id = model::SpanId::FromHex(constant->text)) constant->text = id->ToHex();
      break;
    default: break;
  }
}

// What to write instead of a constant of the wrong type.
std::string Advice(StaticType wanted) {
  switch (wanted) {
    case StaticType::kStatus: return "; expected error, ok or unset, without quotes";
    case StaticType::kKind:
      return "; expected server, client, internal, producer, consumer or unspecified, without "
             "quotes";
    case StaticType::kDuration: return "; expected a duration such as 100ms, without quotes";
    case StaticType::kInt:
    case StaticType::kFloat: return "; expected a number, without quotes";
    case StaticType::kString: return "; expected a string in quotes, such as \"x\"";
    case StaticType::kBool: return "; expected true or false";
    default: return "";
  }
}

}  // namespace

Compare ToCompare(TokenKind op) {
  switch (op) {
    case TokenKind::kEqual: return Compare::kEqual;
    case TokenKind::kNotEqual: return Compare::kNotEqual;
    case TokenKind::kLess: return Compare::kLess;
    case TokenKind::kLessEqual: return Compare::kLessEqual;
    case TokenKind::kGreater: return Compare::kGreater;
    default: return Compare::kGreaterEqual;
  }
}

std::string TypeName(StaticType type) {
  switch (type) {
    case StaticType::kAny: return "an attribute";
    case StaticType::kNil: return "nil";
    case StaticType::kString: return "a string";
    case StaticType::kInt:
    case StaticType::kFloat: return "a number";
    case StaticType::kDuration: return "a duration";
    case StaticType::kBool: return "true or false";
    case StaticType::kStatus: return "a status";
    case StaticType::kKind: return "a kind";
  }
  return {};
}

std::string ExampleOf(StaticType type) {
  switch (type) {
    case StaticType::kString: return "name = \"GET /\"";
    case StaticType::kDuration: return "duration > 100ms";
    case StaticType::kStatus: return "status = error";
    case StaticType::kKind: return "kind = server";
    case StaticType::kNil: return "span.http.route = nil";
    default: return "span.http.status_code >= 500";
  }
}

bool Lowering::CheckNumeric(const Node& node, const Operand& operand) {
  return CheckNumericOperand("`" + std::string(OperatorText(node.op)) + "`", operand);
}

bool Lowering::CheckNumericOperand(const std::string& what, const Operand& operand) {
  const bool fits =
      !operand.predicate && (operand.type == StaticType::kAny || IsNumeric(operand.type));
  if (fits) return true;
  Fail(operand.node->where,
       what + " works on numbers and durations, found " + TypeName(operand.type));
  return false;
}

bool Lowering::CheckMultiplicity(const Node& node, const Operand& left, const Operand& right) {
  const auto uses = [&](Multiplicity m) {
    return UsesMultiplicity(left.value, m) || UsesMultiplicity(right.value, m);
  };
  if (!uses(Multiplicity::kPerEvent) || !uses(Multiplicity::kPerLink)) return true;
  Fail(node.op_where,
       "an event and a link can't meet in one comparison; compare each with something of the span");
  return false;
}

bool Lowering::CheckComparable(const Node& node, const Operand& left, const Operand& right) {
  const StaticType a = left.type;
  const StaticType b = right.type;
  const std::string op = std::string(OperatorText(node.op));
  const bool never =
      (a == StaticType::kAny && (b == StaticType::kStatus || b == StaticType::kKind)) ||
      (b == StaticType::kAny && (a == StaticType::kStatus || a == StaticType::kKind));
  const bool same =
      a == b || a == StaticType::kAny || b == StaticType::kAny || (IsNumeric(a) && IsNumeric(b));
  if (never) {
    const StaticType own = a == StaticType::kAny ? b : a;
    Fail(node.where, "`" + op + "` can't compare an attribute with " + TypeName(own) +
                         "; expected the span's own `" +
                         (own == StaticType::kStatus ? "status" : "kind") +
                         "`, or a string in quotes");
    return false;
  }
  if (!same) {
    const bool left_wrong = left.is_constant() && !right.is_constant();
    Fail(node.where, "`" + op + "` can't compare " + TypeName(a) + " with " + TypeName(b) +
                         Advice(left_wrong ? b : a));
    return false;
  }
  const StaticType type = a == StaticType::kAny ? b : a;
  if (IsEquality(node.op) || type == StaticType::kAny || IsOrdered(type)) return true;
  Fail(node.op_where,
       "`" + op + "` needs an order, and " + TypeName(type) + " has none; expected `=` or `!=`");
  return false;
}

Lowering::MaybePredicate Lowering::LowerRegex(const Node& node, Operand left,
                                              const Operand& right) {
  const std::string op = "`" + std::string(OperatorText(node.op)) + "`";
  if (!right.is_constant() || right.type != StaticType::kString) {
    return Fail(right.node->where, op + " needs a regular expression in quotes on its right side");
  }
  if (left.predicate || (left.type != StaticType::kAny && left.type != StaticType::kString)) {
    return Fail(left.node->where, op + " matches strings, found " + TypeName(left.type));
  }
  if (!left.is_constant() && !left.is_field())
    return Fail(left.node->where, op + " matches strings, found a number");
  RE2::Options options;
  options.set_log_errors(false);
  auto regex = std::make_shared<RE2>(right.value.constant.text, options);
  if (!regex->ok()) return Fail(right.node->where, "invalid regular expression: " + regex->error());
  const bool negated = node.op == TokenKind::kNotMatch;
  if (left.is_constant())
    return Predicate::Constant(RE2::FullMatch(left.value.constant.text, *regex) != negated);
  Predicate out;
  out.kind = negated ? Predicate::Kind::kNotMatch : Predicate::Kind::kMatch;
  out.left = std::move(left.value);
  out.regex = std::move(regex);
  out.strict = as_tempo_;
  return out;
}

Lowering::MaybePredicate Lowering::LowerFieldComparison(const Node& node, Operand left,
                                                        Operand right) {
  if (left.type == StaticType::kNil) return LowerNilComparison(node, right);
  if (right.type == StaticType::kNil) return LowerNilComparison(node, left);
  if (left.predicate || right.predicate)
    return LowerTruthComparison(node, std::move(left), std::move(right));
  if (auto never = CompareAsTempo(node, left, right)) return never;
  if (!CheckComparable(node, left, right) || !CheckMultiplicity(node, left, right))
    return std::nullopt;
  Compare op = ToCompare(node.op);
  if (left.is_constant() && right.is_constant()) {
    return Predicate::Constant(plan::Compares(op, plan::Scalar::Of(left.value.constant),
                                              plan::Scalar::Of(right.value.constant)));
  }
  if (left.is_constant()) {
    std::swap(left, right);
    op = plan::Mirrored(op);
  }
  if (left.is_field() && right.is_constant()) CompleteId(left.value.field, &right.value.constant);
  const bool strict = as_tempo_ && left.is_field() && left.type == StaticType::kAny;
  Predicate out = Predicate::Comparison(op, std::move(left.value), std::move(right.value));
  out.strict = strict;
  return out;
}

Lowering::MaybePredicate Lowering::LowerNilComparison(const Node& node, const Operand& other) {
  if (!IsEquality(node.op)) return Fail(node.op_where, "nil has no order; expected `=` or `!=`");
  if (as_tempo_ && other.type == StaticType::kNil) return Predicate::Constant(false);
  if (!other.is_field())
    return Fail(node.where, "only an attribute can be nil; expected one beside `" +
                                std::string(OperatorText(node.op)) + " nil`");
  const Field& field = other.value.field;
  const bool absent = node.op == TokenKind::kEqual;
  const bool always =
      field.source == Field::Source::kProperty && field.multiplicity() == Multiplicity::kOnce;
  if (always && absent) return Fail(node.where, "`" + plan::ToString(field) + "` is never nil");
  if (always) return Predicate::Constant(true);
  const bool no_nil = field.source == Field::Source::kProperty ||
                      (field.source == Field::Source::kAttribute &&
                       field.scope == block::Scope::kResource && field.key == "service.name");
  if (as_tempo_ && absent && no_nil)
    return Fail(node.where, "`" + plan::ToString(field) + "` cannot be nil (compat=tempo)");
  if (as_tempo_ && absent && field.source == Field::Source::kUnscoped) {
    std::vector<Predicate> either;
    for (const block::Scope scope : {block::Scope::kSpan, block::Scope::kResource})
      either.push_back(Predicate::Not(Predicate::Present(Field::Attribute(scope, field.key))));
    return Predicate::Or(std::move(either));
  }
  Predicate present = Predicate::Present(field);
  return absent ? Predicate::Not(std::move(present)) : std::move(present);
}

// One side is a condition: the other must be one too, or true, false, or an attribute that holds
// one of them.
Lowering::MaybePredicate Lowering::LowerTruthComparison(const Node& node, Operand left,
                                                        Operand right) {
  if (!IsEquality(node.op))
    return Fail(node.op_where, "conditions have no order; expected `=` or `!=`");
  Operand& other = left.predicate ? right : left;
  if (!other.predicate && other.type != StaticType::kBool && other.type != StaticType::kAny) {
    return Fail(node.where,
                "`" + std::string(OperatorText(node.op)) + "` can't compare true or false with " +
                    TypeName(other.type) +
                    "; a condition in parentheses may be meant: `!` and comparisons bind tightly");
  }
  const bool may_be_absent = !other.predicate && !other.is_constant();
  if (may_be_absent && !other.is_field())
    return Fail(other.node->where, "expected a condition, found a number");
  std::optional<Predicate> is_bool;
  if (may_be_absent) {
    std::vector<Predicate> either;
    for (bool truth : {true, false}) {
      either.push_back(Predicate::Comparison(Compare::kEqual, other.value,
                                             Expression::Constant(Value::Bool(truth))));
    }
    is_bool = Predicate::Or(std::move(either));
  }
  MaybePredicate a = ToPredicate(std::move(left));
  MaybePredicate b = ToPredicate(std::move(right));
  if (!a || !b) return std::nullopt;
  Predicate out = Predicate::Same(*std::move(a), *std::move(b));
  if (node.op == TokenKind::kNotEqual) out = Predicate::Not(std::move(out));
  if (!is_bool) return out;
  std::vector<Predicate> both;
  both.push_back(std::move(*is_bool));
  both.push_back(std::move(out));
  return Predicate::And(std::move(both));
}

}  // namespace weft::query::lang::traceql
