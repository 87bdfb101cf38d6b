// Values in a plan: what a query's text says, free of its language.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace weft::query::plan {

// One value or none (kNil). Statuses and kinds are ints (model::StatusCode, model::SpanKind),
// durations and times ints in ns.
struct Value {
  enum class Type : uint8_t { kNil, kBool, kInt, kDouble, kString };

  Type type = Type::kNil;
  int64_t number = 0;  // kInt; kBool as 0 or 1
  double real = 0;     // kDouble
  std::string text;    // kString

  static Value Nil() { return {}; }
  static Value Bool(bool v) { return {Type::kBool, v ? 1 : 0, 0, {}}; }
  static Value Int(int64_t v) { return {Type::kInt, v, 0, {}}; }
  static Value Double(double v) { return {Type::kDouble, 0, v, {}}; }
  static Value String(std::string v) { return {Type::kString, 0, 0, std::move(v)}; }

  bool is_nil() const { return type == Type::kNil; }
  bool is_number() const { return type == Type::kInt || type == Type::kDouble; }
};

// What a number stands for, where it is not just a number.
enum class Meaning : uint8_t {
  kPlain,
  kDuration,  // ns
  kStatus,    // model::StatusCode
  kKind,      // model::SpanKind
};

}  // namespace weft::query::plan
