#include "generate/write_request.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include <absl/container/flat_hash_set.h>
#include <snappy.h>

#include "model/proto_writer.h"

namespace weft::generate {
namespace {

// Of one request; receivers take some MiB.
constexpr uint64_t kSamplesMax = 5000;
// The NaN by which Prometheus knows that a series has ended.
constexpr uint64_t kStaleMarker = 0x7ff0000000000002;

struct Sample {
  double value = 0;
  int64_t time_ms = 0;
};

// Fields of prometheus.WriteRequest (remote write 1.0).
class RequestWriter {
 public:
  explicit RequestWriter(std::vector<WriteRequest>* out) : out_(*out) {}

  void Add(std::string_view name, const Labels& labels, std::string_view bound,
           const std::vector<Sample>& samples, const Exemplar* exemplar) {
    model::ProtoWriter to(&message_);
    const size_t series = to.Begin(1);
    WriteLabels(name, labels, bound, &to);
    for (const Sample& sample : samples) {
      const size_t at = to.Begin(2);
      to.Double(1, sample.value);
      to.Varint(2, static_cast<uint64_t>(sample.time_ms));
      to.End(at);
    }
    if (exemplar != nullptr) WriteExemplar(*exemplar, &to);
    to.End(series);
    samples_ += samples.size();
    if (samples_ >= kSamplesMax) Finish();
  }

  void Finish() {
    if (samples_ == 0) return;
    WriteRequest request;
    snappy::Compress(message_.data(), message_.size(), &request.body);
    request.samples = samples_;
    out_.push_back(std::move(request));
    message_.clear();
    samples_ = 0;
  }

 private:
  static void WriteLabel(uint32_t field, std::string_view name, std::string_view value,
                         model::ProtoWriter* to) {
    const size_t label = to->Begin(field);
    to->Bytes(1, name);
    to->Bytes(2, value);
    to->End(label);
  }

  // By name, as receivers want them.
  void WriteLabels(std::string_view name, const Labels& labels, std::string_view bound,
                   model::ProtoWriter* to) {
    sorted_.assign(1, {"__name__", name});
    if (!bound.empty()) sorted_.emplace_back("le", bound);
    for (const auto& [key, value] : labels) sorted_.emplace_back(key, value);
    std::ranges::sort(sorted_);
    for (const auto& [key, value] : sorted_) WriteLabel(1, key, value, to);
  }

  static void WriteExemplar(const Exemplar& exemplar, model::ProtoWriter* to) {
    const size_t at = to->Begin(3);
    WriteLabel(1, "traceID", exemplar.trace_id.ToHex(), to);
    to->Double(2, exemplar.seconds);
    to->Varint(3, exemplar.time_ns / 1'000'000);
    to->End(at);
  }

  std::vector<WriteRequest>& out_;
  std::string message_;
  uint64_t samples_ = 0;
  std::vector<std::pair<std::string_view, std::string_view>> sorted_;
};

// Calls visit(name, bound, value, exemplar) for each sample of a series; exemplar is null, or its
// histogram and bucket.
template <typename Visit>
void ForEachSample(const KindNames& names, const SeriesState& state, Visit visit) {
  struct Place {
    size_t histogram;
    uint32_t bucket;
  };
  const Place* const nowhere = nullptr;
  if (!names.gauge.name.empty()) visit(std::string(names.gauge.name), std::string(), 1.0, nowhere);
  for (size_t i = 0; i < names.counters.size(); ++i) {
    visit(std::string(names.counters[i].name), std::string(),
          static_cast<double>(state.counters[i]), nowhere);
  }
  for (size_t h = 0; h < names.histograms.size(); ++h) {
    const HistogramName& name = names.histograms[h];
    const Histogram& histogram = state.histograms[h];
    const std::string base(name.name);
    uint64_t total = 0;
    for (uint32_t bucket = 0; bucket <= name.bounds.count; ++bucket) {
      total += histogram.counts[bucket];
      const Place place{h, bucket};
      visit(base + "_bucket", name.bounds.Text(bucket), static_cast<double>(total), &place);
    }
    visit(base + "_sum", std::string(), static_cast<double>(histogram.total_ns) / 1e9, nowhere);
    visit(base + "_count", std::string(), static_cast<double>(total), nowhere);
  }
}

}  // namespace

std::vector<WriteRequest> WriteEncoder::Encode(const SeriesStore& store,
                                               const model::TenantId& tenant, int64_t now_ms) {
  std::vector<WriteRequest> out;
  RequestWriter writer(&out);
  for (auto& [labels, sent] : sent_) sent.seen = false;
  for (size_t k = 0; k < kKinds; ++k) {
    const auto kind = static_cast<Kind>(k);
    const KindNames& names = NamesOf(kind);
    for (const SeriesState& state : store.Read(tenant, kind)) {
      const auto [found, is_new] = sent_.try_emplace(state.labels.get());
      Sent& sent = found->second;
      if (is_new) {
        sent.labels = state.labels;
        sent.kind = kind;
        sent.exemplars.assign(names.histograms.size(),
                              std::vector<uint64_t>(model::LatencyBounds::kCountMax + 1));
      }
      sent.seen = true;
      const bool begins = is_new && last_ms_ != 0 && names.gauge.name.empty();
      ForEachSample(
          names, state,
          [&](const std::string& name, const std::string& bound, double value, const auto* place) {
            std::vector<Sample> samples;
            if (begins) samples.push_back({0, last_ms_ + 1});
            samples.push_back({value, now_ms});
            const Exemplar* exemplar = nullptr;
            if (place != nullptr) {
              const Exemplar& latest = state.histograms[place->histogram].exemplars[place->bucket];
              uint64_t& known = sent.exemplars[place->histogram][place->bucket];
              if (latest.number != known) exemplar = &latest;
              known = latest.number;
            }
            writer.Add(name, *state.labels, bound, samples, exemplar);
          });
    }
  }
  const bool some_gone = std::ranges::any_of(sent_, [](const auto& s) { return !s.second.seen; });
  absl::flat_hash_set<std::pair<Kind, Labels>> there;
  for (const auto& [labels, sent] : sent_) {
    if (some_gone && sent.seen) there.emplace(sent.kind, *labels);
  }
  for (auto at = sent_.begin(); at != sent_.end();) {
    // What went and came back in between is still there for the receiver.
    const bool returned = !at->second.seen && there.contains({at->second.kind, *at->second.labels});
    if (returned) {
      sent_.erase(at++);
    } else if (!at->second.seen) {
      const KindNames& names = NamesOf(at->second.kind);
      const SeriesState gone{
          at->second.labels, {}, std::vector<Histogram>(names.histograms.size())};
      ForEachSample(names, gone,
                    [&](const std::string& name, const std::string& bound, double, const auto*) {
                      writer.Add(name, *gone.labels, bound,
                                 {{std::bit_cast<double>(kStaleMarker), now_ms}}, nullptr);
                    });
      sent_.erase(at++);
    } else {
      ++at;
    }
  }
  writer.Finish();
  last_ms_ = now_ms;
  return out;
}

}  // namespace weft::generate
