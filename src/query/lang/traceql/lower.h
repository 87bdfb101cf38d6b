// From the tree to the plan. Inside this folder only.
//
// 1. Everything outside one { ... } is refused by name.
// 2. Each part of a field expression is lowered to a predicate (what is true or not) or to a value
//    with the type that is known of it (an attribute may be anything).
// 3. An operation checks the types of its sides and says what it expected.
// 4. Operations on constants are done here.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "query/lang/traceql/compile.h"

namespace weft::query::lang::traceql {

// What is known of a value's type before a span is seen.
enum class StaticType : uint8_t {
  kAny,
  kNil,
  kString,
  kInt,
  kFloat,
  kDuration,
  kBool,
  kStatus,
  kKind
};

// "a string", "a number", ...
std::string TypeName(StaticType type);
// A comparison with such a value, for messages.
std::string ExampleOf(StaticType type);

class Lowering {
 public:
  explicit Lowering(std::string_view text) : text_(text) {}

  std::optional<plan::Plan> LowerQuery(const Node& query);
  std::optional<plan::Field> LowerField(const Node& node);
  const QueryError& error() const { return *error_; }

 private:
  // A predicate, or a value.
  struct Operand {
    std::optional<plan::Predicate> predicate;
    plan::Expression value;
    StaticType type = StaticType::kBool;
    const Node* node = nullptr;

    bool is_constant() const { return !predicate && value.op == plan::Expression::Op::kConstant; }
    bool is_field() const { return !predicate && value.op == plan::Expression::Op::kField; }
  };
  using MaybeOperand = std::optional<Operand>;
  using MaybePredicate = std::optional<plan::Predicate>;

  bool CheckSupported(const Node& query);
  bool CheckHints(const Node& query);
  MaybePredicate LowerCondition(const Node& node);
  MaybePredicate ToPredicate(Operand operand);
  MaybeOperand LowerOperand(const Node& node);
  MaybeOperand LowerLiteral(const Node& node);
  MaybeOperand LowerFieldOperand(const Node& node);
  MaybeOperand LowerNegation(const Node& node);
  MaybeOperand LowerOperation(const Node& node);
  MaybeOperand LowerLogic(const Node& node);
  MaybeOperand LowerArithmetic(const Node& node, Operand left, Operand right);
  MaybePredicate LowerRegex(const Node& node, Operand left, const Operand& right);
  MaybePredicate LowerComparison(const Node& node, Operand left, Operand right);
  MaybePredicate LowerNilComparison(const Node& node, const Operand& other);
  MaybePredicate LowerTruthComparison(const Node& node, Operand left, Operand right);
  bool CheckComparable(const Node& node, const Operand& left, const Operand& right);
  bool CheckNumeric(const Node& node, const Operand& operand);
  bool CheckMultiplicity(const Node& node, const Operand& left, const Operand& right);

  std::nullopt_t Fail(TextRange where, std::string message,
                      ErrorCode code = ErrorCode::kInvalidArgument);

  std::string_view text_;
  std::optional<QueryError> error_;
};

}  // namespace weft::query::lang::traceql
