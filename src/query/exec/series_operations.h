// What is done with lines once they are there.
#pragma once

#include <vector>

#include "query/exec/series.h"
#include "query/plan/metrics.h"

namespace weft::query::exec {

// The order of lines in answers: by number of labels, names, values.
bool LabelsBefore(const std::vector<FoundValue>& a, const std::vector<FoundValue>& b);
void SortLines(std::vector<MetricLine>* lines);

// Applies a stage. Lines without a value are gone.
void ApplyStage(const plan::SeriesStage& stage, std::vector<MetricLine>* lines);

// `a op b`, line by line: see plan::SeriesExpression. A value that can't be computed is none.
std::vector<MetricLine> JoinLines(plan::Expression::Op op, const std::vector<MetricLine>& a,
                                  const std::vector<MetricLine>& b, const std::string& name);

}  // namespace weft::query::exec
