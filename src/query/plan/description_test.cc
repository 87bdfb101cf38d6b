#include "query/plan/description.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "query/lang/traceql/compile.h"

namespace weft::query::plan {
namespace {

using testing::ElementsAre;

std::vector<std::string> OfSearch(const std::string& query) {
  const auto plan = lang::traceql::Compile(query);
  EXPECT_TRUE(plan.ok()) << query;
  return Describe(*plan);
}

std::vector<std::string> OfMetric(const std::string& query) {
  const auto expression = lang::traceql::CompileMetrics(query);
  EXPECT_TRUE(expression.ok()) << query;
  return Describe(*expression);
}

TEST(Description, AFilterIsALine) {
  EXPECT_THAT(OfSearch("{ name = \"x\" && duration > 1s }"),
              ElementsAre("spans with and(=(name, \"x\"), >(duration, 1000000000))"));
}

TEST(Description, WhatIsAskedOfWholeTracesSaysWhichAreLookedAt) {
  EXPECT_THAT(OfSearch("{ name = \"x\" } >> { name = \"y\" } | by(kind) | count() > 2"),
              ElementsAre("of whole traces, that have a span with =(name, \"y\")",
                          "of the second, those that are descendants of the first:",
                          "  spans with =(name, \"x\")", "  spans with =(name, \"y\")",
                          "a spanset for each value of by(kind)", "spansets with count() > 2"));
}

TEST(Description, MetricsComeAfterTheirSpans) {
  EXPECT_THAT(OfMetric("{ } | quantile_over_time(duration, .5, .99) by (name) | topk(3)"),
              ElementsAre("spans with true", "quantile_over_time of duration at 0.5, 0.99 by name",
                          "of each step the 3 greatest values"));
  EXPECT_THAT(OfMetric("({ } | rate()) / ({ name = \"x\" } | rate())"),
              ElementsAre("series with the same labels, joined by /:", "  spans with true",
                          "  rate", "  spans with =(name, \"x\")", "  rate"));
}

}  // namespace
}  // namespace weft::query::plan
