#include "generate/batch_counter.h"

#include <optional>
#include <string>
#include <utility>

#include <absl/container/flat_hash_map.h>
#include <absl/container/inlined_vector.h>

#include "model/otlp_encode.h"

namespace weft::generate {
namespace {

using model::Attribute;
using model::Code;
using model::SpanBatch;
using model::StringTable;
using model::ValueType;

std::string TextOf(const SpanBatch& batch, const Attribute& a) {
  switch (a.type) {
    case ValueType::kString: return model::LabelValue(batch.strings[a.as_code()]);
    case ValueType::kInt: return std::to_string(a.as_int());
    case ValueType::kBool: return a.as_bool() ? "true" : "false";
    case ValueType::kDouble: return model::LabelValue(a.as_double());
    default: return {};
  }
}

// The first one of that key.
std::optional<Attribute> Find(const model::AttributeArray& attributes, model::IndexRange range,
                              Code key) {
  for (uint32_t i = range.begin; i < range.end; ++i) {
    if (attributes.key(i) == key) return attributes[i];
  }
  return {};
}

class BatchCounter {
 public:
  BatchCounter(const SpanBatch& batch, const Options& options) : b_(batch), options_(options) {
    for (const auto& dimension : options.dimensions) {
      dimension_keys_.push_back(batch.strings.Find(dimension.key));
    }
    for (uint32_t r = 0; r < batch.resources.size(); ++r) services_.push_back(batch.ServiceName(r));
  }

  BatchCounts Run() {
    for (uint32_t span = 0; options_.span_metrics && span < b_.size(); ++span) Add(span);
    if (options_.service_graphs) counts_.calls = CallSidesOf(b_);
    if (options_.span_metrics && options_.target_info) {
      for (uint32_t r = 0; r < b_.resources.size(); ++r) AddTarget(r);
    }
    return std::move(counts_);
  }

 private:
  // Resource or its service; name; kind and status; type and value of each dimension.
  using GroupKey = absl::InlinedVector<uint64_t, 4>;

  void Add(uint32_t span) {
    const uint32_t resource = b_.resource[span];
    key_.clear();
    const uint64_t owner = options_.target_info ? resource : services_[resource];
    key_.push_back(owner << 32 | b_.name[span]);
    key_.push_back(uint64_t{b_.kind[span]} << 8 | b_.status[span]);
    for (const Code dimension : dimension_keys_) {
      const auto value = ValueOf(span, dimension);
      key_.push_back(value ? static_cast<uint64_t>(value->type) : 0);
      key_.push_back(value ? value->value : 0);
    }
    if (key_ != last_key_) {
      const auto [found, is_new] = groups_.try_emplace(key_, counts_.spans.size());
      if (is_new) AddGroup(span);
      last_ = found->second;
      last_key_ = key_;
    }
    Count(span, &counts_.spans[last_]);
  }

  void Count(uint32_t span, Increment* increment) const {
    increment->counters[0] += 1;
    increment->counters[1] += model::OtlpProtoBytes(b_, span);
    const auto duration_ns = static_cast<int64_t>(b_.end_ns[span] - b_.start_ns[span]);
    const uint64_t positive_ns = duration_ns < 0 ? 0 : static_cast<uint64_t>(duration_ns);
    const uint32_t bucket = model::kSpanLatencyBounds.BucketOf(duration_ns);
    Histogram& histogram = increment->histograms[0];
    ++histogram.counts[bucket];
    histogram.total_ns += positive_ns;
    histogram.exemplars[bucket] = {b_.trace_id(span), static_cast<double>(positive_ns) / 1e9,
                                   b_.end_ns[span], 0};
  }

  // The span's own, or else its resource's.
  std::optional<Attribute> ValueOf(uint32_t span, Code key) const {
    if (key == StringTable::kMissing) return {};
    const auto own = Find(b_.attributes, b_.AttributesOf(span), key);
    if (own) return own;
    return OfResource(b_.resource[span], key);
  }

  std::optional<Attribute> OfResource(uint32_t resource, Code key) const {
    return Find(b_.resources.attributes, b_.ResourceAttributesOf(resource), key);
  }

  std::string TextOfResource(uint32_t resource, std::string_view key) const {
    const Code code = b_.strings.Find(key);
    if (code == StringTable::kMissing) return {};
    const auto value = OfResource(resource, code);
    return value ? TextOf(b_, *value) : std::string();
  }

  void AddGroup(uint32_t span) {
    const uint32_t resource = b_.resource[span];
    Increment& made = counts_.spans.emplace_back();
    made.histograms.resize(1);
    Labels& labels = made.labels;
    labels.reserve(4 + options_.dimensions.size());
    const auto add = [&labels](std::string_view name, std::string value) {
      labels.emplace_back(std::string(name), std::move(value));
    };
    add(model::kServiceLabel, model::LabelValue(b_.strings[services_[resource]]));
    add(model::kSpanNameLabel, model::LabelValue(b_.strings[b_.name[span]]));
    add(model::kSpanKindLabel, std::string(model::SpanKindText(b_.kind[span])));
    add(model::kStatusCodeLabel, std::string(model::StatusCodeText(b_.status[span])));
    for (size_t i = 0; i < dimension_keys_.size(); ++i) {
      const auto value = ValueOf(span, dimension_keys_[i]);
      add(options_.dimensions[i].label, value ? TextOf(b_, *value) : std::string());
    }
    if (!options_.target_info) return;
    Target target = TargetOf(resource);
    add("job", std::move(target.job));
    add("instance", std::move(target.instance));
  }

  struct Target {
    std::string job;
    std::string instance;
  };
  Target TargetOf(uint32_t resource) const {
    const std::string space = TextOfResource(resource, "service.namespace");
    const std::string name = model::LabelValue(b_.strings[services_[resource]]);
    return {space.empty() || name.empty() ? name : space + "/" + name,
            TextOfResource(resource, "service.instance.id")};
  }

  // A resource that says nothing but its job is no news.
  void AddTarget(uint32_t resource) {
    Target target = TargetOf(resource);
    if (target.job.empty()) return;
    Labels labels{{"job", std::move(target.job)}, {"instance", std::move(target.instance)}};
    const size_t known = labels.size();
    const model::IndexRange range = b_.ResourceAttributesOf(resource);
    for (uint32_t i = range.begin; i < range.end && labels.size() < kTargetLabelsMax; ++i) {
      const Attribute attribute = b_.resources.attributes[i];
      const std::string_view key = b_.strings[attribute.key];
      if (key == "service.name" || key == "service.namespace" || key == "service.instance.id") {
        continue;
      }
      AddTargetLabel(model::LabelName(key), TextOf(b_, attribute), &labels);
    }
    if (labels.size() > known) counts_.targets.push_back({std::move(labels), {}, {}});
  }

  // Two keys with one label: the first one counts.
  static void AddTargetLabel(std::string name, std::string value, Labels* labels) {
    for (const auto& [other, text] : *labels) {
      if (other == name) return;
    }
    labels->emplace_back(std::move(name), std::move(value));
  }

  static constexpr size_t kTargetLabelsMax = 64;

  const SpanBatch& b_;
  const Options& options_;
  std::vector<Code> dimension_keys_;
  std::vector<Code> services_;  // of resources
  BatchCounts counts_;
  absl::flat_hash_map<GroupKey, size_t> groups_;
  GroupKey key_;
  GroupKey last_key_;
  size_t last_ = 0;
};

}  // namespace

BatchCounts CountBatch(const SpanBatch& batch, const Options& options) {
  return BatchCounter(batch, options).Run();
}

}  // namespace weft::generate
