// Span predicates: what a span filter compiles to.
//
// A predicate is evaluated to the set of spans on which it is TRUE. Values have a third state, nil
// (absent, of another type than asked for, or the result of arithmetic on such); every comparison
// that meets a nil is not true. kNot is the complement of that set: "is not true". A language whose
// NOT keeps the unknown unknown (SQL's) lowers it by pushing it down to the comparisons, each of
// which has its complement here.
//
// A comparison over events or links holds when it holds for at least one of the span's events or
// links. An array that is compared with a constant holds when at least one element does; for
// kNotEqual and kNotMatch, when it has elements of the constant's type and none equals or matches.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "query/plan/field.h"
#include "query/plan/value.h"

namespace re2 {
class RE2;
}

namespace weft::query::plan {

// A value computed from a span.
struct Expression {
  enum class Op : uint8_t {
    kConstant,
    kField,
    kNegate,
    kAdd,
    kSubtract,
    kMultiply,
    kDivide,
    kModulo,
    kPower
  };

  Op op = Op::kConstant;
  Value constant;                    // kConstant
  Field field;                       // kField
  std::vector<Expression> operands;  // one for kNegate, two for the rest

  static Expression Constant(Value v) { return {Op::kConstant, std::move(v), {}, {}}; }
  static Expression OfField(Field f) { return {Op::kField, {}, std::move(f), {}}; }
  static Expression Of(Op op, std::vector<Expression> operands) {
    return {op, {}, {}, std::move(operands)};
  }
};

enum class Compare : uint8_t { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual };

// `a op b` seen from b: `b Mirrored(op) a`.
Compare Mirrored(Compare op);

struct Predicate {
  enum class Kind : uint8_t {
    kConstant,  // `truth`
    kAnd,       // all operands
    kOr,        // any operand
    kNot,       // operands[0] is not true
    kSame,      // operands[0] and operands[1] are both true or both not
    kCompare,   // left compare right
    kMatch,     // left matches `regex` as a whole
    kNotMatch,  // left is a string and does not match
    kPresent,   // left (a field) has a value of any type
  };

  Kind kind = Kind::kConstant;
  bool truth = true;
  Compare compare = Compare::kEqual;
  Expression left;
  Expression right;
  std::shared_ptr<const re2::RE2> regex;  // compiled, anchored by FullMatch
  // Of an attribute with a constant: numbers equal only numbers of the constant's own type; of an
  // array one element is enough for kNotEqual and kNotMatch, too, and its elements must be of one
  // type.
  bool strict = false;
  std::vector<Predicate> operands;

  static Predicate Constant(bool truth);
  static Predicate And(std::vector<Predicate> operands);
  static Predicate Or(std::vector<Predicate> operands);
  static Predicate Not(Predicate operand);
  static Predicate Same(Predicate a, Predicate b);
  static Predicate Comparison(Compare op, Expression left, Expression right);
  static Predicate Present(Field field);

  // Whether any field in it needs the tree.
  bool needs_tree() const;
  // Whether any is of the parent.
  bool asks_of_parents() const;
};

// Text of a plan for tests and `explain`: `and(=(span.a, "x"), present(name))`.
std::string ToString(const Predicate& predicate);
std::string ToString(const Expression& expression);
std::string ToString(const Field& field);
const char* ToString(Compare compare);    // `<=`
const char* ToString(Expression::Op op);  // `+`
// How answers call it: attributes by their keys, without a scope.
std::string NameInAnswers(const Field& field);

}  // namespace weft::query::plan
