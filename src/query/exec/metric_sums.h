// Sums of a metric by line and step, while spans are counted.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "block/latency_bucket.h"
#include "query/exec/series.h"
#include "query/exec/value_key.h"
#include "query/plan/arithmetic.h"
#include "query/plan/metrics.h"

namespace weft::query::exec {

// One thread. The metric must outlive it.
class MetricSums {
 public:
  MetricSums(const plan::Metric& metric, const SeriesQuery& query)
      : metric_(&metric), query_(&query) {}

  // The line of a combination of labels.
  uint32_t LineOf(std::vector<plan::Value> labels);
  void Count(uint32_t line, uint32_t step) { ++lines_[line].counts[PlaceOf(&lines_[line], step)]; }
  // `value` is a number.
  void Add(uint32_t line, uint32_t step, const plan::Scalar& value);
  // Spans with durations in a latency bucket (block/latency_bucket.h): of kRate, kCount, and
  // kQuantile of durations.
  void AddCounted(uint32_t line, uint32_t step, uint32_t bucket, uint64_t count);
  // Keeps the exemplar if chance wants it: of each line and step the one that it likes best, and of
  // these the best SeriesQuery::exemplars in the end.
  void Offer(uint32_t line, uint32_t step, const Exemplar& exemplar);

  void Merge(const MetricSums& other);
  size_t bytes() const;

  // Leaves nothing here. With `top`, rates and numbers of spans may lack lines that are in no step
  // among the `top` greatest, of equals among the first by labels.
  std::vector<MetricLine> TakeLines(std::optional<size_t> top = std::nullopt);

 private:
  using LatencyCounts = std::array<uint32_t, block::kLatencyBuckets>;
  static constexpr size_t kLatenciesMax = 16'384;  // 63 MB

  // Most of many lines have spans in few steps: they keep a stretch of steps around those.
  struct Line {
    std::vector<plan::Value> labels;
    uint32_t first_step = 0;
    std::vector<uint64_t> counts;  // by step from first_step on
    std::vector<double> numbers;   // likewise, of kMin, kMax, kSum and kAverage
    // Likewise, of durations: how many are in each latency bucket; none while there are none, and
    // where there are too many of these (then in buckets_).
    std::vector<std::unique_ptr<LatencyCounts>> latencies;
  };
  struct Kept {
    uint64_t chance = 0;
    Exemplar exemplar;
  };
  using LineStep = std::pair<uint32_t, uint32_t>;

  using BucketCount = std::pair<std::pair<uint32_t, uint32_t>, uint64_t>;

  // Where the line has the step, made room for if need be.
  size_t PlaceOf(Line* line, uint32_t step) {
    const size_t place = size_t{step} - line->first_step;  // huge where it comes before
    return place < line->counts.size() ? place : MakeRoom(line, step);
  }
  size_t MakeRoom(Line* line, uint32_t step);
  std::span<const BucketCount> BucketsOf(uint32_t index) const;
  bool has_numbers() const;
  bool has_buckets() const {
    return metric_->kind == plan::Metric::Kind::kQuantile ||
           metric_->kind == plan::Metric::Kind::kHistogram;
  }
  void KeepBestExemplars();
  void AddNumber(Line* line, uint32_t step, uint64_t count, double number);
  std::vector<uint32_t> LinesOfTop(size_t count) const;
  void AddLines(const Line& line, uint32_t index, std::vector<MetricLine>* out);
  std::vector<double> ValuesOf(const Line& line) const;
  std::vector<FoundValue> LabelsOf(const Line& line) const;
  void AddQuantiles(uint32_t index, const std::vector<FoundValue>& labels,
                    std::vector<MetricLine>* out) const;
  void AddHistogram(uint32_t index, const std::vector<FoundValue>& labels,
                    std::vector<MetricLine>* out) const;
  void PlaceExemplars(uint32_t index, size_t first, std::vector<MetricLine>* out) const;

  const plan::Metric* metric_;
  const SeriesQuery* query_;
  bool counts_latencies() const {
    return metric_->kind == plan::Metric::Kind::kQuantile && !metric_->coarse &&
           metric_->meaning == plan::Meaning::kDuration;
  }
  void AddToBucket(uint32_t line, uint32_t step, uint32_t bucket, uint64_t count);

  std::vector<Line> lines_;
  size_t latencies_ = 0;  // LatencyCounts of all lines
  absl::flat_hash_map<std::vector<plan::Value>, uint32_t, ValuesHash, ValuesEqual> by_labels_;
  // Of kQuantile and kHistogram: how many values are in each bucket, by line, step and bucket.
  absl::flat_hash_map<std::pair<uint32_t, uint32_t>, uint64_t> buckets_;
  absl::flat_hash_map<LineStep, Kept> exemplars_;
  uint64_t chance_max_ = UINT64_MAX;  // greater ones can't be among the best any more
  // The same sorted, for TakeLines.
  std::vector<BucketCount> sorted_buckets_;
  std::vector<std::pair<LineStep, Exemplar>> sorted_exemplars_;
};

}  // namespace weft::query::exec
