#include "base/metrics.h"

#include <limits>
#include <thread>

#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(MetricsTest, RendersFamiliesSortedByNameWithTheirSeries) {
  MetricRegistry registry;
  registry.GetCounter("weft_b_total", "Second.", {{"tenant", "a"}}).Add(3);
  registry.GetCounter("weft_b_total", "Ignored.", {{"tenant", "b"}}).Add(4);
  registry.GetGauge("weft_a", "First.").Set(-2);
  EXPECT_EQ(registry.RenderPrometheus(),
            "# HELP weft_a First.\n# TYPE weft_a gauge\nweft_a -2\n"
            "# HELP weft_b_total Second.\n# TYPE weft_b_total counter\n"
            "weft_b_total{tenant=\"a\"} 3\nweft_b_total{tenant=\"b\"} 4\n");
}

TEST(MetricsTest, TheSameNameAndLabelsAreTheSameMetric) {
  MetricRegistry registry;
  Counter& first = registry.GetCounter("n", "h", {{"x", "1"}});
  first.Add();
  EXPECT_EQ(&registry.GetCounter("n", "h", {{"x", "1"}}), &first);
  registry.GetCounter("n", "h", {{"x", "2"}}).Add(5);
  EXPECT_EQ(registry.SumCounter("n"), 6u);
  EXPECT_EQ(registry.SumCounter("absent"), 0u);
}

TEST(MetricsTest, LabelsAndHelpAreEscaped) {
  MetricRegistry registry;
  registry.GetGauge("g", "a\\b\nc", {{"l", "q\"b\\n\n"}}).Set(1);
  EXPECT_EQ(registry.RenderPrometheus(),
            "# HELP g a\\\\b\\nc\n# TYPE g gauge\ng{l=\"q\\\"b\\\\n\\n\"} 1\n");
}

TEST(MetricsTest, AGaugeFunctionMayAskForMetricsItself) {
  MetricRegistry registry;
  registry.AddGaugeFunction("f", "h", {}, [&] {
    registry.GetCounter("made_inside", "h").Add();
    return std::numeric_limits<double>::infinity();
  });
  EXPECT_NE(registry.RenderPrometheus().find("\nf +Inf\n"), std::string::npos);
  EXPECT_EQ(registry.SumCounter("made_inside"), 1u);
}

TEST(MetricsTest, ConcurrentUseLosesNothing) {
  MetricRegistry registry;
  auto work = [&] {
    for (int i = 0; i < 1000; ++i) registry.GetCounter("c", "h", {{"t", i % 2 ? "x" : "y"}}).Add();
  };
  std::thread a(work);
  std::thread b(work);
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(registry.RenderPrometheus().find("# HELP") == 1);
  a.join();
  b.join();
  EXPECT_EQ(registry.SumCounter("c"), 2000u);
}

}  // namespace
}  // namespace weft
