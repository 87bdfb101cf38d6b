// Arithmetic and comparison of scalar values: one definition for constants and for rows.
#pragma once

#include <cstdint>
#include <string_view>

#include "query/plan/predicate.h"

namespace weft::query::plan {

// A value that owns nothing; `text` points into a dictionary or the plan.
struct Scalar {
  Value::Type type = Value::Type::kNil;
  int64_t number = 0;
  double real = 0;
  std::string_view text;

  static Scalar Int(int64_t v) { return {Value::Type::kInt, v, 0, {}}; }
  static Scalar Double(double v) { return {Value::Type::kDouble, 0, v, {}}; }
  static Scalar Bool(bool v) { return {Value::Type::kBool, v ? 1 : 0, 0, {}}; }
  static Scalar String(std::string_view v) { return {Value::Type::kString, 0, 0, v}; }
  static Scalar Of(const Value& v) { return {v.type, v.number, v.real, v.text}; }
  Value ToValue() const { return {type, number, real, std::string(text)}; }

  bool is_number() const { return type == Value::Type::kInt || type == Value::Type::kDouble; }
};

// Whole numbers stay whole (division cuts towards zero) as long as the result fits 64 bits; beyond
// that, and with a negative power, the result is a double. A double on either side makes a double.
// nil when an operand is not a number, and on division or modulo by zero.
Scalar Apply(Expression::Op op, const Scalar& a, const Scalar& b);
Scalar Negate(const Scalar& a);

// Whether `a op b` is true: false when either is nil or the types differ; ints and doubles compare
// by their exact numeric value, strings by bytes, bools with kEqual and kNotEqual only. NaN equals
// nothing.
bool Compares(Compare op, const Scalar& a, const Scalar& b);

// The sign of a - b, exactly; 2 when b is NaN.
int CompareIntDouble(int64_t a, double b);

}  // namespace weft::query::plan
