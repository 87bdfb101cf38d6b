// What is wrong with a query's text, and where.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/error.h"

namespace weft::query {

// A piece of a query's text, in bytes.
struct TextRange {
  uint32_t offset = 0;
  uint32_t length = 0;

  uint32_t end() const { return offset + length; }
};

// A refusal that points at its place. `error` is kInvalidArgument (wrong), kUnsupported
// (understood, not offered yet) or kTooLarge (a limit); its message stands alone, without the
// position.
struct QueryError {
  Error error;
  uint32_t offset = 0;  // bytes, from 0
  uint32_t length = 0;  // bytes; 0 where something is missing
  uint32_t line = 1;    // from 1
  uint32_t column = 1;  // from 1, in characters (UTF-8 code points)

  // "line 1, column 3: message", for people.
  std::string ToString() const;
};

// Computes line and column of `where` in `text`, and cuts it at the end of the text.
QueryError MakeQueryError(std::string_view text, TextRange where, ErrorCode code,
                          std::string message);

// A T or a QueryError. `value()` and `*` require ok().
template <typename T>
class [[nodiscard]] QueryResult {
 public:
  QueryResult(T value) : state_(std::in_place_index<0>, std::move(value)) {}           // NOLINT
  QueryResult(QueryError error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

  bool ok() const { return state_.index() == 0; }
  T& operator*() { return std::get<0>(state_); }
  const T& operator*() const { return std::get<0>(state_); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  const QueryError& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, QueryError> state_;
};

}  // namespace weft::query
