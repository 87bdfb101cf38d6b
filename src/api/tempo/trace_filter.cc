// 1. The filter runs on the trace as a row group in preorder.
// 2. Downwards, parents first: a row is kept when it matches, or when its parent has levels left.
// 3. Upwards, children first: likewise from a row to its parent.

#include "api/tempo/trace_filter.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <utility>

#include "api/tempo/answers.h"
#include "api/tempo/request.h"
#include "block/batch_row_group.h"
#include "query/exec/group_filter.h"
#include "query/lang/traceql/names.h"

namespace weft::api::tempo {
namespace {

namespace traceql = query::lang::traceql;
using query::exec::Bitmap;
using query::plan::Expression;
using query::plan::Field;
using query::plan::Predicate;

constexpr size_t kShownBytesMax = 100;

Error Refuse(std::string why) { return {ErrorCode::kInvalidArgument, std::move(why)}; }

// Levels: a whole number, -1 for all.
Result<uint32_t> ReadLevels(const net::HttpRequest& request, std::string_view name,
                            uint32_t otherwise) {
  const auto value = FindValue(request, name);
  if (!value) return otherwise;
  int32_t levels = 0;
  const char* const end = value->data() + value->size();
  const auto [at, error] = std::from_chars(value->data(), end, levels);
  if (error != std::errc() || at != end) {
    return Refuse("invalid " + std::string(name) + ": \"" +
                  std::string(value->substr(0, kShownBytesMax)) + "\" is not a whole number");
  }
  if (levels < -1) {
    return Refuse("invalid " + std::string(name) +
                  ": must be -1 (all levels) or greater, received " + std::to_string(levels));
  }
  return levels == -1 ? kAllLevels : static_cast<uint32_t>(levels);
}

// A field in it that is the same for all spans of a trace.
const Field* FindTraceField(const Expression& expression) {
  if (expression.op == Expression::Op::kField)
    return expression.field.of_trace() ? &expression.field : nullptr;
  for (const Expression& operand : expression.operands) {
    if (const Field* const found = FindTraceField(operand)) return found;
  }
  return nullptr;
}

const Field* FindTraceField(const Predicate& predicate) {
  for (const Expression* side : {&predicate.left, &predicate.right}) {
    if (const Field* const found = FindTraceField(*side)) return found;
  }
  for (const Predicate& operand : predicate.operands) {
    if (const Field* const found = FindTraceField(operand)) return found;
  }
  return nullptr;
}

Result<Predicate> ReadFilter(std::string_view text, traceql::Dialect dialect) {
  constexpr std::string_view kWhat = "invalid TraceQL filter: parse error";
  const auto tree = traceql::Parse(text);
  if (!tree.ok()) return AsTempoSays(kWhat, tree.error());
  if ((*tree)->children.front()->kind != traceql::NodeKind::kFilter) {
    return Refuse(
        "invalid TraceQL filter: only a single TraceQL filter is supported: got a structural or "
        "aggregate query");
  }
  auto plan = traceql::Lower(**tree, text, dialect);
  if (!plan.ok()) return AsTempoSays(kWhat, plan.error());
  const Predicate* const filter = plan->filter();
  if (filter == nullptr) return Refuse("invalid TraceQL filter: it is more than one filter");
  if (const Field* const field = FindTraceField(*filter)) {
    return Refuse("intrinsic is not supported by this filter: \"" +
                  std::string(traceql::IntrinsicName(field->property)) + "\"");
  }
  return *filter;
}

void KeepBelow(const model::Preorder& tree, const Bitmap& matched, uint32_t levels, Bitmap* kept) {
  std::vector<uint32_t> left(tree.size());  // levels below the row
  for (uint32_t row = 0; row < tree.size(); ++row) {
    if (matched.Test(row)) left[row] = levels;
    const uint32_t above = tree.parent[row] == 0 ? 0 : left[row - tree.parent[row]];
    if (above == 0) continue;
    kept->Set(row);
    left[row] = std::max(left[row], above == kAllLevels ? kAllLevels : above - 1);
  }
}

void KeepAbove(const model::Preorder& tree, const Bitmap& matched, uint32_t levels, Bitmap* kept) {
  std::vector<uint32_t> left(tree.size());  // levels above the row
  for (uint32_t row = tree.size(); row-- > 0;) {
    if (matched.Test(row)) left[row] = levels;
    if (left[row] == 0 || tree.parent[row] == 0) continue;
    const uint32_t parent = row - tree.parent[row];
    kept->Set(parent);
    left[parent] = std::max(left[parent], left[row] == kAllLevels ? kAllLevels : left[row] - 1);
  }
}

}  // namespace

Result<std::optional<TraceFilter>> ReadTraceFilter(const net::HttpRequest& request,
                                                   traceql::Dialect dialect) {
  TraceFilter filter;
  WEFT_ASSIGN_OR_RETURN(filter.levels_below, ReadLevels(request, "match_depth", 0));
  WEFT_ASSIGN_OR_RETURN(const bool above, ReadBool(request, "keep_hierarchy"));
  WEFT_ASSIGN_OR_RETURN(filter.levels_above, ReadLevels(request, "ancestor_depth", kAllLevels));
  if (!above) filter.levels_above = 0;
  const auto text = FindValue(request, "q");
  if (!text) return std::optional<TraceFilter>();
  WEFT_ASSIGN_OR_RETURN(filter.predicate, ReadFilter(*text, dialect));
  return std::optional<TraceFilter>(std::move(filter));
}

Result<std::vector<uint32_t>> FilterTrace(const OrderedTrace& trace, const TraceFilter& filter) {
  std::vector<uint32_t> rows;
  if (trace.size() == 0) return rows;
  // Its rows are those of `trace`: both are the preorder of the same spans.
  const auto group = block::InPreorder(*trace.batch);
  query::exec::GroupColumns columns(*group);
  WEFT_ASSIGN_OR_RETURN(const Bitmap matched,
                        query::exec::GroupFilter(&columns, nullptr)
                            .Filter(filter.predicate, Bitmap(group->row_count(), true)));
  Bitmap kept = matched;
  KeepBelow(trace.tree, matched, filter.levels_below, &kept);
  KeepAbove(trace.tree, matched, filter.levels_above, &kept);
  kept.ForEach([&](uint32_t row) { rows.push_back(row); });
  return rows;
}

}  // namespace weft::api::tempo
