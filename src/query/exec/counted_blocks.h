// Metrics of whole blocks from the counts of their spans (block/operation_counts.h), without
// reading a span: rates, numbers and quantiles of durations by service, name and kind. What comes
// out is what the rows would give, to the last span.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "block/operation_counts.h"
#include "block/row_source.h"
#include "query/exec/metric_sums.h"
#include "query/exec/series.h"
#include "query/plan/metrics.h"

namespace weft::query::exec {

// The counts of a block, all of whose row groups that a range touches are `groups`; null where
// these are not all its spans, or counts are not known.
Result<std::shared_ptr<const block::OperationCounts>> CountsOfAll(
    const std::vector<std::shared_ptr<const block::RowGroup>>& groups);

// Any thread. Everything handed in must outlive it.
class CountedBlocks {
 public:
  // Nothing where counts don't know what is asked for: other fields, single spans (exemplars).
  static std::optional<CountedBlocks> For(const plan::SeriesExpression& expression,
                                          const SeriesQuery& query);

  // Adds the block, all of whose row groups that the range touches are `groups`, to `sums`. False,
  // and nothing added, where its rows have to be looked at: it lies in several steps or not wholly
  // in the range, and these don't begin with minutes; spans of it are deleted; or one has no
  // service and that matters.
  Result<bool> Add(const std::vector<std::shared_ptr<const block::RowGroup>>& groups,
                   MetricSums* sums) const;

 private:
  // What counts tell spans apart by, but for time and duration.
  struct Operation;

  CountedBlocks(const plan::Predicate& filter, const plan::Metric& metric, const SeriesQuery& query)
      : filter_(filter), metric_(metric), query_(query) {}

  using Groups = std::vector<std::shared_ptr<const block::RowGroup>>;

  std::optional<uint32_t> StepOf(const Groups& groups) const;
  bool StepsAreMinutes() const;
  bool KnowsServices(const block::OperationCounts& counts) const;
  void AddCounts(const block::OperationCounts& counts, std::optional<uint32_t> step,
                 MetricSums* sums) const;
  static plan::Scalar ValueOf(const plan::Field& field, const Operation& operation);
  static bool Holds(const plan::Predicate& predicate, const Operation& operation);

  const plan::Predicate& filter_;
  const plan::Metric& metric_;
  const SeriesQuery& query_;
  bool asks_of_services_ = true;
};

}  // namespace weft::query::exec
