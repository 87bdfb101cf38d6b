// Comparison: what is different about some spans.
//
// 1. Of each row group, the spans that the plan leaves are split into selection and baseline, and
//    the values of every field are counted on codes, side by side.
// 2. The counts of all groups are put together; of fields with very many values the rare ones are
//    dropped on the way (value_tally.h).
// 3. Values that may be among the most frequent of such a field are counted once more, exactly; so
//    are, for each step of time, those that the answer shows.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "block/row_source.h"
#include "query/exec/budget.h"
#include "query/exec/number_histogram.h"
#include "query/exec/search.h"
#include "query/exec/series.h"
#include "query/exec/task_runner.h"
#include "query/exec/value_tally.h"
#include "query/plan/metrics.h"

namespace weft::query::exec {

struct ComparedValue {
  plan::Value value;  // kinds and statuses by their names
  SideCounts spans{};
  // The same by step, where there is more than one: step i of a side is [side][i].
  std::array<std::vector<uint64_t>, 2> steps;
};

struct ComparedField {
  plan::Field field;
  // Those that have it, with any value. Of all of them one is not nil: `value` is not used.
  ComparedValue having;
  // The most frequent of each side, at most Comparison::values_max of it; the most frequent of the
  // selection first, then of the baseline. Of a field with more than ValueTally::kValuesMax values
  // only such that one in ValueTally::kFrequent spans of a side has.
  std::vector<ComparedValue> values;
  std::array<bool, 2> more{};  // whether the side has values that are not shown
  // All counts, where the field has no more than ValueTally::kValuesMax values; else those of
  // `values`.
  std::vector<SideCounts> counts;
  bool counts_complete = true;
};

// A field as numbers, of any type; elements of arrays count, too.
struct ComparedNumber {
  plan::Field field;
  std::array<NumberHistogram, 2> sides;
};

struct ComparisonAnswer {
  SideCounts spans{};
  std::vector<ComparedField> fields;    // that some span has, by scope and name
  std::vector<ComparedNumber> numbers;  // likewise; where they were asked for
  bool complete = true;
  std::string reason;
  SearchStats stats;
};

// Every attribute that any span, resource, scope, event or link has, and name, kind, status,
// statusMessage, rootName, rootServiceName, event:name, instrumentation:name and
// instrumentation:version. Durations and ids are left out. With `numbers`, attributes that are
// numbers on some span and the durations of spans are counted as numbers, too. Errors as
// MetricExecutor::Run.
Result<ComparisonAnswer> Compare(const block::RowSource& source, TaskRunner& runner,
                                 BudgetClock* clock, const Budget& budget,
                                 const plan::SeriesExpression& expression, const SeriesQuery& query,
                                 bool numbers = false);

// The answer as lines: of each shown value of each side that has it, labelled __meta_type
// (`baseline`, `selection`) and by the field's name; of those that have the field at all
// (`baseline_total`, `selection_total`, nil); and a line of zeros labelled __meta_error where not
// all values of a field are shown.
std::vector<MetricLine> LinesOf(const ComparisonAnswer& answer, const TimeAxis& axis);

}  // namespace weft::query::exec
