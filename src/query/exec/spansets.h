// The stages of a plan on one row group of whole traces.
//
// 1. Each filter runs over the columns of the whole group (group_filter.h), not trace by trace.
// 2. As long as there is one spanset a trace, relations work on the rows of all traces at once: in
//    preorder no relation crosses from one trace to the next.
// 3. Only then are rows cut into the spansets of traces, and keys and aggregates computed from the
//    rows that are left.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "base/error.h"
#include "query/exec/bitmap.h"
#include "query/exec/group_columns.h"
#include "query/exec/row_values.h"
#include "query/exec/span_relations.h"
#include "query/plan/arithmetic.h"
#include "query/plan/plan.h"

namespace weft::query::exec {

// What a stage found out about a spanset: a key of a group or an aggregate.
struct SpansetAttribute {
  const std::string* name = nullptr;  // of the plan
  plan::Value value;
  plan::Meaning meaning = plan::Meaning::kPlain;
};

struct Spanset {
  uint32_t trace = 0;  // number in the group
  Rows rows;           // at least one
  std::vector<SpansetAttribute> attributes;
};

// One thread. Every trace of the group is taken to be whole.
class SpansetEvaluator {
 public:
  explicit SpansetEvaluator(GroupColumns* columns) : columns_(*columns) {}

  // What the stages leave of the rows `rows` of a group that has a tree and whose traces are
  // loaded: spansets by trace, those of one trace by their first spans. The stages must outlive
  // them.
  Result<std::vector<Spanset>> Run(const std::vector<plan::Stage>& stages, const Bitmap& rows);

 private:
  // Spansets while stages work on them, by trace.
  struct State {
    std::vector<Spanset> sets;  // unless uncut
    std::optional<Rows> uncut;  // all rows: one spanset a trace, nothing known of any
  };
  using Filters = absl::flat_hash_map<const plan::SpansetExpression*, Bitmap>;

  Error RunStages(const std::vector<plan::Stage>& stages, State* state);
  Error RunStage(const plan::Stage& stage, State* state);
  Error Choose(const plan::SpansetExpression& expression, State* state);
  Error KeepWhere(const plan::Stage& stage, State* state);
  Error KeepWhereOfPipelines(const plan::Stage& stage, State* state);
  Error Group(const plan::Stage& stage, State* state);
  void Coalesce(State* state);
  void Cut(State* state);

  // The rows that the expression chooses of `rows`; `all` are the rows of all spansets of the
  // stage, on which its filters run, once.
  Result<Rows> RowsOf(const plan::SpansetExpression& expression, const Rows& rows,
                      const Bitmap& all, Filters* filters);
  Result<Rows> AllOf(const plan::SpansetExpression& expression, const Rows& rows, const Bitmap& all,
                     Filters* filters);
  Result<Rows> PipelineOf(const std::vector<plan::Stage>& stages, Rows rows);

  Result<plan::Scalar> ValueOf(const plan::Aggregate& aggregate, const Rows& rows);
  Result<Bitmap> Filter(const plan::Predicate& predicate, const Bitmap& rows);
  Bitmap BitmapOf(const Rows& rows) const;

  Result<ExpressionReader*> ReaderOf(const plan::Expression& expression);

  GroupColumns& columns_;
  std::optional<SpanRelations> relations_;
  std::map<const plan::Expression*, ExpressionReader> readers_;
};

}  // namespace weft::query::exec
