// PromQL as a tree: what Parse() gives.
//
// The language is the subset that docs/api/prometheus.md lists; what else PromQL has is refused by
// its name. Times are ms, as in Prometheus.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "query/query_error.h"

namespace re2 {
class RE2;
}

namespace weft::query::lang::promql {

inline constexpr size_t kQueryBytesMax = 64 << 10;
// Operators, calls and parentheses in each other.
inline constexpr uint32_t kNestingMax = 200;

inline constexpr std::string_view kNameLabel = "__name__";

enum class ValueType : uint8_t { kScalar, kVector, kMatrix, kString };

struct Matcher {
  enum class Op : uint8_t { kEqual, kNotEqual, kMatch, kNotMatch };

  std::string label;
  Op op = Op::kEqual;
  std::string value;
  std::shared_ptr<const re2::RE2> regex;  // of kMatch and kNotMatch; matches whole values

  // A label that is not there has the value "".
  bool Matches(std::string_view text) const;
};

enum class Function : uint8_t {
  kAbs,
  kAbsent,
  kAbsentOverTime,
  kAvgOverTime,
  kCeil,
  kChanges,
  kClamp,
  kClampMax,
  kClampMin,
  kCountOverTime,
  kDelta,
  kExp,
  kFloor,
  kHistogramQuantile,
  kIdelta,
  kIncrease,
  kIrate,
  kLabelJoin,
  kLabelReplace,
  kLastOverTime,
  kLn,
  kLog10,
  kLog2,
  kMaxOverTime,
  kMinOverTime,
  kPresentOverTime,
  kQuantileOverTime,
  kRate,
  kResets,
  kRound,
  kScalar,
  kSgn,
  kSort,
  kSortDesc,
  kSqrt,
  kStddevOverTime,
  kStdvarOverTime,
  kSumOverTime,
  kTime,
  kTimestamp,
  kVector,
};

struct FunctionSignature {
  std::string_view name;
  Function function;
  ValueType result;
  std::vector<ValueType> arguments;
  // How many of the last arguments may be left out.
  uint32_t optional = 0;
  bool repeats_last = false;  // the last argument may come any number of times, also none
};
// By name.
std::span<const FunctionSignature> Functions();
const FunctionSignature& SignatureOf(Function function);

enum class Aggregation : uint8_t {
  kAvg,
  kBottomk,
  kCount,
  kGroup,
  kMax,
  kMin,
  kQuantile,
  kStddev,
  kStdvar,
  kSum,
  kTopk,
};
std::string_view NameOf(Aggregation aggregation);
// topk, bottomk and quantile have a parameter before the vector.
bool HasParameter(Aggregation aggregation);

enum class BinaryOp : uint8_t {
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kPower,
  kAtan2,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kAnd,
  kOr,
  kUnless,
};
std::string_view TextOf(BinaryOp op);
inline bool IsComparison(BinaryOp op) {
  return op >= BinaryOp::kEqual && op <= BinaryOp::kGreaterEqual;
}
inline bool IsSetOperation(BinaryOp op) { return op >= BinaryOp::kAnd; }

// Which series of two vectors belong together.
struct Matching {
  enum class Group : uint8_t { kNone, kLeft, kRight };

  bool on = false;        // the labels that count; else those that do not
  bool is_given = false;  // whether `on` or `ignoring` is written
  std::vector<std::string> labels;
  Group group = Group::kNone;        // the side of which several may belong to one
  std::vector<std::string> include;  // labels of the other side that the result has, too
};

enum class NodeKind : uint8_t {
  kNumber,
  kString,
  kSelector,
  kNegate,
  kBinary,
  kCall,
  kAggregate,
};

struct Node;
using NodePtr = std::unique_ptr<Node>;

struct Node {
  NodeKind kind = NodeKind::kNumber;
  ValueType type = ValueType::kScalar;
  TextRange where;
  uint32_t height = 0;
  uint32_t index = 0;  // nodes of a tree are numbered from 0; the root has the greatest number
  std::vector<NodePtr> children;

  double number = 0;  // kNumber
  std::string text;   // kString

  // kSelector
  std::vector<Matcher> matchers;  // the name is one of them
  int64_t range_ms = 0;           // of kMatrix
  int64_t offset_ms = 0;

  // kBinary
  BinaryOp op = BinaryOp::kAdd;
  bool return_bool = false;
  Matching matching;

  Function function = Function::kAbs;           // kCall
  Aggregation aggregation = Aggregation::kSum;  // kAggregate
  bool without = false;                         // kAggregate
  std::vector<std::string> grouping;            // kAggregate
};

// A mistake is kInvalidArgument, what PromQL has and weft has not kUnsupported, a limit kTooLarge;
// all with their place. Linear in the text. Any thread.
QueryResult<NodePtr> Parse(std::string_view text);

// The matchers of a selector alone, without range and offset: what the parameter match[] has.
QueryResult<std::vector<Matcher>> ParseMatchers(std::string_view text);

// Text that parses to the same tree.
std::string Print(const Node& node);

// "1h30m" in ms: units ms s m h d w y, each once, from large to small. Nothing for anything else,
// and for more than 100 years.
std::optional<int64_t> ParseDurationMs(std::string_view text);
std::string PrintDurationMs(int64_t duration_ms);

}  // namespace weft::query::lang::promql
