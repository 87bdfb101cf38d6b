// SeriesStore: the series that are counted on arrival, by tenant.
//
// 1. Whoever has counted the spans of a batch adds an Increment for each combination of labels that
//    was in it.
// 2. A combination that is new becomes a series while there is memory; after that it is counted in
//    the overflow series of its tenant and kind, so that sums stay right.
// 3. A series that was not seen for Options::stale_ns goes; when it comes again it begins at 0,
// which
//    is a counter's reset.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "base/env.h"
#include "base/metrics.h"
#include "base/mutex.h"
#include "generate/options.h"
#include "model/ids.h"
#include "model/span_sink.h"

namespace weft::generate {

// A span that stands for a bucket.
struct Exemplar {
  model::TraceId trace_id;  // not valid(): none
  double seconds = 0;
  uint64_t time_ns = 0;  // end of the span
  uint64_t number = 0;   // of all that the store was given, ascending from 1
};

// What is known of a duration: how many were in each bucket, how long all of them took together.
struct Histogram {
  std::array<uint64_t, model::LatencyBounds::kCountMax + 1> counts{};
  unsigned __int128 total_ns = 0;  // exact, whatever order they come in
  std::array<Exemplar, model::LatencyBounds::kCountMax + 1> exemplars;  // the latest of each bucket
};

// Which series belong together: those with the same names of labels, counters and histograms.
enum class Kind : uint8_t { kSpans, kTargets, kCalls };
inline constexpr size_t kKinds = 3;

struct CounterName {
  std::string_view name;
  std::string_view help;
};
struct HistogramName {
  std::string_view name;
  std::string_view help;
  model::LatencyBounds bounds;
};
// Of one kind. Without counters and histograms it is a gauge that is 1 while the series is there.
struct KindNames {
  std::vector<CounterName> counters;
  std::vector<HistogramName> histograms;
  CounterName gauge;
};
const KindNames& NamesOf(Kind kind);

using Labels = std::vector<std::pair<std::string, std::string>>;

// What happened to the series of some labels.
struct Increment {
  Labels labels;
  std::array<uint64_t, 2> counters{};
  std::vector<Histogram> histograms;  // as many as the kind has, or none
};

// A series as it is now.
struct SeriesState {
  std::shared_ptr<const Labels> labels;
  std::array<uint64_t, 2> counters{};
  std::vector<Histogram> histograms;
};

// Any thread.
class SeriesStore {
 public:
  // References outlive this.
  SeriesStore(const Env& env, MetricRegistry& metrics, const Options& options);
  ~SeriesStore();
  SeriesStore(const SeriesStore&) = delete;
  SeriesStore& operator=(const SeriesStore&) = delete;

  // Labels with an empty value are left out of the series, as in Prometheus they are not there.
  void Add(const model::TenantId& tenant, Kind kind, std::vector<Increment> increments)
      WEFT_EXCLUDES(mutex_);

  // The tenant's series of a kind, in no particular order. Copied some at a time, so that nobody
  // who adds has to wait for it.
  std::vector<SeriesState> Read(const model::TenantId& tenant, Kind kind) const
      WEFT_EXCLUDES(mutex_);
  std::vector<model::TenantId> Tenants() const WEFT_EXCLUDES(mutex_);

 private:
  struct Series;
  struct Table;
  using TenantTables = std::array<Table, kKinds>;

  Series* FindOrAdd(Table* table, Kind kind, Labels labels, const std::string& key)
      WEFT_REQUIRES(mutex_);
  void RemoveStale(int64_t now_ns) WEFT_REQUIRES(mutex_);

  const Env& env_;
  const Options options_;
  Counter& overflowed_;
  Counter& uncounted_;
  mutable Mutex mutex_;
  std::map<model::TenantId, std::unique_ptr<TenantTables>> tenants_ WEFT_GUARDED_BY(mutex_);
  uint64_t bytes_ WEFT_GUARDED_BY(mutex_) = 0;
  uint64_t series_ WEFT_GUARDED_BY(mutex_) = 0;
  uint64_t exemplars_ WEFT_GUARDED_BY(mutex_) = 0;
  int64_t swept_ns_ WEFT_GUARDED_BY(mutex_) = 0;
};

}  // namespace weft::generate
