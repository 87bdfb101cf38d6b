// Spans of one row group as answers show them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "query/exec/group_columns.h"
#include "query/exec/row_values.h"
#include "query/exec/search.h"
#include "query/exec/span_relations.h"

namespace weft::query::exec {

// `value` under a name.
FoundValue ToFoundValue(std::string name, const plan::Scalar& value, plan::Meaning meaning);

// A field that is shown, opened for reading.
class ShownReader;

// One thread; everything handed in must outlive it. Without a joiner the group's traces are taken
// to be whole.
class SpanDescriber {
 public:
  SpanDescriber(const block::RowGroup& group, const std::vector<plan::ShownField>& shown,
                TraceJoiner* joiner);
  ~SpanDescriber();

  // Of each set of ascending rows the first `count` by (start, span id, kind). Pages are read once
  // for all of them, so many sets at once are cheaper than one after the other.
  Result<std::vector<std::vector<FoundSpan>>> DescribeFirst(const std::vector<const Rows*>& sets,
                                                            uint32_t count);
  // What the ascending rows hold, each of which comes once.
  Result<std::vector<FoundSpan>> Describe(const Rows& rows);

 private:
  Error ReadProperties(const Rows& rows, std::vector<FoundSpan>* out);
  Result<std::string> ServiceOf(uint32_t resource);
  Error OpenShown();

  const block::RowGroup& group_;
  const std::vector<plan::ShownField>& shown_;
  TraceJoiner* joiner_;
  GroupColumns columns_;
  bool opened_ = false;
  std::vector<std::unique_ptr<ShownReader>> readers_;
};

}  // namespace weft::query::exec
