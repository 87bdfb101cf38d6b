#include "model/span_metrics.h"

#include <cmath>

#include <gtest/gtest.h>

namespace weft::model {
namespace {

TEST(SpanMetricsTest, ABoundBelongsToItsBucket) {
  const LatencyBounds& bounds = kSpanLatencyBounds;
  EXPECT_EQ(bounds.BucketOf(-5), 0u);
  EXPECT_EQ(bounds.BucketOf(0), 0u);
  EXPECT_EQ(bounds.BucketOf(INT64_MAX), bounds.count);
  for (uint32_t bucket = 0; bucket < bounds.count; ++bucket) {
    const auto bound_ns = static_cast<int64_t>(bounds.first_ns << bucket);
    EXPECT_EQ(bounds.BucketOf(bound_ns), bucket);
    EXPECT_EQ(bounds.BucketOf(bound_ns + 1), bucket + 1);
  }
  EXPECT_EQ(bounds.Text(0), "0.002");
  EXPECT_EQ(bounds.Text(13), "16.384");
  EXPECT_EQ(bounds.Text(14), "+Inf");
}

TEST(SpanMetricsTest, KeysBecomeLabels) {
  const auto made = SpanDimensions({"http.route", "service", "9lives", "µ"});
  ASSERT_TRUE(made.ok());
  std::string labels;
  for (const SpanDimension& dimension : *made) labels += dimension.label + " ";
  EXPECT_EQ(labels, "http_route __service _9lives __ ");
}

TEST(SpanMetricsTest, RefusesDimensionsThatCannotBeToldApart) {
  EXPECT_EQ(SpanDimensions({"a.b", "a_b"}).error().message(),
            "the dimensions a.b and a_b would both be the label a_b");
  EXPECT_FALSE(SpanDimensions({""}).ok());
  EXPECT_FALSE(SpanDimensions(std::vector<std::string>(17, "x")).ok());
}

TEST(SpanMetricsTest, LongValuesAreCutBetweenCharacters) {
  EXPECT_EQ(LabelValue(std::string(3000, 'x')).size(), 2048u);
  std::string text(2047, 'x');
  text += "\u00e9 and more";
  EXPECT_EQ(LabelValue(text), std::string(2047, 'x'));
}

}  // namespace
}  // namespace weft::model
