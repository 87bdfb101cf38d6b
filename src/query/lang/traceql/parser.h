// The recursive-descent parser behind Parse() and ParseField(). Inside this folder only.
//
// One token of look-ahead, no backtracking. Operators climb by precedence, low to high:
//   &&, || (one level, left to right)   comparisons, regex, structure (one level, left to right)
//   + -   !   * / %   ^ (right to left)   unary -
// The first error wins and stops everything: functions return null once it is set.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "query/lang/traceql/tree.h"

namespace weft::query::lang::traceql {

class Parser {
 public:
  Parser(std::string_view text, std::vector<Token> tokens)
      : text_(text), tokens_(std::move(tokens)) {}

  // Each may be called once.
  QueryResult<NodePtr> ParseWholeQuery();
  QueryResult<NodePtr> ParseSingleField();

 private:
  // How tightly an operator binds.
  enum Level : int { kNoOperator = 0, kLogic, kComparison, kSum, kBang, kProduct, kPower, kUnary };
  // What a node of the pipeline level yields.
  enum class Sort : uint8_t {
    kSpanset,   // { ... } and operations on them
    kPipeline,  // spansets too, from a pipeline in parentheses
    kStage,     // by(), select(), coalesce(), a comparison of scalars: no operand
    kConstant,  // a number
    kScalar,    // an aggregate, or arithmetic with one
    kMetric,    // series
  };

  // parse_field.cc: what stands inside braces.
  NodePtr ParseExpression(int level_min);
  NodePtr ParseOperand();
  NodePtr ParseUnary(NodeKind kind);
  NodePtr ParseFieldWord();
  NodePtr ParseLiteralToken();
  NodePtr ParseAttributeToken();
  NodePtr MakeFieldOperation(const Token& op, NodePtr left, NodePtr right);
  NodePtr FoldNegation(const Token& minus, NodePtr operand);
  NodePtr FailAtUnknownWord();
  static int FieldLevel(TokenKind kind);

  // parse_pipeline.cc: everything around braces.
  NodePtr ParseHints(NodePtr query);
  NodePtr ParseHint();
  NodePtr ParsePipeline(bool in_parentheses);
  NodePtr ParseStage(const Node* before);
  NodePtr ParseStageWord(const Node* before);
  NodePtr ParseStageExpression(int level_min);
  NodePtr ParseStageOperand();
  NodePtr ParseParenthesised();
  NodePtr ParseFilter();
  NodePtr ParseGroup(bool many);
  NodePtr ParseSelect();
  NodePtr ParseAggregate();
  NodePtr ParseMetric();
  bool ParseMetricArguments(Node* metric);
  NodePtr ParseMetricFilter();
  NodePtr ParseTop();
  NodePtr ParsePath();
  bool ParseWhatIf(Node* path);
  NodePtr ParseWhatIfFilter();
  NodePtr ParseNumber();
  NodePtr Close(NodePtr call);
  NodePtr MakeStageOperation(const Token& op, NodePtr left, NodePtr right);
  NodePtr FailAtStageOperation(const Token& op, Sort left, Sort right);
  bool CheckStage(const Node& node, bool last, bool in_parentheses);
  static int StageLevel(TokenKind kind);
  static Sort SortOf(const Node& node);

  // Both.
  const Token& Peek() const { return tokens_[at_]; }
  const Token& Last() const { return tokens_[at_ - 1]; }
  Token Take();
  bool At(TokenKind kind) const { return Peek().kind == kind; }
  bool AtWord(std::string_view word) const { return At(TokenKind::kWord) && Peek().text == word; }
  bool Expect(TokenKind kind, std::string_view what);
  bool ParseAttributeList(Node* parent);
  NodePtr NewNode(NodeKind kind, TextRange where) const;
  // Adds a child and keeps height and place right; false when that is too deep.
  bool Adopt(Node* parent, NodePtr child);
  // Joins left and right under `op`, into left when it is a chain of the same && or ||.
  NodePtr Join(NodeKind kind, const Token& op, NodePtr left, NodePtr right);
  std::nullptr_t Fail(TextRange where, std::string message,
                      ErrorCode code = ErrorCode::kInvalidArgument);
  std::nullptr_t FailHere(std::string_view expected);
  std::string Describe(const Token& token) const;

  // Counts the recursion; ok() is false when it is too deep (and the error set).
  class Nesting {
   public:
    explicit Nesting(Parser* parser);
    ~Nesting() { --parser_->depth_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;
    bool ok() const { return ok_; }

   private:
    Parser* parser_;
    bool ok_;
  };

  std::string_view text_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
  uint32_t depth_ = 0;
  std::optional<QueryError> error_;
};

}  // namespace weft::query::lang::traceql
