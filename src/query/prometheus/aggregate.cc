#include "query/prometheus/aggregate.h"

#include <algorithm>
#include <cmath>

#include "query/prometheus/over_time.h"

namespace weft::query::prometheus {
namespace {

using lang::promql::Aggregation;

// The best `count` of a group, the best first; NaN is the worst.
void KeepBest(bool greatest, size_t count, Vector* samples) {
  const auto better = [greatest](const Sample& a, const Sample& b) {
    if (std::isnan(a.value) != std::isnan(b.value)) return std::isnan(b.value);
    if (a.value == b.value || std::isnan(a.value)) return a.labels < b.labels;
    return greatest ? a.value > b.value : a.value < b.value;
  };
  std::ranges::sort(*samples, better);
  if (samples->size() > count) samples->resize(count);
}

double Extreme(const std::vector<double>& values, bool max) {
  double found = values[0];
  for (const double value : values) {
    if (std::isnan(found) || (max ? value > found : value < found)) found = value;
  }
  return found;
}

double Sum(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum;
}

}  // namespace

LabelSet Aggregator::GroupOf(LabelSet labels) {
  const auto [found, is_new] = groups_.try_emplace(labels, 0);
  if (!is_new) return found->second;
  Labels kept;
  for (const auto& label : labels_[labels]) {
    const bool named = std::ranges::find(node_.grouping, label.first) != node_.grouping.end();
    const bool keep = node_.without ? !named && label.first != lang::promql::kNameLabel : named;
    if (keep) kept.push_back(label);
  }
  const LabelSet group = labels_.Intern(std::move(kept));
  found->second = group;
  return group;
}

double Aggregator::ValueOf(std::vector<double>* values, double parameter) const {
  switch (node_.aggregation) {
    case Aggregation::kSum: return Sum(*values);
    case Aggregation::kAvg: return Sum(*values) / static_cast<double>(values->size());
    case Aggregation::kMin: return Extreme(*values, false);
    case Aggregation::kMax: return Extreme(*values, true);
    case Aggregation::kCount: return static_cast<double>(values->size());
    case Aggregation::kQuantile: return QuantileOf(parameter, values);
    case Aggregation::kStddev:
    case Aggregation::kStdvar: {
      Spread spread;
      for (const double value : *values) spread.Add(value);
      const bool root = node_.aggregation == Aggregation::kStddev;
      return root ? std::sqrt(spread.variance()) : spread.variance();
    }
    default: return 1;  // group
  }
}

Vector Aggregator::Run(const Vector& samples, double parameter) {
  std::vector<LabelSet> order;
  absl::flat_hash_map<LabelSet, Vector> groups;
  for (const Sample& sample : samples) {
    const LabelSet group = GroupOf(sample.labels);
    Vector& members = groups[group];
    if (members.empty()) order.push_back(group);
    members.push_back(sample);
  }
  const bool chooses =
      node_.aggregation == Aggregation::kTopk || node_.aggregation == Aggregation::kBottomk;
  Vector out;
  std::vector<double> values;
  for (const LabelSet group : order) {
    Vector& members = groups[group];
    if (chooses) {
      // NaN and what is below 1 choose none.
      const double most = static_cast<double>(members.size());
      const double count = parameter >= 1 ? std::min(parameter, most) : 0;
      KeepBest(node_.aggregation == Aggregation::kTopk, static_cast<size_t>(count), &members);
      out.insert(out.end(), members.begin(), members.end());
      continue;
    }
    values.clear();
    for (const Sample& sample : members) values.push_back(sample.value);
    out.push_back({group, ValueOf(&values, parameter)});
  }
  return out;
}

}  // namespace weft::query::prometheus
