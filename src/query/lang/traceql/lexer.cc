// 1. Skip white space and comments.
// 2. A dot or a scope (`span.`) begins an attribute, whose key runs to the next byte that is no key
//    byte.
// 3. A digit begins a number: the whole run of digits, letters and dots is read as one.
// 4. Letters are a word, with `:name` behind a colon; a dotted word is kept whole, to be refused by
//    name.
// 5. Anything else is the longest operator that fits.
#include <algorithm>
#include <array>
#include <cctype>

#include "query/lang/traceql/literal_text.h"
#include "query/lang/traceql/token.h"

namespace weft::query::lang::traceql {
namespace {

struct Operator {
  std::string_view text;
  TokenKind kind;
};
// Longer ones before their prefixes.
constexpr std::array<Operator, 35> kOperators{{{"&>>", TokenKind::kUnionDescendant},
                                               {"&<<", TokenKind::kUnionAncestor},
                                               {"!>>", TokenKind::kNotDescendant},
                                               {"!<<", TokenKind::kNotAncestor},
                                               {"&&", TokenKind::kAnd},
                                               {"&>", TokenKind::kUnionChild},
                                               {"&<", TokenKind::kUnionParent},
                                               {"&~", TokenKind::kUnionSibling},
                                               {"||", TokenKind::kOr},
                                               {"=~", TokenKind::kMatch},
                                               {"!=", TokenKind::kNotEqual},
                                               {"!~", TokenKind::kNotMatch},
                                               {"!>", TokenKind::kNotChild},
                                               {"!<", TokenKind::kNotParent},
                                               {">>", TokenKind::kDescendant},
                                               {"<<", TokenKind::kAncestor},
                                               {">=", TokenKind::kGreaterEqual},
                                               {"<=", TokenKind::kLessEqual},
                                               {"=", TokenKind::kEqual},
                                               {">", TokenKind::kGreater},
                                               {"<", TokenKind::kLess},
                                               {"!", TokenKind::kBang},
                                               {"~", TokenKind::kTilde},
                                               {"|", TokenKind::kPipe},
                                               {"+", TokenKind::kPlus},
                                               {"-", TokenKind::kMinus},
                                               {"*", TokenKind::kStar},
                                               {"/", TokenKind::kSlash},
                                               {"%", TokenKind::kPercent},
                                               {"^", TokenKind::kCaret},
                                               {"{", TokenKind::kOpenBrace},
                                               {"}", TokenKind::kCloseBrace},
                                               {"(", TokenKind::kOpenParen},
                                               {")", TokenKind::kCloseParen},
                                               {",", TokenKind::kComma}}};

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsWordByte(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

constexpr std::array kScopes{AttributeScope::kSpan, AttributeScope::kResource,
                             AttributeScope::kEvent, AttributeScope::kLink,
                             AttributeScope::kInstrumentation};

AttributeScope ScopeNamed(std::string_view word) {
  for (AttributeScope scope : kScopes) {
    if (word == AttributeScopeName(scope)) return scope;
  }
  return AttributeScope::kNone;
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  QueryResult<std::vector<Token>> Run() {
    while (ok_ && SkipBlank() && at_ < text_.size()) {
      Begin();
      ReadToken();
    }
    if (!ok_) return error_;
    Begin();
    Finish(TokenKind::kEnd);
    return std::move(tokens_);
  }

 private:
  char Peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  void Begin() {
    token_ = Token();
    token_.where.offset = static_cast<uint32_t>(at_);
  }
  void Finish(TokenKind kind) {
    token_.kind = kind;
    token_.where.length = static_cast<uint32_t>(at_) - token_.where.offset;
    tokens_.push_back(std::move(token_));
  }
  bool Fail(size_t offset, size_t length, std::string message) {
    const TextRange where{static_cast<uint32_t>(offset), static_cast<uint32_t>(length)};
    error_ = MakeQueryError(text_, where, ErrorCode::kInvalidArgument, std::move(message));
    ok_ = false;
    return false;
  }

  bool SkipBlank() {
    while (at_ < text_.size()) {
      if (IsSpace(text_[at_])) {
        ++at_;
      } else if (Peek() == '/' && Peek(1) == '/') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (Peek() == '/' && Peek(1) == '*') {
        const size_t end = text_.find("*/", at_ + 2);
        if (end == std::string_view::npos) return Fail(at_, 2, "the comment has no closing */");
        at_ = end + 2;
      } else {
        break;
      }
    }
    return true;
  }

  void ReadToken() {
    const char c = Peek();
    if (IsDigit(c) || (c == '.' && IsDigit(Peek(1)))) return ReadNumberToken();
    if (c == '.') {
      ++at_;
      return ReadAttribute();
    }
    if (c == '"' || c == '`') return ReadStringToken();
    if (IsWordByte(c)) return ReadWord();
    ReadOperator();
  }

  void ReadNumberToken() {
    const size_t begin = at_;
    while (IsWordByte(Peek()) || Peek() == '.') {
      const bool exponent = (Peek() == 'e' || Peek() == 'E') &&
                            (Peek(1) == '-' || Peek(1) == '+') && IsDigit(Peek(2));
      at_ += exponent ? 2 : 1;
    }
    const std::string_view run = text_.substr(begin, at_ - begin);
    std::string problem;
    const auto number = ReadNumber(run, &problem);
    if (!number) {
      Fail(begin, run.size(), std::move(problem));
      return;
    }
    token_.magnitude = number->magnitude;
    token_.number = number->number;
    constexpr std::array kKinds{TokenKind::kInt, TokenKind::kFloat, TokenKind::kDuration};
    Finish(kKinds[static_cast<size_t>(number->type)]);
  }

  void ReadStringToken() {
    uint32_t length = 0;
    std::string problem;
    auto value = ReadString(text_.substr(at_), &length, &problem);
    if (!value) {
      Fail(at_ + length, 1, std::move(problem));
      return;
    }
    token_.text = *std::move(value);
    at_ += length;
    Finish(TokenKind::kString);
  }

  void ReadWord() {
    const size_t begin = at_;
    while (IsWordByte(Peek())) ++at_;
    const std::string_view word = text_.substr(begin, at_ - begin);
    if (Peek() == '.') {
      token_.scope = ScopeNamed(word);
      if (token_.scope != AttributeScope::kNone || word == "parent") {
        ++at_;
        if (word == "parent") ReadScopeOfParent();
        return ReadAttribute();
      }
      while (IsKeyByte(Peek())) ++at_;  // `service.name` without a scope
    } else if (Peek() == ':' && IsWordByte(Peek(1))) {
      ++at_;
      while (IsWordByte(Peek())) ++at_;
    }
    token_.text = std::string(text_.substr(begin, at_ - begin));
    Finish(TokenKind::kWord);
  }

  void ReadScopeOfParent() {
    token_.of_parent = true;
    for (AttributeScope scope : kScopes) {
      const std::string prefix = std::string(AttributeScopeName(scope)) + ".";
      if (text_.substr(at_).starts_with(prefix)) {
        token_.scope = scope;
        at_ += prefix.size();
        return;
      }
    }
  }

  // The key, at_ being behind the dot.
  void ReadAttribute() {
    while (IsKeyByte(Peek()) || Peek() == '"') {
      if (Peek() != '"') {
        token_.text += text_[at_++];
      } else if (!ReadQuotedKey()) {
        return;
      }
    }
    if (at_ == token_.where.offset + 1 || text_[at_ - 1] == '.') {
      const bool has_key = !token_.text.empty();
      Fail(at_, 0,
           has_key ? "expected the rest of the attribute's name behind the dot"
                   : "expected an attribute's name behind the dot");
      return;
    }
    Finish(TokenKind::kAttribute);
  }

  // `"..."` inside a key: only \" and \\ are escapes.
  bool ReadQuotedKey() {
    const size_t begin = at_++;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\\') {
        ++at_;
        if (Peek() != '"' && Peek() != '\\') {
          return Fail(at_ - 1, 2, "in a quoted attribute name only \\\" and \\\\ are escapes");
        }
      }
      token_.text += text_[at_++];
    }
    if (at_ >= text_.size()) return Fail(begin, 1, "the attribute's name has no closing \"");
    ++at_;
    return true;
  }

  void ReadOperator() {
    const std::string_view rest = text_.substr(at_);
    for (const Operator& op : kOperators) {
      if (!rest.starts_with(op.text)) continue;
      at_ += op.text.size();
      return Finish(op.kind);
    }
    FailAtStrangeByte();
  }

  void FailAtStrangeByte() {
    const char c = Peek();
    std::string message = "unexpected character";
    if (c == '\'')
      message = "strings are written in double quotes or back quotes, not in single quotes";
    if (c == '&') message = "a single & means nothing here; did you mean `&&`?";
    if (std::isprint(static_cast<unsigned char>(c)) && c != '\'' && c != '&')
      message += std::string(" `") + c + "`";
    Fail(at_, 1, std::move(message));
  }

  std::string_view text_;
  size_t at_ = 0;
  bool ok_ = true;
  Token token_;
  std::vector<Token> tokens_;
  QueryError error_;
};

}  // namespace

const char* AttributeScopeName(AttributeScope scope) {
  switch (scope) {
    case AttributeScope::kNone: return "";
    case AttributeScope::kSpan: return "span";
    case AttributeScope::kResource: return "resource";
    case AttributeScope::kEvent: return "event";
    case AttributeScope::kLink: return "link";
    case AttributeScope::kInstrumentation: return "instrumentation";
  }
  return "";
}

QueryResult<std::vector<Token>> Tokenize(std::string_view text) { return Lexer(text).Run(); }

}  // namespace weft::query::lang::traceql
