// What stands around the braces: relations, pipelines, aggregates.
#include <algorithm>

#include "query/lang/traceql/lower.h"
#include "query/lang/traceql/names.h"

namespace weft::query::lang::traceql {
namespace {

using plan::Aggregate;
using plan::Expression;
using plan::Meaning;
using plan::Predicate;
using plan::ScalarExpression;
using plan::SpansetExpression;
using plan::Stage;

SpansetExpression::Op ToSpansetOp(TokenKind op) {
  switch (op) {
    case TokenKind::kAnd: return SpansetExpression::Op::kAnd;
    case TokenKind::kOr: return SpansetExpression::Op::kOr;
    case TokenKind::kGreater:
    case TokenKind::kNotChild:
    case TokenKind::kUnionChild: return SpansetExpression::Op::kChild;
    case TokenKind::kLess:
    case TokenKind::kNotParent:
    case TokenKind::kUnionParent: return SpansetExpression::Op::kParent;
    case TokenKind::kDescendant:
    case TokenKind::kNotDescendant:
    case TokenKind::kUnionDescendant: return SpansetExpression::Op::kDescendant;
    case TokenKind::kAncestor:
    case TokenKind::kNotAncestor:
    case TokenKind::kUnionAncestor: return SpansetExpression::Op::kAncestor;
    default: return SpansetExpression::Op::kSibling;
  }
}

SpansetExpression::Keep ToKeep(TokenKind op) {
  switch (op) {
    case TokenKind::kNotMatch:
    case TokenKind::kNotChild:
    case TokenKind::kNotParent:
    case TokenKind::kNotDescendant:
    case TokenKind::kNotAncestor: return SpansetExpression::Keep::kUnrelated;
    case TokenKind::kUnionChild:
    case TokenKind::kUnionParent:
    case TokenKind::kUnionDescendant:
    case TokenKind::kUnionAncestor:
    case TokenKind::kUnionSibling: return SpansetExpression::Keep::kBoth;
    default: return SpansetExpression::Keep::kRelated;
  }
}

Aggregate::Kind ToAggregateKind(std::string_view name) {
  if (name == "min") return Aggregate::Kind::kMin;
  if (name == "max") return Aggregate::Kind::kMax;
  if (name == "avg") return Aggregate::Kind::kAverage;
  return name == "sum" ? Aggregate::Kind::kSum : Aggregate::Kind::kCount;
}

bool HasField(const Expression& e) {
  return e.op == Expression::Op::kField ||
         std::any_of(e.operands.begin(), e.operands.end(), HasField);
}

bool OfOneValue(const Expression& e) {
  if (e.op == Expression::Op::kField) return e.field.multiplicity() == plan::Multiplicity::kOnce;
  return std::all_of(e.operands.begin(), e.operands.end(), OfOneValue);
}

}  // namespace

plan::Meaning MeaningOf(StaticType type) {
  switch (type) {
    case StaticType::kDuration: return Meaning::kDuration;
    case StaticType::kStatus: return Meaning::kStatus;
    case StaticType::kKind: return Meaning::kKind;
    default: return Meaning::kPlain;
  }
}

// Fields of conditions and of select() are shown, each once.
void Lowering::Show(const Node& node, const plan::Field& field) {
  const Meaning meaning = node.kind == NodeKind::kIntrinsic
                              ? MeaningOf(TypeOfProperty(node.property))
                              : Meaning::kPlain;
  const auto same = [&](const plan::ShownField& s) { return s.field == field; };
  if (std::none_of(shown_.begin(), shown_.end(), same)) shown_.push_back({field, meaning});
}

bool Lowering::LowerPipeline(const Node& body, std::vector<Stage>* out) {
  if (body.kind != NodeKind::kPipeline) return LowerStage(body, out);
  return std::all_of(body.children.begin(), body.children.end(), [&](const NodePtr& stage) {
    return LowerStage(*stage, out) && CheckStageCount(*stage, *out);
  });
}

bool Lowering::LowerStage(const Node& node, std::vector<Stage>* out) {
  switch (node.kind) {
    case NodeKind::kFilter:
    case NodeKind::kSpansetOperation: {
      auto spansets = LowerSpansets(node);
      if (!spansets) return false;
      Stage stage;
      stage.spansets = *std::move(spansets);
      AddStage(std::move(stage), out);
      return true;
    }
    case NodeKind::kPipeline: return LowerPipeline(node, out);
    case NodeKind::kScalarFilter: return LowerCondition(node, out);
    case NodeKind::kGroup: return LowerGroup(node, out);
    case NodeKind::kCoalesce: {
      grouped_ = false;
      Stage stage;
      stage.kind = Stage::Kind::kCoalesce;
      out->push_back(std::move(stage));
      return true;
    }
    case NodeKind::kSelect: return LowerSelect(node);
    case NodeKind::kPath:
      Fail(node.where, node.text + "() ends a query; expected { ... } or a stage");
      return false;
    default: break;
  }
  Fail(node.where, "a metric ends a query; expected { ... } or a stage");
  return false;
}

// Each stage costs time and memory for each spanset.
bool Lowering::CheckStageCount(const Node& node, const std::vector<Stage>& stages) {
  constexpr size_t kStagesMax = 100;
  if (stages.size() <= kStagesMax) return true;
  Fail(node.where, "a pipeline has at most " + std::to_string(kStagesMax) + " stages",
       ErrorCode::kTooLarge);
  return false;
}

// A filter behind a filter is one filter.
void Lowering::AddStage(Stage stage, std::vector<Stage>* out) {
  const auto is_filter = [](const Stage& s) {
    return s.kind == Stage::Kind::kSpansets && s.spansets.op == SpansetExpression::Op::kFilter;
  };
  if (out->empty() || !is_filter(out->back()) || !is_filter(stage)) {
    out->push_back(std::move(stage));
    return;
  }
  Predicate& before = out->back().spansets.predicate;
  if (before.kind != Predicate::Kind::kAnd) {
    std::vector<Predicate> one;
    one.push_back(std::move(before));
    before = Predicate::And(std::move(one));
  }
  before.operands.push_back(std::move(stage.spansets.predicate));
}

std::optional<SpansetExpression> Lowering::LowerSpansets(const Node& node) {
  SpansetExpression out;
  if (node.kind == NodeKind::kFilter) {
    out.predicate = Predicate::Constant(true);
    if (node.children.empty()) return out;
    MaybePredicate predicate = LowerPredicate(*node.children[0]);
    if (!predicate) return std::nullopt;
    out.predicate = *std::move(predicate);
    KeepFetched(*node.children[0], &out.predicate);
    return out;
  }
  if (node.kind == NodeKind::kSpansetOperation) {
    if (RefuseGroupedStructure(node)) return std::nullopt;
    out.op = ToSpansetOp(node.op);
    out.keep = ToKeep(node.op);
    constexpr size_t kOperandsMax = 1000;
    if (node.children.size() > kOperandsMax) {
      return Fail(node.where, "at most " + std::to_string(kOperandsMax) + " spansets can be joined",
                  ErrorCode::kTooLarge);
    }
    for (const NodePtr& child : node.children) {
      auto operand = LowerSpansets(*child);
      if (!operand) return std::nullopt;
      const bool relates = out.op != SpansetExpression::Op::kAnd &&
                           out.op != SpansetExpression::Op::kOr && as_tempo_;
      out.operands.push_back(relates ? Connected(*std::move(operand)) : *std::move(operand));
    }
    return out;
  }
  out.op = SpansetExpression::Op::kPipeline;
  if (!LowerPipeline(node, &out.stages)) return std::nullopt;
  return out;
}

bool Lowering::LowerSelect(const Node& node) {
  for (const NodePtr& child : node.children) {
    auto field = LowerField(*child);
    if (!field) return false;
    Show(*child, *field);
    if (as_tempo_) selected_.push_back(*field);
  }
  return true;
}

bool Lowering::LowerGroup(const Node& node, std::vector<Stage>* out) {
  const Node& key = *node.children[0];
  MaybeOperand operand = LowerHidden(key);
  if (!operand) return false;
  grouped_ = true;
  Stage stage;
  stage.kind = Stage::Kind::kGroup;
  stage.key.name = Print(node);
  stage.key.meaning = MeaningOf(operand->type);
  if (operand->predicate) {
    stage.key.is_condition = true;
    stage.key.condition = *std::move(operand->predicate);
  } else {
    if (!CheckOfSpan(key, operand->value)) return false;
    stage.key.value = std::move(operand->value);
  }
  out->push_back(std::move(stage));
  return true;
}

// A key or an aggregate needs one value of each span.
bool Lowering::CheckOfSpan(const Node& node, const Expression& value) {
  if (!HasField(value)) {
    Fail(node.where, "expected something of the span, such as duration or span.http.route");
    return false;
  }
  if (OfOneValue(value)) return true;
  Fail(node.where, "a span has many events and links: expected a field of which it has one");
  return false;
}

bool Lowering::LowerCondition(const Node& node, std::vector<Stage>* out) {
  if (RefuseJoinedAggregates(node)) return false;
  Stage stage;
  stage.kind = Stage::Kind::kCondition;
  stage.compare = ToCompare(node.op);
  auto left = LowerScalar(*node.children[0], &stage);
  if (!left) return false;
  auto right = LowerScalar(*node.children[1], &stage);
  if (!right) return false;
  stage.left = *std::move(left);
  stage.right = *std::move(right);
  out->push_back(std::move(stage));
  return true;
}

std::optional<ScalarExpression> Lowering::LowerScalar(const Node& node, Stage* stage) {
  ScalarExpression out;
  switch (node.kind) {
    case NodeKind::kLiteral: out.constant = ToValue(node.literal); return out;
    case NodeKind::kScalarOperation: {
      out.op = ScalarExpression::Op::kArithmetic;
      out.arithmetic = ToOp(node.op);
      for (const NodePtr& child : node.children) {
        auto operand = LowerScalar(*child, stage);
        if (!operand) return std::nullopt;
        out.operands.push_back(*std::move(operand));
      }
      return out;
    }
    case NodeKind::kAggregate: {
      auto aggregate = LowerAggregate(node);
      if (!aggregate) return std::nullopt;
      return AddAggregate(*std::move(aggregate), stage);
    }
    case NodeKind::kPipeline: {
      auto aggregate = LowerAggregate(*node.children.back());
      if (!aggregate) return std::nullopt;
      for (size_t i = 0; i + 1 < node.children.size(); ++i) {
        if (!LowerStage(*node.children[i], &aggregate->pipeline)) return std::nullopt;
      }
      aggregate->name = Print(node);
      return AddAggregate(*std::move(aggregate), stage);
    }
    default: return Fail(node.where, "expected a number or an aggregate such as count()");
  }
}

ScalarExpression Lowering::AddAggregate(Aggregate aggregate, Stage* stage) {
  ScalarExpression out;
  out.op = ScalarExpression::Op::kAggregate;
  out.aggregate = static_cast<uint32_t>(stage->aggregates.size());
  stage->aggregates.push_back(std::move(aggregate));
  return out;
}

std::optional<Aggregate> Lowering::LowerAggregate(const Node& node) {
  if (node.kind != NodeKind::kAggregate)
    return Fail(node.where, "expected an aggregate such as count() at the end of the pipeline");
  Aggregate out;
  out.kind = ToAggregateKind(node.text);
  out.name = Print(node);
  if (out.kind == Aggregate::Kind::kCount) return out;
  const Node& field = *node.children[0];
  MaybeOperand operand = LowerHidden(field);
  if (!operand || !CheckNumericOperand("`" + node.text + "`", *operand)) return std::nullopt;
  if (!CheckOfSpan(field, operand->value)) return std::nullopt;
  out.meaning = MeaningOf(operand->type);
  out.of = std::move(operand->value);
  return out;
}

// An operand whose fields are not shown.
Lowering::MaybeOperand Lowering::LowerHidden(const Node& node) {
  const size_t before = shown_.size();
  MaybeOperand operand = LowerOperand(node);
  shown_.resize(std::min(before, shown_.size()));
  return operand;
}

}  // namespace weft::query::lang::traceql
