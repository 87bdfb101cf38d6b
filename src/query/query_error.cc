#include "query/query_error.h"

#include <algorithm>

namespace weft::query {

std::string QueryError::ToString() const {
  return "line " + std::to_string(line) + ", column " + std::to_string(column) + ": " +
         error.message();
}

QueryError MakeQueryError(std::string_view text, TextRange where, ErrorCode code,
                          std::string message) {
  QueryError out{Error(code, std::move(message)), where.offset, where.length, 1, 1};
  const size_t end = std::min<size_t>(where.offset, text.size());
  for (size_t i = 0; i < end; ++i) {
    if (text[i] == '\n') {
      ++out.line;
      out.column = 1;
    } else if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) {  // not inside a character
      ++out.column;
    }
  }
  return out;
}

}  // namespace weft::query
