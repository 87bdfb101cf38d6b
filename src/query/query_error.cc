#include "query/query_error.h"

#include <algorithm>

namespace weft::query {

std::string QueryError::ToString() const {
  return "line " + std::to_string(line) + ", column " + std::to_string(column) + ": " +
         error.message();
}

QueryError MakeQueryError(std::string_view text, TextRange where, ErrorCode code,
                          std::string message) {
  const auto end = static_cast<uint32_t>(std::min<size_t>(where.offset, text.size()));
  const auto length = static_cast<uint32_t>(std::min<size_t>(where.length, text.size() - end));
  QueryError out{Error(code, std::move(message)), end, length, 1, 1};
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
