#include "query/plan/arithmetic.h"

#include <cmath>
#include <limits>

namespace weft::query::plan {
namespace {

using Op = Expression::Op;

double AsDouble(const Scalar& s) {
  return s.type == Value::Type::kDouble ? s.real : static_cast<double>(s.number);
}

Scalar ApplyDoubles(Op op, double a, double b) {
  switch (op) {
    case Op::kAdd: return Scalar::Double(a + b);
    case Op::kSubtract: return Scalar::Double(a - b);
    case Op::kMultiply: return Scalar::Double(a * b);
    case Op::kDivide: return b == 0 ? Scalar() : Scalar::Double(a / b);
    case Op::kModulo: return b == 0 ? Scalar() : Scalar::Double(std::fmod(a, b));
    case Op::kPower: return Scalar::Double(std::pow(a, b));
    default: return {};
  }
}

// By squaring; false on overflow.
bool IntPower(int64_t base, int64_t exponent, int64_t* out) {
  int64_t result = 1;
  while (true) {
    if ((exponent & 1) != 0 && __builtin_mul_overflow(result, base, &result)) return false;
    exponent >>= 1;
    if (exponent == 0) break;
    if (__builtin_mul_overflow(base, base, &base)) return false;
  }
  *out = result;
  return true;
}

// False when the result does not fit.
bool ApplyInts(Op op, int64_t a, int64_t b, int64_t* out) {
  switch (op) {
    case Op::kAdd: return !__builtin_add_overflow(a, b, out);
    case Op::kSubtract: return !__builtin_sub_overflow(a, b, out);
    case Op::kMultiply: return !__builtin_mul_overflow(a, b, out);
    case Op::kDivide:
      if (b == -1) return !__builtin_sub_overflow(int64_t{0}, a, out);
      *out = a / b;
      return true;
    case Op::kModulo: *out = b == -1 ? 0 : a % b; return true;
    case Op::kPower: return b >= 0 && IntPower(a, b, out);
    default: return false;
  }
}

template <typename T>
bool Holds(Compare op, const T& a, const T& b) {
  switch (op) {
    case Compare::kEqual: return a == b;
    case Compare::kNotEqual: return a != b;
    case Compare::kLess: return a < b;
    case Compare::kLessEqual: return a <= b;
    case Compare::kGreater: return a > b;
    case Compare::kGreaterEqual: return a >= b;
  }
  return false;
}

bool ComparesNumbers(Compare op, const Scalar& a, const Scalar& b) {
  const bool a_int = a.type == Value::Type::kInt;
  const bool b_int = b.type == Value::Type::kInt;
  if (a_int && b_int) return Holds(op, a.number, b.number);
  if (!a_int && !b_int) return Holds(op, a.real, b.real);
  if (!a_int) return ComparesNumbers(Mirrored(op), b, a);
  const int sign = CompareIntDouble(a.number, b.real);
  if (sign == 2) return op == Compare::kNotEqual;
  return Holds(op, sign, 0);
}

}  // namespace

Scalar Apply(Op op, const Scalar& a, const Scalar& b) {
  if (!a.is_number() || !b.is_number()) return {};
  if (a.type == Value::Type::kDouble || b.type == Value::Type::kDouble) {
    return ApplyDoubles(op, AsDouble(a), AsDouble(b));
  }
  if (b.number == 0 && (op == Op::kDivide || op == Op::kModulo)) return {};
  int64_t result = 0;
  if (ApplyInts(op, a.number, b.number, &result)) return Scalar::Int(result);
  return ApplyDoubles(op, AsDouble(a), AsDouble(b));
}

Scalar Negate(const Scalar& a) {
  if (a.type == Value::Type::kDouble) return Scalar::Double(-a.real);
  return Apply(Op::kSubtract, Scalar::Int(0), a);
}

int CompareIntDouble(int64_t a, double b) {
  constexpr double kTwo63 = 9223372036854775808.0;
  if (std::isnan(b)) return 2;
  if (b >= kTwo63) return -1;
  if (b < -kTwo63) return 1;
  const auto whole = static_cast<int64_t>(b);  // cut towards zero
  if (a != whole) return a < whole ? -1 : 1;
  const double rest = b - static_cast<double>(whole);
  return rest > 0 ? -1 : rest < 0 ? 1 : 0;
}

bool Compares(Compare op, const Scalar& a, const Scalar& b) {
  if (a.is_number() && b.is_number()) return ComparesNumbers(op, a, b);
  if (a.type != b.type) return false;
  if (a.type == Value::Type::kString) return Holds(op, a.text, b.text);
  const bool equality = op == Compare::kEqual || op == Compare::kNotEqual;
  return a.type == Value::Type::kBool && equality && Holds(op, a.number, b.number);
}

}  // namespace weft::query::plan
