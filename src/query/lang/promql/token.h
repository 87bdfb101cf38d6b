// The words of PromQL.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "query/query_error.h"

namespace weft::query::lang::promql {

enum class TokenKind : uint8_t {
  kEnd,
  kWord,      // text: a name, maybe with colons; a keyword
  kNumber,    // number
  kDuration,  // text
  kString,    // text: the value
  kOpenParen,
  kCloseParen,
  kOpenBrace,
  kCloseBrace,
  kOpenBracket,
  kCloseBracket,
  kComma,
  kColon,
  kAt,
  kAssign,    // =
  kMatch,     // =~
  kNotMatch,  // !~
  // Operators.
  kPlus,
  kMinus,
  kStar,
  kSlash,
  kPercent,
  kCaret,
  kEqual,  // ==
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  TextRange where;
  double number = 0;
  std::string text;
};

// Splits `text` into tokens; the last one is kEnd. One pass; white space and comments (# to the end
// of the line) are skipped.
QueryResult<std::vector<Token>> Tokenize(std::string_view text);

}  // namespace weft::query::lang::promql
