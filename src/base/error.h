// Errors as values: what a function that can fail returns.
//
// An Error is a code (what a caller branches on) and a message (what a person acts on: say what was
// wrong and what to do). It holds no span content. Result<T> is a T or an Error. Both are
// [[nodiscard]]; neither is thread-safe to mutate, both may be moved between threads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace weft {

enum class ErrorCode : uint8_t {
  kOk = 0,
  kInvalidArgument,    // the caller's input is wrong; the same input fails again
  kNotFound,           // what was named does not exist
  kTooLarge,           // a size limit; the message names it
  kUnsupported,        // understood, and not offered (yet)
  kResourceExhausted,  // a rate or quota of the tenant; try again after retry_after_ms
  kUnavailable,  // overloaded, starting, stopping or out of disk; try again after retry_after_ms
  kCancelled,    // the caller went away or its deadline passed
  kCorrupt,      // stored bytes are not what was written
  kIo,           // the operating system or object store refused
  kInternal,     // a defect of weft
};

// The snake_case name of a code, as it stands in API answers and metrics labels.
std::string_view ErrorCodeName(ErrorCode code);

// Success (default) or a failure. `retry_after_ms` is 0 unless a retry helps.
class [[nodiscard]] Error {
 public:
  Error() = default;
  Error(ErrorCode code, std::string message, uint32_t retry_after_ms = 0)
      : code_(code), retry_after_ms_(retry_after_ms), message_(std::move(message)) {}

  static Error Ok() { return {}; }

  bool ok() const { return code_ == ErrorCode::kOk; }
  ErrorCode code() const { return code_; }
  const std::string& message() const { return message_; }
  uint32_t retry_after_ms() const { return retry_after_ms_; }

  // The same error with `context: ` before its message.
  Error WithContext(std::string_view context) const;

 private:
  ErrorCode code_ = ErrorCode::kOk;
  uint32_t retry_after_ms_ = 0;
  std::string message_;
};

// A T or an Error. `value()` and `*` require ok().
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value)
      : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Result(Error error)
      : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // The error; Ok when there is a value.
  Error error() const { return ok() ? Error::Ok() : std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

}  // namespace weft

// Returns from the enclosing function when `expression` (an Error) failed.
#define WEFT_RETURN_IF_ERROR(expression)                                                 \
  do {                                                                                   \
    if (::weft::Error weft_error_ = (expression); !weft_error_.ok()) return weft_error_; \
  } while (false)

#define WEFT_CONCAT_INNER(a, b) a##b
#define WEFT_CONCAT(a, b) WEFT_CONCAT_INNER(a, b)

// `WEFT_ASSIGN_OR_RETURN(auto x, F());` declares x from a Result or returns its error.
#define WEFT_ASSIGN_OR_RETURN(declaration, expression) \
  WEFT_ASSIGN_OR_RETURN_IMPL(WEFT_CONCAT(weft_result_, __LINE__), declaration, expression)
#define WEFT_ASSIGN_OR_RETURN_IMPL(result, declaration, expression) \
  auto result = (expression);                                       \
  if (!result.ok()) return result.error();                          \
  declaration = std::move(result).value()
