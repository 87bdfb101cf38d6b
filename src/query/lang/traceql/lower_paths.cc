// critical_path() and what_if(): weft's extensions of TraceQL. Every query that has one comes
// through LowerPathQuery(), so that is the place to refuse them where only TraceQL is wanted.
#include "query/lang/traceql/lower.h"
#include "query/lang/traceql/names.h"

namespace weft::query::lang::traceql {

using plan::PathQuery;

// The last stage of a query, or the one before the groups of a critical path; null for others.
const Node* Lowering::PathOf(const Node& body) {
  if (body.kind != NodeKind::kPipeline) return nullptr;
  const auto& stages = body.children;
  if (stages.back()->kind == NodeKind::kPath) return stages.back().get();
  const bool grouped = stages.size() > 1 && stages[stages.size() - 2]->kind == NodeKind::kPath;
  return grouped ? stages[stages.size() - 2].get() : nullptr;
}

std::optional<PathQuery> Lowering::LowerPathQuery(const Node& query) {
  const Node& body = *query.children[0];
  const Node* const path = PathOf(body);
  if (path == nullptr) {
    return Fail(body.where,
                "expected critical_path() or what_if(...) at the end, as in { ... } | "
                "critical_path() | by(name)");
  }
  if (RefuseExtension(*path, "`" + path->text + "()`") || !CheckHints(query)) return std::nullopt;
  PathQuery out;
  for (const NodePtr& stage : body.children) {
    if (stage.get() == path) break;
    if (!LowerStage(*stage, &out.spans.stages) || !CheckStageCount(*stage, out.spans.stages))
      return std::nullopt;
  }
  // select() alone selects of everything.
  if (out.spans.stages.empty())
    out.spans.stages.push_back(plan::Stage::Filter(plan::Predicate::Constant(true)));
  const Node& last = *body.children.back();
  if (path->text == "what_if") {
    if (!LowerWhatIf(*path, &out)) return std::nullopt;
  } else if (last.kind == NodeKind::kGroup) {
    if (!LowerLabels(last, "a critical path", &out.by)) return std::nullopt;
  } else {
    out.by.push_back({plan::Field::Attribute(block::Scope::kResource, "service.name"),
                      plan::Meaning::kPlain, "resource.service.name"});
    out.by.push_back({plan::Field::Of(plan::Property::kName), plan::Meaning::kPlain, "name"});
  }
  return out;
}

bool Lowering::LowerWhatIf(const Node& node, PathQuery* out) {
  out->kind = PathQuery::Kind::kWhatIf;
  const Node& filter = *node.children[0];
  out->condition = plan::Predicate::Constant(true);
  if (!filter.children.empty()) {
    MaybePredicate condition = LowerPredicate(*filter.children[0]);
    if (!condition) return false;
    out->condition = *std::move(condition);
  }
  const Node& number = *node.children[1];
  const Literal& literal = number.literal;
  const bool is_number = literal.type == LiteralType::kInt || literal.type == LiteralType::kFloat;
  out->factor =
      literal.type == LiteralType::kFloat ? literal.real : static_cast<double>(literal.number);
  if (is_number && out->factor >= 0 && out->factor <= PathQuery::kFactorMax) return true;
  Fail(number.where, "a factor is a number from 0 to 1000, such as 0.8 for a fifth less");
  return false;
}

}  // namespace weft::query::lang::traceql
