#include "query/lang/traceql/redact.h"

#include "query/lang/traceql/token.h"

namespace weft::query::lang::traceql {

std::string Redact(std::string_view query) {
  const auto tokens = Tokenize(query);
  std::string out;
  if (!tokens.ok()) return out;
  uint32_t end = 0;
  for (const Token& token : *tokens) {
    if (token.kind == TokenKind::kEnd) break;
    if (!out.empty() && token.where.offset > end) out.push_back(' ');
    const bool is_value = token.kind == TokenKind::kString || token.kind == TokenKind::kInt ||
                          token.kind == TokenKind::kFloat;
    if (is_value) {
      out.push_back('?');
    } else {
      out.append(query.substr(token.where.offset, token.where.length));
    }
    end = token.where.end();
  }
  return out;
}

}  // namespace weft::query::lang::traceql
