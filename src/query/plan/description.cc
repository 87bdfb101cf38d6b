#include "query/plan/description.h"

#include <array>
#include <charconv>
#include <utility>

namespace weft::query::plan {
namespace {

std::string Number(double number) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  return {text.data(), end};
}

std::string NameOf(SpansetExpression::Op op, SpansetExpression::Keep keep) {
  std::string name;
  switch (op) {
    case SpansetExpression::Op::kAnd: return "spans of both, where neither is empty:";
    case SpansetExpression::Op::kOr: return "spans of either:";
    case SpansetExpression::Op::kChild: name = "children"; break;
    case SpansetExpression::Op::kParent: name = "parents"; break;
    case SpansetExpression::Op::kDescendant: name = "descendants"; break;
    case SpansetExpression::Op::kAncestor: name = "ancestors"; break;
    case SpansetExpression::Op::kSibling: name = "siblings"; break;
    default: return {};
  }
  switch (keep) {
    case SpansetExpression::Keep::kRelated:
      return "of the second, those that are " + name + " of the first:";
    case SpansetExpression::Keep::kUnrelated:
      return "of the second, those that are not " + name + " of the first:";
    case SpansetExpression::Keep::kBoth:
      return "of the second, those that are " + name + " of the first, and these:";
  }
  return {};
}

std::string ScalarText(const ScalarExpression& e, const std::vector<Aggregate>& aggregates) {
  switch (e.op) {
    case ScalarExpression::Op::kConstant: return ToString(Expression::Constant(e.constant));
    case ScalarExpression::Op::kAggregate: return aggregates[e.aggregate].name;
    case ScalarExpression::Op::kArithmetic:
      return "(" + ScalarText(e.operands[0], aggregates) + " " + ToString(e.arithmetic) + " " +
             ScalarText(e.operands[1], aggregates) + ")";
  }
  return {};
}

class Writer {
 public:
  void Spans(const Plan& plan) {
    if (plan.of_whole_traces()) {
      Line("of whole traces, that have a span with " + ToString(NecessaryPredicate(plan)));
    }
    Stages(plan.stages);
  }

  void Add(const SeriesExpression& e) {
    switch (e.op) {
      case SeriesExpression::Op::kNumber: Line("the number " + Number(e.number)); break;
      case SeriesExpression::Op::kMetric:
        Spans(e.spans);
        Line(TextOf(e.metric));
        break;
      case SeriesExpression::Op::kComparison:
        Spans(e.spans);
        Line("compare those of " + ToString(e.comparison.selection) + " with the others: the " +
             std::to_string(e.comparison.values_max) + " most frequent values of each attribute");
        break;
      case SeriesExpression::Op::kArithmetic:
        Line(std::string("series with the same labels, joined by ") + ToString(e.arithmetic) + ":");
        ++depth_;
        for (const SeriesExpression& operand : e.operands) Add(operand);
        --depth_;
        break;
    }
    for (const SeriesStage& stage : e.stages) Line(TextOf(stage));
  }

  std::vector<std::string> Take() { return std::move(lines_); }

 private:
  void Line(const std::string& text) { lines_.push_back(std::string(2UL * depth_, ' ') + text); }

  void Stages(const std::vector<Stage>& stages) {
    for (const Stage& stage : stages) Add(stage);
  }

  void Add(const Stage& stage) {
    switch (stage.kind) {
      case Stage::Kind::kSpansets: Add(stage.spansets); break;
      case Stage::Kind::kCondition:
        Line("spansets with " + ScalarText(stage.left, stage.aggregates) + " " +
             ToString(stage.compare) + " " + ScalarText(stage.right, stage.aggregates));
        ++depth_;
        for (const Aggregate& aggregate : stage.aggregates) {
          if (aggregate.pipeline.empty()) continue;
          Line(aggregate.name + " over:");
          Indented(aggregate.pipeline);
        }
        --depth_;
        break;
      case Stage::Kind::kGroup: Line("a spanset for each value of " + stage.key.name); break;
      case Stage::Kind::kCoalesce: Line("one spanset for each trace"); break;
    }
  }

  void Add(const SpansetExpression& e) {
    if (e.op == SpansetExpression::Op::kFilter) return Line("spans with " + ToString(e.predicate));
    if (e.op == SpansetExpression::Op::kPipeline) {
      Line("what is left by:");
      return Indented(e.stages);
    }
    Line(NameOf(e.op, e.keep));
    ++depth_;
    for (const SpansetExpression& operand : e.operands) Add(operand);
    --depth_;
  }

  void Indented(const std::vector<Stage>& stages) {
    ++depth_;
    Stages(stages);
    --depth_;
  }

  static std::string TextOf(const Metric& metric) {
    std::string text = metric.name;
    const bool counts = metric.kind == Metric::Kind::kRate || metric.kind == Metric::Kind::kCount;
    if (!counts) text += " of " + ToString(metric.of);
    for (size_t i = 0; i < metric.quantiles.size(); ++i) {
      text += (i == 0 ? " at " : ", ") + Number(metric.quantiles[i]);
    }
    for (size_t i = 0; i < metric.by.size(); ++i) {
      text += (i == 0 ? " by " : ", ") + ToString(metric.by[i].field);
    }
    return text;
  }

  static std::string TextOf(const SeriesStage& stage) {
    switch (stage.kind) {
      case SeriesStage::Kind::kTop:
        return "of each step the " + std::to_string(stage.count) + " greatest values";
      case SeriesStage::Kind::kBottom:
        return "of each step the " + std::to_string(stage.count) + " smallest values";
      case SeriesStage::Kind::kCompare:
        return std::string("values ") + ToString(stage.compare) + " " + Number(stage.number);
    }
    return {};
  }

  std::vector<std::string> lines_;
  int depth_ = 0;
};

}  // namespace

std::vector<std::string> Describe(const Plan& plan) {
  Writer writer;
  writer.Spans(plan);
  return writer.Take();
}

std::vector<std::string> Describe(const SeriesExpression& expression) {
  Writer writer;
  writer.Add(expression);
  return writer.Take();
}

}  // namespace weft::query::plan
