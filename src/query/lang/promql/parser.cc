// A recursive-descent parser: one token of look-ahead and one more for names, no backtracking.
// Operators climb by precedence, low to high:
//   or   and, unless   == != <= < >= >   + -   * / % atan2   unary + -   ^ (right to left)
// The first error wins and stops everything: functions return null once it is set.
#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <limits>
#include <optional>

#include <re2/re2.h>

#include "query/lang/nearest_name.h"
#include "query/lang/promql/token.h"
#include "query/lang/promql/tree.h"

namespace weft::query::lang::promql {
namespace {

// Bytes that a compiled regex may take.
constexpr int64_t kRegexBytesMax = 1 << 20;

// Functions and aggregations that PromQL has and weft has not.
constexpr std::array<std::string_view, 40> kNotOffered{"acos",
                                                       "acosh",
                                                       "asin",
                                                       "asinh",
                                                       "atan",
                                                       "atanh",
                                                       "cos",
                                                       "cosh",
                                                       "count_values",
                                                       "day_of_month",
                                                       "day_of_week",
                                                       "day_of_year",
                                                       "days_in_month",
                                                       "deg",
                                                       "deriv",
                                                       "double_exponential_smoothing",
                                                       "histogram_avg",
                                                       "histogram_count",
                                                       "histogram_fraction",
                                                       "histogram_stddev",
                                                       "histogram_stdvar",
                                                       "histogram_sum",
                                                       "holt_winters",
                                                       "hour",
                                                       "info",
                                                       "limit_ratio",
                                                       "limitk",
                                                       "mad_over_time",
                                                       "minute",
                                                       "month",
                                                       "pi",
                                                       "predict_linear",
                                                       "rad",
                                                       "sin",
                                                       "sinh",
                                                       "sort_by_label",
                                                       "sort_by_label_desc",
                                                       "tan",
                                                       "tanh",
                                                       "year"};

std::string LowerCase(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::optional<Aggregation> AggregationNamed(std::string_view word) {
  const std::string name = LowerCase(word);
  for (auto i = static_cast<int>(Aggregation::kAvg); i <= static_cast<int>(Aggregation::kTopk);
       ++i) {
    if (NameOf(static_cast<Aggregation>(i)) == name) return static_cast<Aggregation>(i);
  }
  return {};
}

std::string_view NameOfType(ValueType type) {
  switch (type) {
    case ValueType::kScalar: return "a scalar";
    case ValueType::kVector: return "an instant vector";
    case ValueType::kMatrix: return "a range vector";
    case ValueType::kString: return "a string";
  }
  return "";
}

class Parser {
 public:
  Parser(std::string_view text, std::vector<Token> tokens)
      : text_(text), tokens_(std::move(tokens)) {}

  QueryResult<NodePtr> ParseWhole() {
    NodePtr root = ParseExpression(kOr);
    if (root && !At(TokenKind::kEnd)) root = FailHere("the end of the query");
    if (!root) return *std::move(error_);
    Number(root.get());
    return root;
  }

  QueryResult<std::vector<Matcher>> ParseMatchersAlone() {
    NodePtr selector = AtSelector() ? ParseSelector() : FailHere("a selector");
    if (selector && !At(TokenKind::kEnd)) selector = FailHere("the end of the selector");
    if (!selector) return *std::move(error_);
    return std::move(selector->matchers);
  }

 private:
  enum Level : int { kNoOperator = 0, kOr, kAnd, kCompare, kSum, kProduct, kUnary, kPower };

  struct Infix {
    BinaryOp op;
    int level;
  };

  const Token& Peek(size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  bool At(TokenKind kind) const { return Peek().kind == kind; }
  bool AtWord(std::string_view word) const {
    return At(TokenKind::kWord) && LowerCase(Peek().text) == word;
  }
  Token Take() { return At(TokenKind::kEnd) ? tokens_[at_] : std::move(tokens_[at_++]); }

  std::nullptr_t Fail(TextRange where, std::string message,
                      ErrorCode code = ErrorCode::kInvalidArgument) {
    if (!error_) error_ = MakeQueryError(text_, where, code, std::move(message));
    return nullptr;
  }
  std::nullptr_t FailHere(std::string_view expected) {
    constexpr uint32_t kShownMax = 40;
    const TextRange where = Peek().where;
    const std::string found =
        At(TokenKind::kEnd)
            ? "the end of the query"
            : "`" + std::string(text_.substr(where.offset, std::min(where.length, kShownMax))) +
                  "`";
    return Fail(where, "expected " + std::string(expected) + ", found " + found);
  }
  bool Expect(TokenKind kind, std::string_view what) {
    if (!At(kind)) {
      FailHere(what);
      return false;
    }
    Take();
    return true;
  }

  NodePtr NewNode(NodeKind kind, ValueType type, TextRange where) const {
    auto node = std::make_unique<Node>();
    node->kind = kind;
    node->type = type;
    node->where = where;
    return node;
  }

  // Null when that is too deep.
  NodePtr Adopt(NodePtr parent, NodePtr child) {
    const uint32_t begin = std::min(parent->where.offset, child->where.offset);
    const uint32_t end = std::max(parent->where.end(), child->where.end());
    parent->where = {begin, end - begin};
    parent->height = std::max(parent->height, child->height + 1);
    parent->children.push_back(std::move(child));
    if (parent->height <= kNestingMax) return parent;
    return FailTooDeep(parent->where);
  }
  std::nullptr_t FailTooDeep(TextRange where) {
    return Fail(where, "nested too deeply: more than " + std::to_string(kNestingMax) + " levels",
                ErrorCode::kTooLarge);
  }

  void Number(Node* node) {
    for (const NodePtr& child : node->children) Number(child.get());
    node->index = count_++;
  }

  std::optional<Infix> PeekInfix() const {
    switch (Peek().kind) {
      case TokenKind::kPlus: return Infix{BinaryOp::kAdd, kSum};
      case TokenKind::kMinus: return Infix{BinaryOp::kSubtract, kSum};
      case TokenKind::kStar: return Infix{BinaryOp::kMultiply, kProduct};
      case TokenKind::kSlash: return Infix{BinaryOp::kDivide, kProduct};
      case TokenKind::kPercent: return Infix{BinaryOp::kModulo, kProduct};
      case TokenKind::kCaret: return Infix{BinaryOp::kPower, kPower};
      case TokenKind::kEqual: return Infix{BinaryOp::kEqual, kCompare};
      case TokenKind::kNotEqual: return Infix{BinaryOp::kNotEqual, kCompare};
      case TokenKind::kLess: return Infix{BinaryOp::kLess, kCompare};
      case TokenKind::kLessEqual: return Infix{BinaryOp::kLessEqual, kCompare};
      case TokenKind::kGreater: return Infix{BinaryOp::kGreater, kCompare};
      case TokenKind::kGreaterEqual: return Infix{BinaryOp::kGreaterEqual, kCompare};
      case TokenKind::kWord: break;
      default: return {};
    }
    if (AtWord("and")) return Infix{BinaryOp::kAnd, kAnd};
    if (AtWord("unless")) return Infix{BinaryOp::kUnless, kAnd};
    if (AtWord("or")) return Infix{BinaryOp::kOr, kOr};
    if (AtWord("atan2")) return Infix{BinaryOp::kAtan2, kProduct};
    return {};
  }

  NodePtr ParseExpression(int level_min) {
    if (++depth_ > kNestingMax) return FailTooDeep(Peek().where);
    NodePtr left = ParseUnary();
    while (left) {
      const auto infix = PeekInfix();
      if (!infix || infix->level < level_min) break;
      NodePtr node = NewNode(NodeKind::kBinary, ValueType::kVector, Take().where);
      const TextRange op_where = node->where;
      node->op = infix->op;
      if (!ParseMatching(node.get())) return nullptr;
      NodePtr right = ParseExpression(infix->level + (infix->op == BinaryOp::kPower ? 0 : 1));
      if (!right) return nullptr;
      left = MakeBinary(std::move(node), op_where, std::move(left), std::move(right));
    }
    --depth_;
    return left;
  }

  NodePtr ParseUnary() {
    if (!At(TokenKind::kPlus) && !At(TokenKind::kMinus)) return ParseOperand();
    const Token sign = Take();
    NodePtr operand = ParseExpression(kPower);
    if (!operand) return nullptr;
    if (operand->type != ValueType::kScalar && operand->type != ValueType::kVector) {
      return Fail(sign.where, "a sign is for scalars and instant vectors, not for " +
                                  std::string(NameOfType(operand->type)));
    }
    if (sign.kind == TokenKind::kPlus) return operand;
    NodePtr node = NewNode(NodeKind::kNegate, operand->type, sign.where);
    return Adopt(std::move(node), std::move(operand));
  }

  bool ParseMatching(Node* node) {
    if (AtWord("bool")) {
      const Token word = Take();
      node->return_bool = true;
      if (!IsComparison(node->op)) {
        Fail(word.where, "`bool` is for comparisons");
        return false;
      }
    }
    Matching& matching = node->matching;
    if (!AtWord("on") && !AtWord("ignoring")) return true;
    matching.is_given = true;
    matching.on = AtWord("on");
    Take();
    if (!ParseLabelList(&matching.labels)) return false;
    if (!AtWord("group_left") && !AtWord("group_right")) return true;
    matching.group = AtWord("group_left") ? Matching::Group::kLeft : Matching::Group::kRight;
    const Token word = Take();
    if (IsSetOperation(node->op)) {
      Fail(word.where, "`" + word.text + "` is not for `" + std::string(TextOf(node->op)) + "`");
      return false;
    }
    if (At(TokenKind::kOpenParen) && !ParseLabelList(&matching.include)) return false;
    for (const std::string& label : matching.include) {
      if (matching.on && std::ranges::find(matching.labels, label) != matching.labels.end()) {
        Fail(word.where, "the label \"" + label + "\" stands in `on` and in `" + word.text + "`");
        return false;
      }
    }
    return true;
  }

  // (a, b,)
  bool ParseLabelList(std::vector<std::string>* out) {
    if (!Expect(TokenKind::kOpenParen, "`(` and labels")) return false;
    while (!At(TokenKind::kCloseParen)) {
      if (!At(TokenKind::kWord) || Peek().text.find(':') != std::string::npos) {
        FailHere("a label");
        return false;
      }
      out->push_back(Take().text);
      if (At(TokenKind::kComma)) {
        Take();
      } else if (!At(TokenKind::kCloseParen)) {
        FailHere("`,` or `)`");
        return false;
      }
    }
    Take();
    return true;
  }

  NodePtr MakeBinary(NodePtr node, TextRange op_where, NodePtr left, NodePtr right) {
    const bool scalars = left->type == ValueType::kScalar && right->type == ValueType::kScalar;
    for (const Node* side : {left.get(), right.get()}) {
      if (side->type == ValueType::kScalar || side->type == ValueType::kVector) continue;
      return Fail(side->where, "`" + std::string(TextOf(node->op)) +
                                   "` is for scalars and instant vectors, not for " +
                                   std::string(NameOfType(side->type)));
    }
    if (scalars && IsComparison(node->op) && !node->return_bool) {
      return Fail(op_where, "a comparison of scalars needs `bool`");
    }
    const bool vectors = left->type == ValueType::kVector && right->type == ValueType::kVector;
    if (!vectors && IsSetOperation(node->op)) {
      return Fail(op_where, "`" + std::string(TextOf(node->op)) + "` is for instant vectors");
    }
    if (!vectors && node->matching.is_given) {
      return Fail(op_where, "`on` and `ignoring` are for two instant vectors");
    }
    node->type = scalars ? ValueType::kScalar : ValueType::kVector;
    node = Adopt(std::move(node), std::move(left));
    return node ? Adopt(std::move(node), std::move(right)) : nullptr;
  }

  bool AtSelector() const { return At(TokenKind::kWord) || At(TokenKind::kOpenBrace); }

  NodePtr ParseOperand() {
    switch (Peek().kind) {
      case TokenKind::kNumber: {
        const Token token = Take();
        NodePtr node = NewNode(NodeKind::kNumber, ValueType::kScalar, token.where);
        node->number = token.number;
        return node;
      }
      case TokenKind::kString: {
        Token token = Take();
        NodePtr node = NewNode(NodeKind::kString, ValueType::kString, token.where);
        node->text = std::move(token.text);
        return node;
      }
      case TokenKind::kOpenParen: return ParseParentheses();
      case TokenKind::kOpenBrace: return ParseModifiers(ParseSelector());
      case TokenKind::kWord: return ParseWord();
      case TokenKind::kDuration:
        return Fail(Peek().where, "a duration stands in brackets or behind `offset`");
      default: return FailHere("an expression");
    }
  }

  NodePtr ParseParentheses() {
    const TextRange open = Take().where;
    NodePtr inside = ParseExpression(kOr);
    if (!inside) return nullptr;
    const uint32_t end = Peek().where.end();
    if (!Expect(TokenKind::kCloseParen, "`)`")) return nullptr;
    inside->where = {open.offset, end - open.offset};
    if (At(TokenKind::kOpenBracket)) return FailSubquery();
    return inside;
  }

  NodePtr ParseWord() {
    const bool call = Peek(1).kind == TokenKind::kOpenParen;
    const std::string next = Peek(1).kind == TokenKind::kWord ? LowerCase(Peek(1).text) : "";
    if (AggregationNamed(Peek().text) && (call || next == "by" || next == "without")) {
      return ParseAggregate();
    }
    if (call) return ParseCall();
    const std::string word = LowerCase(Peek().text);
    const double infinity = std::numeric_limits<double>::infinity();
    if (word == "inf" || word == "nan") {
      NodePtr node = NewNode(NodeKind::kNumber, ValueType::kScalar, Take().where);
      node->number = word == "inf" ? infinity : std::numeric_limits<double>::quiet_NaN();
      return node;
    }
    if (PeekInfix()) return FailHere("an expression");
    return ParseModifiers(ParseSelector());
  }

  NodePtr ParseSelector() {
    NodePtr node = NewNode(NodeKind::kSelector, ValueType::kVector, Peek().where);
    if (At(TokenKind::kWord)) {
      Matcher name;
      name.label = kNameLabel;
      name.value = Take().text;
      node->matchers.push_back(std::move(name));
    }
    if (At(TokenKind::kOpenBrace) && !ParseMatcherList(node.get())) return nullptr;
    const bool any =
        std::ranges::any_of(node->matchers, [](const Matcher& m) { return !m.Matches(""); });
    if (any) return node;
    return Fail(node->where, "a selector needs a matcher that an empty value does not match");
  }

  bool ParseMatcherList(Node* selector) {
    Take();
    while (!At(TokenKind::kCloseBrace)) {
      if (!ParseMatcher(selector)) return false;
      if (At(TokenKind::kComma)) {
        Take();
      } else if (!At(TokenKind::kCloseBrace)) {
        FailHere("`,` or `}`");
        return false;
      }
    }
    const uint32_t end = Take().where.end();
    selector->where.length = end - selector->where.offset;
    return true;
  }

  bool ParseMatcher(Node* selector) {
    if (!At(TokenKind::kWord) || Peek().text.find(':') != std::string::npos) {
      FailHere("a label");
      return false;
    }
    const Token label = Take();
    Matcher matcher;
    matcher.label = label.text;
    switch (Peek().kind) {
      case TokenKind::kAssign: matcher.op = Matcher::Op::kEqual; break;
      case TokenKind::kNotEqual: matcher.op = Matcher::Op::kNotEqual; break;
      case TokenKind::kMatch: matcher.op = Matcher::Op::kMatch; break;
      case TokenKind::kNotMatch: matcher.op = Matcher::Op::kNotMatch; break;
      default: FailHere("one of `=`, `!=`, `=~`, `!~`"); return false;
    }
    Take();
    if (!At(TokenKind::kString)) {
      FailHere("a string");
      return false;
    }
    Token value = Take();
    matcher.value = std::move(value.text);
    const bool is_regex = matcher.op == Matcher::Op::kMatch || matcher.op == Matcher::Op::kNotMatch;
    if (is_regex && !CompileRegex(value.where, &matcher)) return false;
    const bool second_name = matcher.label == kNameLabel && !selector->matchers.empty() &&
                             selector->matchers[0].label == kNameLabel &&
                             selector->matchers[0].op == Matcher::Op::kEqual &&
                             matcher.op == Matcher::Op::kEqual;
    if (second_name) {
      Fail(label.where, "the name of the series is given twice");
      return false;
    }
    selector->matchers.push_back(std::move(matcher));
    return true;
  }

  bool CompileRegex(TextRange where, Matcher* matcher) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(kRegexBytesMax);
    options.set_dot_nl(true);
    auto regex = std::make_shared<const re2::RE2>(matcher->value, options);
    if (!regex->ok()) {
      Fail(where, "the regular expression cannot be read: " + regex->error());
      return false;
    }
    matcher->regex = std::move(regex);
    return true;
  }

  // [5m], offset 1h.
  NodePtr ParseModifiers(NodePtr selector) {
    if (!selector) return nullptr;
    if (At(TokenKind::kOpenBracket)) {
      Take();
      const auto range_ms = TakeDuration();
      if (!range_ms) return nullptr;
      if (At(TokenKind::kColon)) return FailSubquery();
      if (*range_ms == 0) return Fail(selector->where, "the range must be longer than 0");
      selector->range_ms = *range_ms;
      selector->type = ValueType::kMatrix;
      selector->where.length = Peek().where.end() - selector->where.offset;
      if (!Expect(TokenKind::kCloseBracket, "`]`")) return nullptr;
    }
    if (AtWord("offset")) {
      Take();
      const bool negative = At(TokenKind::kMinus);
      if (negative) Take();
      const auto offset_ms = TakeDuration();
      if (!offset_ms) return nullptr;
      selector->offset_ms = negative ? -*offset_ms : *offset_ms;
    }
    if (At(TokenKind::kAt)) {
      return Fail(Peek().where, "the modifier `@` is not supported", ErrorCode::kUnsupported);
    }
    if (At(TokenKind::kOpenBracket)) return FailSubquery();
    return selector;
  }

  std::nullptr_t FailSubquery() {
    return Fail(Peek().where, "subqueries are not supported", ErrorCode::kUnsupported);
  }

  std::optional<int64_t> TakeDuration() {
    const auto duration_ms =
        At(TokenKind::kDuration) ? ParseDurationMs(Peek().text) : std::optional<int64_t>();
    if (duration_ms) {
      Take();
    } else {
      FailHere("a duration such as 5m");
    }
    return duration_ms;
  }

  // Word "(" arguments ")", the word taken already.
  bool ParseArguments(Node* call, std::vector<NodePtr>* out) {
    if (!Expect(TokenKind::kOpenParen, "`(`")) return false;
    while (!At(TokenKind::kCloseParen)) {
      NodePtr argument = ParseExpression(kOr);
      if (!argument) return false;
      out->push_back(std::move(argument));
      if (At(TokenKind::kComma)) {
        Take();
      } else if (!At(TokenKind::kCloseParen)) {
        FailHere("`,` or `)`");
        return false;
      }
    }
    call->where.length = Take().where.end() - call->where.offset;
    return true;
  }

  NodePtr ParseCall() {
    const Token name = Take();
    const auto known =
        std::ranges::find(Functions(), std::string_view(name.text), &FunctionSignature::name);
    if (known == Functions().end()) return FailAtName(name);
    NodePtr node = NewNode(NodeKind::kCall, known->result, name.where);
    node->function = known->function;
    std::vector<NodePtr> arguments;
    if (!ParseArguments(node.get(), &arguments)) return nullptr;
    const size_t required =
        known->arguments.size() - known->optional - (known->repeats_last ? 1 : 0);
    const bool too_many = arguments.size() > known->arguments.size() && !known->repeats_last;
    if (arguments.size() < required || too_many) {
      return Fail(node->where, name.text + "() has " + std::to_string(arguments.size()) +
                                   " arguments, not the " + std::to_string(required) +
                                   (required == known->arguments.size() ? "" : " or more") +
                                   " that it takes");
    }
    for (size_t i = 0; i < arguments.size(); ++i) {
      const ValueType wanted = known->arguments[std::min(i, known->arguments.size() - 1)];
      if (!CheckType(*arguments[i], wanted, name.text)) return nullptr;
      node = Adopt(std::move(node), std::move(arguments[i]));
      if (!node) return nullptr;
    }
    return node;
  }

  bool CheckType(const Node& argument, ValueType wanted, const std::string& name) {
    if (argument.type == wanted) return true;
    Fail(argument.where, name + "() takes " + std::string(NameOfType(wanted)) + " here, not " +
                             std::string(NameOfType(argument.type)));
    return false;
  }

  NodePtr FailAtName(const Token& name) {
    const std::string lower = LowerCase(name.text);
    if (std::ranges::find(kNotOffered, lower) != kNotOffered.end()) {
      return Fail(name.where, lower + "() is not supported", ErrorCode::kUnsupported);
    }
    std::vector<std::string_view> names;
    for (const FunctionSignature& function : Functions()) names.push_back(function.name);
    return Fail(name.where, "unknown function `" + name.text + "`" + DidYouMean(name.text, names));
  }

  NodePtr ParseAggregate() {
    const Token name = Take();
    NodePtr node = NewNode(NodeKind::kAggregate, ValueType::kVector, name.where);
    node->aggregation = *AggregationNamed(name.text);
    const bool grouped = AtWord("by") || AtWord("without");
    if (grouped && !ParseGrouping(node.get())) return nullptr;
    std::vector<NodePtr> arguments;
    if (!ParseArguments(node.get(), &arguments)) return nullptr;
    if (!grouped && (AtWord("by") || AtWord("without")) && !ParseGrouping(node.get())) {
      return nullptr;
    }
    const size_t wanted = HasParameter(node->aggregation) ? 2 : 1;
    if (arguments.size() != wanted) {
      return Fail(node->where, name.text + "() has " + std::to_string(arguments.size()) +
                                   " arguments, not " + std::to_string(wanted));
    }
    if (wanted == 2 && !CheckType(*arguments[0], ValueType::kScalar, name.text)) return nullptr;
    if (!CheckType(*arguments.back(), ValueType::kVector, name.text)) return nullptr;
    for (NodePtr& argument : arguments) {
      node = Adopt(std::move(node), std::move(argument));
      if (!node) return nullptr;
    }
    return node;
  }

  bool ParseGrouping(Node* node) {
    node->without = AtWord("without");
    Take();
    return ParseLabelList(&node->grouping);
  }

  const std::string_view text_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
  uint32_t depth_ = 0;
  uint32_t count_ = 0;
  std::optional<QueryError> error_;
};

QueryError TooLong(std::string_view text) {
  return MakeQueryError(text, {}, ErrorCode::kTooLarge,
                        "the query has " + std::to_string(text.size()) + " bytes; at most " +
                            std::to_string(kQueryBytesMax) + " are read");
}

}  // namespace

QueryResult<NodePtr> Parse(std::string_view text) {
  if (text.size() > kQueryBytesMax) return TooLong(text);
  auto tokens = Tokenize(text);
  if (!tokens.ok()) return tokens.error();
  return Parser(text, *std::move(tokens)).ParseWhole();
}

QueryResult<std::vector<Matcher>> ParseMatchers(std::string_view text) {
  if (text.size() > kQueryBytesMax) return TooLong(text);
  auto tokens = Tokenize(text);
  if (!tokens.ok()) return tokens.error();
  return Parser(text, *std::move(tokens)).ParseMatchersAlone();
}

}  // namespace weft::query::lang::promql
