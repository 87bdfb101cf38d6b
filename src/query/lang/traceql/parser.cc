#include "query/lang/traceql/parser.h"

#include <algorithm>

namespace weft::query::lang::traceql {

Parser::Nesting::Nesting(Parser* parser) : parser_(parser), ok_(++parser->depth_ <= kNestingMax) {
  if (ok_) return;
  parser_->Fail(parser_->Peek().where,
                "nested too deeply: more than " + std::to_string(kNestingMax) + " levels",
                ErrorCode::kTooLarge);
}

Token Parser::Take() {
  if (At(TokenKind::kEnd)) return tokens_[at_];
  return std::move(tokens_[at_++]);
}

std::nullptr_t Parser::Fail(TextRange where, std::string message, ErrorCode code) {
  if (!error_) error_ = MakeQueryError(text_, where, code, std::move(message));
  return nullptr;
}

std::string Parser::Describe(const Token& token) const {
  if (token.kind == TokenKind::kEnd) return "the end of the query";
  constexpr uint32_t kShownMax = 40;
  std::string shown(text_.substr(token.where.offset, std::min(token.where.length, kShownMax)));
  return "`" + shown + (token.where.length > kShownMax ? "...`" : "`");
}

std::nullptr_t Parser::FailHere(std::string_view expected) {
  return Fail(Peek().where, "expected " + std::string(expected) + ", found " + Describe(Peek()));
}

bool Parser::Expect(TokenKind kind, std::string_view what) {
  if (!At(kind)) {
    FailHere(what);
    return false;
  }
  Take();
  return true;
}

NodePtr Parser::NewNode(NodeKind kind, TextRange where) const {
  auto node = std::make_unique<Node>();
  node->kind = kind;
  node->where = where;
  return node;
}

bool Parser::Adopt(Node* parent, NodePtr child) {
  const uint32_t begin = std::min(parent->where.offset, child->where.offset);
  const uint32_t end = std::max(parent->where.end(), child->where.end());
  parent->where = {begin, end - begin};
  parent->height = std::max(parent->height, child->height + 1);
  parent->children.push_back(std::move(child));
  if (parent->height <= kNestingMax) return true;
  Fail(parent->op_where,
       "nested too deeply: more than " + std::to_string(kNestingMax) + " operators in each other",
       ErrorCode::kTooLarge);
  return false;
}

NodePtr Parser::Join(NodeKind kind, const Token& op, NodePtr left, NodePtr right) {
  const bool chains = op.kind == TokenKind::kAnd || op.kind == TokenKind::kOr;
  const auto is_chain = [&](const Node& n) { return chains && n.kind == kind && n.op == op.kind; };
  NodePtr node;
  if (is_chain(*left)) {
    node = std::move(left);
  } else {
    node = NewNode(kind, left->where);
    node->op = op.kind;
    node->op_where = op.where;
    if (!Adopt(node.get(), std::move(left))) return nullptr;
  }
  if (!is_chain(*right)) return Adopt(node.get(), std::move(right)) ? std::move(node) : nullptr;
  for (NodePtr& child : right->children) {
    if (!Adopt(node.get(), std::move(child))) return nullptr;
  }
  return node;
}

bool Parser::ParseAttributeList(Node* parent) {
  do {
    const bool is_name = At(TokenKind::kAttribute) || At(TokenKind::kWord);
    NodePtr field = is_name ? ParseOperand() : FailHere("an attribute or an intrinsic");
    if (!field) return false;
    if (field->kind == NodeKind::kLiteral) {
      Fail(field->where, "expected an attribute or an intrinsic");
      return false;
    }
    if (!Adopt(parent, std::move(field))) return false;
    if (!At(TokenKind::kComma)) return true;
    Take();
  } while (true);
}

QueryResult<NodePtr> Parser::ParseSingleField() {
  NodePtr field = At(TokenKind::kAttribute) || At(TokenKind::kWord)
                      ? ParseOperand()
                      : FailHere("an attribute or an intrinsic");
  if (field && field->kind == NodeKind::kLiteral)
    field = Fail(field->where, "expected an attribute or an intrinsic");
  if (field && !At(TokenKind::kEnd)) field = FailHere("the end of the name");
  if (!field) return *std::move(error_);
  return field;
}

namespace {

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
  return Parser(text, *std::move(tokens)).ParseWholeQuery();
}

QueryResult<NodePtr> ParseField(std::string_view text) {
  if (text.size() > kQueryBytesMax) return TooLong(text);
  auto tokens = Tokenize(text);
  if (!tokens.ok()) return tokens.error();
  return Parser(text, *std::move(tokens)).ParseSingleField();
}

}  // namespace weft::query::lang::traceql
