// 1. A query that compiles is taken as it is.
// 2. Else what stands between its braces is cut at each && and || that is in no parentheses and no
//    string; both bind alike, from left to right, so that an operand may go with the operator
//    before it.
// 3. The pieces that compile alone are joined again.

#include "api/tempo/lenient_filter.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "query/lang/traceql/compile.h"

namespace weft::api::tempo {
namespace {

using query::plan::Field;
using query::plan::Predicate;
using query::plan::Property;
using query::plan::Value;

constexpr size_t kQueryBytesMax = 128 << 10;
constexpr size_t kConditionsMax = 100;  // further ones are left out

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

struct Piece {
  std::string_view op;  // before it; empty for the first
  std::string_view text;
};

// The byte behind the string that begins at text[i]; the end when it is not closed.
size_t SkipString(std::string_view text, size_t i) {
  const char quote = text[i];
  for (++i; i < text.size() && text[i] != quote; ++i) {
    if (text[i] == '\\' && quote == '"') ++i;
  }
  return std::min(i + 1, text.size());
}

// What stands between the braces; nothing when `query` is not one pair of them. The second may be
// missing.
std::optional<std::string_view> Inside(std::string_view query) {
  if (!query.starts_with('{')) return std::nullopt;
  for (size_t i = 1; i < query.size();) {
    const char c = query[i];
    if (c == '"' || c == '`') {
      i = SkipString(query, i);
      continue;
    }
    if (c == '{') return std::nullopt;
    if (c == '}') {
      if (i + 1 != query.size()) return std::nullopt;
      return query.substr(1, i - 1);
    }
    ++i;
  }
  return query.substr(1);
}

std::vector<Piece> Cut(std::string_view text) {
  std::vector<Piece> pieces;
  std::string_view op;
  size_t begin = 0;
  int depth = 0;
  for (size_t i = 0; i < text.size();) {
    if (text[i] == '"' || text[i] == '`') {
      i = SkipString(text, i);
      continue;
    }
    depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
    const std::string_view two = text.substr(i, 2);
    if (depth == 0 && (two == "&&" || two == "||")) {
      pieces.push_back({op, text.substr(begin, i - begin)});
      op = two;
      i += 2;
      begin = i;
      continue;
    }
    ++i;
  }
  pieces.push_back({op, text.substr(begin)});
  return pieces;
}

// Whether a leaf asks for the roots of traces, in one of the ways in which Grafana does.
bool AsksForRoots(const Predicate& leaf) {
  using query::plan::Compare;
  using query::plan::Expression;
  if (leaf.kind != Predicate::Kind::kCompare) return false;
  if (leaf.left.op != Expression::Op::kField || leaf.right.op != Expression::Op::kConstant)
    return false;
  if (!leaf.left.field.is(Property::kNestedSetParent)) return false;
  const Value& value = leaf.right.constant;
  if (value.type != Value::Type::kInt) return false;
  return (leaf.compare == Compare::kLess && value.number == 0) ||
         (leaf.compare == Compare::kEqual && value.number == -1);
}

// `nestedSetParent < 0` says that a span has no parent: that can be asked without the tree.
void AskForParentIds(Predicate* predicate) {
  using query::plan::Expression;
  for (Predicate& operand : predicate->operands) AskForParentIds(&operand);
  if (!AsksForRoots(*predicate)) return;
  *predicate = Predicate::Comparison(query::plan::Compare::kEqual,
                                     Expression::OfField(Field::Of(Property::kParentSpanId)),
                                     Expression::Constant(Value::String("")));
}

// Nothing when it does not compile, is more than one filter, or asks for places in the tree: spans
// that are not in blocks have none at hand.
std::optional<Predicate> CompileFilter(std::string_view query) {
  const auto plan = query::lang::traceql::Compile(query);
  const Predicate* const filter = plan.ok() ? plan->filter() : nullptr;
  if (filter == nullptr) return std::nullopt;
  Predicate predicate = *filter;
  AskForParentIds(&predicate);
  if (predicate.needs_tree()) return std::nullopt;
  return predicate;
}

}  // namespace

std::optional<Predicate> ReadLenientFilter(std::string_view query) {
  query = Trim(query);
  if (query.empty() || query.size() > kQueryBytesMax) return std::nullopt;
  if (auto whole = CompileFilter(query)) return whole;
  const auto inside = Inside(query);
  if (!inside) return std::nullopt;
  std::string kept;
  size_t conditions = 0;
  for (const Piece& piece : Cut(*inside)) {
    if (Trim(piece.text).empty()) continue;
    if (++conditions > kConditionsMax) break;
    if (!CompileFilter("{" + std::string(piece.text) + "}")) continue;
    if (!kept.empty()) kept.append(" ").append(piece.op);
    kept.append(" ").append(piece.text);
  }
  if (kept.empty()) return std::nullopt;
  return CompileFilter("{" + kept + " }");
}

}  // namespace weft::api::tempo
