// sum, topk and the like: samples of one step, put together by labels. Inside this folder only.
#pragma once

#include <absl/container/flat_hash_map.h>

#include "query/lang/promql/tree.h"
#include "query/prometheus/vector.h"

namespace weft::query::prometheus {

// Of one node. One thread; node and table outlive it.
class Aggregator {
 public:
  Aggregator(const lang::promql::Node& node, LabelTable* labels) : node_(node), labels_(*labels) {}

  // `parameter` is that of topk, bottomk and quantile. Groups come in the order of their first
  // sample; those of topk with the greatest first, of bottomk with the smallest.
  Vector Run(const Vector& samples, double parameter);

 private:
  LabelSet GroupOf(LabelSet labels);
  double ValueOf(std::vector<double>* values, double parameter) const;

  const lang::promql::Node& node_;
  LabelTable& labels_;
  absl::flat_hash_map<LabelSet, LabelSet> groups_;
};

}  // namespace weft::query::prometheus
