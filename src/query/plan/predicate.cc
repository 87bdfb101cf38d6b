#include "query/plan/predicate.h"

#include <algorithm>
#include <array>

#include <re2/re2.h>

namespace weft::query::plan {
namespace {

constexpr std::array kPropertyNames{"duration",
                                    "name",
                                    "status",
                                    "statusMessage",
                                    "kind",
                                    "span:id",
                                    "span:parentID",
                                    "span:childCount",
                                    "nestedSetLeft",
                                    "nestedSetRight",
                                    "nestedSetParent",
                                    "trace:id",
                                    "traceDuration",
                                    "rootName",
                                    "rootServiceName",
                                    "event:name",
                                    "event:timeSinceStart",
                                    "link:traceID",
                                    "link:spanID",
                                    "instrumentation:name",
                                    "instrumentation:version"};
constexpr std::array kScopeNames{"span", "resource", "instrumentation", "event", "link"};
constexpr std::array kCompareNames{"=", "!=", "<", "<=", ">", ">="};
constexpr std::array kOpNames{"constant", "field", "neg", "+", "-", "*", "/", "%", "^"};

bool NeedsTree(const Expression& e) {
  if (e.op == Expression::Op::kField) return e.field.of_tree();
  return std::any_of(e.operands.begin(), e.operands.end(), NeedsTree);
}

bool AsksOfParents(const Expression& e) {
  if (e.op == Expression::Op::kField) return e.field.of_parent;
  return std::any_of(e.operands.begin(), e.operands.end(), AsksOfParents);
}

std::string ToString(const Value& value) {
  switch (value.type) {
    case Value::Type::kNil: return "nil";
    case Value::Type::kBool: return value.number != 0 ? "true" : "false";
    case Value::Type::kInt: return std::to_string(value.number);
    case Value::Type::kDouble: return std::to_string(value.real);
    case Value::Type::kString: return "\"" + value.text + "\"";
  }
  return {};
}

template <typename T>
std::string List(const char* name, const std::vector<T>& operands) {
  std::string out = std::string(name) + "(";
  for (size_t i = 0; i < operands.size(); ++i) {
    if (i != 0) out += ", ";
    out += ToString(operands[i]);
  }
  return out + ")";
}

Predicate Combine(Predicate::Kind kind, std::vector<Predicate> operands) {
  Predicate out;
  out.kind = kind;
  out.operands = std::move(operands);
  return out;
}

}  // namespace

Multiplicity Field::multiplicity() const {
  if (source == Source::kUnscoped) return Multiplicity::kOnce;
  if (source == Source::kAttribute) {
    if (scope == block::Scope::kEvent) return Multiplicity::kPerEvent;
    return scope == block::Scope::kLink ? Multiplicity::kPerLink : Multiplicity::kOnce;
  }
  switch (property) {
    case Property::kEventName:
    case Property::kEventTimeSinceStart: return Multiplicity::kPerEvent;
    case Property::kLinkTraceId:
    case Property::kLinkSpanId: return Multiplicity::kPerLink;
    default: return Multiplicity::kOnce;
  }
}

Compare Mirrored(Compare op) {
  switch (op) {
    case Compare::kLess: return Compare::kGreater;
    case Compare::kLessEqual: return Compare::kGreaterEqual;
    case Compare::kGreater: return Compare::kLess;
    case Compare::kGreaterEqual: return Compare::kLessEqual;
    default: return op;
  }
}

Predicate Predicate::Constant(bool truth) {
  Predicate out;
  out.truth = truth;
  return out;
}

Predicate Predicate::And(std::vector<Predicate> operands) {
  return Combine(Kind::kAnd, std::move(operands));
}

Predicate Predicate::Or(std::vector<Predicate> operands) {
  return Combine(Kind::kOr, std::move(operands));
}

Predicate Predicate::Not(Predicate operand) {
  std::vector<Predicate> operands;
  operands.push_back(std::move(operand));
  return Combine(Kind::kNot, std::move(operands));
}

Predicate Predicate::Same(Predicate a, Predicate b) {
  std::vector<Predicate> operands;
  operands.push_back(std::move(a));
  operands.push_back(std::move(b));
  return Combine(Kind::kSame, std::move(operands));
}

Predicate Predicate::Comparison(Compare op, Expression left, Expression right) {
  Predicate out;
  out.kind = Kind::kCompare;
  out.compare = op;
  out.left = std::move(left);
  out.right = std::move(right);
  return out;
}

Predicate Predicate::Present(Field field) {
  Predicate out;
  out.kind = Kind::kPresent;
  out.left = Expression::OfField(std::move(field));
  return out;
}

bool Predicate::asks_of_parents() const {
  return AsksOfParents(left) || AsksOfParents(right) ||
         std::any_of(operands.begin(), operands.end(),
                     [](const Predicate& p) { return p.asks_of_parents(); });
}

bool Predicate::needs_tree() const {
  return NeedsTree(left) || NeedsTree(right) ||
         std::any_of(operands.begin(), operands.end(),
                     [](const Predicate& p) { return p.needs_tree(); });
}

std::string ToString(const Field& field) {
  if (field.of_parent) {
    const std::string own = ToString(field.OfSpan());
    return "parent" + (own.starts_with('.') ? own : "." + own);
  }
  switch (field.source) {
    case Field::Source::kProperty: return kPropertyNames[static_cast<size_t>(field.property)];
    case Field::Source::kAttribute:
      return std::string(kScopeNames[static_cast<size_t>(field.scope)]) + "." + field.key;
    case Field::Source::kUnscoped: return "." + field.key;
  }
  return {};
}

std::string NameInAnswers(const Field& field) {
  const bool own_name = field.source == Field::Source::kProperty || field.of_parent;
  return own_name ? ToString(field) : field.key;
}

const char* ToString(Compare compare) { return kCompareNames[static_cast<size_t>(compare)]; }

const char* ToString(Expression::Op op) { return kOpNames[static_cast<size_t>(op)]; }

std::string ToString(const Expression& e) {
  if (e.op == Expression::Op::kConstant) return ToString(e.constant);
  if (e.op == Expression::Op::kField) return ToString(e.field);
  return List(ToString(e.op), e.operands);
}

std::string ToString(const Predicate& p) {
  switch (p.kind) {
    case Predicate::Kind::kConstant: return p.truth ? "true" : "false";
    case Predicate::Kind::kAnd: return List("and", p.operands);
    case Predicate::Kind::kOr: return List("or", p.operands);
    case Predicate::Kind::kNot: return List("not", p.operands);
    case Predicate::Kind::kSame: return List("same", p.operands);
    case Predicate::Kind::kCompare:
      return std::string(ToString(p.compare)) + "(" + ToString(p.left) + ", " + ToString(p.right) +
             ")";
    case Predicate::Kind::kMatch:
      return "=~(" + ToString(p.left) + ", \"" + p.regex->pattern() + "\")";
    case Predicate::Kind::kNotMatch:
      return "!~(" + ToString(p.left) + ", \"" + p.regex->pattern() + "\")";
    case Predicate::Kind::kPresent: return "present(" + ToString(p.left) + ")";
  }
  return {};
}

}  // namespace weft::query::plan
