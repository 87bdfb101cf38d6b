#include "query/exec/metric_sums.h"

#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "query/exec/random_queries.h"
#include "query/exec/series_operations.h"

namespace weft::query::exec {
namespace {

constexpr uint32_t kSteps = 9;
const SeriesQuery kQuery{"t", {1'000'000'000, 1'000'000'000, kSteps}, 0, 0};

plan::Metric RateByName() {
  plan::Metric metric;
  metric.kind = plan::Metric::Kind::kRate;
  metric.by.push_back({plan::Field::Of(plan::Property::kName), plan::Meaning::kPlain, "name"});
  metric.name = "rate";
  return metric;
}

std::string Text(const std::vector<MetricLine>& lines) {
  std::string out;
  for (const MetricLine& line : lines) {
    for (const FoundValue& label : line.labels) out += label.name + "=" + label.text + ":";
    for (const double value : line.values)
      out += std::isnan(value) ? " -" : " " + std::to_string(value);
    out += "\n";
  }
  return out;
}

// Steps come in any order, as spans do.
TEST(MetricSums, KeepWhatIsCountedInAnyOrderOfSteps) {
  const plan::Metric metric = RateByName();
  Chance chance(3);
  for (int i = 0; i < 200; ++i) {
    MetricSums sums(metric, kQuery);
    std::vector<double> expected(kSteps, 0);
    for (uint32_t n = 1 + chance.Below(12); n > 0; --n) {
      const uint32_t step = chance.Below(kSteps);
      sums.Count(sums.LineOf({plan::Value::String("a")}), step);
      ++expected[step];
    }
    EXPECT_EQ(sums.TakeLines().at(0).values, expected);
  }
}

// What is left out early would have gone later.
TEST(MetricSums, TopLinesAreThoseOfAll) {
  const plan::Metric metric = RateByName();
  Chance chance(5);
  for (int i = 0; i < 500; ++i) {
    MetricSums all(metric, kQuery);
    MetricSums some(metric, kQuery);
    const uint32_t names = 1 + chance.Below(8);
    for (uint32_t n = chance.Below(40); n > 0; --n) {
      const plan::Value name = plan::Value::String("n" + std::to_string(chance.Below(names)));
      const uint32_t step = chance.Below(kSteps);
      all.Count(all.LineOf({name}), step);
      some.Count(some.LineOf({name}), step);
    }
    const plan::SeriesStage stage{plan::SeriesStage::Kind::kTop, chance.Below(5)};
    std::vector<MetricLine> expected = all.TakeLines();
    SortLines(&expected);
    ApplyStage(stage, &expected);
    std::vector<MetricLine> lines = some.TakeLines(stage.count);
    SortLines(&lines);
    ApplyStage(stage, &lines);
    EXPECT_EQ(Text(lines), Text(expected));
  }
}

}  // namespace
}  // namespace weft::query::exec
