#include <algorithm>
#include <array>

#include "query/lang/nearest_name.h"
#include "query/lang/traceql/names.h"
#include "query/lang/traceql/parser.h"

namespace weft::query::lang::traceql {
namespace {

bool IsComparison(TokenKind kind) {
  return kind >= TokenKind::kEqual && kind <= TokenKind::kGreaterEqual;
}

bool IsArithmetic(TokenKind kind) { return kind >= TokenKind::kPlus && kind <= TokenKind::kCaret; }

// Operators between spansets; > < !~ have other meanings elsewhere.
bool RelatesSpansets(TokenKind kind) {
  switch (kind) {
    case TokenKind::kAnd:
    case TokenKind::kOr:
    case TokenKind::kLess:
    case TokenKind::kGreater:
    case TokenKind::kNotMatch: return true;
    default: return kind >= TokenKind::kDescendant;
  }
}

}  // namespace

int Parser::StageLevel(TokenKind kind) {
  if (kind >= TokenKind::kDescendant) return kComparison;
  return FieldLevel(kind);
}

Parser::Sort Parser::SortOf(const Node& node) {
  switch (node.kind) {
    case NodeKind::kFilter:
    case NodeKind::kSpansetOperation: return Sort::kSpanset;
    case NodeKind::kLiteral: return Sort::kConstant;
    case NodeKind::kAggregate: return Sort::kScalar;
    case NodeKind::kMetric:
    case NodeKind::kMetricFilter:
    case NodeKind::kTop: return Sort::kMetric;
    case NodeKind::kPipeline: {
      const Sort last = SortOf(*node.children.back());
      return last == Sort::kScalar || last == Sort::kMetric ? last : Sort::kPipeline;
    }
    case NodeKind::kScalarOperation:
      return std::max(SortOf(*node.children[0]), SortOf(*node.children[1]));
    case NodeKind::kScalarFilter: {
      const Sort sort = std::max(SortOf(*node.children[0]), SortOf(*node.children[1]));
      return sort == Sort::kMetric ? Sort::kMetric : Sort::kStage;
    }
    default: return Sort::kStage;
  }
}

QueryResult<NodePtr> Parser::ParseWholeQuery() {
  NodePtr query;
  if (At(TokenKind::kEnd)) {
    FailHere("a span filter such as { resource.service.name = \"shop\" }");
  } else if (NodePtr body = ParsePipeline(false)) {
    query = NewNode(NodeKind::kQuery, body->where);
    if (!Adopt(query.get(), std::move(body))) query = nullptr;
  }
  if (query) query = ParseHints(std::move(query));
  if (query && !At(TokenKind::kEnd)) query = FailHere("`|`, an operator or the end of the query");
  if (!query) return *std::move(error_);
  return query;
}

// A hint that is given twice counts as it was given last.
NodePtr Parser::ParseHints(NodePtr query) {
  while (AtWord("with")) {
    Take();
    if (!Expect(TokenKind::kOpenParen, "`(` after `with`")) return nullptr;
    do {
      NodePtr hint = ParseHint();
      if (!hint || !Adopt(query.get(), std::move(hint))) return nullptr;
    } while (At(TokenKind::kComma) && Take().kind == TokenKind::kComma);
    if (!Expect(TokenKind::kCloseParen, "`)` after the hints")) return nullptr;
  }
  return query;
}

NodePtr Parser::ParseHint() {
  if (!At(TokenKind::kWord)) return FailHere("the name of a hint");
  const Token name = Take();
  NodePtr hint = NewNode(NodeKind::kHint, name.where);
  hint->text = name.text;
  if (!Expect(TokenKind::kEqual, "`=` after the hint's name")) return nullptr;
  NodePtr value = ParseOperand();
  if (!value) return nullptr;
  if (value->kind != NodeKind::kLiteral)
    return Fail(value->where, "expected a value such as true or 0.1");
  return Adopt(hint.get(), std::move(value)) ? std::move(hint) : nullptr;
}

NodePtr Parser::ParsePipeline(bool in_parentheses) {
  NodePtr first = ParseStage(nullptr);
  if (!first) return nullptr;
  const bool single =
      !At(TokenKind::kPipe) && !(SortOf(*first) == Sort::kMetric && IsComparison(Peek().kind));
  if (single) {
    if (!CheckStage(*first, true, in_parentheses)) return nullptr;
    return first;
  }
  NodePtr pipeline = NewNode(NodeKind::kPipeline, first->where);
  if (!Adopt(pipeline.get(), std::move(first))) return nullptr;
  while (true) {
    const Node& before = *pipeline->children.back();
    const bool metric = SortOf(before) == Sort::kMetric;
    const bool filters = metric && IsComparison(Peek().kind);
    if (!CheckStage(before, !filters && !At(TokenKind::kPipe), in_parentheses)) return nullptr;
    if (!filters && !At(TokenKind::kPipe)) return pipeline;
    if (!filters) Take();
    NodePtr next = filters ? ParseMetricFilter() : ParseStage(&before);
    if (!next || !Adopt(pipeline.get(), std::move(next))) return nullptr;
  }
}

// A scalar has to be compared with something to select spansets.
bool Parser::CheckStage(const Node& node, bool last, bool in_parentheses) {
  const Sort sort = SortOf(node);
  if (sort != Sort::kScalar && sort != Sort::kConstant) return true;
  if (last && in_parentheses) return true;
  Fail(node.where, sort == Sort::kScalar
                       ? "an aggregate selects nothing until it is compared, as in count() > 2"
                       : "a number alone selects nothing; expected { ... }");
  return false;
}

NodePtr Parser::ParseStage(const Node* before) {
  const bool after_metric = before != nullptr && SortOf(*before) == Sort::kMetric;
  if (before != nullptr && before->kind == NodeKind::kPath) {
    if (before->text == "critical_path" && AtWord("by")) return ParseGroup(true);
    return Fail(Peek().where, before->text == "critical_path"
                                  ? "only by(...) can follow critical_path()"
                                  : "nothing can follow what_if(...)");
  }
  if (after_metric && !AtWord("topk") && !AtWord("bottomk")) {
    return FailHere("`topk(n)` or `bottomk(n)` after a metric");
  }
  if (At(TokenKind::kWord) && !IsAggregate(Peek().text)) return ParseStageWord(before);
  return ParseStageExpression(kLogic);
}

NodePtr Parser::ParseStageWord(const Node* before) {
  const std::string& word = Peek().text;
  const TextRange where = Peek().where;
  if (word == "by") return ParseGroup(false);
  if (word == "select") return ParseSelect();
  if (word == "topk" || word == "bottomk") {
    if (before == nullptr || SortOf(*before) != Sort::kMetric) {
      return Fail(where, "`" + word +
                             "` needs a metric before it, as in { ... } | rate() by (name) | " +
                             word + "(10)");
    }
    return ParseTop();
  }
  if (word == "coalesce" || IsMetric(word) || IsPath(word)) {
    if (before == nullptr)
      return Fail(where, "`" + word + "` needs spansets before it, as in { ... } | " + word + "()");
    if (IsMetric(word)) return ParseMetric();
    if (IsPath(word)) return ParsePath();
    NodePtr node = NewNode(NodeKind::kCoalesce, Take().where);
    return Expect(TokenKind::kOpenParen, "`(`") ? Close(std::move(node)) : nullptr;
  }
  const bool is_field = IntrinsicNamed(word) || LiteralNamed(word);
  if (is_field) return Fail(where, "`" + word + "` belongs inside braces: { " + word + " ... }");
  return Fail(where, "unknown name `" + word + "`: expected { ... } or a stage" +
                         DidYouMean(word, StageWords()));
}

NodePtr Parser::ParseStageExpression(int level_min) {
  NodePtr left = ParseStageOperand();
  while (left) {
    const int level = StageLevel(Peek().kind);
    if (level == kNoOperator || level < level_min) break;
    if (SortOf(*left) == Sort::kMetric && IsComparison(Peek().kind)) break;  // a filter on series
    const Token op = Take();
    NodePtr right = ParseStageExpression(level == kPower ? kPower : level + 1);
    if (!right) return nullptr;
    left = MakeStageOperation(op, std::move(left), std::move(right));
  }
  return left;
}

NodePtr Parser::MakeStageOperation(const Token& op, NodePtr left, NodePtr right) {
  const Sort a = SortOf(*left);
  const Sort b = SortOf(*right);
  const auto is_set = [](Sort s) { return s == Sort::kSpanset || s == Sort::kPipeline; };
  const auto is_scalar = [](Sort s) { return s == Sort::kConstant || s == Sort::kScalar; };
  if (is_set(a) && is_set(b) && RelatesSpansets(op.kind)) {
    return Join(NodeKind::kSpansetOperation, op, std::move(left), std::move(right));
  }
  if (is_scalar(a) && is_scalar(b) && IsComparison(op.kind)) {
    if (a == Sort::kConstant && b == Sort::kConstant) {
      return Fail(
          op.where,
          "a comparison of two numbers selects nothing; expected an aggregate such as count()");
    }
    return Join(NodeKind::kScalarFilter, op, std::move(left), std::move(right));
  }
  const auto has_value = [&](Sort s) { return is_scalar(s) || s == Sort::kMetric; };
  if (has_value(a) && has_value(b) && IsArithmetic(op.kind)) {
    return Join(NodeKind::kScalarOperation, op, std::move(left), std::move(right));
  }
  return FailAtStageOperation(op, a, b);
}

NodePtr Parser::FailAtStageOperation(const Token& op, Sort left, Sort right) {
  const std::string name = "`" + std::string(OperatorText(op.kind)) + "`";
  if (RelatesSpansets(op.kind) && (left == Sort::kSpanset || right == Sort::kSpanset)) {
    const char* side = left == Sort::kSpanset || left == Sort::kPipeline ? "right" : "left";
    return Fail(op.where, name + " relates spansets: expected { ... } on its " + side + " side");
  }
  if (IsComparison(op.kind) || IsArithmetic(op.kind)) {
    return Fail(
        op.where,
        name + " works on numbers and aggregates such as count(); expected one on both sides");
  }
  return Fail(op.where, name + " has no meaning here");
}

NodePtr Parser::ParseStageOperand() {
  const Nesting nesting(this);
  if (!nesting.ok()) return nullptr;
  switch (Peek().kind) {
    case TokenKind::kOpenBrace: return ParseFilter();
    case TokenKind::kOpenParen: return ParseParenthesised();
    case TokenKind::kInt:
    case TokenKind::kFloat:
    case TokenKind::kDuration:
    case TokenKind::kMinus: return ParseNumber();
    case TokenKind::kWord:
      if (IsAggregate(Peek().text)) return ParseAggregate();
      return Fail(Peek().where, "expected { ... }, `(` or an aggregate, found " + Describe(Peek()) +
                                    DidYouMean(Peek().text, StageWords()));
    default: return FailHere("{ ... }, `(` or an aggregate such as count()");
  }
}

NodePtr Parser::ParseParenthesised() {
  const Token open = Take();
  NodePtr inner = ParsePipeline(true);
  if (!inner || !Expect(TokenKind::kCloseParen, "`)`")) return nullptr;
  if (SortOf(*inner) != Sort::kStage) return inner;
  NodePtr pipeline = NewNode(NodeKind::kPipeline, open.where);
  return Adopt(pipeline.get(), std::move(inner)) ? std::move(pipeline) : nullptr;
}

NodePtr Parser::ParseFilter() {
  NodePtr filter = NewNode(NodeKind::kFilter, Take().where);
  if (!At(TokenKind::kCloseBrace)) {
    NodePtr condition = ParseExpression(kLogic);
    if (!condition || !Adopt(filter.get(), std::move(condition))) return nullptr;
  }
  if (Peek().kind >= TokenKind::kDescendant) {
    return Fail(Peek().where, Describe(Peek()) + " relates spansets, as in { ... } " +
                                  std::string(OperatorText(Peek().kind)) +
                                  " { ... }; inside braces it means nothing");
  }
  if (!Expect(TokenKind::kCloseBrace, "an operator or `}`")) return nullptr;
  filter->where.length = Last().where.end() - filter->where.offset;
  return filter;
}

// Takes the `)` behind a call.
NodePtr Parser::Close(NodePtr call) {
  if (!Expect(TokenKind::kCloseParen, "`)`")) return nullptr;
  call->where.length = Last().where.end() - call->where.offset;
  return call;
}

// by(x) as a stage; by(x, y, ...) behind a metric.
NodePtr Parser::ParseGroup(bool many) {
  NodePtr group = NewNode(NodeKind::kGroup, Take().where);
  if (!Expect(TokenKind::kOpenParen, "`(` after `by`")) return nullptr;
  if (many) {
    if (!ParseAttributeList(group.get())) return nullptr;
  } else {
    NodePtr key = ParseExpression(kLogic);
    if (!key || !Adopt(group.get(), std::move(key))) return nullptr;
  }
  return Close(std::move(group));
}

NodePtr Parser::ParseSelect() {
  NodePtr select = NewNode(NodeKind::kSelect, Take().where);
  if (!Expect(TokenKind::kOpenParen, "`(` after `select`")) return nullptr;
  if (!ParseAttributeList(select.get())) return nullptr;
  return Close(std::move(select));
}

NodePtr Parser::ParseAggregate() {
  const Token name = Take();
  NodePtr aggregate = NewNode(NodeKind::kAggregate, name.where);
  aggregate->text = name.text;
  if (!Expect(TokenKind::kOpenParen, "`(` after the aggregate")) return nullptr;
  if (name.text != "count") {
    NodePtr field = ParseExpression(kLogic);
    if (!field || !Adopt(aggregate.get(), std::move(field))) return nullptr;
  }
  return Close(std::move(aggregate));
}

NodePtr Parser::ParseMetric() {
  const Token name = Take();
  NodePtr metric = NewNode(NodeKind::kMetric, name.where);
  metric->text = name.text;
  if (!Expect(TokenKind::kOpenParen, "`(` after the metric")) return nullptr;
  if (!ParseMetricArguments(metric.get())) return nullptr;
  metric = Close(std::move(metric));
  if (!metric || !AtWord("by")) return metric;
  if (metric->text == "compare") return Fail(Peek().where, "`compare` takes no by(...)");
  NodePtr group = ParseGroup(true);
  if (!group || !Adopt(metric.get(), std::move(group))) return nullptr;
  return metric;
}

bool Parser::ParseMetricArguments(Node* metric) {
  if (metric->text == "rate" || metric->text == "count_over_time") return true;
  const bool compare = metric->text == "compare";
  if (compare && !At(TokenKind::kOpenBrace)) {
    FailHere("the spans to compare with the rest: { ... }");
    return false;
  }
  const bool is_name = At(TokenKind::kAttribute) || At(TokenKind::kWord);
  NodePtr first = compare   ? ParseFilter()
                  : is_name ? ParseOperand()
                            : FailHere("an attribute or an intrinsic");
  if (!first || !Adopt(metric, std::move(first))) return false;
  const bool takes_numbers = compare || metric->text == "quantile_over_time";
  if (metric->text == "quantile_over_time" && !At(TokenKind::kComma)) {
    FailHere("`,` and a quantile such as 0.99");
    return false;
  }
  while (takes_numbers && At(TokenKind::kComma)) {
    Take();
    NodePtr number = ParseNumber();
    if (!number || !Adopt(metric, std::move(number))) return false;
  }
  return true;
}

NodePtr Parser::ParseMetricFilter() {
  const Token op = Take();
  NodePtr filter = NewNode(NodeKind::kMetricFilter, op.where);
  filter->op = op.kind;
  filter->op_where = op.where;
  NodePtr number = ParseStageExpression(kSum);
  if (!number) return nullptr;
  if (SortOf(*number) != Sort::kConstant)
    return Fail(number->where, "expected a number to compare the metric with");
  return Adopt(filter.get(), std::move(number)) ? std::move(filter) : nullptr;
}

NodePtr Parser::ParseTop() {
  const Token name = Take();
  NodePtr top = NewNode(NodeKind::kTop, name.where);
  top->text = name.text;
  if (!Expect(TokenKind::kOpenParen, "`(`")) return nullptr;
  if (!At(TokenKind::kInt)) return FailHere("a whole number");
  NodePtr number = ParseLiteralToken();
  if (!number || !Adopt(top.get(), std::move(number))) return nullptr;
  return Close(std::move(top));
}

NodePtr Parser::ParsePath() {
  const Token name = Take();
  NodePtr path = NewNode(NodeKind::kPath, name.where);
  path->text = name.text;
  if (!Expect(TokenKind::kOpenParen, "`(`")) return nullptr;
  if (path->text == "what_if" && !ParseWhatIf(path.get())) return nullptr;
  return Close(std::move(path));
}

// A filter, or name="x" or service="x" for the filters of these; then how long it takes instead.
bool Parser::ParseWhatIf(Node* path) {
  NodePtr filter = At(TokenKind::kOpenBrace) ? ParseFilter() : ParseWhatIfFilter();
  if (!filter || !Adopt(path, std::move(filter))) return false;
  if (!Expect(TokenKind::kComma, "`,` and factor=0.8")) return false;
  if (!AtWord("factor")) {
    FailHere("factor=0.8: the share of its own time that a span would take");
    return false;
  }
  Take();
  if (!Expect(TokenKind::kEqual, "`=`")) return false;
  NodePtr factor = ParseNumber();
  return factor && Adopt(path, std::move(factor));
}

NodePtr Parser::ParseWhatIfFilter() {
  if (!AtWord("name") && !AtWord("service"))
    return FailHere("name=\"...\", service=\"...\" or { ... }");
  const Token word = Take();
  const bool of_service = word.text == "service";
  NodePtr field = NewNode(of_service ? NodeKind::kAttribute : NodeKind::kIntrinsic, word.where);
  if (of_service) {
    field->scope = AttributeScope::kResource;
    field->text = "service.name";
  } else {
    field->property = plan::Property::kName;
  }
  if (!At(TokenKind::kEqual)) return FailHere("`=`");
  const Token equal = Take();
  if (!At(TokenKind::kString)) return FailHere("a string");
  NodePtr value = ParseLiteralToken();
  if (!value) return nullptr;
  NodePtr condition = Join(NodeKind::kFieldOperation, equal, std::move(field), std::move(value));
  if (!condition) return nullptr;
  NodePtr filter = NewNode(NodeKind::kFilter, condition->where);
  return Adopt(filter.get(), std::move(condition)) ? std::move(filter) : nullptr;
}

// A number with or without signs before it.
NodePtr Parser::ParseNumber() {
  const bool starts = At(TokenKind::kMinus) || At(TokenKind::kInt) || At(TokenKind::kFloat) ||
                      At(TokenKind::kDuration);
  NodePtr number = starts ? ParseOperand() : FailHere("a number");
  if (number && number->kind != NodeKind::kLiteral) return Fail(number->where, "expected a number");
  return number;
}

}  // namespace weft::query::lang::traceql
