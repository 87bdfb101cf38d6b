#include "query/plan/metrics.h"

#include <array>
#include <cstdio>

namespace weft::query::plan {

std::string SeriesExpression::Name() const {
  switch (op) {
    case Op::kMetric: return metric.name;
    case Op::kComparison: return "compare";
    case Op::kNumber: {
      std::array<char, 32> text;
      const int size = std::snprintf(text.data(), text.size(), "%g", number);
      return {text.data(), static_cast<size_t>(size)};
    }
    case Op::kArithmetic: break;
  }
  const char* sign = arithmetic == Expression::Op::kAdd        ? " + "
                     : arithmetic == Expression::Op::kSubtract ? " - "
                     : arithmetic == Expression::Op::kMultiply ? " * "
                                                               : " / ";
  return "(" + operands[0].Name() + sign + operands[1].Name() + ")";
}

}  // namespace weft::query::plan
