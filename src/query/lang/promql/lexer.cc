// 1. Skip white space and comments.
// 2. A digit, or a point before one, begins a number; digits with units behind them are a duration.
// 3. A quote begins a string, of three kinds: "..." and '...' with escapes, `...` without.
// 4. Letters, `_` and `:` are a word.
// 5. Anything else is the longest operator that fits.
#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/utf8.h"
#include "query/lang/promql/token.h"

namespace weft::query::lang::promql {
namespace {

struct Operator {
  std::string_view text;
  TokenKind kind;
};
// Longer ones before their prefixes.
constexpr std::array<Operator, 24> kOperators{{
    {"==", TokenKind::kEqual},     {"=~", TokenKind::kMatch},      {"!=", TokenKind::kNotEqual},
    {"!~", TokenKind::kNotMatch},  {"<=", TokenKind::kLessEqual},  {">=", TokenKind::kGreaterEqual},
    {"=", TokenKind::kAssign},     {"<", TokenKind::kLess},        {">", TokenKind::kGreater},
    {"+", TokenKind::kPlus},       {"-", TokenKind::kMinus},       {"*", TokenKind::kStar},
    {"/", TokenKind::kSlash},      {"%", TokenKind::kPercent},     {"^", TokenKind::kCaret},
    {"(", TokenKind::kOpenParen},  {")", TokenKind::kCloseParen},  {"{", TokenKind::kOpenBrace},
    {"}", TokenKind::kCloseBrace}, {"[", TokenKind::kOpenBracket}, {"]", TokenKind::kCloseBracket},
    {",", TokenKind::kComma},      {"@", TokenKind::kAt},          {":", TokenKind::kColon},
}};

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsHex(char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; }

void AppendUtf8(uint32_t point, std::string* out) {
  const auto add = [out](uint32_t byte) { out->push_back(static_cast<char>(byte)); };
  if (point < 0x80) {
    add(point);
  } else if (point < 0x800) {
    add(0xc0 | point >> 6), add(0x80 | (point & 63));
  } else if (point < 0x10000) {
    add(0xe0 | point >> 12), add(0x80 | (point >> 6 & 63)), add(0x80 | (point & 63));
  } else {
    add(0xf0 | point >> 18), add(0x80 | (point >> 12 & 63));
    add(0x80 | (point >> 6 & 63)), add(0x80 | (point & 63));
  }
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  QueryResult<std::vector<Token>> Run() {
    while (SkipBlank(), at_ < text_.size()) {
      Begin();
      if (!ReadToken()) return *std::move(error_);
    }
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
  bool Finish(TokenKind kind) {
    token_.kind = kind;
    token_.where.length = static_cast<uint32_t>(at_) - token_.where.offset;
    tokens_.push_back(std::move(token_));
    return true;
  }
  bool Fail(size_t offset, size_t length, std::string message) {
    const TextRange where{static_cast<uint32_t>(offset), static_cast<uint32_t>(length)};
    error_ = MakeQueryError(text_, where, ErrorCode::kInvalidArgument, std::move(message));
    return false;
  }

  void SkipBlank() {
    while (at_ < text_.size()) {
      if (IsSpace(text_[at_])) {
        ++at_;
      } else if (text_[at_] == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else {
        return;
      }
    }
  }

  bool ReadToken() {
    const char c = Peek();
    if (IsDigit(c) || (c == '.' && IsDigit(Peek(1)))) return ReadNumber();
    if (c == '"' || c == '\'') return ReadString(c);
    if (c == '`') return ReadRawString();
    if (IsLetter(c) || (c == ':' && (IsLetter(Peek(1)) || Peek(1) == ':'))) return ReadWord();
    for (const Operator& op : kOperators) {
      if (!text_.substr(at_).starts_with(op.text)) continue;
      at_ += op.text.size();
      return Finish(op.kind);
    }
    return Fail(at_, std::max<size_t>(1, Utf8CharacterBytes(text_.substr(at_))),
                "unexpected character");
  }

  bool ReadWord() {
    const size_t begin = at_;
    while (IsLetter(Peek()) || IsDigit(Peek()) || Peek() == ':') ++at_;
    token_.text = text_.substr(begin, at_ - begin);
    return Finish(TokenKind::kWord);
  }

  bool ReadNumber() {
    const size_t begin = at_;
    if (Peek() == '0' && (Peek(1) == 'x' || Peek(1) == 'X') && IsHex(Peek(2))) {
      at_ += 2;
      while (IsHex(Peek())) ++at_;
      return FinishNumber(begin + 2, std::chars_format::hex);
    }
    while (IsDigit(Peek())) ++at_;
    if (IsLetter(Peek()) && Peek() != 'e' && Peek() != 'E') return ReadDuration(begin);
    if (Peek() == '.') ++at_;
    while (IsDigit(Peek())) ++at_;
    const size_t sign = Peek(1) == '+' || Peek(1) == '-' ? 2 : 1;
    if ((Peek() == 'e' || Peek() == 'E') && IsDigit(Peek(sign))) {
      at_ += sign;
      while (IsDigit(Peek())) ++at_;
    }
    return FinishNumber(begin, std::chars_format::general);
  }

  bool FinishNumber(size_t begin, std::chars_format format) {
    const char* const end = text_.data() + at_;
    const auto [stop, error] = std::from_chars(text_.data() + begin, end, token_.number, format);
    const bool whole = stop == end && error != std::errc::invalid_argument;
    if (!whole || IsLetter(Peek())) {
      while (IsLetter(Peek()) || IsDigit(Peek())) ++at_;
      return Fail(token_.where.offset, at_ - token_.where.offset, "is no number");
    }
    // What is too large for a double is infinite.
    if (error == std::errc::result_out_of_range) token_.number = HUGE_VAL;
    return Finish(TokenKind::kNumber);
  }

  bool ReadDuration(size_t begin) {
    while (IsLetter(Peek()) || IsDigit(Peek())) ++at_;
    token_.text = text_.substr(begin, at_ - begin);
    return Finish(TokenKind::kDuration);
  }

  bool ReadRawString() {
    const size_t end = text_.find('`', at_ + 1);
    if (end == text_.npos) return Fail(at_, 1, "the string does not end");
    token_.text = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return Finish(TokenKind::kString);
  }

  bool ReadString(char quote) {
    const size_t begin = at_++;
    while (Peek() != quote || at_ >= text_.size()) {
      if (at_ >= text_.size() || Peek() == '\n') return Fail(begin, 1, "the string does not end");
      if (Peek() == '\\') {
        if (!ReadEscape(quote)) return false;
      } else {
        token_.text.push_back(text_[at_++]);
      }
    }
    ++at_;
    return Finish(TokenKind::kString);
  }

  bool ReadEscape(char quote) {
    static constexpr std::string_view kNames = "abfnrtv\\";
    static constexpr std::string_view kValues = "\a\b\f\n\r\t\v\\";
    const size_t begin = at_++;
    const char c = Peek();
    ++at_;
    if (const size_t known = kNames.find(c); c != '\0' && known != kNames.npos) {
      token_.text.push_back(kValues[known]);
      return true;
    }
    if (c == quote) {
      token_.text.push_back(c);
      return true;
    }
    const size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (digits == 0) return FailEscape(begin);
    const auto value = ReadHex(digits);
    const bool is_character = value && *value <= 0x10ffff && (*value < 0xd800 || *value > 0xdfff);
    if (!is_character) return FailEscape(begin);
    if (c == 'x') token_.text.push_back(static_cast<char>(*value));
    if (c != 'x') AppendUtf8(*value, &token_.text);
    return true;
  }

  std::optional<uint32_t> ReadHex(size_t digits) {
    if (at_ + digits > text_.size()) return {};
    uint32_t value = 0;
    const char* const begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, begin + digits, value, 16);
    if (error != std::errc() || end != begin + digits) return {};
    at_ += digits;
    return value;
  }

  bool FailEscape(size_t begin) {
    return Fail(begin, std::min(at_, text_.size()) - begin, "unknown escape in the string");
  }

  const std::string_view text_;
  size_t at_ = 0;
  Token token_;
  std::vector<Token> tokens_;
  std::optional<QueryError> error_;
};

}  // namespace

QueryResult<std::vector<Token>> Tokenize(std::string_view text) { return Lexer(text).Run(); }

}  // namespace weft::query::lang::promql
