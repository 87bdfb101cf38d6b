// The tree of a TraceQL query: the whole language, as written.
//
// One node type for all of it; `kind` says what it is and what its children are. Chains of `&&` (or
// of `||`) are one node with many children; parentheses leave no trace, as the shape of the tree
// says it all.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "query/lang/traceql/token.h"
#include "query/plan/field.h"
#include "query/query_error.h"

namespace weft::query::lang::traceql {

// Queries longer than this are refused before they are read.
inline constexpr size_t kQueryBytesMax = 128 * 1024;
// Levels of nesting: parentheses, operators and braces.
inline constexpr uint32_t kNestingMax = 250;

enum class NodeKind : uint8_t {
  // Inside braces: field expressions.
  kLiteral,
  kAttribute,
  kIntrinsic,
  kNegate,          // -x
  kNot,             // !x
  kFieldOperation,  // x op y; && and || take two or more
  // Spansets.
  kFilter,            // { x }; no child for {}
  kSpansetOperation,  // A op B; && and || take two or more
  // Stages of a pipeline.
  kPipeline,         // two or more stages, or one that had to be in parentheses
  kGroup,            // by(x)
  kCoalesce,         // coalesce()
  kSelect,           // select(x, ...)
  kAggregate,        // count(), min(x), ...: `text` is its name
  kScalarOperation,  // arithmetic on aggregates, metrics and numbers
  kScalarFilter,     // scalar op scalar
  kMetric,  // rate(), quantile_over_time(x, q, ...), compare({...}, n): `text` is its name; a last
            // child kGroup is its by(...)
  kMetricFilter,  // metric, `op`, scalar: {} | rate() > 5
  kTop,           // topk(n), bottomk(n): `text`, literal
  kPath,          // critical_path(), what_if({...}, factor=n): `text` is its name. The groups of a
                  // critical path are a kGroup with any number of children behind it
  // Around it all.
  kQuery,  // body, then hints
  kHint,   // `text` = literal
};

enum class LiteralType : uint8_t { kNil, kString, kInt, kFloat, kBool, kDuration, kStatus, kKind };

struct Literal {
  LiteralType type = LiteralType::kNil;
  int64_t number = 0;  // kInt, kDuration (ns), kBool, kStatus, kKind
  double real = 0;     // kFloat
  std::string text;    // kString

  bool operator==(const Literal&) const = default;
};

struct Node;
using NodePtr = std::unique_ptr<Node>;

struct Node {
  NodeKind kind = NodeKind::kLiteral;
  TextRange where;     // from its first to its last token
  TextRange op_where;  // of the operator, in operations
  TokenKind op = TokenKind::kEnd;
  uint32_t height = 1;  // 1 + that of the highest child
  Literal literal;
  AttributeScope scope = AttributeScope::kNone;  // kAttribute
  bool of_parent = false;  // kAttribute: `parent.` stood before it; without a key it is `parent`
  plan::Property property = plan::Property::kDuration;  // kIntrinsic
  std::string text;                                     // kAttribute: key; names as said above
  std::vector<NodePtr> children;
};

// Parses a whole query (its root is kQuery). Linear in the length of the text; refuses what is
// longer than kQueryBytesMax or nested deeper than kNestingMax.
QueryResult<NodePtr> Parse(std::string_view text);

// One attribute or intrinsic as it is written inside braces (`span.http.route`, `name`).
QueryResult<NodePtr> ParseField(std::string_view text);

// The query in canonical form: one space around operators, parentheses where the tree needs them
// and where `&&` and `||` mix, unscoped spelling of intrinsics. Parse(Print(x)) is x again.
std::string Print(const Node& node);

// Whether two trees say the same (positions aside).
bool SameTree(const Node& a, const Node& b);

// How an operator is written.
std::string_view OperatorText(TokenKind op);

}  // namespace weft::query::lang::traceql
