// The words of TraceQL.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "query/query_error.h"

namespace weft::query::lang::traceql {

enum class TokenKind : uint8_t {
  kEnd,
  kWord,       // text: a keyword or an intrinsic, `span:id` included; or a name that means nothing
  kAttribute,  // scope, of_parent, text: the key with quotes resolved
  kString,     // text: the value
  kInt,        // magnitude
  kFloat,      // number
  kDuration,   // magnitude, ns
  kOpenBrace,
  kCloseBrace,
  kOpenParen,
  kCloseParen,
  kComma,
  kPipe,
  // Operators.
  kAnd,
  kOr,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kMatch,     // =~
  kNotMatch,  // !~, also "not sibling"
  kPlus,
  kMinus,
  kStar,
  kSlash,
  kPercent,
  kCaret,
  kBang,
  kDescendant,       // >>
  kAncestor,         // <<
  kTilde,            // ~
  kNotChild,         // !>
  kNotParent,        // !<
  kNotDescendant,    // !>>
  kNotAncestor,      // !<<
  kUnionChild,       // &>
  kUnionParent,      // &<
  kUnionDescendant,  // &>>
  kUnionAncestor,    // &<<
  kUnionSibling,     // &~
};

// Where an attribute is looked for. kNone is `.x`: the span, then its resource.
enum class AttributeScope : uint8_t { kNone, kSpan, kResource, kEvent, kLink, kInstrumentation };

// "span", "resource", ...; "" for kNone.
const char* AttributeScopeName(AttributeScope scope);

struct Token {
  TokenKind kind = TokenKind::kEnd;
  AttributeScope scope = AttributeScope::kNone;
  bool of_parent = false;  // written with `parent.` before it
  TextRange where;
  uint64_t magnitude = 0;  // up to 2^63: the sign is a token of its own
  double number = 0;
  std::string text;
};

// Splits `text` into tokens; the last one is kEnd. One pass; white space and comments (`//`, `/*
// */`) are skipped. At most one token a byte.
QueryResult<std::vector<Token>> Tokenize(std::string_view text);

}  // namespace weft::query::lang::traceql
