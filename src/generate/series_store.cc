#include "generate/series_store.h"

#include <algorithm>
#include <utility>

namespace weft::generate {
namespace {

// Each has an overflow series of its own, whatever the memory.
constexpr size_t kTenantsMax = 1000;
constexpr int64_t kSweepNs = 30'000'000'000;
// Series that are copied in one go.
constexpr size_t kCopiedAtOnce = 256;

// Of a map's entry and an allocation or two.
constexpr uint64_t kEntryBytes = 160;

// Texts with their lengths: no two combinations have one key.
std::string KeyOf(const Labels& labels) {
  std::string key;
  for (const auto& [name, value] : labels) {
    key += std::to_string(name.size()) + ':' + std::to_string(value.size()) + ':' + name + value;
  }
  return key;
}

uint64_t BytesOf(const Labels& labels, const std::string& key, size_t histograms) {
  uint64_t bytes = kEntryBytes + key.size() + histograms * sizeof(Histogram);
  for (const auto& [name, value] : labels) {
    bytes += sizeof(Labels::value_type) + name.size() + value.size();
  }
  return bytes;
}

void Merge(const Histogram& from, uint64_t* exemplars, Histogram* to) {
  for (size_t i = 0; i < from.counts.size(); ++i) {
    to->counts[i] += from.counts[i];
    if (!from.exemplars[i].trace_id.valid()) continue;
    to->exemplars[i] = from.exemplars[i];
    to->exemplars[i].number = ++*exemplars;
  }
  to->total_ns += from.total_ns;
}

}  // namespace

const KindNames& NamesOf(Kind kind) {
  static const KindNames kSpans{
      {{model::kCallsTotal, "Spans."}, {model::kSizeTotal, "Bytes of spans as OTLP."}},
      {{model::kLatency, "Duration of spans in seconds.", model::kSpanLatencyBounds}},
      {}};
  static const KindNames kTargets{{}, {}, {model::kTargetInfo, "Resources that send spans."}};
  static const KindNames kCalls{
      {{model::kGraphRequests, "Calls between services."},
       {model::kGraphFailed, "Calls of which either side has failed."}},
      {{model::kGraphServer, "Duration of calls in seconds as their servers saw it.",
        model::kGraphLatencyBounds},
       {model::kGraphClient, "Duration of calls in seconds as their clients saw it.",
        model::kGraphLatencyBounds}},
      {}};
  switch (kind) {
    case Kind::kTargets: return kTargets;
    case Kind::kCalls: return kCalls;
    case Kind::kSpans: break;
  }
  return kSpans;
}

struct SeriesStore::Series {
  std::shared_ptr<const Labels> labels;
  std::array<uint64_t, 2> counters{};
  std::vector<Histogram> histograms;
  int64_t seen_ns = 0;
  uint64_t bytes = 0;
};

struct SeriesStore::Table {
  absl::flat_hash_map<std::string, std::unique_ptr<Series>> by_key;
  std::unique_ptr<Series> overflow;
};

SeriesStore::SeriesStore(const Env& env, MetricRegistry& metrics, const Options& options)
    : env_(env),
      options_(options),
      overflowed_(metrics.GetCounter("weft_generator_overflowed_total",
                                     "Increments of series that found no place and were counted "
                                     "in the overflow series.")),
      uncounted_(metrics.GetCounter("weft_generator_uncounted_total",
                                    "Increments that were counted nowhere, for there were too "
                                    "many tenants.")) {
  metrics.AddGaugeFunction("weft_generator_series", "Series made of spans on arrival.", {}, [this] {
    const MutexLock lock(mutex_);
    return static_cast<double>(series_);
  });
  metrics.AddGaugeFunction("weft_generator_bytes", "Memory of these series.", {}, [this] {
    const MutexLock lock(mutex_);
    return static_cast<double>(bytes_);
  });
}

SeriesStore::~SeriesStore() = default;

SeriesStore::Series* SeriesStore::FindOrAdd(Table* table, Kind kind, Labels labels,
                                            const std::string& key) {
  const auto found = table->by_key.find(key);
  if (found != table->by_key.end()) return found->second.get();
  const size_t histograms = NamesOf(kind).histograms.size();
  const auto make = [&](Labels of, uint64_t bytes) WEFT_REQUIRES(mutex_) {
    auto series = std::make_unique<Series>();
    series->labels = std::make_shared<const Labels>(std::move(of));
    series->histograms.resize(histograms);
    series->bytes = bytes;
    bytes_ += bytes;
    ++series_;
    return series;
  };
  const uint64_t bytes = BytesOf(labels, key, histograms);
  if (bytes_ + bytes <= options_.memory_bytes_max) {
    return table->by_key.emplace(key, make(std::move(labels), bytes)).first->second.get();
  }
  overflowed_.Add();
  if (!table->overflow) {
    Labels overflow{{std::string(model::kOverflowLabel), "true"}};
    const uint64_t overflow_bytes = BytesOf(overflow, {}, histograms);
    table->overflow = make(std::move(overflow), overflow_bytes);
  }
  return table->overflow.get();
}

void SeriesStore::Add(const model::TenantId& tenant, Kind kind, std::vector<Increment> increments) {
  if (increments.empty()) return;
  // Outside the lock, for which all who receive spans would wait.
  std::vector<std::string> keys;
  keys.reserve(increments.size());
  for (Increment& increment : increments) {
    std::erase_if(increment.labels, [](const auto& label) { return label.second.empty(); });
    keys.push_back(KeyOf(increment.labels));
  }
  const int64_t now_ns = env_.MonotonicNs();
  const MutexLock lock(mutex_);
  if (now_ns - swept_ns_ >= kSweepNs) RemoveStale(now_ns);
  auto tables = tenants_.find(tenant);
  if (tables == tenants_.end()) {
    if (tenants_.size() >= kTenantsMax) return uncounted_.Add(increments.size());
    tables = tenants_.emplace(tenant, std::make_unique<TenantTables>()).first;
  }
  Table& table = (*tables->second)[static_cast<size_t>(kind)];
  for (size_t at = 0; at < increments.size(); ++at) {
    Increment& increment = increments[at];
    Series* const series = FindOrAdd(&table, kind, std::move(increment.labels), keys[at]);
    series->seen_ns = now_ns;
    for (size_t i = 0; i < increment.counters.size(); ++i) {
      series->counters[i] += increment.counters[i];
    }
    for (size_t i = 0; i < increment.histograms.size(); ++i) {
      Merge(increment.histograms[i], &exemplars_, &series->histograms[i]);
    }
  }
}

void SeriesStore::RemoveStale(int64_t now_ns) {
  swept_ns_ = now_ns;
  uint64_t bytes = 0;
  uint64_t count = 0;
  const auto is_stale = [&](const std::unique_ptr<Series>& series) {
    if (!series || now_ns - series->seen_ns < options_.stale_ns) return false;
    bytes += series->bytes;
    ++count;
    return true;
  };
  for (auto tenant = tenants_.begin(); tenant != tenants_.end();) {
    bool empty = true;
    for (Table& table : *tenant->second) {
      absl::erase_if(table.by_key, [&](const auto& entry) { return is_stale(entry.second); });
      if (is_stale(table.overflow)) table.overflow.reset();
      empty = empty && table.by_key.empty() && !table.overflow;
    }
    tenant = empty ? tenants_.erase(tenant) : std::next(tenant);
  }
  bytes_ -= bytes;
  series_ -= count;
}

std::vector<SeriesState> SeriesStore::Read(const model::TenantId& tenant, Kind kind) const {
  // The labels first: a series stays known by them when the table changes in between.
  std::vector<std::shared_ptr<const Labels>> wanted;
  bool overflow = false;
  const auto table_of = [&]() WEFT_REQUIRES(mutex_) -> const Table* {
    const auto tables = tenants_.find(tenant);
    return tables == tenants_.end() ? nullptr : &(*tables->second)[static_cast<size_t>(kind)];
  };
  {
    const MutexLock lock(mutex_);
    const Table* const table = table_of();
    if (table == nullptr) return {};
    wanted.reserve(table->by_key.size());
    for (const auto& [key, series] : table->by_key) wanted.push_back(series->labels);
    overflow = table->overflow != nullptr;
  }
  std::vector<SeriesState> out;
  out.reserve(wanted.size() + 1);
  const auto copy = [&out](const Series& series) {
    out.push_back({series.labels, series.counters, series.histograms});
  };
  for (size_t begin = 0; begin < wanted.size() || overflow; begin += kCopiedAtOnce) {
    const MutexLock lock(mutex_);
    const Table* const table = table_of();
    if (table == nullptr) break;
    for (size_t i = begin; i < std::min(wanted.size(), begin + kCopiedAtOnce); ++i) {
      const auto found = table->by_key.find(KeyOf(*wanted[i]));
      if (found != table->by_key.end()) copy(*found->second);
    }
    if (overflow && table->overflow) copy(*table->overflow);
    overflow = false;
  }
  return out;
}

std::vector<model::TenantId> SeriesStore::Tenants() const {
  const MutexLock lock(mutex_);
  std::vector<model::TenantId> out;
  for (const auto& [tenant, tables] : tenants_) out.push_back(tenant);
  return out;
}

}  // namespace weft::generate
