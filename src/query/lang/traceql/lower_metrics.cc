// Metrics: what stands behind `| rate()` and its like.
#include <algorithm>
#include <cmath>

#include "query/lang/traceql/lower.h"
#include "query/lang/traceql/names.h"

namespace weft::query::lang::traceql {
namespace {

using plan::Metric;
using plan::SeriesExpression;
using plan::SeriesStage;

constexpr size_t kLabelsMax = 5;
constexpr int64_t kComparedValuesMax = 1000;

Metric::Kind ToMetricKind(std::string_view name) {
  if (name == "rate") return Metric::Kind::kRate;
  if (name == "count_over_time") return Metric::Kind::kCount;
  if (name == "min_over_time") return Metric::Kind::kMin;
  if (name == "max_over_time") return Metric::Kind::kMax;
  if (name == "sum_over_time") return Metric::Kind::kSum;
  if (name == "avg_over_time") return Metric::Kind::kAverage;
  return name == "quantile_over_time" ? Metric::Kind::kQuantile : Metric::Kind::kHistogram;
}

bool IsSeriesStage(const Node& node) {
  return node.kind == NodeKind::kMetricFilter || node.kind == NodeKind::kTop;
}

double NumberOf(const Literal& literal) {
  return literal.type == LiteralType::kFloat ? literal.real : static_cast<double>(literal.number);
}

// Whether the node is, or ends in, a metric.
bool EndsInMetric(const Node& node) {
  switch (node.kind) {
    case NodeKind::kMetric: return true;
    case NodeKind::kPipeline: {
      const auto found = std::find_if(node.children.rbegin(), node.children.rend(),
                                      [](const NodePtr& child) { return !IsSeriesStage(*child); });
      return found != node.children.rend() && EndsInMetric(**found);
    }
    case NodeKind::kScalarOperation:
      return std::any_of(node.children.begin(), node.children.end(),
                         [](const NodePtr& child) { return EndsInMetric(*child); });
    default: return false;
  }
}

}  // namespace

bool Lowering::IsMetricQuery(const Node& body) { return EndsInMetric(body); }

std::optional<SeriesExpression> Lowering::LowerSeries(const Node& node) {
  if (node.kind == NodeKind::kLiteral) return LowerSeriesNumber(node);
  if (node.kind == NodeKind::kScalarOperation) return LowerSeriesOperation(node);
  const bool chain = node.kind == NodeKind::kPipeline;
  const auto stage_begin =
      chain ? std::find_if(node.children.begin(), node.children.end(),
                           [](const NodePtr& child) { return IsSeriesStage(*child); })
            : node.children.end();
  // What stands before the stages: one expression, or spans and a metric.
  std::optional<SeriesExpression> out;
  const auto before = chain ? stage_begin - node.children.begin() : 0;
  if (chain && before == 1) {
    out = LowerSeries(*node.children[0]);
  } else {
    out = LowerMetricOfSpans(node, static_cast<size_t>(before));
  }
  if (!out || !chain) return out;
  if (out->op == SeriesExpression::Op::kComparison && stage_begin != node.children.end())
    return Fail((*stage_begin)->where, "nothing can follow compare()");
  for (auto stage = stage_begin; stage != node.children.end(); ++stage) {
    auto lowered = LowerSeriesStage(**stage);
    if (!lowered) return std::nullopt;
    out->stages.push_back(*lowered);
  }
  return out;
}

// The first `count` children: stages, and the metric as the last one.
std::optional<SeriesExpression> Lowering::LowerMetricOfSpans(const Node& node, size_t count) {
  if (count < 2) return Fail(node.where, "expected { ... } | and a metric such as rate()");
  SeriesExpression out;
  for (size_t i = 0; i + 1 < count; ++i) {
    const Node& stage = *node.children[i];
    if (!LowerStage(stage, &out.spans.stages) || !CheckStageCount(stage, out.spans.stages))
      return std::nullopt;
  }
  if (out.spans.stages.empty())
    out.spans.stages.push_back(plan::Stage::Filter(plan::Predicate::Constant(true)));
  const Node& last = *node.children[count - 1];
  if (last.text == "compare") {
    auto comparison = LowerComparison(last);
    if (!comparison) return std::nullopt;
    out.op = SeriesExpression::Op::kComparison;
    out.comparison = *std::move(comparison);
    out.spans.whole_traces = out.comparison.selection.asks_of_parents();
    return out;
  }
  auto metric = LowerMetric(last);
  if (!metric) return std::nullopt;
  out.metric = *std::move(metric);
  const auto of_parent = [](const plan::LabelField& label) { return label.field.of_parent; };
  out.spans.whole_traces =
      out.metric.of.of_parent || std::any_of(out.metric.by.begin(), out.metric.by.end(), of_parent);
  return out;
}

// compare({ selection }, values, start, end)
std::optional<plan::Comparison> Lowering::LowerComparison(const Node& node) {
  plan::Comparison out;
  const Node& filter = *node.children[0];
  if (filter.children.empty()) {
    out.selection = plan::Predicate::Constant(true);
  } else {
    MaybePredicate selection = LowerPredicate(*filter.children[0]);
    if (!selection) return std::nullopt;
    out.selection = *std::move(selection);
  }
  for (size_t i = 1; i < node.children.size(); ++i) {
    const Node& number = *node.children[i];
    if (number.literal.type != LiteralType::kInt)
      return Fail(number.where, "expected a whole number");
  }
  if (node.children.size() > 1) {
    const Node& values = *node.children[1];
    if (values.literal.number < 1 || values.literal.number > kComparedValuesMax) {
      return Fail(values.where, "expected how many values of each field to show, from 1 to " +
                                    std::to_string(kComparedValuesMax));
    }
    out.values_max = static_cast<uint32_t>(values.literal.number);
  }
  if (node.children.size() == 2 || node.children.size() == 1) return out;
  const int64_t start = node.children[2]->literal.number;
  const int64_t end = node.children.size() == 4 ? node.children[3]->literal.number : 0;
  if (node.children.size() != 4 || start < 0 || end <= start) {
    return Fail(node.where,
                "expected compare({ ... }, values, start, end) with the start and the end of the "
                "selection in ns since 1970");
  }
  out.window = {static_cast<uint64_t>(start), static_cast<uint64_t>(end)};
  return out;
}

std::optional<SeriesExpression> Lowering::LowerSeriesNumber(const Node& node) {
  if (node.literal.type == LiteralType::kDuration) {
    return Fail(node.where,
                "a duration has no place in arithmetic between metrics; expected a number "
                "(metrics of durations are in seconds)");
  }
  SeriesExpression out;
  out.op = SeriesExpression::Op::kNumber;
  out.number = NumberOf(node.literal);
  return out;
}

std::optional<SeriesExpression> Lowering::LowerSeriesOperation(const Node& node) {
  if (node.op == TokenKind::kPercent || node.op == TokenKind::kCaret) {
    return Fail(node.op_where, "between metrics there are `+`, `-`, `*` and `/`");
  }
  SeriesExpression out;
  out.op = SeriesExpression::Op::kArithmetic;
  out.arithmetic = ToOp(node.op);
  for (const NodePtr& child : node.children) {
    auto operand = LowerSeries(*child);
    if (!operand) return std::nullopt;
    if (operand->op == SeriesExpression::Op::kComparison)
      return Fail(child->where, "compare() has no place in arithmetic");
    out.operands.push_back(*std::move(operand));
  }
  return out;
}

std::optional<SeriesStage> Lowering::LowerSeriesStage(const Node& node) {
  SeriesStage out;
  const Literal& literal = node.children[0]->literal;
  if (node.kind == NodeKind::kTop) {
    out.kind = node.text == "topk" ? SeriesStage::Kind::kTop : SeriesStage::Kind::kBottom;
    if (literal.number <= 0 || literal.number > UINT32_MAX) {
      return Fail(node.children[0]->where, "expected a whole number from 1");
    }
    out.count = static_cast<uint32_t>(literal.number);
    return out;
  }
  out.kind = SeriesStage::Kind::kCompare;
  out.compare = ToCompare(node.op);
  std::optional<double> number = FoldNumber(*node.children[0]);
  if (!number) return std::nullopt;
  out.number = *number;
  return out;
}

// A number that may be computed; durations become seconds.
std::optional<double> Lowering::FoldNumber(const Node& node) {
  if (node.kind == NodeKind::kLiteral) {
    const double number = NumberOf(node.literal);
    return node.literal.type == LiteralType::kDuration ? number / 1e9 : number;
  }
  if (node.kind != NodeKind::kScalarOperation) return Fail(node.where, "expected a number");
  const auto left = FoldNumber(*node.children[0]);
  if (!left) return std::nullopt;
  const auto right = FoldNumber(*node.children[1]);
  if (!right) return std::nullopt;
  switch (node.op) {
    case TokenKind::kPlus: return *left + *right;
    case TokenKind::kMinus: return *left - *right;
    case TokenKind::kStar: return *left * *right;
    case TokenKind::kSlash: return *left / *right;
    case TokenKind::kPercent: return std::fmod(*left, *right);
    default: return std::pow(*left, *right);
  }
}

std::optional<Metric> Lowering::LowerMetric(const Node& node) {
  Metric out;
  out.kind = ToMetricKind(node.text);
  out.name = node.text;
  for (const NodePtr& child : node.children) {
    if (child->kind == NodeKind::kGroup) {
      if (!LowerLabels(*child, "a metric", &out.by)) return std::nullopt;
    } else if (child->kind == NodeKind::kLiteral) {
      const double quantile = NumberOf(child->literal);
      if (!(quantile >= 0 && quantile <= 1))
        return Fail(child->where, "a quantile is a number from 0 to 1, such as 0.99");
      out.quantiles.push_back(quantile);
    } else {
      MaybeOperand operand = LowerHidden(*child);
      if (!operand || !CheckNumericOperand("`" + node.text + "`", *operand) ||
          !CheckOfSpan(*child, operand->value))
        return std::nullopt;
      out.of = operand->value.field;
      out.meaning = MeaningOf(operand->type);
    }
  }
  out.missing_erases = as_tempo_;
  out.coarse = as_tempo_;
  const bool several = out.kind == Metric::Kind::kAverage || out.kind == Metric::Kind::kQuantile ||
                       out.kind == Metric::Kind::kHistogram;
  if (as_tempo_ && several && out.by.size() == kLabelsMax)
    return Fail(node.where, "metrics group by 5 values not yet supported (compat=tempo)");
  return out;
}

bool Lowering::LowerLabels(const Node& group, const std::string& what,
                           std::vector<plan::LabelField>* labels) {
  for (const NodePtr& child : group.children) {
    MaybeOperand operand = LowerHidden(*child);
    if (!operand || !CheckOfSpan(*child, operand->value)) return false;
    labels->push_back({operand->value.field, MeaningOf(operand->type), Print(*child)});
  }
  if (labels->size() <= kLabelsMax) return true;
  Fail(group.where, what + " is grouped by at most " + std::to_string(kLabelsMax) + " fields");
  return false;
}

}  // namespace weft::query::lang::traceql
