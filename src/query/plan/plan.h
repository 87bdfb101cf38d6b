// A compiled query: what exec/ runs, whatever language it was written in.
//
// A query works on spansets: sets of spans of one trace. It begins with one spanset a trace, of all
// its spans, and each stage turns spansets into others; a spanset without spans is gone. Spans are
// those that start in the range of the request. Relations between spans are those of the whole
// trace, so with spans outside the range and in other blocks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "query/plan/predicate.h"

namespace weft::query::plan {

struct Stage;

// Spans of a spanset, chosen by what they are and by where they stand in the tree.
struct SpansetExpression {
  enum class Op : uint8_t {
    kFilter,    // the spans on which `predicate` is true
    kPipeline,  // the spans that `stages` leave of it
    kAnd,       // the spans of all operands, where no operand is empty
    kOr,        // the spans of all operands
    // Two operands, A and B: the spans of B that stand so to one of A.
    kChild,       // it is the parent
    kParent,      // it is a child
    kDescendant,  // it is the parent, its parent, ...
    kAncestor,
    kSibling,  // another span, with the same parent
  };
  enum class Keep : uint8_t {
    kRelated,    // the spans of B as said
    kUnrelated,  // the other spans of B
    kBoth,       // those of B as said, and those of A to which they stand so
  };

  Op op = Op::kFilter;
  Keep keep = Keep::kRelated;
  Predicate predicate;
  std::vector<Stage> stages;
  std::vector<SpansetExpression> operands;
};

// A number computed from the spans of a spanset. Spans on which `of` is not a number don't count;
// where none is left the value is nil (0 for kCount, which counts spans and has no `of`).
struct Aggregate {
  enum class Kind : uint8_t { kCount, kMin, kMax, kAverage, kSum };

  Kind kind = Kind::kCount;
  Expression of;
  Meaning meaning = Meaning::kPlain;
  std::string name;             // as it is written, to name its value in answers
  std::vector<Stage> pipeline;  // over what this leaves of the spanset; empty: over the spanset
};

// Arithmetic with aggregates.
struct ScalarExpression {
  enum class Op : uint8_t { kConstant, kAggregate, kArithmetic };

  Op op = Op::kConstant;
  Value constant;
  uint32_t aggregate = 0;  // of Stage::aggregates
  Expression::Op arithmetic = Expression::Op::kAdd;
  std::vector<ScalarExpression> operands;  // two
};

// What spans are grouped by: the value of an expression, or whether a condition is true.
struct GroupKey {
  bool is_condition = false;
  Expression value;
  Predicate condition;
  Meaning meaning = Meaning::kPlain;
  std::string name;  // as it is written: `by(name)`
};

struct Stage {
  enum class Kind : uint8_t {
    kSpansets,   // each spanset becomes the spans that `spansets` chooses from it
    kCondition,  // keeps the spansets for which `left compare right` is true
    kGroup,      // a spanset becomes one for each value of `key`, nil included
    kCoalesce,   // the spansets of a trace become one
  };

  Kind kind = Kind::kSpansets;
  SpansetExpression spansets;

  // kCondition. Where all aggregates have pipelines of their own and this is the first stage, what
  // is kept are the spans of these pipelines.
  Compare compare = Compare::kEqual;
  ScalarExpression left, right;
  std::vector<Aggregate> aggregates;

  GroupKey key;  // kGroup

  static Stage Filter(Predicate predicate);
};

// A field that answers show of each span: those that the query asks about or selects.
struct ShownField {
  Field field;
  Meaning meaning = Meaning::kPlain;
};

struct Plan {
  std::vector<Stage> stages;  // at least one
  std::vector<ShownField> shown;
  bool whole_traces = false;  // what is computed from its spans needs their whole traces

  static Plan Filter(Predicate predicate);

  // The predicate, where the plan is a filter and nothing else; null otherwise.
  const Predicate* filter() const;
  // Whether it has to be asked of whole traces: what is answered of a span depends on other spans.
  bool of_whole_traces() const;
};

// A predicate that is true on at least one span of each trace in the answer, also when it is asked
// of fragments of traces: what depends on the rest of the trace is left out of it.
Predicate NecessaryPredicate(const Plan& plan);

}  // namespace weft::query::plan
