#include <algorithm>
#include <array>
#include <limits>

#include "query/lang/nearest_name.h"
#include "query/lang/traceql/names.h"
#include "query/lang/traceql/parser.h"

namespace weft::query::lang::traceql {
namespace {

constexpr uint64_t kMagnitudeMax = uint64_t{1} << 63;

bool IsNumeric(const Literal& l) {
  return l.type == LiteralType::kInt || l.type == LiteralType::kFloat ||
         l.type == LiteralType::kDuration;
}

// A scoped name that ends in `:word`, for who forgot the scope.
std::string_view WithScope(std::string_view word) {
  for (std::string_view known : FieldWords()) {
    const size_t colon = known.find(':');
    if (colon != std::string_view::npos && known.substr(colon + 1) == word) return known;
  }
  return {};
}

}  // namespace

int Parser::FieldLevel(TokenKind kind) {
  switch (kind) {
    case TokenKind::kAnd:
    case TokenKind::kOr: return kLogic;
    case TokenKind::kEqual:
    case TokenKind::kNotEqual:
    case TokenKind::kLess:
    case TokenKind::kLessEqual:
    case TokenKind::kGreater:
    case TokenKind::kGreaterEqual:
    case TokenKind::kMatch:
    case TokenKind::kNotMatch: return kComparison;
    case TokenKind::kPlus:
    case TokenKind::kMinus: return kSum;
    case TokenKind::kStar:
    case TokenKind::kSlash:
    case TokenKind::kPercent: return kProduct;
    case TokenKind::kCaret: return kPower;
    default: return kNoOperator;
  }
}

NodePtr Parser::ParseExpression(int level_min) {
  NodePtr left = ParseOperand();
  while (left) {
    const int level = FieldLevel(Peek().kind);
    if (level == kNoOperator || level < level_min) break;
    const Token op = Take();
    if (op.kind == TokenKind::kEqual && At(TokenKind::kEqual)) {
      return Fail({op.where.offset, Peek().where.end() - op.where.offset},
                  "equality is written with one `=`");
    }
    NodePtr right = ParseExpression(level == kPower ? kPower : level + 1);
    if (!right) return nullptr;
    left = MakeFieldOperation(op, std::move(left), std::move(right));
  }
  return left;
}

NodePtr Parser::MakeFieldOperation(const Token& op, NodePtr left, NodePtr right) {
  return Join(NodeKind::kFieldOperation, op, std::move(left), std::move(right));
}

NodePtr Parser::ParseOperand() {
  const Nesting nesting(this);
  if (!nesting.ok()) return nullptr;
  switch (Peek().kind) {
    case TokenKind::kOpenParen: {
      Take();
      NodePtr inner = ParseExpression(kLogic);
      if (!inner || !Expect(TokenKind::kCloseParen, "`)`")) return nullptr;
      return inner;
    }
    case TokenKind::kBang: return ParseUnary(NodeKind::kNot);
    case TokenKind::kMinus: return ParseUnary(NodeKind::kNegate);
    case TokenKind::kWord: return ParseFieldWord();
    case TokenKind::kAttribute: return ParseAttributeToken();
    case TokenKind::kString:
    case TokenKind::kInt:
    case TokenKind::kFloat:
    case TokenKind::kDuration: return ParseLiteralToken();
    default: return FailHere("an attribute, an intrinsic or a value");
  }
}

NodePtr Parser::ParseUnary(NodeKind kind) {
  const Token op = Take();
  if (kind == NodeKind::kNegate) {
    const Token& next = Peek();
    const bool is_int_min = (next.kind == TokenKind::kInt || next.kind == TokenKind::kDuration) &&
                            next.magnitude == kMagnitudeMax;
    if (!is_int_min) {
      NodePtr operand = ParseOperand();
      return operand ? FoldNegation(op, std::move(operand)) : nullptr;
    }
    const Token number = Take();
    NodePtr node =
        NewNode(NodeKind::kLiteral, {op.where.offset, number.where.end() - op.where.offset});
    node->literal.type =
        number.kind == TokenKind::kInt ? LiteralType::kInt : LiteralType::kDuration;
    node->literal.number = std::numeric_limits<int64_t>::min();
    return node;
  }
  NodePtr operand = ParseExpression(kProduct);
  if (!operand) return nullptr;
  NodePtr node = NewNode(kind, op.where);
  node->op = op.kind;
  node->op_where = op.where;
  if (!Adopt(node.get(), std::move(operand))) return nullptr;
  return node;
}

// -5 is a literal; what can't be folded stays an operation.
NodePtr Parser::FoldNegation(const Token& minus, NodePtr operand) {
  Literal& literal = operand->literal;
  const bool fits =
      literal.type == LiteralType::kFloat || literal.number != std::numeric_limits<int64_t>::min();
  if (operand->kind == NodeKind::kLiteral && IsNumeric(literal) && fits) {
    literal.number = -literal.number;
    literal.real = -literal.real;
    operand->where = {minus.where.offset, operand->where.end() - minus.where.offset};
    return operand;
  }
  NodePtr node = NewNode(NodeKind::kNegate, minus.where);
  node->op = minus.kind;
  node->op_where = minus.where;
  if (!Adopt(node.get(), std::move(operand))) return nullptr;
  return node;
}

NodePtr Parser::ParseLiteralToken() {
  const Token token = Take();
  NodePtr node = NewNode(NodeKind::kLiteral, token.where);
  Literal& literal = node->literal;
  if (token.kind == TokenKind::kString) {
    literal.type = LiteralType::kString;
    literal.text = token.text;
  } else if (token.kind == TokenKind::kFloat) {
    literal.type = LiteralType::kFloat;
    literal.real = token.number;
  } else {
    if (token.magnitude == kMagnitudeMax) {
      return Fail(token.where, "the number does not fit 64 bits: at most 9223372036854775807");
    }
    literal.type = token.kind == TokenKind::kInt ? LiteralType::kInt : LiteralType::kDuration;
    literal.number = static_cast<int64_t>(token.magnitude);
  }
  return node;
}

NodePtr Parser::ParseAttributeToken() {
  const Token token = Take();
  NodePtr node = NewNode(NodeKind::kAttribute, token.where);
  node->scope = token.scope;
  node->of_parent = token.of_parent;
  node->text = token.text;
  return node;
}

NodePtr Parser::ParseFieldWord() {
  const Token& token = Peek();
  if (const auto literal = LiteralNamed(token.text)) {
    NodePtr node = NewNode(NodeKind::kLiteral, Take().where);
    node->literal = *literal;
    return node;
  }
  if (const auto property = IntrinsicNamed(token.text)) {
    NodePtr node = NewNode(NodeKind::kIntrinsic, Take().where);
    node->property = *property;
    return node;
  }
  if (token.text == "parent") {
    NodePtr node = NewNode(NodeKind::kAttribute, Take().where);
    node->of_parent = true;
    return node;
  }
  return FailAtUnknownWord();
}

NodePtr Parser::FailAtUnknownWord() {
  const Token& token = Peek();
  const std::string& word = token.text;
  if (At(TokenKind::kWord) && tokens_[at_ + 1].kind == TokenKind::kOpenParen) {
    if (IsAggregate(word) || IsMetric(word) || word == "by" || word == "select" ||
        word == "coalesce") {
      return Fail(token.where,
                  "`" + word + "` is a stage of a pipeline: { ... } | " + word + "(...)");
    }
  }
  if (const std::string_view scoped = WithScope(word); !scoped.empty()) {
    return Fail(token.where,
                "unknown name `" + word + "`; did you mean `" + std::string(scoped) + "`?");
  }
  std::string hint = DidYouMean(word, FieldWords());
  if (hint.empty() && word.find(':') == std::string::npos) {
    hint = ": an attribute needs its scope, as in span." + word + ", resource." + word + " or ." +
           word;
  }
  return Fail(token.where, "unknown name `" + word + "`" + hint);
}

}  // namespace weft::query::lang::traceql
