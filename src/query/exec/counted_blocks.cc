#include "query/exec/counted_blocks.h"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <utility>

#include <absl/container/flat_hash_map.h>

#include "query/exec/column_match.h"

namespace weft::query::exec {
namespace {

using plan::Expression;
using plan::Field;
using plan::Metric;
using plan::Predicate;
using plan::Property;
using plan::Scalar;

constexpr auto kError = static_cast<int64_t>(model::StatusCode::kError);

bool IsService(const Field& field) {
  return field.source == Field::Source::kAttribute && field.scope == block::Scope::kResource &&
         field.key == "service.name" && !field.of_parent;
}

// Whether counts have the field's value, other than that of the status, of which they know errors.
bool IsKnown(const Field& field) {
  if (field.of_parent) return false;
  return IsService(field) || field.is(Property::kName) || field.is(Property::kKind);
}

bool IsKnownLeaf(const Predicate& leaf) {
  if (leaf.left.op != Expression::Op::kField) return false;
  const Field& field = leaf.left.field;
  if (leaf.kind != Predicate::Kind::kCompare) return IsKnown(field);
  if (leaf.right.op != Expression::Op::kConstant) return false;
  if (IsKnown(field)) return true;
  const bool equality =
      leaf.compare == plan::Compare::kEqual || leaf.compare == plan::Compare::kNotEqual;
  const plan::Value& constant = leaf.right.constant;
  return equality && field.is(Property::kStatus) && !field.of_parent &&
         constant.type == plan::Value::Type::kInt && constant.number == kError;
}

bool IsKnown(const Predicate& predicate) {
  switch (predicate.kind) {
    case Predicate::Kind::kConstant: return true;
    case Predicate::Kind::kAnd:
    case Predicate::Kind::kOr:
    case Predicate::Kind::kNot:
    case Predicate::Kind::kSame:
      return std::ranges::all_of(predicate.operands, [](const Predicate& p) { return IsKnown(p); });
    default: return IsKnownLeaf(predicate);
  }
}

bool AsksOfServices(const Predicate& predicate) {
  if (predicate.operands.empty()) {
    return predicate.kind != Predicate::Kind::kConstant && IsService(predicate.left.field);
  }
  return std::ranges::any_of(predicate.operands,
                             [](const Predicate& p) { return AsksOfServices(p); });
}

// Buckets of histograms are others, and their coarse forms leave spans out.
bool IsKnown(const Metric& metric) {
  const bool counts = metric.kind == Metric::Kind::kRate || metric.kind == Metric::Kind::kCount;
  const bool latencies = metric.kind == Metric::Kind::kQuantile && !metric.coarse &&
                         metric.of.is(Property::kDuration) && !metric.of.of_parent &&
                         metric.meaning == plan::Meaning::kDuration;
  if (!counts && !latencies) return false;
  return std::ranges::all_of(metric.by,
                             [](const plan::LabelField& by) { return IsKnown(by.field); });
}

}  // namespace

Result<std::shared_ptr<const block::OperationCounts>> CountsOfAll(
    const std::vector<std::shared_ptr<const block::RowGroup>>& groups) {
  using Counts = std::shared_ptr<const block::OperationCounts>;
  uint64_t rows = 0;
  for (const auto& group : groups) {
    WEFT_RETURN_IF_ERROR(group->Load());
    rows += group->row_count();
  }
  if (rows == 0) return Counts();
  WEFT_ASSIGN_OR_RETURN(Counts counts, groups[0]->BlockCounts());
  if (counts == nullptr) return Counts();
  uint64_t counted = 0;
  for (const block::OperationCount& count : counts->counts) counted += count.count;
  return counted == rows ? counts : Counts();  // else some row groups lie outside the range
}

struct CountedBlocks::Operation {
  std::string_view service;
  std::string_view name;
  uint8_t kind = 0;
  bool error = false;
};

std::optional<CountedBlocks> CountedBlocks::For(const plan::SeriesExpression& expression,
                                                const SeriesQuery& query) {
  const Predicate* const filter = expression.spans.filter();
  const bool is_known = query.exemplars == 0 && filter != nullptr &&
                        !expression.spans.of_whole_traces() && IsKnown(*filter) &&
                        IsKnown(expression.metric);
  if (!is_known) return std::nullopt;
  CountedBlocks out(*filter, expression.metric, query);
  const auto is_service = [](const plan::LabelField& by) { return IsService(by.field); };
  out.asks_of_services_ =
      AsksOfServices(*filter) || std::ranges::any_of(expression.metric.by, is_service);
  return out;
}

// The step in which all spans of the groups start.
std::optional<uint32_t> CountedBlocks::StepOf(const Groups& groups) const {
  uint64_t first_ns = UINT64_MAX;
  uint64_t last_ns = 0;
  for (const auto& group : groups) {
    first_ns = std::min(first_ns, group->first_start_ns());
    last_ns = std::max(last_ns, group->last_start_ns());
  }
  const TimeRange range = query_.axis.range();
  if (!range.Contains(first_ns) || !range.Contains(last_ns)) return std::nullopt;
  const uint32_t step = query_.axis.StepOf(first_ns);
  if (query_.axis.StepOf(last_ns) != step) return std::nullopt;
  return step;
}

// Whether each minute, without its beginning and with its end, lies in one step or in none.
bool CountedBlocks::StepsAreMinutes() const {
  return query_.axis.step_ns % block::kMinuteNs == 0 &&
         query_.axis.first_ns % block::kMinuteNs == 0;
}

bool CountedBlocks::KnowsServices(const block::OperationCounts& counts) const {
  if (!asks_of_services_) return true;
  return std::ranges::none_of(counts.counts, [&](const block::OperationCount& count) {
    return counts.strings[count.service].empty();  // or is it the empty text?
  });
}

Result<bool> CountedBlocks::Add(const Groups& groups, MetricSums* sums) const {
  const std::optional<uint32_t> step = StepOf(groups);
  if (!step && !StepsAreMinutes()) return false;
  WEFT_ASSIGN_OR_RETURN(const auto counts, CountsOfAll(groups));
  if (counts == nullptr || !KnowsServices(*counts)) return false;
  std::optional<block::OperationCounter> moved;
  for (const auto& group : groups) {
    if (step) break;
    WEFT_ASSIGN_OR_RETURN(const auto borders, block::OperationCounter::BordersOf(*group));
    if (borders.empty()) continue;
    if (!moved) moved.emplace().AddAll(*counts);
    WEFT_RETURN_IF_ERROR(moved->MoveBorders(*group, borders));
  }
  if (moved) {
    AddCounts(moved->Take(), step, sums);
  } else {
    AddCounts(*counts, step, sums);
  }
  return true;
}

// All in one step, or each minute in its own: those outside the range are left out.
void CountedBlocks::AddCounts(const block::OperationCounts& counts, std::optional<uint32_t> step,
                              MetricSums* sums) const {
  constexpr uint32_t kLeftOut = UINT32_MAX;
  using Key = std::tuple<model::Code, model::Code, uint8_t, bool>;
  absl::flat_hash_map<Key, uint32_t> line_of;
  const TimeRange range = query_.axis.range();
  for (const block::OperationCount& count : counts.counts) {
    const uint64_t after_begin_ns = count.minute * block::kMinuteNs + 1;
    if (!step && !range.Contains(after_begin_ns)) continue;
    const Key key(count.service, count.name, count.kind, count.error);
    const auto [line, is_new] = line_of.try_emplace(key, kLeftOut);
    if (is_new) {
      const Operation operation{counts.strings[count.service], counts.strings[count.name],
                                count.kind, count.error};
      if (!Holds(filter_, operation)) continue;
      std::vector<plan::Value> labels;
      for (const plan::LabelField& by : metric_.by) {
        labels.push_back(ValueOf(by.field, operation).ToValue());
      }
      line->second = sums->LineOf(std::move(labels));
    }
    if (line->second == kLeftOut) continue;
    sums->AddCounted(line->second, step ? *step : query_.axis.StepOf(after_begin_ns), count.bucket,
                     count.count);
  }
}

Scalar CountedBlocks::ValueOf(const Field& field, const Operation& operation) {
  if (IsService(field)) return Scalar::String(operation.service);
  if (field.is(Property::kName)) return Scalar::String(operation.name);
  if (field.is(Property::kKind)) return Scalar::Int(operation.kind);
  return Scalar::Int(operation.error ? kError : 0);
}

bool CountedBlocks::Holds(const Predicate& predicate, const Operation& operation) {
  const auto holds = [&](const Predicate& p) { return Holds(p, operation); };
  switch (predicate.kind) {
    case Predicate::Kind::kConstant: return predicate.truth;
    case Predicate::Kind::kAnd: return std::ranges::all_of(predicate.operands, holds);
    case Predicate::Kind::kOr: return std::ranges::any_of(predicate.operands, holds);
    case Predicate::Kind::kNot: return !holds(predicate.operands[0]);
    case Predicate::Kind::kSame:
      return holds(predicate.operands[0]) == holds(predicate.operands[1]);
    case Predicate::Kind::kPresent: return true;  // those without a service are not counted
    default: return MatchesScalar(predicate, ValueOf(predicate.left.field, operation));
  }
}

}  // namespace weft::query::exec
