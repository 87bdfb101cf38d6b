// From the tree to the plan. Inside this folder only.
//
// 1. Each stage of the pipeline is lowered to a stage of the plan (lower_pipeline.cc).
// 2. Inside braces, each part of a field expression is lowered to a predicate (what is true or not)
//    or to a value with the type that is known of it (an attribute may be anything).
// 3. An operation checks the types of its sides and says what it expected.
// 4. Operations on constants are done here.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "query/lang/traceql/compile.h"
#include "query/plan/metrics.h"
#include "query/plan/trace_paths.h"

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

StaticType TypeOfProperty(plan::Property property);
plan::Value ToValue(const Literal& literal);
plan::Expression::Op ToOp(TokenKind op);
plan::Compare ToCompare(TokenKind op);
plan::Meaning MeaningOf(StaticType type);

class Lowering {
 public:
  explicit Lowering(std::string_view text, Dialect dialect = Dialect::kWeft)
      : text_(text), as_tempo_(dialect == Dialect::kTempo) {}

  std::optional<plan::Plan> LowerQuery(const Node& query);
  std::optional<plan::SeriesExpression> LowerMetricQuery(const Node& query);
  std::optional<plan::PathQuery> LowerPathQuery(const Node& query);
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

  // lower_pipeline.cc: what stands around braces.
  bool LowerPipeline(const Node& body, std::vector<plan::Stage>* out);
  bool LowerStage(const Node& node, std::vector<plan::Stage>* out);
  bool CheckStageCount(const Node& node, const std::vector<plan::Stage>& stages);
  void AddStage(plan::Stage stage, std::vector<plan::Stage>* out);
  std::optional<plan::SpansetExpression> LowerSpansets(const Node& node);
  bool LowerSelect(const Node& node);
  bool LowerGroup(const Node& node, std::vector<plan::Stage>* out);
  bool LowerCondition(const Node& node, std::vector<plan::Stage>* out);
  std::optional<plan::ScalarExpression> LowerScalar(const Node& node, plan::Stage* stage);
  plan::ScalarExpression AddAggregate(plan::Aggregate aggregate, plan::Stage* stage);
  std::optional<plan::Aggregate> LowerAggregate(const Node& node);
  MaybeOperand LowerHidden(const Node& node);
  bool CheckOfSpan(const Node& node, const plan::Expression& value);
  void Show(const Node& node, const plan::Field& field);

  // lower_metrics.cc.
  static bool IsMetricQuery(const Node& body);
  std::optional<plan::SeriesExpression> LowerSeries(const Node& node);
  std::optional<plan::SeriesExpression> LowerMetricOfSpans(const Node& node, size_t count);
  std::optional<plan::SeriesExpression> LowerSeriesNumber(const Node& node);
  std::optional<plan::SeriesExpression> LowerSeriesOperation(const Node& node);
  std::optional<plan::SeriesStage> LowerSeriesStage(const Node& node);
  std::optional<double> FoldNumber(const Node& node);
  std::optional<plan::Comparison> LowerComparison(const Node& node);
  std::optional<plan::Metric> LowerMetric(const Node& node);
  bool LowerLabels(const Node& group, const std::string& what,
                   std::vector<plan::LabelField>* labels);

  // lower_paths.cc: weft's extensions.
  static const Node* PathOf(const Node& body);
  bool LowerWhatIf(const Node& node, plan::PathQuery* out);

  bool CheckHints(const Node& query);
  MaybePredicate LowerPredicate(const Node& node);
  MaybePredicate ToPredicate(Operand operand);
  MaybeOperand LowerOperand(const Node& node);
  MaybeOperand LowerLiteral(const Node& node);
  MaybeOperand LowerFieldOperand(const Node& node);
  MaybeOperand LowerNegation(const Node& node);
  MaybeOperand LowerOperation(const Node& node);
  MaybeOperand LowerLogic(const Node& node);
  MaybeOperand LowerArithmetic(const Node& node, Operand left, Operand right);
  MaybePredicate LowerParentComparison(const Node& node);
  MaybePredicate LowerRegex(const Node& node, Operand left, const Operand& right);
  MaybePredicate LowerFieldComparison(const Node& node, Operand left, Operand right);
  MaybePredicate LowerNilComparison(const Node& node, const Operand& other);
  MaybePredicate LowerTruthComparison(const Node& node, Operand left, Operand right);
  bool CheckComparable(const Node& node, const Operand& left, const Operand& right);
  bool CheckNumeric(const Node& node, const Operand& operand);
  bool CheckNumericOperand(const std::string& what, const Operand& operand);
  bool CheckMultiplicity(const Node& node, const Operand& left, const Operand& right);

  std::nullopt_t Fail(TextRange where, std::string message,
                      ErrorCode code = ErrorCode::kInvalidArgument);

  // lower_as_tempo.cc: what is different in Tempo; the first four do nothing in weft's way.
  bool RefuseExtension(const Node& node, std::string_view what);
  bool RefuseGroupedStructure(const Node& node);
  bool RefuseJoinedAggregates(const Node& node);
  void KeepFetched(const Node& condition, plan::Predicate* predicate);
  // What Tempo makes of the condition of a filter before it is asked.
  struct Fetch {
    std::vector<const Node*> conditions;  // a field beside a constant
    bool any = false;                     // one of them is enough
    bool negated = false;                 // there is a `!`
    bool open = false;                    // there is more than such conditions
  };
  static void CollectFetch(const Node& node, Fetch* out);
  static plan::SpansetExpression Connected(plan::SpansetExpression spansets);
  std::optional<Operand> LowerHiddenBySelect(const Node& node, const Operand& left,
                                             const Operand& right);
  bool IsSelected(const Operand& operand) const;
  MaybePredicate CompareAsTempo(const Node& node, const Operand& left, const Operand& right);

  std::string_view text_;
  const bool as_tempo_;
  std::vector<plan::Field> selected_;  // as_tempo_: fields of select() so far
  bool grouped_ = false;               // as_tempo_: behind a by()
  std::vector<plan::ShownField> shown_;
  std::optional<QueryError> error_;
};

}  // namespace weft::query::lang::traceql
