#include "query/exec/metric_sums.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <type_traits>
#include <utility>

#include "block/latency_bucket.h"
#include "query/exec/first_values.h"
#include "query/exec/series_operations.h"
#include "query/exec/span_describer.h"

namespace weft::query::exec {
namespace {

using plan::Metric;
using plan::Scalar;
using plan::Value;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr uint32_t kBucketBits = 16;

double ToDouble(const Scalar& value) {
  return value.type == Value::Type::kInt ? static_cast<double>(value.number) : value.real;
}

// Doubles as 16 bits in their order: sign, exponent, and four bits of the mantissa, so that the
// middle of a bucket is within 3.2 % of every value in it. Zero has a bucket of its own.
uint32_t BucketOfDouble(double value) {
  const auto bits = std::bit_cast<uint64_t>(value == 0 ? 0.0 : value);
  constexpr uint64_t kSign = uint64_t{1} << 63;
  return static_cast<uint32_t>(((bits & kSign) != 0 ? ~bits : bits | kSign) >> 48);
}

double MiddleOfDouble(uint32_t bucket) {
  if (bucket == 0x8000) return 0;
  const bool negative = bucket < 0x8000;
  const uint64_t bits = uint64_t{negative ? ~bucket & 0x7fff : bucket & 0x7fff} << 48;
  const double middle = std::bit_cast<double>(bits | uint64_t{1} << 47);
  return negative ? -middle : middle;
}

// Powers of two up to which values are counted, as their exponent; 0 for values up to 0.
constexpr int kExponentOffset = 1100;
uint32_t PowerBucketOf(double value) {
  if (!(value > 0)) return 0;
  int exponent = 0;
  const double fraction = std::frexp(value, &exponent);
  if (fraction == 0.5) --exponent;
  return static_cast<uint32_t>(std::min(exponent, 1030) + kExponentOffset);
}
double TopOfPowerBucket(uint32_t bucket) {
  return bucket == 0 ? 0 : std::ldexp(1.0, static_cast<int>(bucket) - kExponentOffset);
}

// A hash, so that which spans are shown does not depend on the order in which they are met.
uint64_t ChanceOf(const Exemplar& e) {
  uint64_t x = e.span_id.value ^ std::rotl(e.start_ns, 32);
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdULL;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53ULL;
  return x ^ x >> 33;
}

}  // namespace

bool MetricSums::has_numbers() const {
  return metric_->kind == Metric::Kind::kMin || metric_->kind == Metric::Kind::kMax ||
         metric_->kind == Metric::Kind::kSum || metric_->kind == Metric::Kind::kAverage;
}

uint32_t MetricSums::LineOf(std::vector<Value> labels) {
  const auto [found, is_new] = by_labels_.try_emplace(labels, static_cast<uint32_t>(lines_.size()));
  if (is_new) {
    lines_.push_back({std::move(labels), 0, {}, {}, {}});
  }
  return found->second;
}

size_t MetricSums::MakeRoom(Line* line, uint32_t step) {
  const auto size = static_cast<uint32_t>(line->counts.size());
  if (size == 0) line->first_step = step;
  const uint32_t before = line->first_step - std::min(step, line->first_step);
  const uint32_t end = std::max(step + 1, line->first_step + size);
  // Twice as much as there was, towards the side that wants it.
  const uint32_t front = before == 0 ? 0 : std::min(line->first_step, std::max(before, size));
  const uint32_t doubled = std::min(line->first_step + 2 * size, query_->axis.count);
  const uint32_t new_end = before == 0 ? std::max(end, doubled) : end;
  const uint32_t new_size = new_end - (line->first_step - front);
  const auto grow = [&](auto* values) {
    std::remove_reference_t<decltype(*values)> grown(new_size);
    std::move(values->begin(), values->end(), grown.begin() + front);
    values->swap(grown);
  };
  grow(&line->counts);
  if (has_numbers()) grow(&line->numbers);
  if (counts_latencies()) grow(&line->latencies);
  line->first_step -= front;
  return step - line->first_step;
}

void MetricSums::AddNumber(Line* line, uint32_t step, uint64_t count, double number) {
  const size_t place = PlaceOf(line, step);
  const bool first = line->counts[place] == 0;
  line->counts[place] += count;
  double& sum = line->numbers[place];
  switch (metric_->kind) {
    case Metric::Kind::kMin: sum = first ? number : std::min(sum, number); break;
    case Metric::Kind::kMax: sum = first ? number : std::max(sum, number); break;
    default: sum += number;
  }
}

void MetricSums::Add(uint32_t line, uint32_t step, const Scalar& value) {
  if (!has_buckets()) return AddNumber(&lines_[line], step, 1, ToDouble(value));
  const bool whole = value.type == Value::Type::kInt && value.number >= 2;
  if (metric_->coarse && !whole) return;
  Count(line, step);
  uint32_t bucket = 0;
  if (metric_->kind == Metric::Kind::kHistogram || metric_->coarse) {
    bucket = PowerBucketOf(ToDouble(value));
  } else if (metric_->meaning == plan::Meaning::kDuration) {
    bucket = block::LatencyBucketOf(value.number);
  } else {
    bucket = BucketOfDouble(ToDouble(value));
  }
  AddToBucket(line, step, bucket, 1);
}

void MetricSums::AddCounted(uint32_t line, uint32_t step, uint32_t bucket, uint64_t count) {
  lines_[line].counts[PlaceOf(&lines_[line], step)] += count;
  if (has_buckets()) AddToBucket(line, step, bucket, count);
}

void MetricSums::AddToBucket(uint32_t line, uint32_t step, uint32_t bucket, uint64_t count) {
  if (counts_latencies()) {
    const size_t place = PlaceOf(&lines_[line], step);
    auto& latencies = lines_[line].latencies[place];
    if (!latencies && latencies_ < kLatenciesMax) {
      latencies = std::make_unique<LatencyCounts>();
      ++latencies_;
    }
    if (latencies && (*latencies)[bucket] <= UINT32_MAX - count) {
      (*latencies)[bucket] += static_cast<uint32_t>(count);
      return;
    }
  }
  buckets_[{line, step << kBucketBits | bucket}] += count;
}

void MetricSums::Offer(uint32_t line, uint32_t step, const Exemplar& exemplar) {
  const uint64_t chance = ChanceOf(exemplar);
  if (chance > chance_max_) return;
  const auto [kept, is_new] = exemplars_.try_emplace({line, step}, Kept{chance, exemplar});
  if (!is_new && chance < kept->second.chance) kept->second = {chance, exemplar};
  if (exemplars_.size() > 4 * size_t{query_->exemplars} + 64) KeepBestExemplars();
}

// Those that are dropped could only be overtaken by more of the others.
void MetricSums::KeepBestExemplars() {
  if (exemplars_.size() <= query_->exemplars) return;
  std::vector<uint64_t> chances;
  chances.reserve(exemplars_.size());
  for (const auto& [key, kept] : exemplars_) chances.push_back(kept.chance);
  const auto last = chances.begin() + static_cast<ptrdiff_t>(query_->exemplars) - 1;
  std::nth_element(chances.begin(), last, chances.end());
  chance_max_ = *last;
  absl::erase_if(exemplars_, [&](const auto& entry) { return entry.second.chance > chance_max_; });
}

void MetricSums::Merge(const MetricSums& other) {
  std::vector<uint32_t> line_of;
  for (const Line& line : other.lines_) {
    const uint32_t to = LineOf(line.labels);
    line_of.push_back(to);
    for (uint32_t place = 0; place < line.counts.size(); ++place) {
      if (line.counts[place] == 0) continue;
      const uint32_t step = line.first_step + place;
      if (has_numbers()) {
        AddNumber(&lines_[to], step, line.counts[place], line.numbers[place]);
      } else {
        lines_[to].counts[PlaceOf(&lines_[to], step)] += line.counts[place];
      }
      if (line.latencies.empty() || !line.latencies[place]) continue;
      for (uint32_t bucket = 0; bucket < block::kLatencyBuckets; ++bucket) {
        const uint32_t count = (*line.latencies[place])[bucket];
        if (count != 0) AddToBucket(to, step, bucket, count);
      }
    }
  }
  for (const auto& [key, count] : other.buckets_)
    buckets_[{line_of[key.first], key.second}] += count;
  for (const auto& [key, kept] : other.exemplars_) {
    Offer(line_of[key.first], key.second, kept.exemplar);
  }
}

size_t MetricSums::bytes() const {
  const size_t per_line = 128 + query_->axis.count * (has_numbers() ? 16 : 8);
  return lines_.size() * per_line + latencies_ * sizeof(LatencyCounts) + buckets_.capacity() * 17 +
         exemplars_.capacity() * 65;
}

std::vector<FoundValue> MetricSums::LabelsOf(const Line& line) const {
  std::vector<FoundValue> out;
  const bool all_nil = std::all_of(line.labels.begin(), line.labels.end(),
                                   [](const Value& value) { return value.is_nil(); });
  for (size_t i = 0; i < line.labels.size(); ++i) {
    const plan::LabelField& by = metric_->by[i];
    if (line.labels[i].is_nil() && !all_nil) continue;
    out.push_back(ToFoundValue(by.name, Scalar::Of(line.labels[i]), by.meaning));
  }
  return out;
}

std::vector<double> MetricSums::ValuesOf(const Line& line) const {
  // Of a step without spans.
  std::vector<double> out(query_->axis.count, has_numbers() ? kNone : 0);
  const double seconds =
      metric_->kind == Metric::Kind::kRate ? static_cast<double>(query_->axis.step_ns) / 1e9 : 1;
  const double unit = metric_->meaning == plan::Meaning::kDuration ? 1e9 : 1;
  for (size_t place = 0; place < line.counts.size(); ++place) {
    if (line.counts[place] == 0) continue;
    const auto count = static_cast<double>(line.counts[place]);
    double& value = out[line.first_step + place];
    if (!has_numbers()) {
      value = count / seconds;
    } else {
      const double number = line.numbers[place] / unit;
      value = metric_->kind == Metric::Kind::kAverage ? number / count : number;
    }
  }
  return out;
}

// The value that a share q of the values does not exceed: the middle of its bucket or, coarse, what
// stands there if the bucket's values are a geometric series.
void MetricSums::AddQuantiles(uint32_t index, const std::vector<FoundValue>& labels,
                              std::vector<MetricLine>* out) const {
  const size_t first = out->size();
  const uint32_t steps = query_->axis.count;
  for (double quantile : metric_->quantiles) {
    MetricLine line{labels, std::vector<double>(steps, kNone), {}};
    line.labels.push_back(ToFoundValue("p", Scalar::Double(quantile), plan::Meaning::kPlain));
    out->push_back(std::move(line));
  }
  std::vector<std::pair<uint32_t, uint64_t>> found;  // step and bucket, count
  for (const auto& [key, count] : BucketsOf(index)) found.emplace_back(key.second, count);
  for (size_t begin = 0; begin < found.size();) {
    const uint32_t step = found[begin].first >> kBucketBits;
    size_t end = begin;
    uint64_t total = 0;
    for (; end < found.size() && found[end].first >> kBucketBits == step; ++end) {
      total += found[end].second;
    }
    for (size_t q = 0; q < metric_->quantiles.size(); ++q) {
      const double exact = metric_->quantiles[q] * static_cast<double>(total);
      const auto rank = std::max<uint64_t>(1, static_cast<uint64_t>(std::ceil(exact)));
      size_t at = begin;
      uint64_t seen = found[at].second;
      while (seen < rank && at + 1 < end) seen += found[++at].second;
      const uint32_t bucket = found[at].first & ((1u << kBucketBits) - 1);
      double& value = (*out)[first + q].values[step];
      const bool duration = metric_->meaning == plan::Meaning::kDuration;
      if (metric_->coarse) {
        const auto into = static_cast<double>(rank - (seen - found[at].second));
        value = TopOfPowerBucket(bucket - 1) *
                std::exp2(into / static_cast<double>(found[at].second)) / (duration ? 1e9 : 1);
      } else {
        value = duration ? static_cast<double>(block::LatencyBucketMiddle(bucket)) / 1e9
                         : MiddleOfDouble(bucket);
      }
    }
    begin = end;
  }
}

std::span<const MetricSums::BucketCount> MetricSums::BucketsOf(uint32_t index) const {
  const auto of_line = [](const BucketCount& entry) { return entry.first.first; };
  return std::ranges::equal_range(sorted_buckets_, index, {}, of_line);
}

void MetricSums::AddHistogram(uint32_t index, const std::vector<FoundValue>& labels,
                              std::vector<MetricLine>* out) const {
  std::vector<std::pair<std::pair<uint32_t, uint32_t>, uint64_t>> found;  // bucket, step; count
  for (const auto& [key, count] : BucketsOf(index)) {
    found.push_back({{key.second & ((1u << kBucketBits) - 1), key.second >> kBucketBits}, count});
  }
  std::sort(found.begin(), found.end());
  const double unit = metric_->meaning == plan::Meaning::kDuration ? 1e9 : 1;
  for (size_t i = 0; i < found.size(); ++i) {
    const uint32_t bucket = found[i].first.first;
    if (i == 0 || found[i - 1].first.first != bucket) {
      MetricLine line{labels, std::vector<double>(query_->axis.count, 0), {}};
      line.labels.push_back(ToFoundValue(
          "__bucket", Scalar::Double(TopOfPowerBucket(bucket) / unit), plan::Meaning::kPlain));
      out->push_back(std::move(line));
    }
    out->back().values[found[i].first.second] = static_cast<double>(found[i].second);
  }
}

// An exemplar stands with the first line that is not below it.
void MetricSums::PlaceExemplars(uint32_t index, size_t first, std::vector<MetricLine>* out) const {
  const auto of_line = [](const auto& entry) { return entry.first.first; };
  for (const auto& [key, found] : std::ranges::equal_range(sorted_exemplars_, index, {}, of_line)) {
    Exemplar exemplar = found;
    size_t line = first;
    if (metric_->kind == Metric::Kind::kHistogram) {
      while (line + 1 < out->size() && (*out)[line].labels.back().real < exemplar.value) ++line;
    } else if (metric_->kind == Metric::Kind::kQuantile) {
      while (line + 1 < out->size() && (*out)[line].values[key.second] < exemplar.value) ++line;
    }
    if (std::isnan(exemplar.value)) exemplar.value = (*out)[line].values[key.second];
    (*out)[line].exemplars.push_back(exemplar);
  }
}

void MetricSums::AddLines(const Line& line, uint32_t index, std::vector<MetricLine>* out) {
  std::vector<FoundValue> labels = LabelsOf(line);
  const size_t first = out->size();
  if (metric_->kind == Metric::Kind::kQuantile) {
    AddQuantiles(index, labels, out);
  } else if (metric_->kind == Metric::Kind::kHistogram) {
    AddHistogram(index, labels, out);
  } else {
    if (labels.empty())
      labels.push_back(
          ToFoundValue("__name__", Scalar::String(metric_->name), plan::Meaning::kPlain));
    out->push_back({std::move(labels), ValuesOf(line), {}});
  }
  if (out->size() > first) PlaceExemplars(index, first, out);
}

// Of very many lines few are among the first of any step: the others need no values.
std::vector<uint32_t> MetricSums::LinesOfTop(size_t count) const {
  std::vector<std::vector<FoundValue>> labels;
  labels.reserve(lines_.size());
  for (const Line& line : lines_) labels.push_back(LabelsOf(line));
  std::vector<uint32_t> by_labels(lines_.size());
  std::iota(by_labels.begin(), by_labels.end(), 0);
  std::sort(by_labels.begin(), by_labels.end(),
            [&](uint32_t a, uint32_t b) { return LabelsBefore(labels[a], labels[b]); });

  std::vector<FirstValues> first(query_->axis.count, FirstValues(count, true));
  for (size_t rank = 0; rank < by_labels.size(); ++rank) {
    const Line& line = lines_[by_labels[rank]];
    for (size_t place = 0; place < line.counts.size(); ++place) {
      const auto spans = static_cast<double>(line.counts[place]);
      if (spans != 0) first[line.first_step + place].Offer(spans, rank);
    }
  }
  std::vector<bool> is_first(by_labels.size(), false);
  for (uint32_t step = 0; step < first.size(); ++step) {
    // Where few lines have spans, those that have none come next.
    for (size_t rank = 0; rank < by_labels.size() && !first[step].full(); ++rank) {
      const Line& line = lines_[by_labels[rank]];
      const size_t place = size_t{step} - line.first_step;
      if (place >= line.counts.size() || line.counts[place] == 0) first[step].Offer(0, rank);
    }
    for (const FirstValues::Entry& entry : first[step].kept()) is_first[entry.line] = true;
  }
  std::vector<uint32_t> out;
  for (size_t rank = 0; rank < by_labels.size(); ++rank) {
    if (is_first[rank]) out.push_back(by_labels[rank]);
  }
  return out;
}

std::vector<MetricLine> MetricSums::TakeLines(std::optional<size_t> top) {
  const bool counts = metric_->kind == Metric::Kind::kRate || metric_->kind == Metric::Kind::kCount;
  // Of nothing there are none.
  if (counts && metric_->by.empty()) LineOf({});
  if (query_->exemplars > 0) KeepBestExemplars();
  for (const auto& [key, kept] : exemplars_) sorted_exemplars_.emplace_back(key, kept.exemplar);
  const auto by_key = [](const auto& a, const auto& b) { return a.first < b.first; };
  std::sort(sorted_exemplars_.begin(), sorted_exemplars_.end(), by_key);
  // Where there were too many the same bucket may be in both.
  for (uint32_t line = 0; line < lines_.size(); ++line) {
    for (uint32_t place = 0; place < lines_[line].latencies.size(); ++place) {
      const auto& latencies = lines_[line].latencies[place];
      const uint32_t step = lines_[line].first_step + place;
      for (uint32_t bucket = 0; latencies && bucket < block::kLatencyBuckets; ++bucket) {
        const uint32_t count = (*latencies)[bucket];
        if (count != 0) sorted_buckets_.push_back({{line, step << kBucketBits | bucket}, count});
      }
    }
  }
  sorted_buckets_.insert(sorted_buckets_.end(), buckets_.begin(), buckets_.end());
  std::sort(sorted_buckets_.begin(), sorted_buckets_.end());
  std::vector<MetricLine> out;
  if (top && counts && *top < lines_.size()) {
    for (const uint32_t i : LinesOfTop(*top)) AddLines(lines_[i], i, &out);
  } else {
    out.reserve(lines_.size());
    for (uint32_t i = 0; i < lines_.size(); ++i) AddLines(lines_[i], i, &out);
  }
  lines_.clear();
  return out;
}

}  // namespace weft::query::exec
