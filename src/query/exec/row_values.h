// The value of any field or expression at one row: the general way, for what column_match.h has no
// short cut for.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "query/exec/group_columns.h"
#include "query/exec/trace_joiner.h"
#include "query/plan/arithmetic.h"
#include "query/plan/predicate.h"

namespace weft::query::exec {

// Reads fields of one row group. Without a joiner the group's traces are taken to be whole. One
// thread.
class FieldReader {
 public:
  virtual ~FieldReader() = default;

  // The value of the span `row`; of its event or link `element` (a row of that table) where the
  // field belongs to one. Views live until the next call. kNil where there is none and for arrays,
  // kvlists and bytes.
  virtual Result<plan::Scalar> Get(uint32_t row, uint32_t element) = 0;

  static Result<std::unique_ptr<FieldReader>> Open(const plan::Field& field, GroupColumns* columns,
                                                   TraceJoiner* joiner);
};

// An entry of a dictionary; kNil as above.
plan::Scalar EntryOf(const block::Dictionary& dictionary, uint32_t code);
// The scalar at one row of a column.
plan::Scalar ScalarAt(const block::Column& column, uint32_t row);

// An expression with its readers opened.
class ExpressionReader {
 public:
  static Result<ExpressionReader> Open(const plan::Expression& expression, GroupColumns* columns,
                                       TraceJoiner* joiner);
  Result<plan::Scalar> Get(uint32_t row, uint32_t element);

 private:
  plan::Expression::Op op_ = plan::Expression::Op::kConstant;
  plan::Value constant_;
  std::unique_ptr<FieldReader> field_;
  std::vector<ExpressionReader> operands_;
};

}  // namespace weft::query::exec
