#include "query/plan/arithmetic.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace weft::query::plan {
namespace {

using Op = Expression::Op;
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

bool IsInt(const Scalar& s, int64_t v) { return s.type == Value::Type::kInt && s.number == v; }
bool IsDouble(const Scalar& s, double v) { return s.type == Value::Type::kDouble && s.real == v; }
bool IsNil(const Scalar& s) { return s.type == Value::Type::kNil; }

TEST(Apply, KeepsWholeNumbersWhole) {
  EXPECT_TRUE(IsInt(Apply(Op::kAdd, Scalar::Int(2), Scalar::Int(3)), 5));
  EXPECT_TRUE(IsInt(Apply(Op::kDivide, Scalar::Int(-7), Scalar::Int(2)), -3));
  EXPECT_TRUE(IsInt(Apply(Op::kModulo, Scalar::Int(-7), Scalar::Int(2)), -1));
  EXPECT_TRUE(IsInt(Apply(Op::kPower, Scalar::Int(2), Scalar::Int(62)), int64_t{1} << 62));
  EXPECT_TRUE(IsInt(Apply(Op::kPower, Scalar::Int(0), Scalar::Int(0)), 1));
  EXPECT_TRUE(IsInt(Apply(Op::kPower, Scalar::Int(-1), Scalar::Int(kMax)), -1));
  EXPECT_TRUE(IsInt(Apply(Op::kModulo, Scalar::Int(kMin), Scalar::Int(-1)), 0));
  EXPECT_TRUE(IsInt(Negate(Scalar::Int(5)), -5));
}

TEST(Apply, GoesOnAsDoubleBeyond64Bits) {
  EXPECT_TRUE(IsDouble(Apply(Op::kAdd, Scalar::Int(kMax), Scalar::Int(1)), 9223372036854775808.0));
  EXPECT_TRUE(
      IsDouble(Apply(Op::kMultiply, Scalar::Int(kMin), Scalar::Int(-1)), 9223372036854775808.0));
  EXPECT_TRUE(
      IsDouble(Apply(Op::kDivide, Scalar::Int(kMin), Scalar::Int(-1)), 9223372036854775808.0));
  EXPECT_TRUE(IsDouble(Apply(Op::kPower, Scalar::Int(2), Scalar::Int(64)), 18446744073709551616.0));
  EXPECT_TRUE(IsDouble(Apply(Op::kPower, Scalar::Int(2), Scalar::Int(-1)), 0.5));
  EXPECT_TRUE(IsDouble(Negate(Scalar::Int(kMin)), 9223372036854775808.0));
}

TEST(Apply, HasNoAnswerForZeroDivisorsAndOtherTypes) {
  EXPECT_TRUE(IsNil(Apply(Op::kDivide, Scalar::Int(1), Scalar::Int(0))));
  EXPECT_TRUE(IsNil(Apply(Op::kModulo, Scalar::Int(1), Scalar::Double(0))));
  EXPECT_TRUE(IsNil(Apply(Op::kAdd, Scalar::String("1"), Scalar::Int(1))));
  EXPECT_TRUE(IsNil(Apply(Op::kAdd, Scalar::Int(1), Scalar())));
  EXPECT_TRUE(IsNil(Negate(Scalar::Bool(true))));
}

TEST(CompareIntDouble, IsExactBeyond53Bits) {
  EXPECT_EQ(CompareIntDouble(kMax, 9223372036854775808.0), -1);
  EXPECT_EQ(CompareIntDouble(kMin, -9223372036854775808.0), 0);
  EXPECT_EQ(CompareIntDouble((int64_t{1} << 53) + 1, 9007199254740992.0), 1);
  EXPECT_EQ(CompareIntDouble(2, 2.5), -1);
  EXPECT_EQ(CompareIntDouble(-2, -2.5), 1);
  EXPECT_EQ(CompareIntDouble(3, 3.0), 0);
  EXPECT_EQ(CompareIntDouble(0, std::numeric_limits<double>::infinity()), -1);
  EXPECT_EQ(CompareIntDouble(0, NAN), 2);
}

TEST(Compares, NeedsOneType) {
  EXPECT_TRUE(Compares(Compare::kEqual, Scalar::Int(5), Scalar::Double(5.0)));
  EXPECT_TRUE(Compares(Compare::kGreater, Scalar::Double(2.5), Scalar::Int(2)));
  EXPECT_FALSE(Compares(Compare::kNotEqual, Scalar::Int(5), Scalar::String("5")));
  EXPECT_FALSE(Compares(Compare::kNotEqual, Scalar(), Scalar::Int(5)));
  EXPECT_FALSE(Compares(Compare::kLess, Scalar::Bool(false), Scalar::Bool(true)));
  EXPECT_TRUE(Compares(Compare::kNotEqual, Scalar::Bool(false), Scalar::Bool(true)));
  EXPECT_TRUE(Compares(Compare::kLess, Scalar::String("a"), Scalar::String("b")));
  EXPECT_TRUE(Compares(Compare::kNotEqual, Scalar::Int(1), Scalar::Double(NAN)));
  EXPECT_FALSE(Compares(Compare::kEqual, Scalar::Double(NAN), Scalar::Double(NAN)));
}

}  // namespace
}  // namespace weft::query::plan
